//! Reports of scans as a reader, a CI system and other tools get them.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as the tests themselves do")]

mod support {
    pub(crate) mod scan;
}

use std::collections::{BTreeMap, BTreeSet};

use amint_report::scan::{cyclonedx, difference, difference_markdown, html, junit, sarif, scan_json, spdx};
use amint_types::scan::{ScanDocument, ScanVerdict};
use proptest::prelude::*;
use quick_xml::events::Event;
use serde_json::Value;
use support::scan::{empty, hostile, large, rich};

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn page(document: &ScanDocument) -> String {
    html(document).unwrap()
}

fn markdown(document: &ScanDocument) -> String {
    difference_markdown(&difference(&empty(), document))
}

/// All forms of a document.
fn forms(document: &ScanDocument) -> [(&'static str, String); 7] {
    [
        ("json", scan_json(document)),
        ("sarif", sarif(document)),
        ("cyclonedx", cyclonedx(document)),
        ("spdx", spdx(document)),
        ("junit", junit(document)),
        ("html", page(document)),
        ("markdown", markdown(document)),
    ]
}

/// Counts the elements of well-formed XML by name; panics on anything else.
fn elements(xml: &str) -> BTreeMap<String, usize> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut counts = BTreeMap::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => {
                assert!(tag.attributes().all(|attribute| attribute.is_ok()));
                *counts.entry(tag.name().as_ref().to_owned()).or_default() += 1;
            }
            Event::Eof => return counts,
            _ => {}
        }
    }
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    for document in [empty(), rich(), hostile()] {
        assert_eq!(forms(&document), forms(&document.clone()));
    }
}

#[test]
fn no_form_carries_control_characters_that_hide_or_turn_text() {
    for (name, text) in forms(&hostile()) {
        let is_hidden = |character: char| {
            (character.is_control() && character != '\n')
                || character == '\u{202e}'
                || character == '\u{feff}'
        };
        assert!(!text.contains(is_hidden), "{name}");
    }
}

#[test]
fn json_reads_back_as_the_same_document() {
    for document in [empty(), rich(), hostile()] {
        assert_eq!(serde_json::from_str::<ScanDocument>(&scan_json(&document)).unwrap(), document);
    }
}

#[test]
fn sarif_tells_weight_place_and_decisions_of_each_finding() {
    let log = parsed(&sarif(&rich()));
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 10);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    let result = |rule: &str| results.iter().find(|result| result["ruleId"] == rule).unwrap();
    let ssh = result("SSH-001");
    let place = &ssh["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "etc/ssh/sshd_config");
    assert_eq!(place["artifactLocation"]["uriBaseId"], "IMAGEROOT");
    assert_eq!(place["region"]["startLine"], 12);
    assert_eq!(ssh["level"], "error");
    let odd = &result("FILE-007")["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(odd, "srv/data%20sets/a%3Ab%25.txt");
    let lowered = result("CVE-2026-2222");
    assert_eq!(lowered["level"], "note");
    assert_eq!(lowered["properties"]["security-severity"], "2.0", "not the 7.8 of its advisory");
    assert_eq!(lowered["properties"]["amint:loweredFrom"], "high");
    let log4j = result("CVE-2021-44228");
    assert_eq!(log4j["properties"]["security-severity"], "10.0");
    let package = &log4j["locations"][0]["logicalLocations"][0]["fullyQualifiedName"];
    assert_eq!(package, "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1");
    let suppressed = result("CVE-2026-3333");
    assert_eq!(suppressed["suppressions"][0]["status"], "accepted");
    let suppressions = results.iter().filter(|result| result.get("suppressions").is_some()).count();
    assert_eq!(suppressions, 2, "one does not apply, one is accepted");
    let waived = result("ACC-004");
    let justification = waived["suppressions"][0]["justification"].as_str().unwrap();
    assert!(justification.contains("accepted until 2026-10-04 by operations"), "{justification}");
    assert_eq!(ssh["properties"]["amint:controls"][0], "cis-debian13 5.1.11");
    assert_eq!(result("FS-003")["properties"]["amint:blocks"], false, "the earlier scan has it too");
    let fingerprints: BTreeSet<&str> = results
        .iter()
        .map(|result| result["partialFingerprints"]["amintFindingId/v1"].as_str().unwrap())
        .collect();
    assert_eq!(fingerprints.len(), results.len());
}

#[test]
fn sarif_of_an_unread_or_stale_scan_is_no_success() {
    let invocation = |document: &ScanDocument| parsed(&sarif(document))["runs"][0]["invocations"][0].clone();
    assert_eq!(invocation(&empty())["executionSuccessful"], true);
    assert!(invocation(&empty()).get("toolExecutionNotifications").is_none());
    let mut stale = empty();
    stale.verdict = ScanVerdict::Stale;
    stale.reasons = vec!["advisories of debian/trixie are 40 days old".to_owned()];
    let invocation_of_stale = invocation(&stale);
    assert_eq!(invocation_of_stale["executionSuccessful"], false);
    let text = &invocation_of_stale["toolExecutionNotifications"][0]["message"]["text"];
    assert_eq!(text, "stale: advisories of debian/trixie are 40 days old");
    let unread = invocation(&rich());
    assert_eq!(unread["executionSuccessful"], false);
    let levels: Vec<&str> = unread["toolExecutionNotifications"]
        .as_array()
        .unwrap()
        .iter()
        .map(|notification| notification["level"].as_str().unwrap())
        .collect();
    assert_eq!(
        levels,
        ["warning", "error", "warning"],
        "part of the esp, the encrypted partition, an analyzer"
    );
}

#[test]
fn cyclonedx_refers_only_to_what_it_holds_and_to_each_once() {
    for document in [rich(), hostile(), large()] {
        let bom = parsed(&cyclonedx(&document));
        let components = bom["components"].as_array().unwrap();
        let vulnerabilities = bom["vulnerabilities"].as_array().unwrap();
        let mut references: Vec<&str> = components
            .iter()
            .chain(vulnerabilities)
            .map(|element| element["bom-ref"].as_str().unwrap())
            .collect();
        references.push(bom["metadata"]["component"]["bom-ref"].as_str().unwrap());
        let unique: BTreeSet<&str> = references.iter().copied().collect();
        assert_eq!(unique.len(), references.len());
        for vulnerability in vulnerabilities {
            assert!(unique.contains(vulnerability["affects"][0]["ref"].as_str().unwrap()));
        }
        for reference in bom["dependencies"][0]["dependsOn"].as_array().unwrap() {
            assert!(unique.contains(reference.as_str().unwrap()));
        }
    }
}

#[test]
fn cyclonedx_tells_places_licences_and_analyses() {
    let bom = parsed(&cyclonedx(&rich()));
    let components = bom["components"].as_array().unwrap();
    let component = |name: &str| components.iter().find(|component| component["name"] == name).unwrap();
    let log4j = component("log4j-core");
    assert_eq!(log4j["group"], "org.apache.logging.log4j");
    assert_eq!(log4j["evidence"]["occurrences"].as_array().unwrap().len(), 2, "one component in two places");
    assert_eq!(component("bash")["licenses"][0]["expression"], "GPL-3.0-or-later");
    let names = component("openssh-server")["licenses"].as_array().unwrap();
    assert_eq!(names.len(), 3, "one of them is no SPDX licence, so all are names");
    assert_eq!(component("debian")["type"], "operating-system");
    assert_eq!(bom["compositions"][0]["aggregate"], "incomplete", "a partition is encrypted");
    let vulnerabilities = bom["vulnerabilities"].as_array().unwrap();
    assert_eq!(vulnerabilities.len(), 5, "violated rules are no part of it");
    let vulnerability = |id: &str| vulnerabilities.iter().find(|one| one["id"] == id).unwrap();
    assert_eq!(vulnerability("CVE-2026-3333")["analysis"]["state"], "not_affected");
    let lowered = vulnerability("CVE-2026-2222");
    assert_eq!(lowered["analysis"]["state"], "in_triage");
    assert_eq!(lowered["ratings"][0]["severity"], "low");
    assert_eq!(lowered["ratings"][1]["severity"], "high");
    assert_eq!(lowered["ratings"][2]["score"], 7.8);
    let openssh = vulnerability("CVE-2026-1111");
    assert_eq!(openssh["affects"][0]["ref"], component("openssh-server")["bom-ref"]);
    assert_eq!(openssh["recommendation"], "update openssh-server to 1:10.0p1-7+deb13u1 or later");
}

#[test]
fn another_document_gets_another_serial_number() {
    let serial = |document: &ScanDocument| parsed(&cyclonedx(document))["serialNumber"].clone();
    let mut later = rich();
    later.scanned_at = "2026-10-02T00:00:00Z".parse().unwrap();
    assert_ne!(serial(&rich()), serial(&later));
    let namespace = |document: &ScanDocument| parsed(&spdx(document))["documentNamespace"].clone();
    assert_ne!(namespace(&rich()), namespace(&later));
}

#[test]
fn spdx_defines_every_licence_that_it_names() {
    for document in [rich(), hostile()] {
        let text = spdx(&document);
        let value = parsed(&text);
        let defined: BTreeSet<&str> = value["hasExtractedLicensingInfos"]
            .as_array()
            .unwrap()
            .iter()
            .map(|info| info["licenseId"].as_str().unwrap())
            .collect();
        let packages = value["packages"].as_array().unwrap();
        let mut ids = BTreeSet::new();
        for package in packages {
            assert!(ids.insert(package["SPDXID"].as_str().unwrap()), "each id only once");
            let declared = package["licenseDeclared"].as_str().unwrap();
            if declared == "NOASSERTION" {
                continue;
            }
            assert!(::spdx::Expression::parse(declared).is_ok(), "{declared}");
            for word in declared.split([' ', '(', ')']).filter(|word| word.starts_with("LicenseRef-")) {
                assert!(defined.contains(word), "{word}");
            }
        }
        let relationships = value["relationships"].as_array().unwrap();
        assert_eq!(
            relationships.len(),
            packages.len(),
            "the document describes the image, which holds the rest"
        );
        for relationship in relationships {
            assert!(ids.contains(relationship["relatedSpdxElement"].as_str().unwrap()));
        }
    }
}

#[test]
fn junit_fails_by_the_gate_and_never_passes_what_was_not_read() {
    let xml = junit(&rich());
    let counts = elements(&xml);
    assert_eq!(counts["testsuite"], 6);
    assert_eq!(counts["testcase"], 1 + 4 + 3 + 10);
    assert_eq!(counts["failure"], 1 + 2 + 1, "the verdict, two vulnerabilities, one rule");
    assert_eq!(counts["error"], 1, "the encrypted partition");
    assert_eq!(counts["skipped"], 1 + 2 + 3, "esp in part, two analyzers, not applying, accepted, known");
    assert_eq!(counts["system-out"], 1 + 2 + 1 + 1, "a replayed journal and what lies below the gate");
    assert!(xml.contains("lowered from high: the kernel is not the one that boots"));
    let mut unread = empty();
    unread.verdict = ScanVerdict::Unread;
    assert_eq!(elements(&junit(&unread))["error"], 2, "the verdict, and nothing that was read");
    assert_eq!(elements(&junit(&hostile()))["testcase"], 18);
}

#[test]
fn page_shows_everything_that_a_reader_decides_by() {
    for (name, document) in [("rich", rich()), ("large", large()), ("empty", empty()), ("hostile", hostile())]
    {
        std::fs::write(format!("{}/scan-{name}.html", env!("CARGO_TARGET_TMPDIR")), page(&document)).unwrap();
    }
    let page = page(&rich());
    for text in [
        "web:1.4.0",
        "3 findings of severity high or above, or exploited, against this image.",
        "partition <code>3</code> is encrypted",
        "supported until 2028-08-09",
        "6.12.48+deb13-amd64",
        "encrypted (LUKS2)",
        "debian/trixie-security",
        "25 days",
        "fixed in 1:10.0p1-7+deb13u1, which the image's repositories have",
        "<b>Not affected:</b> vulnerable code is not in the execute path",
        "<b>Lowered from high:</b>",
        "CVSS 10.0, EPSS 97.5\u{a0}%",
        "PasswordAuthentication yes",
        "/etc/ssh/sshd_config:12",
        "SHA256:uNiVztksCsDhcc0u9e8BrqXVKmvvEPBZyGjXyzS6Gv0",
        "tcp/443, tcp/80",
        "cap_net_raw=ep",
        "by CN=Example Issuing CA 3,O=Example",
        "expired",
        "/usr/bin/ls",
        "sha256:",
    ] {
        let text = text.replace('\'', "&#39;");
        assert!(page.contains(&text), "`{text}` is missing");
    }
    assert_eq!(page.matches("<caption").count(), page.matches("<table").count(), "every table has a caption");
    let place = |text: &str| page.find(text).unwrap();
    assert!(place("CVE-2021-44228") < place("CVE-2026-1111"), "what is exploited comes first");
    assert!(place("CVE-2026-1111") < place("CVE-2026-4444"));
    assert!(place("CVE-2026-4444") < place("CVE-2026-3333"), "what does not apply comes last");
}

#[test]
fn a_large_page_opens_with_what_fails_the_image_and_folds_the_rest() {
    let page = page(&large());
    let open = page.split("<details>").next().unwrap();
    assert_eq!(open.matches("<tr data-level").count(), 100);
    assert_eq!(page.matches("<tr data-level").count(), 3_010);
    assert_eq!(page.matches("data-filter=").count(), 2, "findings and packages");
    assert!(page.len() < 4_000_000, "{} bytes", page.len());
}

#[test]
fn hostile_text_stays_text_in_the_page() {
    let page = page(&hostile());
    assert!(page.len() < 300_000, "{} bytes: values of 20,000 characters fill no page", page.len());
    assert_eq!(page.matches("<script").count(), 1, "only the page's own script");
    for attribute in [" src=", "href=\"http", "url(", "@import", " style=", "onclick", "onload"] {
        assert!(!page.contains(attribute), "`{attribute}` would need a network or an inline permission");
    }
}

#[test]
fn a_page_without_data_does_not_claim_that_nothing_is_wrong() {
    let page = page(&empty());
    assert!(page.contains("Nothing was found, but no advisories were used."));
    assert!(page.contains("No part of the image was read."));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Puts any text in place of some strings of a document's JSON: what still reads as a document has every form.
    #[test]
    fn any_text_in_any_field_gives_well_formed_reports(
        picks in proptest::collection::vec((0_usize..400, any::<String>()), 1..12),
    ) {
        let mut value = parsed(&scan_json(&rich()));
        for (index, text) in picks {
            replace_string(&mut value, index, &text);
        }
        if let Ok(document) = serde_json::from_value::<ScanDocument>(value) {
            for (_, text) in forms(&document).iter().take(4) {
                parsed(text);
            }
            elements(&junit(&document));
        }
    }
}

/// Replaces the string at `index` among all strings; returns how many are still to pass.
fn replace_string(value: &mut Value, index: usize, text: &str) -> Option<usize> {
    match value {
        Value::String(string) if index == 0 => {
            text.clone_into(string);
            None
        }
        Value::String(_) => Some(index - 1),
        Value::Array(items) => {
            items.iter_mut().try_fold(index, |index, item| replace_string(item, index, text))
        }
        Value::Object(fields) => {
            fields.values_mut().try_fold(index, |index, field| replace_string(field, index, text))
        }
        _ => Some(index),
    }
}
