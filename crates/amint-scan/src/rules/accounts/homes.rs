use std::path::{Path, PathBuf};

use amint_disk::tree::Metadata;
use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::accounts::{PASSWD, User};
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// Homes belong to their people, and open nothing to others.
pub(in crate::rules) struct Homes;

static META: RuleMeta = RuleMeta {
    id: "ACC-006",
    title: "homes are closed, and services cannot log in",
    requirements: &["B6", "CIS-7.2", "CIS-5.4"],
    rationale: "A home that others may write to gives its owner's rights away; files that trust other hosts or forward \
                mail are forgotten doors; an account of a service with a shell is one that somebody can use.",
    remedy: "Give homes to their owners with mode 0750 or less, remove `.rhosts`, `.shosts`, `.forward`, `.netrc` and \
             `hosts.equiv`, and give services the shell /usr/sbin/nologin.",
    severities: Severities::hardened(Severity::Medium),
};

/// Files in homes that let others in, or send things out.
const FILES: [&str; 4] = [".forward", ".netrc", ".rhosts", ".shosts"];
/// The same for the whole system.
const SYSTEM_FILES: [&str; 3] = ["/etc/hosts.equiv", "/etc/ssh/shosts.equiv", "/etc/shosts.equiv"];
/// Where people's ids begin, and the id of nobody.
const FIRST_PERSON: u32 = 1000;
const NOBODY: u32 = 65534;
const MODE_MAX: u32 = 0o750;

impl Rule for Homes {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for user in &cx.accounts()?.users {
            let is_person = user.uid >= FIRST_PERSON && user.uid != NOBODY;
            if is_person {
                findings.extend(home(cx, user)?);
            }
            let has_odd_shell = !is_person && user.uid != 0 && user.uid != NOBODY && user.has_login_shell();
            if has_odd_shell && cx.exists(&user.shell)? {
                let message = format!("{} is an account of a service and can log in", user.name);
                let text = format!("{}:x:{}:…:{}", user.name, user.uid, user.shell);
                findings.push(finding_at(message, Path::new(PASSWD), user.line, &text));
            }
        }
        for path in trusting_files(cx)? {
            findings.push(finding("a file that lets others in or sends things out", &path));
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let look = cx.look();
            for user in &look.accounts()?.users {
                let is_person = user.uid >= FIRST_PERSON && user.uid != NOBODY;
                let metadata = look.metadata(&user.home)?;
                let Some(metadata) = metadata.filter(Metadata::is_dir) else { continue };
                let is_own = user.home.starts_with("/home/") && metadata.uid == user.uid;
                let mode = metadata.mode & 0o7777;
                if is_person && is_own && mode & !MODE_MAX & 0o777 != 0 {
                    cx.chmod(&user.home, mode & (0o7000 | MODE_MAX))?;
                }
            }
            let files = trusting_files(&look)?;
            // Passwords of `.netrc` are for a person to move; the rest trusts hosts that nobody knows.
            files.iter().filter(|path| !path.ends_with(".netrc")).try_for_each(|path| cx.remove(path))
        })
    }
}

fn home(cx: &Context<'_>, user: &User) -> Result<Option<Finding>, CheckError> {
    let path = Path::new(&user.home);
    let tell = |what: String| Some(finding(format!("the home of {} {what}", user.name), path));
    if !path.is_absolute() {
        return Ok(if user.has_login_shell() { tell("is no absolute path".to_owned()) } else { None });
    }
    let Some(metadata) = cx.metadata_following(path)?.filter(Metadata::is_dir) else {
        // A service may do without one.
        return Ok(if user.has_login_shell() { tell("is missing".to_owned()) } else { None });
    };
    let mode = metadata.mode & 0o7777;
    // Services share folders; their own homes are theirs.
    Ok(if metadata.uid != user.uid && user.has_login_shell() {
        tell(format!("belongs to user {}", metadata.uid))
    } else if mode & if user.has_login_shell() { !MODE_MAX & 0o777 } else { 0o022 } != 0
        && metadata.uid == user.uid
    {
        tell(format!("has mode {mode:04o}, wanted: {MODE_MAX:04o} or less"))
    } else {
        None
    })
}

fn trusting_files(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = Vec::new();
    let in_homes = cx.homes()?.iter().flat_map(|home| FILES.map(|name| home.join(name)));
    for path in in_homes.chain(SYSTEM_FILES.map(PathBuf::from)) {
        if cx.metadata(&path)?.is_some_and(|metadata| !metadata.is_dir() && metadata.bytes > 0) {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn open_homes_services_with_shells_and_trusting_files_are_found() {
        let fixture = Fixture::new()
            .file(
                "/etc/passwd",
                "root:x:0:0::/root:/bin/sh\nbackup:x:34:34::/var:/bin/sh\nmail:x:8:8::/var:/usr/sbin/nologin\n\
                 gone:x:1001:1001::/home/gone:/bin/sh\nnobody:x:65534:65534::/none:/bin/sh\n",
            )
            .file("/bin/sh", "")
            .file("/home/joe/.rhosts", "+ +\n")
            .file("/home/joe/.forward", "")
            .file("/etc/hosts.equiv", "trusted\n");
        assert_eq!(
            fixture.findings("ACC-006"),
            [
                "/etc/hosts.equiv a file that lets others in or sends things out",
                "/etc/passwd:2 backup is an account of a service and can log in",
                "/home/gone the home of gone is missing",
                "/home/joe/.rhosts a file that lets others in or sends things out"
            ]
        );
        fixture.harden_twice();
        assert!(!fixture.has("/home/joe/.rhosts") && fixture.has("/home/joe/.forward"));
    }
}
