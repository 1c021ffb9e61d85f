//! Advisories of repositories of rpm packages, in a folder of this machine.

#![expect(clippy::unwrap_used, reason = "a failure is the end of the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use amint_feeds::{Downloads, FeedError, Installed, UpdateCounts, add_updates};
use amint_packages::repositories::{MainSettings, Variables, read_dnf};
use amint_types::{Cancel, Digest, Event, EventSink};
use amint_vuln::{Builder, Ecosystem};
use jiff::Timestamp;

struct Silent;

impl EventSink for Silent {
    fn emit(&self, _: Event) {}
}

const UPDATES: &str = r#"<updates><update type="security"><id>ALAS2023-2026-1</id><title>curl</title>
<severity>Important</severity><references><reference id="CVE-2026-12345" type="cve"/></references>
<pkglist><collection><package name="curl" epoch="0" version="8.1" release="2.amzn2023"/></collection></pkglist>
</update></updates>"#;

fn repository(folder: &Path, updates: &str, sha256: &str) {
    fs::create_dir_all(folder.join("repodata")).unwrap();
    fs::write(folder.join("repodata/updateinfo.xml"), updates).unwrap();
    let text = format!(
        "<repomd><data type=\"updateinfo\"><checksum type=\"sha256\">{sha256}</checksum>\
         <location href=\"repodata/updateinfo.xml\"/><timestamp>1700000000</timestamp></data></repomd>"
    );
    fs::write(folder.join("repodata/repomd.xml"), text).unwrap();
}

fn fetch(settings: &str, builder: &mut Builder) -> Result<UpdateCounts, FeedError> {
    let repositories =
        read_dnf(settings.as_bytes(), &Variables::of_system("2023", "x86_64"), &MainSettings::default())
            .repositories;
    let installed = Installed {
        ecosystem: Ecosystem::parse("amazon:2023").unwrap(),
        architecture: "x86_64".to_owned(),
        suites: Vec::new(),
        repositories,
        sources: BTreeMap::new(),
    };
    let work = tempfile::tempdir().unwrap();
    let downloads = Downloads::new(work.path(), false, Cancel::new());
    add_updates(builder, &installed, &downloads, Timestamp::UNIX_EPOCH, &Silent)
}

#[test]
fn takes_the_advisories_of_enabled_repositories_and_dates_them_by_the_repository() {
    let folder = tempfile::tempdir().unwrap();
    repository(folder.path(), UPDATES, &Digest::of(UPDATES.as_bytes()).to_string());
    let list = folder.path().join("mirrors");
    fs::write(&list, format!("# mirrors\nfile://{}\n", folder.path().display())).unwrap();
    let settings = format!(
        "[core]\nbaseurl=file://{0}\n[listed]\nmirrorlist=file://{1}\n[off]\nbaseurl=file:///nothing\nenabled=0\n\
         [linked]\nmetalink=https://a.example/x\n",
        folder.path().display(),
        list.display()
    );
    let mut builder = Builder::new();
    let counts = fetch(&settings, &mut builder).unwrap();
    assert_eq!(counts, UpdateCounts { repositories: 2, without: 0 });
    let source = &builder.sources()[0];
    assert_eq!(source.name, "amazon:2023/core (signature not checked)");
    assert_eq!((source.date.as_second(), source.record_count), (1_700_000_000, 2));
}

#[test]
fn refuses_advisories_that_the_repository_does_not_describe() {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("[core]\nbaseurl=file://{}\n", folder.path().display());
    let error = fetch(&settings, &mut Builder::new()).unwrap_err();
    assert!(matches!(error, FeedError::Download { .. }) && error.to_string().contains("core"), "{error}");
    repository(folder.path(), UPDATES, &Digest::of(b"other").to_string());
    let mut builder = Builder::new();
    assert!(matches!(fetch(&settings, &mut builder), Err(FeedError::Index { .. })));
    assert!(builder.sources().is_empty());
}
