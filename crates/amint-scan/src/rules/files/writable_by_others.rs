use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::census::{Census, Seen};
use crate::rule::finding;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// What belongs to root or to an account cannot be changed by others.
pub(in crate::rules) struct WritableByOthers;

static META: RuleMeta = RuleMeta {
    id: "FS-002",
    title: "nothing can be changed by everybody, and all has an owner",
    requirements: &["A2", "B6", "CIS-7.1"],
    rationale: "Files that everybody may change are a way to other accounts' rights; files of an id without an account \
                belong to whoever gets that id next.",
    remedy: "Take the write bit away, give the folder the sticky bit, or give the file to an account.",
    severities: Severities {
        marketplace: Some(Severity::High),
        shared_linux: Some(Severity::Medium),
        hardened: Some(Severity::High),
        hardened_level_2: None,
        private: Some(Severity::Medium),
    },
};

impl Rule for WritableByOthers {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let census = Census::of(cx)?;
        let mut findings = Vec::new();
        let mut tell = |list: &[Seen], what: &dyn Fn(&Seen) -> String| {
            findings.extend(list.iter().map(|seen| finding(what(seen), &seen.path)));
        };
        tell(&census.world_writable_files, &|_| "a file that everybody may change".to_owned());
        tell(&census.open_folders, &|_| {
            "a folder that everybody may change, without the sticky bit".to_owned()
        });
        tell(&census.unowned, &|seen| {
            format!("belongs to {}:{}, and no account has these ids", seen.uid, seen.gid)
        });
        tell(&census.devices, &|_| "a device outside of /dev".to_owned());
        tell(&census.files_in_dev, &|_| "a plain file in /dev, where nobody looks".to_owned());
        tell(&census.loose_trusted, &|seen| {
            format!("root starts programs from here, and {}:{} may change it", seen.uid, seen.gid)
        });
        for sticky in ["/tmp", "/var/tmp"] {
            let Some(metadata) = cx.metadata(sticky)?.filter(amint_disk::tree::Metadata::is_dir) else {
                continue;
            };
            // A folder that everybody may change is told already.
            if metadata.mode & 0o1002 == 0 {
                findings.push(finding("accounts cannot use it: the mode is not 1777", Path::new(sticky)));
            }
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let path = &finding.evidence.path;
        let is_plain = path.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-+".contains(letter));
        let command = match finding.message.as_str() {
            message if message.starts_with("a file that everybody") => "chmod o-w",
            message if message.contains("sticky bit") => "chmod +t",
            message if message.starts_with("belongs to ") => "chown -h root:root",
            _ => return None,
        };
        is_plain.then(|| RecipeChange::Run(format!("{command} {path}")))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn open_files_and_folders_are_found_and_sticky_ones_and_links_are_not() {
        let fixture = Fixture::new()
            .file("/etc/app/app.conf", "")
            .mode("/etc/app/app.conf", 0o666)
            .dir("/srv/upload")
            .mode("/srv/upload", 0o777)
            .dir("/srv/drop")
            .mode("/srv/drop", 0o1777)
            .link("/opt/tool", "/usr/local/share/tool");
        assert_eq!(fixture.paths("FS-002"), ["/etc/app/app.conf", "/srv/upload"]);
    }

    #[test]
    fn an_id_without_an_account_is_found() {
        let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap());
        let fixture = Fixture::new()
            .file("/etc/passwd", &format!("other:x:{}:0::/:/bin/sh\n", uid + 1))
            .file("/opt/app/data", "x");
        assert!(fixture.paths("FS-002").contains(&"/opt/app/data".to_owned()));
    }
}
