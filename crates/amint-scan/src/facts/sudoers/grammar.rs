//! The statements of sudoers: `Defaults`, aliases, and who may run what.

use super::model::{
    Command, CommandSpec, Element, Member, Members, Place, Privilege, Scope, Setting, Sudoers, UserSpec,
};
use super::scanner::Scanner;

/// Tags that may stand before a command.
const TAGS: [&str; 16] = [
    "EXEC",
    "FOLLOW",
    "INTERCEPT",
    "LOG_INPUT",
    "LOG_OUTPUT",
    "MAIL",
    "NOEXEC",
    "NOFOLLOW",
    "NOINTERCEPT",
    "NOLOG_INPUT",
    "NOLOG_OUTPUT",
    "NOMAIL",
    "NOPASSWD",
    "NOSETENV",
    "PASSWD",
    "SETENV",
];
/// Options that may stand before a command.
const OPTIONS: [&str; 10] = [
    "APPARMOR_PROFILE",
    "CHROOT",
    "CWD",
    "LIMITPRIVS",
    "NOTAFTER",
    "NOTBEFORE",
    "PRIVS",
    "ROLE",
    "TIMEOUT",
    "TYPE",
];
const DIGESTS: [&str; 4] = ["sha224", "sha256", "sha384", "sha512"];

/// Reads one statement.
pub(super) fn statement(sudoers: &mut Sudoers, text: &str, place: &Place) -> Result<(), String> {
    if let Some(rest) = text.strip_prefix("Defaults")
        && rest.starts_with(|next: char| next.is_whitespace() || ":@>!".contains(next))
    {
        return settings(sudoers, rest, place);
    }
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match word {
        "User_Alias" => aliases(rest, |scan, name| {
            sudoers.user_aliases.insert(name, members(scan, false)?);
            Ok(())
        }),
        "Runas_Alias" => aliases(rest, |scan, name| {
            sudoers.target_aliases.insert(name, members(scan, false)?);
            Ok(())
        }),
        "Host_Alias" => aliases(rest, |scan, name| {
            sudoers.host_aliases.insert(name, members(scan, true)?);
            Ok(())
        }),
        "Cmnd_Alias" | "Cmd_Alias" => aliases(rest, |scan, name| {
            sudoers.command_aliases.insert(name, commands(scan)?);
            Ok(())
        }),
        _ => {
            let spec = user_spec(text, place)?;
            sudoers.user_specs.push(spec);
            Ok(())
        }
    }
}

fn aliases(
    text: &str,
    mut define: impl FnMut(&mut Scanner, String) -> Result<(), String>,
) -> Result<(), String> {
    let mut scan = Scanner::new(text);
    loop {
        let name = scan.word("")?;
        if !is_alias_name(&name) || name == "ALL" {
            return Err(format!("`{name}` is no name for an alias"));
        }
        if !scan.eat('=') {
            return Err("`=` is missing".to_owned());
        }
        define(&mut scan, name)?;
        if scan.is_at_end() {
            return Ok(());
        }
        if !scan.eat(':') {
            return Err("`:` is missing between aliases".to_owned());
        }
    }
}

/// Tells whether a name may be an alias: a capital letter, then capitals, digits and underscores.
pub(super) fn is_alias_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
}

fn members(scan: &mut Scanner, are_hosts: bool) -> Result<Members, String> {
    let mut found = Vec::new();
    loop {
        let is_negated = scan.negation();
        let value = match if are_hosts { scan.address() } else { None } {
            Some(address) => Member::Name(address),
            None => member(scan)?,
        };
        found.push(Element { is_negated, value });
        if !scan.eat(',') {
            return Ok(found);
        }
    }
}

fn member(scan: &mut Scanner) -> Result<Member, String> {
    let text = match scan.peek() {
        Some('"') => scan.quoted()?,
        Some('%') => scan.word(":#")?,
        _ => scan.word("#")?,
    };
    if matches!(text.as_str(), "%" | "%:" | "%#" | "+" | "#" | "") {
        return Err("a name is missing".to_owned());
    }
    let sign = |sign: &str| text.strip_prefix(sign).map(str::to_owned);
    Ok(if text == "ALL" {
        Member::All
    } else if let Some(number) = sign("%#") {
        Member::GroupId(number)
    } else if let Some(name) = sign("%:") {
        Member::ForeignGroup(name)
    } else if let Some(name) = sign("%") {
        Member::Group(name)
    } else if let Some(number) = sign("#") {
        Member::UserId(number)
    } else if let Some(name) = sign("+") {
        Member::Netgroup(name)
    } else {
        Member::Name(text)
    })
}

fn commands(scan: &mut Scanner) -> Result<Vec<Element<Command>>, String> {
    let mut found = vec![command(scan)?];
    while scan.eat(',') {
        found.push(command(scan)?);
    }
    Ok(found)
}

fn command(scan: &mut Scanner) -> Result<Element<Command>, String> {
    let mut digests = Vec::new();
    let mut is_negated = scan.negation();
    let mut word = scan.word("\"()!>")?;
    while DIGESTS.contains(&word.as_str()) && scan.eat(':') {
        // The padding of a digest in base64 is made of letters that end words.
        digests.push(format!("{word}:{}", scan.word("=")?));
        let _ = scan.eat(',');
        is_negated ^= scan.negation();
        word = scan.word("\"()!>")?;
    }
    let is_path = word.starts_with(['/', '^']) || matches!(word.as_str(), "sudoedit" | "list");
    if !is_path && !is_alias_name(&word) {
        return Err(format!("`{word}` is no command: a full path is needed"));
    }
    if !digests.is_empty() && !is_path && word != "ALL" {
        return Err("a digest needs a path behind it".to_owned());
    }
    let mut words = vec![word];
    if is_path {
        words.extend(scan.arguments()?);
    }
    Ok(Element { is_negated, value: Command { text: words.join(" "), digests } })
}

fn user_spec(text: &str, place: &Place) -> Result<UserSpec, String> {
    let mut scan = Scanner::new(text);
    let users = members(&mut scan, false)?;
    let mut privileges = Vec::new();
    loop {
        let hosts = members(&mut scan, true)?;
        if !scan.eat('=') {
            return Err("`=` is missing".to_owned());
        }
        privileges.push(Privilege { hosts, commands: command_specs(&mut scan)? });
        if scan.is_at_end() {
            return Ok(UserSpec { users, privileges, place: place.clone() });
        }
        if !scan.eat(':') {
            return Err("something stands behind the commands".to_owned());
        }
    }
}

/// Reads the commands of a privilege; run-as lists and tags count until they are changed.
fn command_specs(scan: &mut Scanner) -> Result<Vec<CommandSpec>, String> {
    let mut found: Vec<CommandSpec> = Vec::new();
    loop {
        let (mut users, mut groups, mut asks_password) = match found.last() {
            Some(last) => (last.runas_users.clone(), last.runas_groups.clone(), last.asks_password),
            None => (None, None, None),
        };
        if scan.eat('(') {
            (users, groups) = targets(scan)?;
        }
        while scan.label(&OPTIONS, '=').is_some() {
            scan.skip_blanks();
            if scan.peek() == Some('"') {
                scan.quoted()?
            } else {
                scan.word("")?
            };
        }
        while let Some(tag) = scan.label(&TAGS, ':') {
            match tag {
                "NOPASSWD" => asks_password = Some(false),
                "PASSWD" => asks_password = Some(true),
                _ => {}
            }
        }
        let command = command(scan)?;
        found.push(CommandSpec { runas_users: users, runas_groups: groups, asks_password, command });
        if !scan.eat(',') {
            return Ok(found);
        }
    }
}

/// Reads `(users:groups)` behind its first letter; `()` is the caller alone.
fn targets(scan: &mut Scanner) -> Result<(Option<Members>, Option<Members>), String> {
    if scan.eat(')') {
        return Ok((Some(Vec::new()), None));
    }
    let mut users = None;
    if !scan.eat(':') {
        users = Some(members(scan, false)?);
        if scan.eat(')') {
            return Ok((users, None));
        }
        if !scan.eat(':') {
            return Err("`)` is missing".to_owned());
        }
    }
    if scan.eat(')') {
        return Ok((users, None));
    }
    let groups = members(scan, false)?;
    if groups.iter().any(|group| !matches!(group.value, Member::All | Member::Name(_))) {
        return Err("a group is named without a sign here".to_owned());
    }
    if scan.eat(')') { Ok((users, Some(groups))) } else { Err("`)` is missing".to_owned()) }
}

fn settings(sudoers: &mut Sudoers, text: &str, place: &Place) -> Result<(), String> {
    let mut scan = Scanner::new(text);
    // A blank after `Defaults` ends the scope: what follows is a setting, also `!authenticate`.
    let sign = scan.peek().filter(|sign| !sign.is_whitespace());
    let scope = match sign {
        None => Scope::Global,
        Some(sign) => {
            scan.eat(sign);
            match sign {
                ':' => Scope::Users(members(&mut scan, false)?),
                '@' => Scope::Hosts(members(&mut scan, true)?),
                '>' => Scope::Targets(members(&mut scan, false)?),
                _ => Scope::Commands(scoped_commands(&mut scan)?),
            }
        }
    };
    loop {
        let is_negated = scan.negation();
        let mut name = scan.word("")?;
        let mut value = None;
        if scan.eat('=') {
            name.truncate(name.trim_end_matches(['+', '-']).len());
            scan.skip_blanks();
            value = Some(if scan.peek() == Some('"') { scan.quoted()? } else { scan.word(":()!>")? });
        } else if matches!(scan.peek(), Some('+' | '-')) {
            // `name += value`
            scan.word("")?;
            if !scan.eat('=') {
                return Err("`=` is missing".to_owned());
            }
            scan.skip_blanks();
            value = Some(if scan.peek() == Some('"') { scan.quoted()? } else { scan.word(":()!>")? });
        }
        let scope = scope.clone();
        sudoers.settings.push(Setting { scope, name, is_negated, value, place: place.clone() });
        if scan.is_at_end() {
            return Ok(());
        }
        if !scan.eat(',') {
            return Err("`,` is missing between settings".to_owned());
        }
    }
}

/// Commands of a scope have no arguments: after a blank, the settings begin.
fn scoped_commands(scan: &mut Scanner) -> Result<Vec<Element<Command>>, String> {
    let mut found = Vec::new();
    loop {
        let is_negated = scan.negation();
        let text = scan.word("")?;
        found.push(Element { is_negated, value: Command { text, digests: Vec::new() } });
        if !scan.eat(',') {
            return Ok(found);
        }
    }
}
