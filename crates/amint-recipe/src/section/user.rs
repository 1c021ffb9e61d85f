//! `[user]`: who logs in.

use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::{Flaw, Problem, Problems};
use crate::table::{Table, values};
use crate::text::{names, path};
use crate::{defaults, schema};

pub(crate) const KEYS: [&str; 4] = ["name", "groups", "shell", "sudo"];

/// Most groups of the user (`NGROUPS_MAX` allows far more; nobody means them).
const GROUP_COUNT_MAX: usize = 64;

/// Accounts that are part of every Debian system (`/usr/share/base-passwd/passwd.master`).
const SYSTEM_ACCOUNTS: [&str; 19] = [
    "_apt",
    "backup",
    "bin",
    "daemon",
    "games",
    "irc",
    "list",
    "lp",
    "mail",
    "man",
    "news",
    "nobody",
    "proxy",
    "sshd",
    "sync",
    "sys",
    "uucp",
    "www-data",
    "messagebus",
];

/// Says who logs in: one user, with keys only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct User {
    /// The user's name. The same one in all products and versions spares their users guessing.
    #[schemars(default = "defaults::user_name", extend("pattern" = schema::USER_PATTERN))]
    pub name: String,
    /// Groups that the user belongs to, besides its own.
    #[schemars(schema_with = "schema::user_names", default)]
    pub groups: Vec<String>,
    /// The user's shell.
    #[schemars(default = "defaults::user_shell", extend("pattern" = "^/"))]
    pub shell: String,
    /// Whether the user may become root with `sudo`, without a password: it has none.
    #[schemars(default = "defaults::user_sudo")]
    pub sudo: bool,
}

impl Default for User {
    fn default() -> Self {
        Self {
            name: defaults::user_name(),
            groups: Vec::new(),
            shell: defaults::user_shell(),
            sudo: defaults::user_sudo(),
        }
    }
}

pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> User {
    let Some(table) = root.table(problems, "user", "[user]", &KEYS) else { return User::default() };
    let name = table.parsed(problems, "name", login_name);
    if let Some(name) = name.as_ref().filter(|name| name.value != defaults::user_name()) {
        let message = format!("the user is `{}`, not `{}` (A8)", name.value, defaults::user_name());
        problems.push(
            Problem::warning(name.span.clone(), message)
                .hint("a product must have the same user in all its images and versions"),
        );
    }
    let groups = table.parsed_list(problems, "groups", GROUP_COUNT_MAX, names::user);
    let shell = table.parsed(problems, "shell", shell);
    User {
        name: name.map_or_else(defaults::user_name, |name| name.value),
        groups: groups.map(values).unwrap_or_default(),
        shell: shell.map_or_else(defaults::user_shell, |shell| shell.value),
        sudo: table.boolean(problems, "sudo").unwrap_or_else(defaults::user_sudo),
    }
}

fn login_name(text: &str) -> Result<String, Flaw> {
    if text == "root" {
        return Err(Flaw::new("root must not log in (A2)").hint(format!(
            "name a user that becomes root with `sudo`, such as `{}`",
            defaults::user_name()
        )));
    }
    if SYSTEM_ACCOUNTS.contains(&text) {
        return Err(Flaw::new(format!("`{text}` is an account of the system itself")));
    }
    names::user(text)
}

fn shell(text: &str) -> Result<String, Flaw> {
    let shell = path::image(text)?;
    let program = shell.rsplit('/').next().unwrap_or_default();
    if matches!(program, "nologin" | "false" | "true" | "") {
        return Err(Flaw::new(format!("nobody can log in with `{text}` (A10)"))
            .hint("leave `shell` out, or name a shell such as `/bin/bash`"));
    }
    Ok(shell)
}

#[cfg(test)]
mod tests {
    use crate::section::testing::{errors, messages, recipe, warnings};

    #[test]
    fn is_ec2_user_with_sudo_by_default() {
        let user = recipe("").user;
        assert_eq!((user.name.as_str(), user.shell.as_str(), user.sudo), ("ec2-user", "/bin/bash", true));
    }

    #[test]
    fn refuses_root_and_accounts_of_the_system() {
        let found = errors("[user]\nname = \"root\"\n");
        assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("\"root\"", "root must not log in (A2)"));
        assert_eq!(messages("[user]\nname = \"nobody\"\n"), ["`nobody` is an account of the system itself"]);
    }

    #[test]
    fn warns_about_another_name() {
        assert_eq!(warnings("[user]\nname = \"admin\"\n"), ["the user is `admin`, not `ec2-user` (A8)"]);
        assert!(warnings("[user]\nname = \"ec2-user\"\n").is_empty());
    }

    #[test]
    fn refuses_shells_that_let_nobody_in() {
        assert_eq!(messages("[user]\nshell = \"/usr/sbin/nologin\"\n").len(), 1);
        assert_eq!(messages("[user]\nshell = \"bash\"\n"), ["`bash` is not an absolute path"]);
    }
}
