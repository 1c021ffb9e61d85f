//! Writing a lock file: one table for each package, always in the same order, made to be read as a diff.

use std::fmt::{Display, Write as _};

use super::model::{Lock, LockedBase, LockedInput, LockedPackage, LockedSuite};
use crate::text::archive::REPOSITORY_ID_PREFIX;
use crate::toml_string;

/// What people are told who open the file.
const HEADER: &str = "\
# Exactly what the image is built from. Written by amint: keep it with the recipe, do not edit it.
# `amint lock` writes it anew after a change of the recipe, `amint update` takes newer packages in.
";

impl Lock {
    /// Returns the text of the lock file: sorted, the same for the same content.
    pub fn to_toml(&self) -> String {
        let mut sorted = self.clone();
        sorted.sort();
        let mut writer = Writer(HEADER.to_owned());
        writer.0.push('\n');
        writer.bare("format", sorted.format);
        writer.text("tool", &sorted.tool);
        writer.base(&sorted.base);
        sorted.suites.iter().for_each(|suite| writer.suite(suite));
        sorted.packages.iter().for_each(|package| writer.package(package));
        sorted.inputs.iter().for_each(|input| writer.input(input));
        writer.0
    }
}

struct Writer(String);

impl Writer {
    fn base(&mut self, base: &LockedBase) {
        self.header("[base]");
        self.text("debian", &base.debian);
        self.text("architecture", &base.architecture);
        self.text("digest", &base.digest.to_string());
        self.text("wishes", &base.wishes.to_string());
    }

    fn suite(&mut self, suite: &LockedSuite) {
        self.header("[[suite]]");
        self.text("id", &suite.id);
        self.text("suite", &suite.suite);
        self.list("components", &suite.components);
        self.bare("date", suite.date);
        self.text("release_sha256", &suite.release_sha256.to_string());
        self.list("signers", &suite.signers);
        // Whatever a caller puts in: no mirror of the distribution, and no password.
        let is_repository = suite.id.starts_with(REPOSITORY_ID_PREFIX);
        if let Some(uri) = suite.uri.as_ref().filter(|_| is_repository) {
            self.text("uri", &without_credentials(uri));
        }
        if let Some(digest) = suite.keyring_sha256 {
            self.text("keyring_sha256", &digest.to_string());
        }
    }

    fn package(&mut self, package: &LockedPackage) {
        self.header("[[package]]");
        self.text("name", &package.name);
        self.text("version", &package.version);
        self.text("architecture", &package.architecture);
        self.text("source", &package.source);
        self.text("source_version", &package.source_version);
        self.text("suite", &package.suite);
        self.text("component", &package.component);
        self.text("file", &package.file);
        self.bare("bytes", package.bytes);
        self.text("sha256", &package.sha256.to_string());
        self.bare("installed_kib", package.installed_kib);
        self.text("stage", package.stage.as_str());
        if package.is_requested {
            self.bare("requested", true);
        }
    }

    fn input(&mut self, input: &LockedInput) {
        self.header("[[input]]");
        self.text("kind", input.kind.as_str());
        self.text("path", &input.path);
        self.text("sha256", &input.sha256.to_string());
        self.bare("bytes", input.bytes);
        self.bare("files", input.files);
        if input.is_executable {
            self.bare("executable", true);
        }
    }

    fn header(&mut self, header: &str) {
        let _ = writeln!(self.0, "\n{header}");
    }

    fn bare(&mut self, key: &str, value: impl Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn text(&mut self, key: &str, value: &str) {
        self.bare(key, toml_string(value));
    }

    fn list(&mut self, key: &str, values: &[String]) {
        let values: Vec<String> = values.iter().map(|value| toml_string(value)).collect();
        self.bare(key, format_args!("[{}]", values.join(", ")));
    }
}

/// Removes user and password from an address.
fn without_credentials(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::testing::lock;

    #[test]
    fn writes_the_same_text_whatever_the_order_was() {
        let mut shuffled = lock();
        shuffled.packages.reverse();
        shuffled.suites.reverse();
        shuffled.inputs.reverse();
        assert_eq!(shuffled.to_toml(), lock().to_toml());
    }

    #[test]
    fn writes_neither_mirrors_nor_passwords() {
        let mut lock = lock();
        for suite in &mut lock.suites {
            suite.uri = Some("https://user:hunter2@mirror.example/x@y".to_owned());
        }
        let text = lock.to_toml();
        assert_eq!(text.matches("mirror.example").count(), 1, "{text}");
        assert!(text.contains("uri = \"https://mirror.example/x@y\"") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn quotes_what_toml_would_take_for_something_else() {
        for text in ["", "a\"b\\c", "\u{7f}\u{0}\n\r\t", "é\u{202e}", "'''"] {
            let read: toml::Table = toml::from_str(&format!("x = {}", toml_string(text))).unwrap();
            assert_eq!(read["x"].as_str(), Some(text));
        }
    }
}
