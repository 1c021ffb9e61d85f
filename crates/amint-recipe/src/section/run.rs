//! `[[run]]`: what is done within the image, after packages and files are in place.

use std::collections::{BTreeMap, HashSet};
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::{Problem, Problems};
use crate::table::{Located, Table, string_of};
use crate::text::{duration, names, path, plain};
use crate::{defaults, schema};

pub(crate) const KEYS: [&str; 6] = ["script", "command", "name", "network", "env", "deadline"];

/// Most `[[run]]` of a recipe.
const RUN_COUNT_MAX: usize = 200;
/// Most characters of a command.
const COMMAND_CHARS_MAX: usize = 16 * 1024;
/// Most characters of a step's name.
const NAME_CHARS_MAX: usize = 80;
/// Most variables of a step.
const VARIABLE_COUNT_MAX: usize = 100;
/// Most characters of a variable's value.
const VALUE_CHARS_MAX: usize = 4096;
/// Bounds of a deadline, in seconds: up to a day.
const DEADLINE_SECONDS: RangeInclusive<u64> = 1..=24 * 3600;

/// Says what is run within the image, as root, in the order of the recipe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, transform = schema::run_action)]
pub struct Run {
    /// What is run: exactly one of `script` and `command`.
    #[schemars(skip)]
    pub action: RunAction,
    /// The step's name in logs and reports. Without it the script's path or the command's first line.
    #[schemars(length(min = 1, max = 80))]
    pub name: Option<String>,
    /// Whether the step may reach the network. What comes from there is not the same in every build.
    #[schemars(default)]
    pub network: bool,
    /// Variables of the step's environment. No place for secrets: they would be kept with the image.
    #[schemars(default)]
    pub env: BTreeMap<String, String>,
    /// How long the step may take: a number of `s`, `min` or `h`.
    #[serde(serialize_with = "duration::serialize")]
    #[schemars(schema_with = "schema::duration", default = "defaults::run_deadline")]
    pub deadline: Duration,
}

/// What a step of `[[run]]` runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunAction {
    /// A program beside the recipe; a relative path starts at the recipe's folder.
    Script(PathBuf),
    /// A command for `sh`.
    Command(String),
}

impl Run {
    /// Returns the step's name, or what it runs.
    pub fn display_name(&self) -> String {
        match (&self.name, &self.action) {
            (Some(name), _) => name.clone(),
            (None, RunAction::Script(path)) => path.display().to_string(),
            (None, RunAction::Command(command)) => first_line(command),
        }
    }
}

/// Returns the first line of a command that is not blank, shortened to the length of a name.
pub(super) fn first_line(command: &str) -> String {
    let line = command.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().take(NAME_CHARS_MAX).collect()
}

/// Returns each step with the place of its script or command.
pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> Vec<Located<Run>> {
    let tables = root.tables(problems, "run", "[[run]]", RUN_COUNT_MAX, &KEYS);
    let mut names = HashSet::new();
    let mut runs = Vec::with_capacity(tables.len());
    for table in tables {
        let action = parse_action(&table, problems);
        let name = table.parsed(problems, "name", plain("name", NAME_CHARS_MAX, false));
        if let Some(name) = name.as_ref().filter(|name| !names.insert(name.value.clone())) {
            let message = format!("`{}` is the name of two `[[run]]`", name.value);
            problems.push(Problem::error(name.span.clone(), message));
        }
        let network = table.boolean(problems, "network").unwrap_or_default();
        let env = parse_env(&table, problems);
        let deadline = table.parsed(problems, "deadline", |text| duration::parse(text, &DEADLINE_SECONDS));
        let Some((action, span)) = action else { continue };
        let run = Run {
            action,
            name: name.map(|name| name.value),
            network,
            env,
            deadline: deadline.map_or_else(defaults::run_deadline, |deadline| deadline.value),
        };
        runs.push(Located { value: run, span });
    }
    runs
}

fn parse_action(table: &Table<'_>, problems: &mut Problems<'_>) -> Option<(RunAction, Range<usize>)> {
    let chosen = table.exactly_one(problems, &["script", "command"]);
    let script = table.parsed(problems, "script", path::host);
    let command = table.parsed(problems, "command", plain("command", COMMAND_CHARS_MAX, true));
    match chosen? {
        "script" => script.map(|script| (RunAction::Script(script.value), script.span)),
        _ => command.map(|command| (RunAction::Command(command.value), command.span)),
    }
}

fn parse_env(table: &Table<'_>, problems: &mut Problems<'_>) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    let Some(variables) = table.free_table(problems, "env", "env") else { return env };
    if variables.entries().count() > VARIABLE_COUNT_MAX {
        let message = format!("`env` has more than {VARIABLE_COUNT_MAX} variables");
        problems.push(Problem::error(variables.span.clone(), message));
        return env;
    }
    for (key, value) in variables.entries() {
        if let Err(flaw) = names::variable(key.value) {
            problems.push(flaw.at(key.span));
        }
        let Some(text) = string_of(problems, key.value, value) else { continue };
        if names::is_secret_value(text.value) {
            let message =
                format!("the value of `{}` is a secret, and a recipe is no place for one", key.value);
            problems.push(Problem::error(text.span, message).hint(names::SECRET_HINT));
        } else if text.value.contains('\0') || text.value.chars().count() > VALUE_CHARS_MAX {
            let message = format!("the value of `{}` is too long or has a NUL character", key.value);
            problems.push(Problem::error(text.span, message));
        } else {
            env.insert(key.value.to_owned(), text.value.to_owned());
        }
    }
    env
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::section::testing::{errors, messages, recipe};

    #[test]
    fn reads_scripts_and_commands() {
        let run = recipe(
            "[[run]]\nscript = \"a.sh\"\nname = \"first\"\n\
             [[run]]\ncommand = \"\"\"\n  echo b\n  echo c\"\"\"\nnetwork = true\ndeadline = \"2h\"\nenv = { B = \"x\" }\n",
        )
        .run;
        assert_eq!(run[0].action, RunAction::Script("a.sh".into()));
        assert_eq!((run[0].deadline, run[0].network), (Duration::from_mins(30), false));
        assert_eq!(run[0].display_name(), "first");
        assert_eq!(run[1].display_name(), "echo b");
        assert_eq!((run[1].deadline, run[1].env["B"].as_str()), (Duration::from_hours(2), "x"));
    }

    #[test]
    fn wants_exactly_one_of_script_and_command() {
        assert_eq!(
            messages("[[run]]\nname = \"x\"\n"),
            ["`[[run]]` needs exactly one of `script` or `command`"]
        );
        let found = errors("[[run]]\nscript = \"a\"\ncommand = \"b\"\n");
        assert_eq!(
            found[0].1,
            "`[[run]]` has `script` and `command`: exactly one of `script` or `command` is allowed"
        );
    }

    #[test]
    fn refuses_secrets_in_the_environment() {
        let key = concat!("AKIA", "IOSFODNN7EXAMPLE");
        let found =
            errors(&format!("[[run]]\ncommand = \"b\"\nenv = {{ DB_PASSWORD = \"x\", ID = \"{key}\" }}\n"));
        assert_eq!(found.len(), 2);
        assert!(
            found.iter().all(|(_, message, hint)| message.contains("secret") && !hint.is_empty()),
            "{found:?}"
        );
        assert!(found.iter().all(|(_, message, _)| !message.contains(key)));
    }

    #[test]
    fn refuses_two_steps_with_one_name() {
        let step = "[[run]]\ncommand = \"b\"\nname = \"x\"\n";
        assert_eq!(messages(&format!("{step}{step}")), ["`x` is the name of two `[[run]]`"]);
    }

    #[test]
    fn refuses_deadlines_that_are_no_text() {
        let found = errors("[[run]]\ncommand = \"b\"\ndeadline = 600\n");
        assert_eq!(found[0].1, "`deadline` must be a string, not a whole number");
        assert_eq!(errors("[[run]]\ncommand = \"b\"\ndeadline = \"10m\"\n")[0].2, "write `10min`");
    }
}
