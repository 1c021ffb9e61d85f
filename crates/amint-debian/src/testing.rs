//! Small indexes for tests.

use std::fmt::Write;

use amint_types::Digest;

/// Writes an index out of lines such as `name 1.0 Depends: a, b; Multi-Arch: same`.
pub(crate) fn index(lines: &str) -> String {
    let mut text = String::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.splitn(3, ' ');
        let (name, version) = (words.next().unwrap(), words.next().expect("a line has name and version"));
        let digest = Digest::of(format!("{name} {version}").as_bytes());
        write!(
            text,
            "Package: {name}\nVersion: {version}\nFilename: pool/{name}.deb\nSize: 1\nSHA256: {digest}\n"
        )
        .unwrap();
        let fields = words.next().unwrap_or_default();
        if !fields.contains("Architecture:") {
            text += "Architecture: amd64\n";
        }
        for field in fields.split(';').map(str::trim).filter(|field| !field.is_empty()) {
            text += field;
            text.push('\n');
        }
        text.push('\n');
    }
    text
}
