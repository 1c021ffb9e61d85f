//! dpkg's database, as dpkg leaves it after unpacking (`dpkg(1)`, `deb-triggers(5)`).

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::InstallError;
use super::owners::{From, Lost};
use super::package::Candidate;
use super::unpack::Unpacked;

/// Control files that do not go to the self.
const NOT_KEPT: [&str; 1] = ["control"];

/// The folder `var/lib/dpkg` of a tree.
pub(super) struct Database {
    folder: PathBuf,
}

impl Database {
    pub(super) fn new(tree: &Path) -> Self {
        Self { folder: tree.join("var/lib/dpkg") }
    }

    /// Makes folders and empty files where they are missing.
    pub(super) fn make(&self) -> Result<(), InstallError> {
        for name in ["info", "updates", "triggers", "parts", "alternatives"] {
            let path = self.folder.join(name);
            fs::create_dir_all(&path).map_err(|source| InstallError::Database { path, source })?;
        }
        for name in ["status", "available", "diversions", "statoverride"] {
            self.append(name, b"")?;
        }
        let format = self.folder.join("info/format");
        if !format.exists() {
            self.append("info/format", b"1\n")?;
        }
        Ok(())
    }

    fn append(&self, name: &str, content: &[u8]) -> Result<(), InstallError> {
        let path = self.folder.join(name);
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o644)
            .open(&path)
            .and_then(|mut file| file.write_all(content))
            .map_err(|source| InstallError::Database { path, source })
    }

    fn write(&self, name: &str, content: &[u8], mode: u32) -> Result<(), InstallError> {
        let path = self.folder.join(name);
        let write = || -> io::Result<()> {
            fs::write(&path, content)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))
        };
        write().map_err(|source| InstallError::Database { path: path.clone(), source })
    }

    /// Records unpacked packages: their lists and control files, their triggers, their state.
    pub(super) fn record(
        &self,
        packages: &[Candidate],
        unpacked: &[(usize, Unpacked)],
        handed_over: Vec<Lost>,
    ) -> Result<(), InstallError> {
        let mut status = Vec::new();
        let mut lost_by: Vec<BTreeSet<Vec<u8>>> = vec![BTreeSet::new(); packages.len()];
        for Lost { from, path } in handed_over {
            match from {
                From::New(from_index) => {
                    lost_by[from_index].insert([b"/", path.as_slice()].concat());
                }
                From::Old(info_name) => self.take_from_list(&info_name, &path)?,
            }
        }
        for (index, result) in unpacked {
            let candidate = &packages[*index];
            let mut list = Vec::new();
            for path in result.list.iter().filter(|path| !lost_by[*index].contains(*path)) {
                list.extend_from_slice(path);
                list.push(b'\n');
            }
            self.write(&format!("info/{}.list", candidate.info_name), &list, 0o644)?;
            self.record_control(candidate)?;
            self.record_triggers(candidate)?;
            status_paragraph(candidate, &mut status);
        }
        self.append("status", &status)
    }

    /// Writes the control files of packages whose scripts run before they are unpacked.
    pub(super) fn record_scripts(
        &self,
        packages: &[Candidate],
        indexes: &[usize],
    ) -> Result<(), InstallError> {
        indexes.iter().try_for_each(|index| self.record_control(&packages[*index]))
    }

    fn record_control(&self, candidate: &Candidate) -> Result<(), InstallError> {
        for file in candidate.deb.control_files() {
            if !NOT_KEPT.contains(&file.name.as_str()) {
                let name = format!("info/{}.{}", candidate.info_name, file.name);
                self.write(&name, &file.content, file.mode)?;
            }
        }
        Ok(())
    }

    fn take_from_list(&self, info_name: &str, path: &[u8]) -> Result<(), InstallError> {
        let name = format!("info/{info_name}.list");
        let file = self.folder.join(&name);
        let list = fs::read(&file).map_err(|source| InstallError::Database { path: file, source })?;
        let kept: Vec<u8> = list
            .split_inclusive(|byte| *byte == b'\n')
            .filter(|line| line.strip_prefix(b"/").map(<[u8]>::trim_ascii_end) != Some(path))
            .flatten()
            .copied()
            .collect();
        self.write(&name, &kept, 0o644)
    }

    /// Records which triggers a package is interested in, and activates those that its unpacking activates.
    fn record_triggers(&self, candidate: &Candidate) -> Result<(), InstallError> {
        let text = candidate.deb.control_file("triggers").unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        for line in text.lines().map(|line| line.split('#').next().unwrap_or_default()) {
            let mut words = line.split_whitespace();
            let (Some(directive), Some(trigger)) = (words.next(), words.next()) else { continue };
            let package = &candidate.info_name;
            match directive {
                "interest" | "interest-await" | "interest-noawait" => {
                    let options = if directive == "interest-noawait" { "/noawait" } else { "" };
                    if trigger.starts_with('/') {
                        self.append("triggers/File", format!("{trigger} {package}{options}\n").as_bytes())?;
                    } else if is_trigger_name(trigger) {
                        let name = format!("triggers/{trigger}");
                        self.append(&name, format!("{package}{options}\n").as_bytes())?;
                    }
                }
                "activate" | "activate-await" if is_trigger_name(trigger) => {
                    self.append("triggers/Unincorp", format!("{trigger} {package}\n").as_bytes())?;
                }
                "activate-noawait" if is_trigger_name(trigger) => {
                    self.append("triggers/Unincorp", format!("{trigger} -\n").as_bytes())?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The name becomes a file's name.
fn is_trigger_name(name: &str) -> bool {
    !name.starts_with('.') && name.chars().all(|c| c.is_ascii_graphic() && c != '/')
}

/// Writes the paragraph of an unpacked package; dpkg brings it into its own form when it next writes the file.
fn status_paragraph(candidate: &Candidate, status: &mut Vec<u8>) {
    let mut field = |name: &str, value: &str| {
        status.extend_from_slice(name.as_bytes());
        status.push(b':');
        for (index, line) in value.lines().enumerate() {
            status.extend_from_slice(if index > 0 || line.is_empty() { b"\n " } else { b" " });
            status.extend_from_slice(line.as_bytes());
        }
        status.push(b'\n');
    };
    for (name, value) in candidate.deb.control().iter() {
        field(name, value);
        if name.eq_ignore_ascii_case("Package") {
            field("Status", "install ok unpacked");
        }
    }
    let conffiles = candidate.conffiles();
    if !conffiles.is_empty() {
        status.extend_from_slice(b"Conffiles:\n");
        for path in conffiles {
            status.extend_from_slice(b" /");
            status.extend_from_slice(&path);
            status.extend_from_slice(b" newconffile\n");
        }
    }
    status.push(b'\n');
}
