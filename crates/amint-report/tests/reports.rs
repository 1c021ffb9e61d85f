//! The reports as a reader and a CI system get them.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as the tests themselves do")]

mod support;

use amint_report::{VerdictOutcome, html, html_at, json, junit, verdict};
use amint_types::Severity;
use amint_types::report::{BuildReport, RuleOutcome};
use quick_xml::events::Event;
use support::{finding, passing, sample};

/// Returns the text between the first `start` and the next `end`.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let from = page.find(start).unwrap() + start.len();
    &page[from..from + page[from..].find(end).unwrap()]
}

fn hostile() -> BuildReport {
    let mut report = sample();
    let bad = "<script>alert(1)</script>\u{1b}[31m\0\u{202e}\"'&";
    report.packages[0].name = bad.into();
    report.packages[1].version = bad.into();
    report.base = bad.into();
    report.description = Some(bad.into());
    report.tool_version = bad.into();
    report.partitions[0].name = bad.into();
    report.steps[0].title = bad.into();
    report.scan.profiles.push(bad.into());
    report.scan.unused_waivers.push(bad.into());
    report.scan.fixes[0].changes.push(bad.into());
    report.scan.rules[0].rule = bad.into();
    report.scan.rules[0].outcome =
        RuleOutcome::Fail { findings: vec![finding(bad, bad, Some(1), Some(bad))] };
    report.boots[0].accelerator = bad.into();
    report.boots[1].console_tail = Some(bad.repeat(3));
    report.boots[1].checks[0].detail = bad.into();
    report.boots[1].boots[0].instance_id = bad.into();
    report
}

#[test]
fn page_shows_everything_that_a_reader_decides_by() {
    let page = html(&sample()).unwrap();
    std::fs::write(format!("{}/report.html", env!("CARGO_TARGET_TMPDIR")), &page).unwrap();
    for text in [
        "web<span class=\"version\">:1.4.0</span>",
        "2026-10-01 14:03:11 UTC",
        "x86_64",
        "612.1 MiB carrying data, 29\u{a0}%",
        "3 reasons against this image (gate: severity high and above):",
        "/root/.ssh/authorized_keys:1",
        "ssh-ed25519 AAAAC3Nz*** builder@ci",
        "2 files of /etc/ssl/private are encrypted",
        "Waived until <time datetime=\"2027-03-31\">",
        "emptied /etc/machine-id",
        "NET-007",
        "/dev/kvm is missing",
        "login after 41 s <small>as <code>i-0a1b2c3d4e5f60718</code>",
        "grub rescue&#62;",
        "SOURCE_DATE_EPOCH=1790812800",
        "2026-10-01 00:00:00 UTC",
    ] {
        let text = text.replace('\'', "&#39;");
        assert!(page.contains(&text), "`{text}` is missing");
    }
    assert_eq!(page.matches("<caption").count(), page.matches("<table").count(), "every table has a caption");
    let package_rows =
        between(&page, "id=\"packages-table\"", "<tfoot>").matches("<tr><th scope=\"row\">").count();
    assert_eq!(package_rows, 220);
}

#[test]
fn failures_come_before_everything_else_and_the_worst_first() {
    let page = html_at(&sample(), Severity::Low).unwrap();
    let place = |text: &str| page.find(&format!("id=\"rule-{text}\"")).unwrap();
    let order = ["KEY-001", "SSH-004", "TLS-002", "MOD-009", "SSH-012", "SYS-004", "DB-001"];
    assert!(order.map(place).is_sorted());
    assert_eq!(page.matches("<b>blocks</b>").count(), 4, "everything from `low` on blocks");
}

#[test]
fn page_is_the_same_for_the_same_report() {
    assert_eq!(html(&sample()).unwrap(), html(&sample()).unwrap());
}

#[test]
fn hostile_text_stays_text() {
    let page = html(&hostile()).unwrap();
    assert_eq!(page.matches("<script").count(), 1, "only the page's own script");
    assert!(page.contains("&#60;script&#62;alert(1)"));
    let is_control = |character: char| character.is_control() && character != '\n';
    assert!(!page.contains(is_control));
    assert!(!page.contains('\u{202e}'));
}

#[test]
fn page_loads_nothing_and_lets_only_its_own_style_and_script_run() {
    let page = html(&sample()).unwrap();
    for attribute in [" src=", "href=\"http", "url(", "@import", " style=", "onclick", "onload"] {
        assert!(!page.contains(attribute), "`{attribute}` would need a network or an inline permission");
    }
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
    for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
        let text = between(&page, &format!("<{element}>"), &format!("</{element}>"));
        let digest = amint_types::Digest::of(text.as_bytes());
        let encoded = base64(digest.as_bytes());
        assert!(policy.contains(&format!("{directive} 'sha256-{encoded}'")), "{element}");
    }
    assert!(policy.starts_with("default-src 'none'"));
}

/// An independent base64 (RFC 4648), so that the policy is not checked against the code that wrote it.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |word, byte| (word << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let is_padding = place > chunk.len();
            let digit = ALPHABET[usize::try_from((word >> (18 - 6 * place)) & 63).unwrap()];
            text.push(if is_padding { '=' } else { char::from(digit) });
        }
    }
    text
}

#[test]
fn every_text_colour_is_readable_on_its_paper() {
    let page = html(&sample()).unwrap();
    let style = between(&page, "<style>", "</style>");
    let mut schemes = 0;
    for block in style.split(":root {").skip(1) {
        let colour = |name: &str| {
            let value = between(block, &format!("--{name}: #"), ";").to_owned();
            if value.len() == 3 { value.chars().flat_map(|digit| [digit, digit]).collect() } else { value }
        };
        for paper in ["paper", "wash"] {
            for ink in ["ink", "dim", "accent", "alarm"] {
                let ratio = contrast(&colour(ink), &colour(paper));
                assert!(ratio >= 4.5, "{ink} on {paper} in scheme {schemes}: {ratio:.2}");
            }
        }
        schemes += 1;
    }
    assert_eq!(schemes, 3, "light, dark, print");
}

/// The contrast ratio of WCAG 2.2.
fn contrast(left: &str, right: &str) -> f64 {
    let luminance = |colour: &str| {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
    };
    let (one, two) = (luminance(left), luminance(right));
    (one.max(two) + 0.05) / (one.min(two) + 0.05)
}

#[test]
fn a_build_that_nobody_booted_is_not_called_passed() {
    let mut report = passing();
    assert_eq!(verdict(&report, Severity::High).outcome, VerdictOutcome::Passed);
    report.boots.clear();
    assert_eq!(verdict(&report, Severity::High).outcome, VerdictOutcome::Incomplete);
    let page = html(&report).unwrap();
    assert!(page.contains("the image was not booted"));
    report.scan.rules.clear();
    let subjects: Vec<String> =
        verdict(&report, Severity::High).reasons.into_iter().map(|reason| reason.subject).collect();
    assert_eq!(subjects, ["rules", "boot test"]);
}

#[test]
fn a_boot_test_without_any_check_fails_the_build() {
    let mut report = passing();
    report.boots[0].checks.clear();
    let verdict = verdict(&report, Severity::High);
    assert_eq!(verdict.outcome, VerdictOutcome::Failed);
    assert_eq!(verdict.reasons[0].text, "no check ran");
}

#[test]
fn an_empty_report_still_has_a_page() {
    let mut report = passing();
    report.packages.clear();
    report.partitions.clear();
    report.steps.clear();
    report.boots.clear();
    report.scan.rules.clear();
    report.scan.fixes.clear();
    report.disk_bytes = 0;
    report.source_epoch = i64::MAX;
    let page = html(&report).unwrap();
    assert!(page.contains("No rule looked at this image."));
    assert!(page.contains("not a date"));
}

/// Counts the elements of well-formed XML by name; panics on anything else.
fn elements(xml: &str) -> std::collections::BTreeMap<String, usize> {
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut counts = std::collections::BTreeMap::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => {
                for attribute in tag.attributes() {
                    attribute.unwrap();
                }
                *counts.entry(tag.name().as_ref().to_owned()).or_default() += 1;
            }
            Event::Eof => return counts,
            _ => {}
        }
    }
}

#[test]
fn junit_holds_every_check_and_rule_and_never_passes_what_was_not_evaluated() {
    let xml = junit(&sample());
    let counts = elements(&xml);
    assert_eq!(counts["testsuite"], 3);
    assert_eq!(counts["testcase"], 11 + 40);
    assert_eq!(counts["failure"], 1 + 2);
    assert_eq!(counts["error"], 1, "a severe rule that could not be evaluated");
    assert_eq!(counts["skipped"], 2 + 6 + 1 + 1);
    assert!(xml.contains(r#"<testsuite name="rules" tests="40" failures="2" errors="1" skipped="8""#));
    assert!(xml.contains("/root/.ssh/authorized_keys:1: an authorised key"));
    assert!(xml.contains("KRN-001 (medium): kernel.dmesg_restrict is 0"), "noted, and no failure");
}

#[test]
fn junit_stays_well_formed_with_hostile_text() {
    let xml = junit(&hostile());
    assert_eq!(elements(&xml)["testcase"], 51);
    assert!(!xml.contains(|character: char| character.is_control() && character != '\n'));
}

#[test]
fn json_reads_back_as_the_same_report() {
    let report = sample();
    assert_eq!(serde_json::from_str::<BuildReport>(&json(&report)).unwrap(), report);
}
