//! What publishers write, in their own forms.

#![allow(clippy::unwrap_used, reason = "only tests do")]

mod common;

use std::io::Write as _;

use amint_types::Severity;
use amint_types::scan::PackageKind;
use amint_vuln::{
    Builder, Database, Ecosystem, Exploitation, Family, Flags, ImportCounts, ImporterKind, Input, RangeEnd,
};
use common::{date, find, open, package, run};
use proptest::prelude::*;

fn import(kind: &ImporterKind, text: &[u8]) -> (Database, ImportCounts) {
    let mut builder = Builder::new();
    let counts = builder.add("source", date("2026-01-01"), kind, Input::bytes(text)).unwrap();
    (open(builder), counts)
}

fn amazon() -> ImporterKind {
    ImporterKind::UpdateInfo { ecosystem: Ecosystem::new(Family::Amazon, "2023"), repository: None }
}

const UPDATEINFO: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<updates>
  <update author="linux-security@amazon.com" from="x" status="final" type="security" version="1.4">
    <id>ALAS2023-2024-649</id><title>Amazon Linux 2023 - ALAS2023-2024-649: important priority &amp; more</title>
    <issued date="2024-07-01 10:00"/><severity>important</severity><unknown><deep/></unknown>
    <references><reference href="https://x" id="CVE-2024-6387" type="cve"/></references>
    <pkglist><collection short="amazon-linux"><name>Amazon Linux</name>
      <package arch="aarch64" epoch="0" name="openssh" release="8.amzn2023.0.11" version="8.7p1"><filename>a</filename></package>
      <package arch="x86_64" epoch="0" name="openssh" release="8.amzn2023.0.11" version="8.7p1"><filename>b</filename></package>
    </collection></pkglist>
  </update>
  <update type="security"><id>X-2</id><title>t</title><severity>Low</severity>
    <pkglist><collection><module name="nodejs" stream="18" version="9" context="c" arch="x86_64"/>
      <package name="nodejs" epoch="1" version="18.2" release="1.module"/></collection>
      <collection><package name="plain" version="1" release="2"/></collection></pkglist>
  </update>
  <update type="bugfix"><id>X-3</id><pkglist><collection><package name="y" version="1" release="1"/></collection></pkglist></update>
</updates>"#;

#[test]
fn reads_updateinfo_however_it_is_packed() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(UPDATEINFO.as_bytes()).unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(UPDATEINFO.as_bytes()).unwrap();
    let forms = [
        UPDATEINFO.as_bytes().to_vec(),
        gzip.finish().unwrap(),
        xz.finish().unwrap(),
        zstd::encode_all(UPDATEINFO.as_bytes(), 1).unwrap(),
    ];
    for form in forms {
        let (database, counts) = import(&amazon(), &form);
        assert_eq!((counts.records, counts.skipped), (3, 1));
        let old = package(PackageKind::Rpm, "openssh", "0:8.7p1-8.amzn2023.0.10", Some("openssh"));
        let report = run(&database, ("amzn", "2023"), &[old]);
        let finding = find(&report, "CVE-2024-6387").unwrap();
        assert_eq!(finding.fixed_version.as_deref(), Some("0:8.7p1-8.amzn2023.0.11"));
        assert_eq!((finding.severity, finding.is_fix_available), (Severity::High, Some(true)));
        assert!(finding.title.ends_with("priority & more"), "{}", finding.title);
        assert_eq!(finding.aliases, ["ALAS2023-2024-649"]);
        let records = database.records(&Ecosystem::new(Family::Amazon, "2023"), "nodejs").unwrap();
        assert_eq!(records[0].value.module.as_deref(), Some("nodejs:18"));
        let records = database.records(&Ecosystem::new(Family::Amazon, "2023"), "plain").unwrap();
        assert_eq!(
            (records[0].value.module.as_deref(), records[0].value.main_ids().next()),
            (None, Some("X-2"))
        );
    }
}

#[test]
fn refuses_what_is_cut_off_or_something_else() {
    let refused = |kind: &ImporterKind, text: &[u8]| {
        Builder::new().add("x", date("2026-01-01"), kind, Input::bytes(text)).is_err()
    };
    assert!(refused(&amazon(), b"<html></html>"));
    assert!(refused(&amazon(), b""));
    let cut = UPDATEINFO.as_bytes();
    assert!(refused(&amazon(), &cut[..cut.len() / 2]));
    assert!(refused(&ImporterKind::DebianTracker, br#"{"foo":{"CVE-2025-1":{"releases":{}}}"#));
    assert!(refused(&ImporterKind::Osv, b"{\"id\":"));
    assert!(refused(&ImporterKind::Epss, b"<html>\n"));
    let debian = Ecosystem::new(Family::Debian, "13");
    assert!(refused(&ImporterKind::DebianChangelog { ecosystem: debian.clone() }, b"no changelog\n"));
    assert!(refused(&ImporterKind::DebianSources { ecosystem: debian, suite: "trixie".to_owned() }, b"\n"));
}

const OSV: &str = r#"{"schema_version":"1.6.0","id":"GHSA-aaaa-bbbb-cccc","modified":"2024-01-01T00:00:00Z",
 "aliases":["CVE-2024-1111"],"summary":"A thing","details":"x",
 "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
 "affected":[{"package":{"ecosystem":"npm","name":"thing","purl":"pkg:npm/thing"},
  "ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"},{"fixed":"1.2.3"},{"introduced":"2.0.0"},{"last_affected":"2.1.0"}]},
  {"type":"GIT","repo":"x","events":[{"introduced":"0"}]}],"versions":["1.1.0","0.5.0-odd"]},
  {"package":{"ecosystem":"Hex","name":"other"}}],"database_specific":{"severity":"LOW","new":[1]}}
{"id":"GHSA-gone","withdrawn":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"thing"}}]}
{"id":"DEBIAN-CVE-2024-2222","upstream":["CVE-2024-2222"],"affected":[{"package":{"ecosystem":"Debian:13","name":"foo"},
  "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}],"ecosystem_specific":{"urgency":"unimportant"}}]}"#;

fn check_osv(database: &Database) {
    let at = |version: &str| {
        let report = run(database, ("debian", "13"), &[package(PackageKind::Npm, "thing", version, None)]);
        find(&report, "CVE-2024-1111").map(|finding| finding.fixed_version.clone())
    };
    assert_eq!(at("1.0.0"), Some(Some("1.2.3".to_owned())));
    assert_eq!(at("1.2.3"), None);
    assert_eq!(at("2.1.0"), Some(None));
    assert_eq!(at("2.1.1"), None);
    assert_eq!(at("0.5.0-odd"), Some(Some("1.2.3".to_owned())));
    let debian = database.records(&Ecosystem::new(Family::Debian, "13"), "foo").unwrap();
    assert_eq!(debian[0].value.vulnerabilities, ["CVE-2024-2222"]);
    assert!(debian[0].value.flags.has(Flags::UNIMPORTANT.with(Flags::SOURCE).with(Flags::STATE)));
    assert_eq!(database.facts("CVE-2024-1111").unwrap()[0].value.cvss_tenths, Some(98));
}

#[test]
fn reads_osv_from_lines_zips_folders_and_tars() {
    let (database, counts) = import(&ImporterKind::Osv, OSV.as_bytes());
    assert_eq!((counts.records, counts.skipped), (2, 2));
    check_osv(&database);
    let folder = tempfile::tempdir().unwrap();
    let zip_path = folder.path().join("all.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&zip_path).unwrap());
    let mut tar = tar::Builder::new(Vec::new());
    let below = folder.path().join("below");
    std::fs::create_dir(&below).unwrap();
    std::fs::write(below.join("README.md"), "no document").unwrap();
    for (index, document) in
        serde_json::Deserializer::from_str(OSV).into_iter::<serde_json::Value>().enumerate()
    {
        let (name, text) = (format!("{index}.json"), document.unwrap().to_string());
        zip.start_file(&name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
        std::fs::write(below.join(&name), &text).unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, &name, text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    let tar = zstd::encode_all(tar.into_inner().unwrap().as_slice(), 1).unwrap();
    for input in [Input::File(zip_path), Input::Folder(below), Input::bytes(&tar)] {
        let mut builder = Builder::new();
        let counts = builder.add("osv", date("2026-01-01"), &ImporterKind::Osv, input).unwrap();
        assert_eq!(counts.records, 2);
        check_osv(&open(builder));
    }
}

#[test]
fn reads_suites_of_debian() {
    let debian = Ecosystem::new(Family::Debian, "13");
    let kind = ImporterKind::DebianPackages { ecosystem: debian.clone(), suite: "trixie".to_owned() };
    let text = "Package: libssl3t64\nSource: openssl\nVersion: 3.5.1-1\n\nPackage: openssl\nVersion: 3.5.1-1+deb13u1\n\n\
                Package: zlib1g\nSource: zlib (1:1.3-1)\nVersion: 1:1.3-1+b1\n";
    let (database, counts) = import(&kind, text.as_bytes());
    assert_eq!(counts.others, 2);
    let newest = |source: &str| database.newest(&debian, "trixie", source).unwrap().map(|found| found.value);
    assert_eq!(newest("openssl").as_deref(), Some("3.5.1-1+deb13u1"));
    assert_eq!(newest("zlib").as_deref(), Some("1:1.3-1"));
    assert_eq!(newest("nothing"), None);
    assert_eq!(database.suites(&debian).unwrap(), ["trixie"]);
}

#[test]
fn reads_secdb_kev_epss_and_ssvc() {
    let secdb = br#"{"distroversion":"v3.20","reponame":"main","urlprefix":"x","packages":[{"pkg":{"name":"foo",
        "secfixes":{"1.0-r1":["CVE-2024-1 GHSA-x"],"0":["CVE-2024-2"]}}},{"pkg":{"name":"bar","secfixes":null}}]}"#;
    let (database, _) = import(&ImporterKind::AlpineSecdb, secdb);
    let report =
        run(&database, ("alpine", "3.20.3"), &[package(PackageKind::Apk, "foo-libs", "1.0-r0", Some("foo"))]);
    let rules: Vec<_> =
        report.findings.iter().map(|finding| (finding.rule.as_str(), finding.aliases.len())).collect();
    assert_eq!(rules, [("CVE-2024-1", 1)]);
    let (database, _) = import(
        &ImporterKind::Epss,
        b"#model_version:v2025,score_date:2025-01-01\ncve,epss,percentile\nCVE-2024-1,0.97212,0.99\nx\n",
    );
    assert_eq!(database.facts("CVE-2024-1").unwrap()[0].value.epss_millionths, Some(972_120));
    let ssvc = br#"{"dataType":"CVE_RECORD","cveMetadata":{"cveId":"CVE-2024-1"},"containers":{"cna":{"title":"T"},
        "adp":[{"metrics":[{"other":{"type":"ssvc","content":{"options":[{"Exploitation":"active"}]}}},
        {"cvssV3_1":{"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}},{"other":{"type":"kev","content":{}}}]}]}}"#;
    let (database, _) = import(&ImporterKind::Ssvc, ssvc);
    let facts = &database.facts("CVE-2024-1").unwrap()[0].value;
    assert_eq!((facts.exploitation, facts.cvss_tenths), (Some(Exploitation::Active), Some(98)));
    assert!(facts.is_listed_exploited);
}

const CSAF: &str = r#"{"document":{"aggregate_severity":{"text":"Important"}},"product_tree":{"branches":[{"branches":[
  {"product":{"product_id":"AppStream-9.4","product_identification_helper":{"cpe":"cpe:/a:redhat:enterprise_linux:9::appstream"}}},
  {"product":{"product_id":"red_hat_enterprise_linux_9","product_identification_helper":{"cpe":"cpe:/o:redhat:enterprise_linux:9"}}},
  {"product":{"product_id":"foo-0:1-2.x86_64","product_identification_helper":{"purl":"pkg:rpm/redhat/foo-libs@1-2.el9?arch=x86_64&epoch=3"}}}]}],
 "relationships":[
  {"category":"default_component_of","full_product_name":{"name":"x","product_id":"AppStream-9.4:foo-0:1-2.x86_64"},"product_reference":"foo-0:1-2.x86_64","relates_to_product_reference":"AppStream-9.4"},
  {"category":"default_component_of","full_product_name":{"name":"x","product_id":"red_hat_enterprise_linux_9:bar"},"product_reference":"bar","relates_to_product_reference":"red_hat_enterprise_linux_9"}]},
 "vulnerabilities":[{"cve":"CVE-2024-7","title":"T","scores":[{"cvss_v3":{"vectorString":"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],
  "product_status":{"fixed":["AppStream-9.4:foo-0:1-2.x86_64"],"known_affected":["red_hat_enterprise_linux_9:bar"],"known_not_affected":["unknown:x"]},
  "remediations":[{"category":"no_fix_planned","product_ids":["red_hat_enterprise_linux_9:bar"]}]}]}"#;

#[test]
fn reads_vex_of_red_hat() {
    let (database, counts) = import(&ImporterKind::CsafVex, CSAF.as_bytes());
    assert_eq!((counts.records, counts.skipped), (2, 1));
    let redhat = Ecosystem::new(Family::RedHat, "9");
    let fixed = &database.records(&redhat, "foo-libs").unwrap()[0].value;
    assert_eq!(fixed.ranges[0].end, RangeEnd::Fixed("3:1-2.el9".to_owned()));
    assert_eq!(fixed.repository.as_deref(), Some("appstream"));
    let packages = [package(PackageKind::Rpm, "bar-tools", "0:1-1.el9", Some("bar"))];
    let report = run(&database, ("rhel", "9.4"), &packages);
    let finding = find(&report, "CVE-2024-7").unwrap();
    assert!(finding.evidence.as_deref().unwrap().contains("will not fix"));
    assert_eq!((finding.severity, finding.is_fix_available), (Severity::High, Some(false)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn no_importer_panics_on_changed_input(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let debian = Ecosystem::new(Family::Debian, "13");
        let tracker = r#"{"foo":{"CVE-2025-2000":{"description":"d","releases":{"bookworm":{"status":"resolved","fixed_version":"1","urgency":"low"}}}}}"#;
        let inputs: [(ImporterKind, &str); 7] = [
            (amazon(), UPDATEINFO),
            (ImporterKind::Osv, OSV),
            (ImporterKind::CsafVex, CSAF),
            (ImporterKind::DebianTracker, tracker),
            (ImporterKind::Epss, "cve,epss,percentile\nCVE-2024-1,0.97212,0.99\n"),
            (ImporterKind::DebianChangelog { ecosystem: debian }, "foo (1) x; urgency=low\n\n  * CVE-2024-1234\n"),
            (ImporterKind::Compact, r#"{"id":"GHSA-1","al":["CVE-2020-1"],"aff":{"npm":{"a":[["1","<2"],"<=3"]}}}"#),
        ];
        for (kind, text) in inputs {
            let mut bytes = text.as_bytes().to_vec();
            for (index, byte) in &changes {
                let index = index.index(bytes.len());
                bytes[index] = *byte;
            }
            bytes.truncate(cut.index(bytes.len()) + 1);
            let mut builder = Builder::new();
            if builder.add("x", date("2026-01-01"), &kind, Input::bytes(&bytes)).is_ok() {
                open(builder).verify().unwrap();
            }
        }
    }
}
