use amint_types::Severity;
use jiff::civil::date;

use crate::request::Right;
use crate::testing::Fixture;
use crate::{Profile, RecipeChange, Verdict, rules};

const DEBIAN: &str = "ID=debian\nVERSION_ID=\"13\"\n";
const GPL: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: GPL-2+\n";

fn image(release: &str, package: &str, section: &str) -> Fixture {
    let status = format!(
        "Package: {package}\nStatus: install ok installed\nVersion: 1\nSection: {section}\nArchitecture: amd64\n\
         Maintainer: A Team <team@tracker.debian.org>\n"
    );
    Fixture::new()
        .file("/etc/os-release", release)
        .file("/var/lib/dpkg/status", &status)
        .file(&format!("/usr/share/doc/{package}/copyright"), GPL)
}

fn severities(fixture: &Fixture, id: &str) -> Vec<Option<Severity>> {
    match fixture.check(id) {
        Verdict::Fail(found) => found.into_iter().map(|found| found.severity).collect(),
        Verdict::Pass => Vec::new(),
        Verdict::NotApplicable(reason) => panic!("{reason}"),
    }
}

#[test]
fn free_software_on_a_free_system_only_asks_for_its_source() {
    let fixture = image(DEBIAN, "nginx", "httpd");
    for id in ["RES-001", "RES-002", "RES-004"] {
        assert!(fixture.is_pass(id), "{id}: {:?}", fixture.findings(id));
    }
    assert_eq!(severities(&fixture, "RES-003"), [Some(Severity::Info)]);
}

#[test]
fn a_system_with_an_owner_needs_a_right() {
    let mut fixture = Fixture::new().file("/etc/os-release", "ID=rhel\nVERSION_ID=9.4\nPRETTY_NAME=RHEL\n");
    assert_eq!(severities(&fixture, "RES-001"), [Some(Severity::Critical)]);
    fixture.request.rights = vec![Right {
        name: "os:rhel".to_owned(),
        holder: "A Company".to_owned(),
        document: "contract 7".to_owned(),
        until: Some(date(2026, 11, 23)),
    }];
    assert!(fixture.is_pass("RES-001"), "on its last day a right still holds");
    fixture.request.today = date(2026, 11, 24);
    assert!(
        fixture.findings("RES-001")[0].contains("the right of A Company (contract 7) ended on 2026-11-23")
    );
}

#[test]
fn software_that_is_not_free_is_found_by_section_name_and_file() {
    assert_eq!(severities(&image(DEBIAN, "vendor-tool", "non-free/net"), "RES-002"), [Some(Severity::High)]);
    let agent = image(DEBIAN, "nginx", "httpd").file("/opt/splunk/bin/splunk", "");
    assert_eq!(severities(&agent, "RES-002"), [Some(Severity::Critical)]);
    let rule = rules().iter().find(|rule| rule.meta().id == "RES-002").unwrap();
    let Verdict::Fail(found) = agent.check("RES-002") else { panic!("must fail") };
    assert_eq!(rule.recipe_change(&found[0]), Some(RecipeChange::DeclareRight("splunk".to_owned())));
}

#[test]
fn licence_files_of_vendors_are_found_with_their_end_and_without_their_signature() {
    let line = "FEATURE product vendor 1.0 31-dec-2026 uncounted HOSTID=ANY SIGN=\"0000\"\n";
    let mut fixture =
        image(DEBIAN, "nginx", "httpd").file("/opt/vendor/license.lic", line).file("/etc/LICENSE", line);
    assert_eq!(
        fixture.findings("RES-004"),
        ["/opt/vendor/license.lic:1 a vendor's licence file that ends on 31-dec-2026"]
    );
    let Verdict::Fail(found) = fixture.check("RES-004") else { panic!("must fail") };
    assert!(!found[0].evidence.excerpt.as_deref().unwrap().contains("SIGN"));
    fixture.request.rights = vec![Right {
        name: "/opt/vendor/*".to_owned(),
        holder: "A".to_owned(),
        document: "7".to_owned(),
        until: None,
    }];
    assert!(fixture.is_pass("RES-004"));
    assert!(fixture.is_pass("RES-002"), "the right is of use");
}

#[test]
fn a_right_that_nothing_needs_is_told() {
    let mut fixture = image(DEBIAN, "nginx", "httpd");
    fixture.request.rights = vec![Right {
        name: "splunk".to_owned(),
        holder: "A".to_owned(),
        document: "7".to_owned(),
        until: None,
    }];
    assert_eq!(severities(&fixture, "RES-002"), [Some(Severity::Low)]);
}

#[test]
fn copyright_files_that_were_taken_away_are_missed() {
    let fixture = image(DEBIAN, "nginx", "httpd");
    std::fs::remove_file(fixture.host("/usr/share/doc/nginx/copyright")).unwrap();
    assert!(fixture.findings("RES-003")[0].contains("copyright files of 1 packages are missing"));
}

#[test]
fn every_rule_about_rights_is_asked_under_its_own_id() {
    for rule in amint_rights::RightsRule::ALL {
        assert!(rules().iter().any(|other| other.meta().id == rule.id()), "{}", rule.id());
    }
}

#[test]
fn an_unknown_licence_weighs_less_where_all_sources_are_the_systems_own() {
    let unknown = GPL.replace("GPL-2+", "same-as-nobody-knows");
    let person = |sources: &str| {
        let fixture = image(DEBIAN, "nginx", "httpd").file("/usr/share/doc/nginx/copyright", &unknown);
        let status = fixture.read("/var/lib/dpkg/status").replace("team@tracker.debian.org", "a@example.org");
        fixture.file("/var/lib/dpkg/status", &status).file("/etc/apt/sources.list", sources)
    };
    let own = "deb http://a.example/debian stable main\n";
    assert_eq!(severities(&person(own), "RES-002"), [Some(Severity::Low)]);
    let others = format!("{own}deb https://b.example/x stable vendor\n");
    assert_eq!(severities(&person(&others), "RES-002"), [Some(Severity::Medium)]);
}

#[test]
fn images_that_stay_at_home_are_not_asked() {
    for id in ["RES-001", "RES-002", "RES-003", "RES-004"] {
        let rule = rules().iter().find(|rule| rule.meta().id == id).unwrap();
        assert_eq!(rule.meta().severities.under(Profile::Private), None);
    }
}
