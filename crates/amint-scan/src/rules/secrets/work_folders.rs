use std::path::{Path, PathBuf};

use amint_disk::tree::{WalkLimits, WalkStep};
use amint_types::Severity;
use amint_types::report::Finding;

use super::removal;
use crate::rule::finding;
use crate::{CheckError, Context, Fix, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// No working copies and caches of the tools that made the image.
pub(in crate::rules) struct WorkFolders;

static META: RuleMeta = RuleMeta {
    id: "SEC-011",
    title: "no working copies and caches of build tools are in the image",
    requirements: &["A2", "A11", "MP-G5"],
    rationale: "A working copy holds all of a project's past, also what was taken out because it was secret, and the \
                address with the token that it was fetched with; build tools keep states and plans in plain text.",
    remedy: "Export what the image needs instead of cloning it, and remove the folder as the last step of the build.",
    severities: Severities::public(Severity::High, Some(Severity::Low)),
};

/// Where people put projects; packages own the rest of the tree.
const PLACES: [&str; 8] = ["/etc", "/home", "/opt", "/root", "/srv", "/usr/local", "/usr/src", "/var"];
/// Folders, by name, and what they are.
const FOLDERS: [(&str, &str); 15] = [
    (".ansible", "a working folder of Ansible"),
    (".bzr", "a working copy of Bazaar"),
    (".circleci", "the settings of a build service"),
    (".git", "a working copy of Git"),
    (".gitlab-runner", "the state of a build service"),
    (".hg", "a working copy of Mercurial"),
    (".kitchen", "a working folder of Test Kitchen"),
    (".packer.d", "a working folder of Packer"),
    (".pulumi", "a working folder of Pulumi"),
    (".svn", "a working copy of Subversion"),
    (".terraform", "a working folder of Terraform"),
    (".vagrant", "a working folder of Vagrant"),
    ("actions-runner", "a runner of a build service"),
    ("packer_cache", "a cache of Packer"),
    ("packer-provisioner-ansible-local", "a working folder of Packer"),
];
/// Files, by the end of their path.
const FILES: [(&str, &str); 3] = [
    ("/.terraform.lock.hcl", "the state of Terraform"),
    ("/.packer_plugins", "a cache of Packer"),
    ("/.vagrant_data", "the state of Vagrant"),
];
/// etckeeper keeps the history of `/etc` there on purpose.
const ETCKEEPER: &str = "/etc/.git";

impl Rule for WorkFolders {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for (path, what) in work_folders(cx)? {
            findings.push(
                with_login(cx, &path)?
                    .unwrap_or_else(|| Finding { severity: Some(Severity::Medium), ..finding(what, &path) }),
            );
        }
        let caches = caches(cx)?;
        findings.extend(
            caches
                .iter()
                .map(|path| Finding { severity: Some(Severity::Low), ..finding("caches of programs", path) }),
        );
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        // What programs cannot make anew does not lie there (XDG Base Directory Specification).
        Some(|cx| caches(&cx.look())?.iter().try_for_each(|path| cx.empty_dir(path)))
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        if finding.evidence.path.ends_with("/.cache") {
            return Some(RecipeChange::Harden);
        }
        let config = finding.evidence.path.strip_suffix("/config");
        match config.filter(|folder| FOLDERS.iter().any(|(name, _)| folder.ends_with(name))) {
            Some(folder) => Some(RecipeChange::RemovePath(folder.to_owned())),
            None => removal(finding),
        }
    }
}

/// Lists the caches of homes that hold something.
fn caches(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = Vec::new();
    for home in cx.homes()? {
        let cache = home.join(".cache");
        if cx.metadata(&cache)?.is_some_and(|metadata| metadata.is_dir()) && !cx.list(&cache)?.is_empty() {
            found.push(cache);
        }
    }
    Ok(found)
}

fn work_folders(cx: &Context<'_>) -> Result<Vec<(PathBuf, &'static str)>, CheckError> {
    let mut found = Vec::new();
    for place in PLACES {
        let walked = cx.tree().walk(Path::new(place), WalkLimits::default(), &mut |entry| {
            let name = entry.path.file_name().unwrap_or_default().to_string_lossy();
            let known = FOLDERS.iter().find(|(folder, _)| name == *folder);
            if let Some((_, what)) = known.filter(|_| entry.metadata.is_dir()) {
                found.push((entry.path.clone(), *what));
                return WalkStep::Skip;
            }
            let path = entry.path.to_string_lossy();
            let known = FILES.iter().find(|(end, _)| path.ends_with(end));
            if let Some((_, what)) = known.filter(|_| entry.metadata.is_file()) {
                found.push((entry.path.clone(), *what));
            }
            WalkStep::Continue
        });
        match walked {
            Err(error) if error.is_missing() => {}
            other => drop(other?),
        }
    }
    // A package that keeps its working copy does so for updates, and says so.
    let etckeeper = Path::new("/etc/etckeeper/etckeeper.conf");
    if cx.metadata(etckeeper)?.is_some() {
        found.retain(|(path, _)| path != Path::new(ETCKEEPER));
    }
    Ok(found)
}

/// Tells of an address with a login in the settings of a working copy.
fn with_login(cx: &Context<'_>, folder: &Path) -> Result<Option<Finding>, CheckError> {
    let config = folder.join("config");
    if !cx.metadata(&config)?.is_some_and(|metadata| metadata.is_file()) {
        return Ok(None);
    }
    let text = cx.text(&config)?.unwrap_or_default();
    let has_login = |line: &str| {
        let address = line.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
        address.and_then(|host| host.split_once('@')).is_some_and(|(login, _)| {
            let (name, password) = login.split_once(':').unwrap_or((login, ""));
            !password.is_empty() || name.len() >= 20
        })
    };
    let found = (1_u32..).zip(text.lines()).find(|(_, line)| has_login(line));
    Ok(found.map(|(line, _)| {
        let mut found = finding("a working copy whose address holds a login", &config);
        found.evidence.line = Some(line);
        found
    }))
}

#[cfg(test)]
mod tests {
    use amint_types::Severity;

    use crate::Verdict;
    use crate::testing::Fixture;

    #[test]
    fn working_copies_are_found_and_weigh_more_with_a_login() {
        let password = "k7Rz-pq9Wm";
        let fixture = Fixture::new()
            .file(
                "/opt/app/.git/config",
                &format!("[remote \"origin\"]\n\turl = https://ci:{password}@git.internal.test/a\n"),
            )
            .file("/srv/site/.git/config", "[remote \"origin\"]\n\turl = https://git.internal.test/a\n")
            .file("/root/infra/.terraform/environment", "x")
            .file("/home/joe/.cache/pip/x", "x")
            .file("/opt/app/.gitignore", "x")
            .file("/usr/share/doc/x/.git/config", "x");
        assert_eq!(
            fixture.paths("SEC-011"),
            ["/home/joe/.cache", "/opt/app/.git/config", "/root/infra/.terraform", "/srv/site/.git"]
        );
        let Verdict::Fail(findings) = fixture.check("SEC-011") else { panic!("must fail") };
        let severities: Vec<Option<Severity>> = findings.iter().map(|finding| finding.severity).collect();
        assert_eq!(severities.iter().filter(|severity| severity.is_none()).count(), 1);
        assert!(!format!("{findings:?}").contains(password));
        fixture.harden_twice();
        assert!(fixture.has("/home/joe/.cache") && !fixture.has("/home/joe/.cache/pip"));
        assert!(fixture.has("/srv/site/.git/config"));
    }
}
