//! Who else becomes root through sudo.

use std::collections::BTreeSet;
use std::path::Path;

use amint_types::report::Finding;

use crate::facts::accounts::{GROUP, records};
use crate::facts::sudoers::{Grant, Sudoers};
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context};

/// Commands that give root's shell to whoever may run them, whatever they are meant for.
const SHELLS: [&str; 30] = [
    "ash", "awk", "bash", "busybox", "chmod", "chown", "cp", "dash", "dd", "docker", "ed", "emacs", "env",
    "find", "gdb", "install", "ksh", "mv", "nano", "nsenter", "perl", "php", "python", "python3", "rsync",
    "ruby", "sh", "su", "tee", "vi",
];

/// Finds who else becomes root without a password, and what they could put in the place of a program.
pub(super) fn findings(cx: &Context<'_>) -> Result<Vec<Finding>, CheckError> {
    let sudoers = cx.fact(Sudoers::load)?;
    let mut findings = Vec::new();
    let mut told = BTreeSet::new();
    for grant in sudoers.grants() {
        let others = others(cx, &grant)?;
        let place = &grant.place;
        if others.is_empty() || !told.insert((place.path.clone(), place.line)) {
            continue;
        }
        let what = if grant.command == "ALL" { "everything" } else { "what gives a shell" };
        let message = format!("{} may run {what} as root without a password", others.join(", "));
        let text = cx.text(&place.path)?.unwrap_or_default();
        let line = text.lines().nth(place.line.saturating_sub(1) as usize).unwrap_or_default();
        findings.push(finding_at(message, &place.path, place.line, line));
    }
    let mut writable = BTreeSet::new();
    for grant in sudoers.grants().iter().filter(|grant| grant.reaches_root) {
        let program = grant.command.split(' ').next().unwrap_or_default();
        if program.starts_with('/')
            && writable.insert(program.to_owned())
            && is_writable(cx, Path::new(program))?
        {
            findings.push(finding("sudo runs it as root, and others may change it", Path::new(program)));
        }
    }
    for path in &sudoers.files {
        if cx.metadata_following(path)?.is_some_and(|metadata| metadata.mode & 0o022 != 0) {
            findings.push(finding("others may write to a file of sudo's rules", path));
        }
    }
    Ok(findings)
}

/// Tells whether a command is as good as every command.
fn gives_shell(command: &str) -> bool {
    let (program, arguments) = command.split_once(' ').unwrap_or((command, ""));
    let name = program.rsplit('/').next().unwrap_or_default();
    let is_folder = program.starts_with('/') && name.is_empty();
    // A command with fixed arguments does one thing; `""` forbids all arguments.
    let is_free = arguments.is_empty() || arguments.contains('*');
    command == "ALL" || is_folder || name.contains('*') || (SHELLS.contains(&name) && is_free)
}

/// Lists those of a grant who are not expected to have it.
fn others(cx: &Context<'_>, grant: &Grant) -> Result<Vec<String>, CheckError> {
    if grant.asks_password || !grant.reaches_root || !gives_shell(&grant.command) {
        return Ok(Vec::new());
    }
    let expected = &cx.request().user;
    let mut found = Vec::new();
    for subject in &grant.subjects {
        if subject == expected || subject == "root" || subject == "#0" {
            continue;
        }
        // A group of the expected user alone is another name for them.
        let group = subject.strip_prefix('%').filter(|group| !group.starts_with(['#', ':']));
        if group.is_some_and(|group| !group.is_empty())
            && members(cx, group.unwrap_or_default())?.iter().eq([expected])
        {
            continue;
        }
        found.push(subject.clone());
    }
    Ok(found)
}

/// Lists the members of a group: those that it names, and those whose first group it is.
fn members(cx: &Context<'_>, group: &str) -> Result<Vec<String>, CheckError> {
    let mut found = Vec::new();
    for (_, fields) in records(cx, GROUP)?.iter().filter(|(_, fields)| fields[0] == group) {
        let named = fields.get(3).map(|list| list.trim()).unwrap_or_default();
        found.extend(named.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
        let gid: Option<u32> = fields.get(2).and_then(|field| field.parse().ok());
        let users = cx.accounts()?.users.iter().filter(|user| gid.is_some() && user.gid == gid);
        found.extend(users.map(|user| user.name.clone()));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Tells whether others than root may change a program, or put another in its place.
fn is_writable(cx: &Context<'_>, path: &Path) -> Result<bool, CheckError> {
    for part in path.ancestors() {
        let Some(metadata) = cx.metadata_following(part)? else { continue };
        // Root's own group may write; a sticky folder keeps files to their owners.
        let by_group = metadata.mode & 0o020 != 0 && metadata.gid != 0;
        let by_others = metadata.mode & 0o002 != 0;
        let is_sticky = metadata.is_dir() && metadata.mode & 0o1000 != 0;
        if !is_root(cx, metadata.uid)? || ((by_group || by_others) && !is_sticky) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tells whether an id is that of whoever owns the tree: root, in an operating system.
fn is_root(cx: &Context<'_>, uid: u32) -> Result<bool, CheckError> {
    Ok(uid == 0 || cx.metadata("/")?.is_some_and(|root| root.uid == uid))
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    fn image(sudoers: &str) -> Fixture {
        Fixture::new()
            .file("/usr/bin/sudo", "")
            .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nec2-user:x:1000:1000::/home/e:/bin/sh\n")
            .file("/etc/group", "root:x:0:\nsudo:x:27:ec2-user\n")
            .file("/etc/sudoers", &format!("{sudoers}ec2-user ALL=(ALL) NOPASSWD: ALL\n"))
            .mode("/etc/sudoers", 0o440)
    }

    #[test]
    fn the_files_of_distributions_pass() {
        let debian = "Defaults env_reset\nDefaults use_pty\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n\
                      @includedir /etc/sudoers.d\n";
        let fixture =
            image(debian).file("/etc/sudoers.d/90-cloud-init-users", "ec2-user ALL=(ALL) NOPASSWD:ALL\n");
        assert!(fixture.mode("/etc/sudoers.d/90-cloud-init-users", 0o440).is_pass("ACC-008"));
        assert!(image("%sudo ALL=(ALL) NOPASSWD: ALL\n").is_pass("ACC-008"));
        assert!(image("#joe ALL=(ALL) NOPASSWD: ALL\njoe ALL=(www-data) NOPASSWD: ALL\njoe ALL=(root) NOPASSWD: /bin/systemctl restart x\n").is_pass("ACC-008"));
    }

    #[test]
    fn others_without_a_password_are_found() {
        let fixture = image(
            "User_Alias OPS = joe, ec2-user\nOPS ALL=(ALL) NOPASSWD: ALL\njim ALL=(root) NOPASSWD: /bin/ls, /usr/bin/vi\n\n\
             Defaults:kim !authenticate\nkim ALL=ALL\n",
        );
        assert_eq!(
            fixture.findings("ACC-008"),
            [
                "/etc/sudoers:2 joe may run everything as root without a password",
                "/etc/sudoers:3 jim may run what gives a shell as root without a password",
                "/etc/sudoers:6 kim may run everything as root without a password"
            ]
        );
        for group in ["sudo:x:27:joe,ec2-user\n", "sudo:x:27:\n", ""] {
            let fixture =
                image("Defaults:%sudo !authenticate\n%sudo ALL=(ALL) ALL\n").file("/etc/group", group);
            assert_eq!(fixture.findings("ACC-008").len(), 1, "{group}");
        }
    }

    #[test]
    fn what_sudo_runs_belongs_to_root_alone() {
        let fixture = image("joe ALL=(root) /opt/tool\njim ALL=(root) /opt/safe\n")
            .file("/opt/tool", "")
            .mode("/opt/tool", 0o777)
            .file("/opt/safe", "")
            .mode("/opt/safe", 0o755)
            .mode("/opt", 0o755);
        assert_eq!(fixture.paths("ACC-008"), ["/opt/tool"]);
        assert_eq!(image("").mode("/etc/sudoers", 0o666).paths("ACC-008"), ["/etc/sudoers"]);
    }
}
