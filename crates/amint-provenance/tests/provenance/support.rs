//! Keys and statements to test with.

use std::collections::BTreeMap;

use amint_provenance::{
    Byproduct, Envelope, InputContent, ProvenanceFile, ProvenanceInput, ProvenancePackage, SigningKey,
    debian_purl, provenance, sign_statement,
};
use amint_types::{Architecture, Digest};

/// The keys of RFC 8032 section 7.1, tests 1 and 2.
const SEEDS: [&str; 2] =
    ["nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=", "TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs="];

/// Returns the key of a test of RFC 8032.
pub(crate) fn key(number: usize) -> SigningKey {
    use base64::Engine;
    let engine = base64::engine::general_purpose::STANDARD;
    let mut der = engine.decode("MC4CAQAwBQYDK2VwBCIEIA==").unwrap();
    der.extend(engine.decode(SEEDS[number]).unwrap());
    let body = engine.encode(der);
    SigningKey::from_pem(&format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"))
        .unwrap()
}

/// Returns what a small build knows, in no order.
pub(crate) fn input() -> ProvenanceInput {
    let digest = |text: &str| Digest::of(text.as_bytes());
    let package = |name: &str, version: &str, architecture: &str| ProvenancePackage {
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: architecture.to_owned(),
        sha256: digest(name),
        purl: debian_purl(name, version, architecture),
    };
    let file = |path: &str, content| ProvenanceFile { path: path.to_owned(), content, digest: digest(path) };
    ProvenanceInput {
        name: "web".parse().unwrap(),
        version: "1.4.0".parse().unwrap(),
        architecture: Architecture::X86_64,
        image_digest: digest("manifest"),
        manifest_format: 1,
        disk_bytes: 2 << 30,
        recipe: digest("recipe"),
        lock: Some(digest("lock")),
        options: BTreeMap::from([("profile".to_owned(), "cis-1".to_owned())]),
        source_epoch: "2026-11-01T00:00:00Z".parse().unwrap(),
        packages: vec![
            package("nginx", "1.26.3-3+deb13u1", "amd64"),
            package("adduser", "3.152", "all"),
            package("libstdc++6", "14.2.0-19", "amd64"),
        ],
        inputs: vec![file("site", InputContent::Folder), file("nginx.conf", InputContent::File)],
        byproducts: vec![Byproduct {
            name: "build-report".to_owned(),
            media_type: Some("application/json".to_owned()),
            sha256: digest("report"),
        }],
        tool_version: "0.1.0".to_owned(),
        started_at: "2026-11-25T10:00:00Z".parse().unwrap(),
        finished_at: "2026-11-25T10:01:30.5Z".parse().unwrap(),
        invocation_id: "0193637e-2a5b-7f31-a6a5-1d9ad0b1f4c2".to_owned(),
    }
}

/// Returns the statement on that build, signed.
pub(crate) fn signed() -> Envelope {
    sign_statement(&provenance(&input()), &key(0)).unwrap()
}
