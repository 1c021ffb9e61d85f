//! `[[test]]`: what the booted image has to do.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::{Flaw, Problem, Problems};
use crate::section::ports::PORT_NUMBERS;
use crate::section::run::first_line;
use crate::section::{Port, Protocol};
use crate::table::{Located, Table, quoted_list};
use crate::text::{Choice, TestUrl, choose, duration, plain};
use crate::{defaults, schema};

pub(crate) const KEYS: [&str; 7] = ["http", "tcp", "command", "name", "expect", "deadline", "instance"];
pub(crate) const EXPECT_KEYS: [&str; 6] =
    ["status", "body_contains", "header_contains", "banner_contains", "exit_code", "stdout_contains"];

/// The kinds of tests, and what each can expect.
const KINDS: [(&str, &[&str]); 3] = [
    ("http", &["status", "body_contains", "header_contains"]),
    ("tcp", &["banner_contains"]),
    ("command", &["exit_code", "stdout_contains"]),
];

/// Most tests of a recipe.
const TEST_COUNT_MAX: usize = 200;
/// Most characters of a test's name.
const NAME_CHARS_MAX: usize = 80;
/// Most characters of a command.
const COMMAND_CHARS_MAX: usize = 16 * 1024;
/// Most characters of an expected text.
const EXPECTED_CHARS_MAX: usize = 4096;
/// The status codes of HTTP (RFC 9110, section 15); 1xx are never the last answer.
const STATUS_CODES: RangeInclusive<u32> = 200..=599;
/// The exit codes of programs.
const EXIT_CODES: RangeInclusive<u32> = 0..=255;
/// Bounds of a deadline, in seconds: up to an hour.
const DEADLINE_SECONDS: RangeInclusive<u64> = 1..=3600;

/// Says what the booted image has to do (A9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, transform = schema::test_action)]
pub struct Test {
    /// What is asked: exactly one of `http`, `tcp` and `command`.
    #[schemars(skip)]
    pub action: TestAction,
    /// The test's name in reports. Without it what is asked.
    #[schemars(length(min = 1, max = 80))]
    pub name: Option<String>,
    /// What has to come back; only keys that fit what is asked.
    #[schemars(default)]
    pub expect: Expect,
    /// How long the test may take, all its attempts included: a number of `s`, `min` or `h`.
    #[serde(serialize_with = "duration::serialize")]
    #[schemars(schema_with = "schema::duration", default = "defaults::test_deadline")]
    pub deadline: Duration,
    /// Which of the two instances of a boot test is asked.
    #[schemars(default)]
    pub instance: TestInstance,
}

/// An instance of a boot test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
#[non_exhaustive]
pub enum TestInstance {
    /// Launched from the product: it has the product codes of the recipe.
    #[default]
    Product,
    /// Launched from a copy of the image, beside the product: it has no product codes.
    Copy,
}

impl Choice for TestInstance {
    const WHAT: &'static str = "an instance";
    const ALL: &'static [Self] = &[Self::Product, Self::Copy];

    fn word(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Copy => "copy",
        }
    }
}

/// What a test asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TestAction {
    /// Asks a web server: `http://{host}/healthz`, with `{host}` for the machine under test.
    Http(String),
    /// Connects to a TCP port.
    Tcp(u16),
    /// Runs a command in the machine, by `sh`, as the recipe's user; `{identity}` stands for a folder with documents
    /// of the local keys.
    Command(String),
}

/// What has to come back from a test.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Expect {
    /// For `http`: the status of the answer. Without it any below 400.
    #[schemars(range(min = 200, max = 599))]
    pub status: Option<u16>,
    /// For `http`: text within the answer's body.
    #[schemars(length(min = 1, max = 4096))]
    pub body_contains: Option<String>,
    /// For `http`: a header of the answer as `NAME`, or as `NAME: TEXT` with text within its value.
    #[schemars(length(min = 1, max = 4096), extend("pattern" = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+(:.*)?$"))]
    pub header_contains: Option<String>,
    /// For `tcp`: text that the server sends by itself. Without it taking the connection is enough.
    #[schemars(length(min = 1, max = 4096))]
    pub banner_contains: Option<String>,
    /// For `command`: the exit code. Without it 0.
    #[schemars(range(min = 0, max = 255))]
    pub exit_code: Option<i32>,
    /// For `command`: text within its standard output.
    #[schemars(length(min = 1, max = 4096))]
    pub stdout_contains: Option<String>,
}

impl Expect {
    /// Returns the name of the header that has to come, and the text that its value has to contain.
    pub fn header(&self) -> Option<(&str, &str)> {
        let header = self.header_contains.as_deref()?;
        let (name, value) = header.split_once(':').unwrap_or((header, ""));
        Some((name, value.trim()))
    }
}

impl Test {
    /// Returns the test's name, or what it asks.
    pub fn display_name(&self) -> String {
        match (&self.name, &self.action) {
            (Some(name), _) => name.clone(),
            (None, TestAction::Http(url)) => format!("http {url}"),
            (None, TestAction::Tcp(port)) => format!("tcp {port}"),
            (None, TestAction::Command(command)) => first_line(command),
        }
    }
}

/// Returns each test with the place of what it asks.
pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> Vec<Located<Test>> {
    let tables = root.tables(problems, "test", "[[test]]", TEST_COUNT_MAX, &KEYS);
    let mut names = HashSet::new();
    let mut tests = Vec::with_capacity(tables.len());
    for table in tables {
        let kind = table.exactly_one(problems, &["http", "tcp", "command"]);
        let action = parse_action(&table, problems, kind);
        let name = table.parsed(problems, "name", plain("name", NAME_CHARS_MAX, false));
        if let Some(name) = name.as_ref().filter(|name| !names.insert(name.value.clone())) {
            let message = format!("`{}` is the name of two `[[test]]`", name.value);
            problems.push(Problem::error(name.span.clone(), message));
        }
        let expect = parse_expect(&table, problems, kind);
        let deadline = table.parsed(problems, "deadline", |text| duration::parse(text, &DEADLINE_SECONDS));
        let instance = table.parsed(problems, "instance", choose::<TestInstance>);
        let Some(action) = action else { continue };
        let span = action.span.clone();
        let test = Test {
            action: action.value,
            name: name.map(|name| name.value),
            expect,
            deadline: deadline.map_or_else(defaults::test_deadline, |deadline| deadline.value),
            instance: instance.map(|instance| instance.value).unwrap_or_default(),
        };
        tests.push(Located { value: test, span });
    }
    tests
}

fn parse_action(
    table: &Table<'_>,
    problems: &mut Problems<'_>,
    kind: Option<&str>,
) -> Option<Located<TestAction>> {
    let http = table.parsed(problems, "http", |text| TestUrl::parse(text).map(|url| (url, text.to_owned())));
    let tcp = table.integer(problems, "tcp", PORT_NUMBERS);
    let command = table.parsed(problems, "command", plain("command", COMMAND_CHARS_MAX, true));
    if let Some(http) = http.as_ref().filter(|http| !http.value.0.is_machine()) {
        let message = "the address is not that of the machine under test";
        problems.push(Problem::warning(http.span.clone(), message).hint("write `{host}` for its host"));
    }
    match kind? {
        "http" => http.map(|http| http.map(|(_, text)| TestAction::Http(text))),
        "tcp" => tcp.map(|tcp| tcp.map(|port| TestAction::Tcp(u16::try_from(port).unwrap_or(u16::MAX)))),
        _ => command.map(|command| command.map(TestAction::Command)),
    }
}

fn parse_expect(table: &Table<'_>, problems: &mut Problems<'_>, kind: Option<&str>) -> Expect {
    let Some(expect) = table.table(problems, "expect", "expect", &EXPECT_KEYS) else {
        return Expect::default();
    };
    for (owner, keys) in KINDS {
        if kind.is_none_or(|kind| kind == owner) {
            continue;
        }
        for key in keys.iter().filter(|key| expect.has(key)) {
            let own = KINDS.iter().find(|(name, _)| Some(*name) == kind).map_or(&[][..], |(_, keys)| keys);
            let message = format!("`{key}` is for `{owner}` tests, not for `{}`", kind.unwrap_or_default());
            let hint = format!(
                "`{}` can expect {}",
                kind.unwrap_or_default(),
                quoted_list(own.iter().copied(), "and")
            );
            problems.push(Problem::error(expect.span_of(key), message).hint(hint));
        }
    }
    let status = expect.integer(problems, "status", STATUS_CODES);
    let exit_code = expect.integer(problems, "exit_code", EXIT_CODES);
    let mut text =
        |key| expect.parsed(problems, key, plain(key, EXPECTED_CHARS_MAX, true)).map(|text| text.value);
    Expect {
        body_contains: text("body_contains"),
        banner_contains: text("banner_contains"),
        stdout_contains: text("stdout_contains"),
        status: status.and_then(|status| u16::try_from(status.value).ok()),
        exit_code: exit_code.and_then(|code| i32::try_from(code.value).ok()),
        header_contains: expect.parsed(problems, "header_contains", header).map(|header| header.value),
    }
}

fn header(text: &str) -> Result<String, Flaw> {
    let text = plain("header_contains", EXPECTED_CHARS_MAX, false)(text)?;
    let name = text.split(':').next().unwrap_or_default();
    // A token (RFC 9110, section 5.6.2).
    let is_token =
        |character: char| character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character);
    if name.is_empty() || !name.chars().all(is_token) {
        return Err(Flaw::new(format!("`{name}` is not the name of a header"))
            .hint("write `NAME`, or `NAME: TEXT` such as `Content-Type: text/html`"));
    }
    Ok(text)
}

/// Reports tests of ports that nothing can reach: the recipe does not open them.
pub(crate) fn check_ports(tests: &[Located<Test>], open: &[Port], problems: &mut Problems<'_>) {
    for test in tests {
        let port = match &test.value.action {
            TestAction::Http(url) => match TestUrl::parse(url) {
                Ok(url) if url.is_machine() => url.port(),
                _ => continue,
            },
            TestAction::Tcp(port) => *port,
            TestAction::Command(_) => continue,
        };
        if !open.iter().any(|known| known.port == port && known.protocol == Protocol::Tcp) {
            let message = format!("the test needs port {port}/tcp, which is not open");
            let hint = format!("add `[[ports]]` with `port = {port}`");
            problems.push(Problem::relation(test.span.clone(), message).hint(hint));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::section::testing::{errors, messages, recipe, warnings};

    const OPEN: &str = "[[ports]]\nport = 80\n";

    fn one(test: &str) -> Test {
        recipe(&format!("{OPEN}[[test]]\n{test}")).tests.remove(0)
    }

    #[test]
    fn reads_tests_of_every_kind() {
        let test = one(
            "http = \"http://{host}/healthz\"\nexpect = { status = 204, header_contains = \"Server: nginx\" }\n",
        );
        assert_eq!(test.action, TestAction::Http("http://{host}/healthz".into()));
        assert_eq!((test.expect.status, test.expect.header()), (Some(204), Some(("Server", "nginx"))));
        assert_eq!(
            (test.display_name().as_str(), test.deadline),
            ("http http://{host}/healthz", Duration::from_secs(30))
        );
        let test = one("tcp = 22\nexpect.banner_contains = \"SSH-2.0\"\ndeadline = \"2min\"\n");
        assert_eq!((test.action, test.deadline), (TestAction::Tcp(22), Duration::from_mins(2)));
        assert_eq!(test.instance, TestInstance::Product);
        let test = one("tcp = 22\ninstance = \"copy\"\n");
        assert_eq!(test.instance, TestInstance::Copy);
        let test = one("command = \"sudo nginx -t\"\nname = \"configuration\"\nexpect = { exit_code = 0 }\n");
        assert_eq!((test.expect.exit_code, test.display_name().as_str()), (Some(0), "configuration"));
    }

    #[test]
    fn wants_exactly_one_question() {
        assert_eq!(
            messages("[[test]]\nname = \"x\"\n"),
            ["`[[test]]` needs exactly one of `http`, `tcp` or `command`"]
        );
        assert_eq!(messages("[[test]]\ntcp = 22\ncommand = \"true\"\n").len(), 1);
    }

    #[test]
    fn refuses_expectations_of_another_kind() {
        let found = errors("[[test]]\ntcp = 22\nexpect = { status = 200, exit_code = 1 }\n");
        assert_eq!(found[0].1, "`status` is for `http` tests, not for `tcp`");
        assert_eq!(found[0].2, "`tcp` can expect `banner_contains`");
        assert_eq!(found.len(), 2);
        assert_eq!(errors("[[test]]\ntcp = 22\nexpect = { stauts = 200 }\n")[0].2, "did you mean `status`?");
    }

    #[test]
    fn refuses_tests_of_closed_ports() {
        let found = errors("[[test]]\nhttp = \"https://{host}/\"\n[[test]]\ntcp = 5432\n");
        assert_eq!(found[0].1, "the test needs port 443/tcp, which is not open");
        assert_eq!(found[1].2, "add `[[ports]]` with `port = 5432`");
        let udp = "[[ports]]\nport = 8080\nprotocol = \"udp\"\n[[test]]\nhttp = \"http://{host}:8080/\"\n";
        assert_eq!(messages(udp).len(), 1);
    }

    #[test]
    fn warns_about_tests_of_other_machines() {
        assert_eq!(
            warnings("[[test]]\nhttp = \"http://web.example/\"\n"),
            ["the address is not that of the machine under test"]
        );
    }

    #[test]
    fn refuses_two_tests_with_one_name() {
        let test = "[[test]]\ntcp = 22\nname = \"x\"\n";
        assert_eq!(messages(&format!("{test}{test}")), ["`x` is the name of two `[[test]]`"]);
    }

    #[test]
    fn refuses_headers_without_a_name() {
        let found = messages(&format!(
            "{OPEN}[[test]]\nhttp = \"http://{{host}}/\"\nexpect.header_contains = \": x\"\n"
        ));
        assert_eq!(found, ["`` is not the name of a header"]);
    }
}
