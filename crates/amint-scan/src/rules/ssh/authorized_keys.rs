use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::accounts::User;
use crate::rule::{finding, finding_at};
use crate::sshd::SshdConfig;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// Nobody's key opens the image's instances.
pub(in crate::rules) struct AuthorizedKeys;

static META: RuleMeta = RuleMeta {
    id: "SSH-008",
    title: "no authorized ssh keys are in the image",
    requirements: &["A2", "A11", "MP-L3", "MP-G7", "SHARED-5", "SHARED-7"],
    rationale: "A key left in the image opens every instance to its owner: a back door, whether meant or forgotten. \
                The owner of an instance gives the key at launch.",
    remedy: "Remove all authorized keys, for every account and at every place that sshd looks, and trust no \
             certificate authority for users.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

impl Rule for AuthorizedKeys {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for path in key_files(cx)? {
            let text = cx.text(&path)?.unwrap_or_default();
            for (line, text) in (1_u32..).zip(text.lines()) {
                let text = text.trim();
                if !text.is_empty() && !text.starts_with('#') {
                    findings.push(finding_at("an authorized key", &path, line, text));
                }
            }
        }
        if let Some(config) = cx.sshd()? {
            trusted(config, &mut findings);
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let files = key_files(&cx.look())?;
            files.iter().try_for_each(|path| cx.remove(path))
        })
    }
}

/// Finds programs and authorities that decide whose keys are accepted.
fn trusted(config: &SshdConfig, findings: &mut Vec<Finding>) {
    let mut tell = |keyword: &str, message: &dyn Fn(&str) -> String| {
        for setting in config.reachable(keyword, None) {
            let value = setting.text();
            // Both ask AWS for keys that the owner of the instance has just pushed.
            let is_connect =
                value.contains("/ec2-instance-connect/") || value.contains("/eic_run_authorized_keys");
            if !matches!(value.as_str(), "" | "none") && !is_connect {
                let path = setting.place.as_ref().map_or(config.main(), |place| &place.path);
                findings.push(finding(message(&value), path));
            }
        }
    };
    tell("TrustedUserCAKeys", &|value| format!("whoever holds the authority in {value} may log in"));
    tell("AuthorizedKeysCommand", &|value| format!("the program {value} decides whose keys are accepted"));
    tell("AuthorizedPrincipalsCommand", &|value| {
        format!("the program {value} decides whose certificates are accepted")
    });
}

/// Lists all files of authorized keys that exist, for every account and pattern.
fn key_files(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let usual = [".ssh/authorized_keys", ".ssh/authorized_keys2"];
    let mut patterns: BTreeSet<String> = usual.map(str::to_owned).into();
    if let Some(config) = cx.sshd()? {
        for setting in config.reachable("AuthorizedKeysFile", None) {
            patterns.extend(setting.arguments.into_iter().filter(|pattern| pattern != "none"));
        }
        // Names in these files let whoever holds a certificate of the authority in.
        for setting in config.reachable("AuthorizedPrincipalsFile", None) {
            patterns.extend(setting.arguments.into_iter().filter(|pattern| pattern != "none"));
        }
    }
    let mut paths = BTreeSet::new();
    for pattern in &patterns {
        for user in &cx.accounts()?.users {
            paths.insert(Path::new(&user.home).join(fill(pattern, user)));
        }
        if !pattern.starts_with('/') && !pattern.contains('%') {
            paths.extend(cx.homes()?.iter().map(|home| home.join(pattern)));
        }
    }
    for folder in ["/etc/ssh/authorized_keys.d", "/etc/ssh/authorized_keys"] {
        paths.extend(cx.list(folder)?.into_iter().map(|entry| Path::new(folder).join(entry.name)));
    }
    paths.insert(PathBuf::from("/etc/dropbear/authorized_keys"));
    let mut found = Vec::new();
    for path in paths.into_iter().filter(|path| path.is_absolute()) {
        if cx.metadata_following(&path)?.is_some_and(|metadata| metadata.is_file()) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Replaces the tokens that `AuthorizedKeysFile` knows.
fn fill(pattern: &str, user: &User) -> String {
    let mut filled = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match (letter, if letter == '%' { letters.next() } else { None }) {
            ('%', Some('h')) => filled.push_str(&user.home),
            ('%', Some('u')) => filled.push_str(&user.name),
            ('%', Some('U')) => filled.push_str(&user.uid.to_string()),
            ('%', Some(other)) | (other, _) => filled.push(other),
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me\n";

    fn image(config: &str) -> Fixture {
        Fixture::with_sshd(config).file(
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\nsync:x:4:65534:sync:/srv/sync:/bin/sync\njoe:x:1000:1000::/data/joe:/bin/sh\n",
        )
    }

    #[test]
    fn keys_of_every_home_and_every_pattern_are_found_and_removed() {
        let fixture =
            image("Match User joe\nAuthorizedKeysFile /etc/keys/%u %h/k%%/%U .ssh/authorized_keys\n")
                .file("/root/.ssh/authorized_keys", &format!("# comment\n\n{KEY}"))
                .file("/srv/sync/.ssh/authorized_keys2", KEY)
                .file("/etc/keys/joe", KEY)
                .file("/data/joe/k%/1000", KEY)
                .file("/home/old/.ssh/authorized_keys", KEY)
                .file("/etc/skel/.ssh/authorized_keys", KEY);
        let paths = fixture.paths("SSH-008");
        assert_eq!(
            paths,
            [
                "/data/joe/k%/1000",
                "/etc/keys/joe",
                "/etc/skel/.ssh/authorized_keys",
                "/home/old/.ssh/authorized_keys",
                "/root/.ssh/authorized_keys",
                "/srv/sync/.ssh/authorized_keys2"
            ]
        );
        assert_eq!(fixture.findings("SSH-008")[4], "/root/.ssh/authorized_keys:3 an authorized key");
        fixture.harden_twice();
        assert!(fixture.is_pass("SSH-008"));
    }

    #[test]
    fn a_file_without_keys_passes_and_a_trusted_authority_does_not() {
        assert!(image("").file("/root/.ssh/authorized_keys", "# none\n").is_pass("SSH-008"));
        assert_eq!(image("TrustedUserCAKeys /etc/ssh/ca.pub\n").findings("SSH-008").len(), 1);
        assert_eq!(image("AuthorizedKeysCommand /opt/keys %u\n").findings("SSH-008").len(), 1);
        let connect = "AuthorizedKeysCommand /usr/share/ec2-instance-connect/eic_run_authorized_keys %u %f\n";
        assert!(image(connect).is_pass("SSH-008"));
        assert!(
            image("AuthorizedKeysCommand /opt/aws/bin/eic_run_authorized_keys %u %f\n").is_pass("SSH-008")
        );
        let principals = image("AuthorizedPrincipalsFile /etc/ssh/principals/%u\n");
        assert_eq!(
            principals.file("/etc/ssh/principals/joe", "admins\n").paths("SSH-008"),
            ["/etc/ssh/principals/joe"]
        );
    }

    #[test]
    fn a_home_that_is_a_link_out_of_the_image_is_looked_up_inside() {
        let fixture = image("")
            .link("../../../../../../../../root", "/data/joe")
            .file("/root/.ssh/authorized_keys", KEY);
        assert_eq!(
            fixture.paths("SSH-008"),
            ["/data/joe/.ssh/authorized_keys", "/root/.ssh/authorized_keys"]
        );
    }
}
