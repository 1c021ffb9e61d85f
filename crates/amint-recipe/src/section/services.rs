//! `[services]`: which units run.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::{Problem, Problems};
use crate::schema;
use crate::table::{Table, values};
use crate::text::names;

pub(crate) const KEYS: [&str; 3] = ["enable", "disable", "mask"];

/// Most units of one list.
const UNIT_COUNT_MAX: usize = 200;

/// Says which systemd units run (A12, B6); a name without a type is a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Services {
    /// Units that start with the system.
    #[schemars(schema_with = "schema::units", default)]
    pub enable: Vec<String>,
    /// Units that do not start by themselves.
    #[schemars(schema_with = "schema::units", default)]
    pub disable: Vec<String>,
    /// Units that cannot be started at all.
    #[schemars(schema_with = "schema::units", default)]
    pub mask: Vec<String>,
}

pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> Services {
    let Some(table) = root.table(problems, "services", "[services]", &KEYS) else {
        return Services::default();
    };
    let mut homes: HashMap<String, &str> = HashMap::new();
    let lists = KEYS.map(|key| {
        let units = table.parsed_list(problems, key, UNIT_COUNT_MAX, names::unit).unwrap_or_default();
        for unit in &units {
            if let Some(other) = homes.insert(unit.value.clone(), key) {
                let message = format!("`{}` is under `{other}` and under `{key}`", unit.value);
                problems.push(Problem::error(unit.span.clone(), message).hint("keep one of the two"));
            }
            let is_ssh_gone = unit.value == "ssh.service" && key != "enable";
            if is_ssh_gone && homes.get("ssh.socket") != Some(&"enable") {
                let message = "without `ssh.service` nobody can log in (A10)";
                problems.push(
                    Problem::warning(unit.span.clone(), message)
                        .hint("enable `ssh.socket` if SSH shall start on demand"),
                );
            }
        }
        values(units)
    });
    let [enable, disable, mask] = lists;
    Services { enable, disable, mask }
}

#[cfg(test)]
mod tests {
    use crate::section::testing::{errors, recipe, warnings};

    #[test]
    fn completes_the_names_of_services() {
        let services = recipe("[services]\nenable = [\"nginx\", \"fstrim.timer\"]\n").services;
        assert_eq!(services.enable, ["nginx.service", "fstrim.timer"]);
    }

    #[test]
    fn refuses_a_unit_in_two_lists() {
        let found = errors("[services]\nenable = [\"nginx\"]\nmask = [\"nginx.service\"]\n");
        assert_eq!(found[0].0, "\"nginx.service\"");
        assert_eq!(found[0].1, "`nginx.service` is under `enable` and under `mask`");
    }

    #[test]
    fn refuses_a_unit_twice_in_one_list() {
        let found = errors("[services]\nenable = [\"nginx\", \"nginx.service\"]\n");
        assert_eq!(found[0].1, "`nginx.service` is listed twice");
    }

    #[test]
    fn warns_when_ssh_is_switched_off() {
        assert_eq!(warnings("[services]\nmask = [\"ssh\"]\n").len(), 1);
        assert!(warnings("[services]\nenable = [\"ssh.socket\"]\ndisable = [\"ssh\"]\n").is_empty());
    }
}
