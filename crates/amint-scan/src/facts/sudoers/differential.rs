//! The reader against sudo's own: the same generated files, the same statements.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command as Process, Stdio};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::model::{Command, Element, Member, Members, Scope, Sudoers};
use crate::testing::Fixture;

fn any(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(words).prop_map(str::to_owned)
}

fn list(element: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let separator = any(&[",", ", ", " , ", ",\\\n  "]);
    prop::collection::vec((element, separator), 1..4).prop_map(|parts| {
        let mut text = String::new();
        for (index, (part, separator)) in parts.iter().enumerate() {
            if index > 0 {
                text.push_str(separator);
            }
            text.push_str(part);
        }
        text
    })
}

fn negatable(element: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    (any(&["", "", "", "!", "! ", "!!"]), element).prop_map(|(sign, element)| sign + &element).boxed()
}

fn users() -> impl Strategy<Value = String> {
    let user = any(&[
        "joe",
        "ALL",
        "USERS",
        "%ops",
        "%#10",
        "#1000",
        "+net",
        "\"two words\"",
        "a\\,b",
        "x.y-z_1",
        "\"%g h\"",
        "%:far",
        "dom\\\\joe",
        "joe\\x41",
    ]);
    list(negatable(user))
}

fn hosts() -> impl Strategy<Value = String> {
    list(negatable(any(&[
        "ALL",
        "web",
        "HOSTS",
        "10.0.0.0/8",
        "192.0.2.1",
        "fe80::1",
        "web*.example",
        "+net",
    ])))
}

fn commands() -> impl Strategy<Value = String> {
    let command = any(&[
        "ALL",
        "/bin/ls",
        "/bin/ls -l *",
        "CMNDS",
        "/bin/a\\,b c\\=d e\\:f",
        "sudoedit /etc/motd",
        "/usr/bin/",
        "/bin/x \"\"",
        "/bin/su - [a-z]*",
        "/bin/ls   -l   /tmp",
    ]);
    let digest = any(&["", "", "", "sha224:0GomF8mNN3wlDt1HD9XldjJ3SNgpFdbjO1+NsQ== "]);
    (digest, negatable(command)).prop_map(|(digest, command)| digest + &command)
}

fn specs() -> impl Strategy<Value = String> {
    let target = any(&[
        "",
        "",
        "(root) ",
        "(ALL:ALL) ",
        "(:adm) ",
        "( joe , !RUNAS ) ",
        "(joe:%#5)",
        "(joe:adm, ops)",
        "(#0) ",
        "() ",
    ]);
    let tag =
        any(&["", "", "NOPASSWD:", "PASSWD: ", "NOEXEC: NOPASSWD: ", "SETENV:", "TIMEOUT=5 NOPASSWD : "]);
    list((target, tag, commands()).prop_map(|(target, tag, command)| target + &tag + &command).boxed())
}

fn statement() -> impl Strategy<Value = String> {
    let privilege =
        (hosts(), any(&["=", " = "]), specs()).prop_map(|(hosts, is, specs)| hosts + &is + &specs);
    let spec = (users(), prop::collection::vec(privilege, 1..3), any(&["", " # NOPASSWD: ALL", " \\\n"]))
        .prop_map(|(users, privileges, end)| format!("{users} {}{end}", privileges.join(" : ")));
    let scope = prop_oneof![
        4 => Just(" ".to_owned()),
        1 => any(&[":joe ", ":joe,%ops ", ":!joe,USERS ", ":#1000 ", ":%#10 ", "@ALL ", "@web,!HOSTS ", ": joe "]),
        1 => any(&[">root ", ">joe,!RUNAS ", "!/bin/ls ", "!CMNDS,/bin/su "]),
    ];
    let settings = any(&[
        "!authenticate",
        "authenticate",
        "use_pty, !authenticate",
        "logfile=/var/log/sudo.log",
        "secure_path=\"/usr/sbin:/usr/bin\"",
        "env_keep += \"A B\", timestamp_timeout = 5",
        "!lecture,insults",
    ]);
    prop_oneof![
        6 => spec,
        3 => (scope, settings).prop_map(|(scope, settings)| format!("Defaults{scope}{settings}")),
        1 => any(&["# joe ALL=ALL \\", "", "#joe"]),
    ]
}

const ALIASES: &str = "User_Alias USERS = joe, %ops : OTHERS = USERS, !jim\nHost_Alias HOSTS = web, fe80::/10\n\
    Runas_Alias RUNAS = root, %wheel\nCmnd_Alias CMNDS = /bin/more, !/bin/less -x\n";

fn ask(text: &str) -> Result<Value, String> {
    let mut process = Process::new("cvtsudoers")
        .args(["-f", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut input = process.stdin.take().unwrap();
    input.write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    drop(input);
    let output = process.wait_with_output().map_err(|error| error.to_string())?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || errors.contains("syntax error") {
        return Err(errors.into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

#[test]
fn the_reader_understands_what_sudo_does() {
    if let Err(error) = ask("root ALL=ALL\n") {
        eprintln!("SKIPPED: cvtsudoers does not work here (package sudo): {error}");
        return;
    }
    let mut runner = TestRunner::new(Config { cases: 250, failure_persistence: None, ..Config::default() });
    let files = prop::collection::vec(statement(), 1..6);
    runner.run(&files, |statements| compare(&statements)).unwrap();
}

fn compare(statements: &[String]) -> Result<(), TestCaseError> {
    let text = format!("{ALIASES}{}\n", statements.join("\n"));
    let fixture = Fixture::new().file("/usr/bin/sudo", "").file(super::MAIN, &text);
    let ours = fixture.with(|cx| Sudoers::load(cx).unwrap());
    let theirs = match ask(&text) {
        Ok(theirs) => theirs,
        Err(error) => {
            prop_assert!(!ours.problems.is_empty(), "sudo refuses and we do not: {error}\n{text}");
            return Ok(());
        }
    };
    prop_assert!(ours.problems.is_empty(), "{:?}\n{text}", ours.problems);
    prop_assert_eq!(their_grants(&theirs), our_grants(&ours), "{}", text);
    prop_assert_eq!(their_settings(&theirs), our_settings(&ours), "{}", text);
    let aliases = |members: &BTreeMap<String, Members>| -> Value {
        members.iter().map(|(name, members)| (name.clone(), our_members(members))).collect()
    };
    prop_assert_eq!(plain(&theirs["User_Aliases"]), aliases(&ours.user_aliases));
    prop_assert_eq!(plain(&theirs["Host_Aliases"]), aliases(&ours.host_aliases));
    prop_assert_eq!(plain(&theirs["Runas_Aliases"]), aliases(&ours.target_aliases));
    Ok(())
}

/// Members as `[negated, text]`, whatever kind of name sudo tells.
fn members(list: &Value) -> Value {
    let items = list.as_array().cloned().unwrap_or_default();
    items
        .iter()
        .map(|item| {
            let fields = item.as_object().unwrap();
            let (kind, value) = fields.iter().find(|(key, _)| *key != "negated").unwrap();
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let sign = match kind.as_str() {
                "usergroup" => "%",
                "usergid" => "%#",
                "userid" => "#",
                "netgroup" => "+",
                "nonunixgroup" => "%:",
                _ => "",
            };
            json!([fields.contains_key("negated"), format!("{sign}{text}")])
        })
        .collect()
}

fn plain(aliases: &Value) -> Value {
    aliases.as_object().unwrap().iter().map(|(name, list)| (name.clone(), members(list))).collect()
}

fn our_members(list: &[Element<Member>]) -> Value {
    list.iter()
        .map(|element| {
            let text = match &element.value {
                Member::All => "ALL".to_owned(),
                Member::Name(name) => name.clone(),
                Member::Group(name) => format!("%{name}"),
                Member::GroupId(number) => format!("%#{number}"),
                Member::UserId(number) => format!("#{number}"),
                Member::Netgroup(name) => format!("+{name}"),
                Member::ForeignGroup(name) => format!("%:{name}"),
            };
            json!([element.is_negated, text])
        })
        .collect()
}

/// One line for each command: users, hosts, targets, groups, password, command.
fn their_grants(theirs: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for spec in theirs["User_Specs"].as_array().into_iter().flatten() {
        for commands in spec["Cmnd_Specs"].as_array().unwrap() {
            let options = commands["Options"].as_array().cloned().unwrap_or_default();
            let asks = options.iter().find_map(|option| option["authenticate"].as_bool());
            for command in commands["Commands"].as_array().unwrap() {
                let text = command["command"].as_str().or_else(|| command["cmndalias"].as_str());
                // For a group alone sudo tells the empty list of users in one way, and `()` in another.
                found.push(json!([
                    members(&spec["User_List"]),
                    members(&spec["Host_List"]),
                    targets(members(&commands["runasusers"])),
                    groups(&members(&commands["runasgroups"])),
                    asks,
                    command.get("negated").is_some(),
                    text
                ]));
            }
        }
    }
    found
}

/// Names of target groups have no sign in the file, and sudo tells them as groups.
fn groups(list: &Value) -> Value {
    let plain = |item: &Value| {
        let name = item[1].as_str().unwrap();
        json!([item[0], name.strip_prefix('%').filter(|rest| !rest.starts_with('#')).unwrap_or(name)])
    };
    list.as_array().unwrap().iter().map(plain).collect()
}

/// sudo tells `()` as a user without a name.
fn targets(list: Value) -> Value {
    if list == json!([[false, ""]]) { json!([]) } else { list }
}

fn our_grants(ours: &Sudoers) -> Vec<Value> {
    let mut found = Vec::new();
    for spec in &ours.user_specs {
        for privilege in &spec.privileges {
            for command in &privilege.commands {
                found.push(json!([
                    our_members(&spec.users),
                    our_members(&privilege.hosts),
                    our_members(command.runas_users.as_deref().unwrap_or_default()),
                    our_members(command.runas_groups.as_deref().unwrap_or_default()),
                    command.asks_password,
                    command.command.is_negated,
                    command.command.value.text
                ]));
            }
        }
    }
    found
}

/// One line for each setting: scope, name, and what is said of it.
fn their_settings(theirs: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for line in theirs["Defaults"].as_array().into_iter().flatten() {
        for option in line["Options"].as_array().unwrap() {
            let fields = option.as_object().unwrap();
            let (name, value) = match option["operation"].as_str() {
                Some(_) => fields.iter().find(|(key, _)| *key != "operation").unwrap(),
                None => fields.iter().next().unwrap(),
            };
            let value = match value {
                Value::Bool(is_on) => json!(is_on),
                Value::Array(words) => {
                    json!(words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
                }
                other => json!(other.as_str().map_or_else(|| other.to_string(), str::to_owned)),
            };
            found.push(json!([members(&line["Binding"]), name, value]));
        }
    }
    found
}

fn our_settings(ours: &Sudoers) -> Vec<Value> {
    let commands = |list: &[Element<Command>]| -> Value {
        list.iter().map(|element| json!([element.is_negated, element.value.text])).collect()
    };
    ours.settings
        .iter()
        .map(|setting| {
            let scope = match &setting.scope {
                Scope::Global => json!([]),
                Scope::Users(list) | Scope::Hosts(list) | Scope::Targets(list) => our_members(list),
                Scope::Commands(list) => commands(list),
            };
            let value = setting.value.as_ref().map_or(json!(!setting.is_negated), |value| json!(value));
            json!([scope, setting.name, value])
        })
        .collect()
}
