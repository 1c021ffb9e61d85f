use amint_types::Severity;

use crate::testing::Fixture;
use crate::{RecipeChange, Verdict, rules};

const RULE: &str = "VUL-007";

fn debian() -> Fixture {
    Fixture::new().file("/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n")
}

fn status(state: &str) -> Fixture {
    debian().file(
        "/var/lib/dpkg/status",
        &format!(
            "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n\
                  Package: nginx\nStatus: {state}\nArchitecture: amd64\nVersion: 1\n"
        ),
    )
}

/// Returns severity and message of each finding; none of a severity is the rule's own.
fn told(fixture: &Fixture) -> Vec<(Option<Severity>, String)> {
    match fixture.check(RULE) {
        Verdict::Fail(found) => found.into_iter().map(|found| (found.severity, found.message)).collect(),
        Verdict::Pass => Vec::new(),
        Verdict::NotApplicable(reason) => panic!("{reason}"),
    }
}

fn severities(fixture: &Fixture) -> Vec<Option<Severity>> {
    told(fixture).into_iter().map(|(severity, _)| severity).collect()
}

#[test]
fn packages_that_are_not_whole_or_held_are_found() {
    assert!(told(&status("install ok installed")).is_empty());
    assert!(told(&status("deinstall ok config-files")).is_empty());
    for state in ["install ok half-configured", "install ok unpacked", "install reinstreq installed"] {
        assert_eq!(severities(&status(state)), [None], "{state}");
    }
    assert_eq!(severities(&status("hold ok installed")), [Some(Severity::Medium)]);
    let rule = rules().iter().find(|rule| rule.meta().id == RULE).unwrap();
    let Verdict::Fail(found) = status("hold ok installed").check(RULE) else { panic!("must fail") };
    assert_eq!(rule.recipe_change(&found[0]), Some(RecipeChange::Run("apt-mark unhold nginx".to_owned())));
    assert_eq!(severities(&status("install ok triggers-pending")), [Some(Severity::Medium)]);
}

#[test]
fn sources_of_debian_itself_pass_even_over_plain_http() {
    let fixture = status("install ok installed")
        .file(
            "/etc/apt/sources.list.d/debian.sources",
            "Types: deb\nURIs: http://a.example/debian\nSuites: bookworm bookworm-updates bookworm-security\n\
             Components: main non-free-firmware\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n",
        )
        .file(
            "/etc/apt/sources.list",
            "#deb [trusted=yes] http://b.example x main\ndeb http://a.example bookworm main\n",
        );
    assert_eq!(told(&fixture), []);
}

#[test]
fn sources_without_signatures_are_found_unless_they_are_off() {
    let fixture =
        debian().file("/etc/apt/sources.list", "deb [trusted=yes] http://b.example bookworm main\n");
    let found = told(&fixture);
    assert_eq!(found.len(), 1);
    assert!(found[0].0.is_none() && found[0].1.contains("trusted=yes") && found[0].1.contains("plain HTTP"));
    let off = debian().file(
        "/etc/apt/sources.list.d/x.sources",
        "Types: deb\nURIs: http://b.example\nSuites: bookworm\nComponents: main\nTrusted: yes\nEnabled: no\n",
    );
    assert!(told(&off).is_empty());
    let dnf = |main: &str, repository: &str| {
        let text = format!("[x]\nbaseurl=https://x.example/\n{repository}\n");
        Fixture::new()
            .file("/etc/dnf/dnf.conf", &format!("[main]\n{main}\n"))
            .file("/etc/yum.repos.d/x.repo", &text)
    };
    assert_eq!(severities(&dnf("gpgcheck=1", "gpgcheck=0")), [None]);
    assert_eq!(severities(&dnf("", "")), [None], "dnf checks nothing by itself");
    assert!(told(&dnf("gpgcheck=1", "")).is_empty());
    assert_eq!(dnf("gpgcheck=False", "").paths(RULE), ["/etc/dnf/dnf.conf", "/etc/yum.repos.d/x.repo"]);
    assert!(told(&dnf("gpgcheck=1", "gpgcheck=0\nenabled=0")).is_empty());
    assert_eq!(severities(&dnf("gpgcheck=1", "sslverify=0")), [Some(Severity::Medium)]);
}

#[test]
fn apt_that_is_told_to_check_nothing_is_found() {
    let setting =
        |text: &str| debian().file("/etc/apt/sources.list", "").file("/etc/apt/apt.conf.d/99x", text);
    assert_eq!(severities(&setting("APT::Get::AllowUnauthenticated \"true\";\n")), [None]);
    assert_eq!(severities(&setting("Acquire { AllowInsecureRepositories \"1\"; };\n")), [None]);
    assert!(told(&setting("APT::Get::AllowUnauthenticated \"false\";\n")).is_empty());
}

#[test]
fn sources_of_others_are_told_by_suite_part_key_or_owner() {
    for line in [
        "deb https://x.example/linux/debian bookworm stable",
        "deb https://x.example/pub bookworm-pgdg main",
        "deb [signed-by=/etc/apt/keyrings/x.gpg] https://x.example bookworm main",
        "deb https://x.example/flat ./",
    ] {
        let fixture = debian().file("/etc/apt/sources.list.d/x.list", &format!("{line}\n"));
        assert_eq!(severities(&fixture), [Some(Severity::Medium)], "{line}");
    }
}

#[test]
fn sources_of_rpm_are_told_by_id_where_no_package_owns_their_list() {
    let source = |id: &str| {
        Fixture::new()
            .file("/etc/os-release", "ID=amzn\nVERSION_ID=2023\n")
            .file("/etc/yum.repos.d/a.repo", &format!("[{id}]\nmirrorlist=https://x.example/\ngpgcheck=1\n"))
    };
    assert!(told(&source("amazonlinux")).is_empty());
    // Without a database of packages nobody can say whose it is.
    assert!(told(&source("vendor")).is_empty());
}

#[test]
fn lists_that_anybody_may_write_are_found() {
    let fixture = debian().file("/etc/apt/sources.list", "").mode("/etc/apt/sources.list", 0o666);
    assert_eq!(fixture.findings(RULE), ["/etc/apt/sources.list anybody may change where packages come from"]);
    fixture.harden_twice();
    assert!(fixture.is_pass(RULE));
}

#[test]
fn pins_locks_and_exclusions_are_told_by_what_they_hold() {
    let pin = |text: &str| debian().file("/etc/apt/sources.list", "").file("/etc/apt/preferences.d/x", text);
    let held = pin("Package: nginx\nPin: version 1.22*\nPin-Priority: 1001\n");
    assert_eq!(severities(&held), [Some(Severity::Medium)]);
    let preferred = pin("Package: *\nPin: release a=bookworm-backports\nPin-Priority: 100\n");
    assert_eq!(severities(&preferred), [Some(Severity::Low)]);
    let locked = Fixture::new()
        .file("/etc/yum.repos.d/x.repo", "")
        .file("/etc/dnf/plugins/versionlock.list", "# Added lock\nnginx-0:1.20.1-1.el9.*\n");
    assert_eq!(severities(&locked), [Some(Severity::Medium)]);
    let excluded =
        Fixture::new().file("/etc/yum.repos.d/x.repo", "").file("/etc/yum.conf", "[main]\nexclude=kernel*\n");
    assert_eq!(severities(&excluded), [Some(Severity::Medium)]);
    let alpine = Fixture::new()
        .file("/etc/apk/repositories", "")
        .file("/etc/apk/world", "alpine-base\nnginx=1.24.0-r1\n");
    assert_eq!(severities(&alpine), [Some(Severity::Medium)]);
}

#[test]
fn foreign_architectures_weigh_little() {
    let fixture = status("install ok installed").file("/var/lib/dpkg/arch", "amd64\ni386\n");
    assert_eq!(severities(&fixture), [Some(Severity::Low)]);
    let own = status("install ok installed").file("/var/lib/dpkg/arch", "amd64\n");
    assert!(told(&own).is_empty());
    assert!(matches!(Fixture::new().check(RULE), Verdict::NotApplicable(_)));
}
