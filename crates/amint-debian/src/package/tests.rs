use super::*;
use crate::control::Paragraphs;

fn read(text: &str) -> Result<PackageRecord, PackageError> {
    let paragraph = Paragraphs::new(text.as_bytes()).next().unwrap().unwrap();
    PackageRecord::from_paragraph(&paragraph, 3)
}

fn minimal(more: &str) -> String {
    let digest = Digest::of(b"");
    format!(
        "Package: a\nVersion: 1.0-1\nArchitecture: amd64\nFilename: pool/a.deb\nSize: 5\nSHA256: {digest}\n{more}"
    )
}

#[test]
fn reads_what_an_index_tells() {
    let more = "Source: b (2.0-1)\nMulti-Arch: allowed\nEssential: yes\nPriority: required\nSection: net\n\
        Installed-Size: 12\nDepends: x | y,\n z\nProvides: v (= 3)\nBreaks: w (<< 2)\nDescription: text\n";
    let found = read(&minimal(more)).unwrap();
    assert_eq!((found.source.as_str(), found.source_version.as_str()), ("b", "2.0-1"));
    assert_eq!((found.multi_arch, found.priority), (MultiArch::Allowed, Priority::Required));
    assert!(found.is_essential && !found.is_protected);
    assert_eq!((found.installed_kib, found.bytes, found.origin), (12, 5, 3));
    assert_eq!(found.dependencies(RelationKind::Depends).len(), 2);
    assert_eq!(found.relations(RelationKind::Provides)[0].to_string(), "v (= 3)");
    assert_eq!(found.relation_text(RelationKind::Breaks), "w (<< 2)");
    assert_eq!(found.relation_text(RelationKind::Conflicts), "");
}

#[test]
fn takes_the_source_for_the_same_unless_told() {
    let found = read(&minimal("")).unwrap();
    assert_eq!((found.source.as_str(), found.source_version.as_str()), ("a", "1.0-1"));
    assert_eq!(read(&minimal("Source: b\n")).unwrap().source_version, "1.0-1");
}

#[test]
fn refuses_what_it_cannot_trust() {
    let error = |text: &str| read(text).unwrap_err().to_string();
    assert_eq!(error("Package: a\n"), "`Version` is missing");
    assert_eq!(error(&minimal("").replace("SHA256", "MD5sum")), "`SHA256` is missing");
    assert_eq!(error(&minimal("").replace("Package: a", "Package: ../a")), "`../a` is not a package name");
    assert_eq!(error(&minimal("Essential: maybe\n")), "`Essential` is `maybe`, which makes no sense");
    assert_eq!(error(&minimal("Installed-Size: -1\n")), "`Installed-Size` is `-1`, which makes no sense");
    assert_eq!(error(&minimal("Depends: x [amd64]\n")), "`Depends` makes no sense");
    assert_eq!(error(&minimal("Provides: x (>= 1)\n")), "`Provides` makes no sense");
}
