//! Repositories made on the spot.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use amint_types::Digest;
use jiff::Timestamp;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::SignatureType;

use super::keys::{Key, clearsign};
use super::server::Server;

/// What a Release is like; its index of `main` for amd64 says `text`.
#[derive(Clone, Debug)]
pub(crate) struct Release {
    pub(crate) suite: &'static str,
    pub(crate) codename: &'static str,
    pub(crate) date: Timestamp,
    pub(crate) valid_until: Option<Timestamp>,
    pub(crate) fields: &'static str,
    /// The files it lists, by their path below it.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Release {
    pub(crate) fn new(date: Timestamp) -> Self {
        let mut release = Self {
            suite: "stable",
            codename: "trixie",
            date,
            valid_until: None,
            fields: "Acquire-By-Hash: yes\nArchitectures: all amd64\nNo-Support-for-Architecture-all: Packages\n",
            files: BTreeMap::new(),
        };
        release.index("main/binary-amd64/Packages", "Package: a\n");
        release
    }

    /// Adds an index, plain and as `.xz`.
    pub(crate) fn index(&mut self, path: &str, text: &str) {
        self.files.insert(path.to_owned(), text.as_bytes().to_vec());
        self.files.insert(format!("{path}.xz"), xz(text.as_bytes()));
    }

    pub(crate) fn text(&self) -> String {
        let format = |time: Timestamp| time.strftime("%a, %d %b %Y %H:%M:%S UTC").to_string();
        let mut text = format!(
            "Origin: Throwaway\nLabel: Test\nSuite: {}\nCodename: {}\nDate: {}\n",
            self.suite,
            self.codename,
            format(self.date)
        );
        if let Some(until) = self.valid_until {
            writeln!(text, "Valid-Until: {}", format(until)).unwrap();
        }
        text += self.fields;
        text += "Components: main contrib\nDescription: Text\n  - with a dash\nSHA256:\n";
        for (path, bytes) in &self.files {
            writeln!(text, " {} {} {path}", Digest::of(bytes), bytes.len()).unwrap();
        }
        text
    }

    /// Makes the `InRelease`, with one good signature of each key.
    pub(crate) fn signed(&self, keys: &[&Key]) -> Vec<u8> {
        let at = u32::try_from(self.date.as_second()).unwrap();
        clearsign(&self.text(), |text| {
            let sign = |key: &&Key| key.sign(text, SignatureType::Text, HashAlgorithm::Sha512, at);
            keys.iter().map(sign).collect()
        })
    }

    /// Puts the listed files on a server as a mirror has them: by their digests, but for the plain ones.
    pub(crate) fn publish_files(&self, server: &Server) {
        for (path, bytes) in &self.files {
            if path.contains('.') {
                let (folder, _) = path.rsplit_once('/').unwrap();
                let digest = Digest::of(bytes);
                server.put(&format!("/dists/{}/{folder}/by-hash/SHA256/{digest}", self.codename), bytes);
                server.put(&format!("/dists/{}/{path}", self.codename), bytes);
            }
        }
    }

    /// Puts all of it on a server.
    pub(crate) fn publish(&self, server: &Server, keys: &[&Key]) {
        self.publish_files(server);
        server.put(&format!("/dists/{}/InRelease", self.codename), &self.signed(keys));
    }

    /// Puts all of it into a folder.
    pub(crate) fn write(&self, folder: &Path, keys: &[&Key]) {
        let suite = folder.join("dists").join(self.codename);
        for (path, bytes) in &self.files {
            std::fs::create_dir_all(suite.join(path).parent().unwrap()).unwrap();
            std::fs::write(suite.join(path), bytes).unwrap();
        }
        std::fs::write(suite.join("InRelease"), self.signed(keys)).unwrap();
    }
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = liblzma::write::XzEncoder::new(Vec::new(), 1);
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}
