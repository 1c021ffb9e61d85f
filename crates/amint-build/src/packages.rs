//! The packages of a tree, as dpkg's database has them (`dpkg(1)`, `/var/lib/dpkg/status`).

use std::io::{self, BufRead};

use amint_types::report::Package;

/// Longest line of the database that is looked at.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// Reads the installed packages, sorted by name, from the text of dpkg's status file.
pub fn read_status(status: impl BufRead) -> io::Result<Vec<Package>> {
    let mut packages = Vec::new();
    let mut stanza = Stanza::default();
    for line in status.split(b'\n') {
        let line = line?;
        if line.len() > LINE_BYTES_MAX {
            continue;
        }
        let line = String::from_utf8_lossy(&line);
        if line.is_empty() {
            packages.extend(std::mem::take(&mut stanza).finish());
        } else if let Some((key, value)) = line.split_once(':')
            && !key.starts_with([' ', '\t'])
        {
            stanza.set(key, value.trim());
        }
    }
    packages.extend(stanza.finish());
    packages.sort();
    Ok(packages)
}

#[derive(Default)]
struct Stanza {
    name: String,
    version: String,
    architecture: String,
    status: String,
    installed_kib: u64,
}

impl Stanza {
    fn set(&mut self, key: &str, value: &str) {
        let field = match key {
            "Package" => &mut self.name,
            "Version" => &mut self.version,
            "Architecture" => &mut self.architecture,
            "Status" => &mut self.status,
            "Installed-Size" => {
                self.installed_kib = value.parse().unwrap_or(0);
                return;
            }
            _ => return,
        };
        value.clone_into(field);
    }

    fn finish(self) -> Option<Package> {
        let is_installed = self.status.ends_with(" installed");
        (is_installed && !self.name.is_empty()).then(|| Package {
            name: self.name,
            version: self.version,
            architecture: self.architecture,
            installed_bytes: self.installed_kib.saturating_mul(1024),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_installed_packages_only() {
        let status = "Package: zsh\nStatus: deinstall ok config-files\nVersion: 1\n\n\
                      Package: bash\nStatus: install ok installed\nInstalled-Size: 7\nArchitecture: amd64\n\
                      Description: shell\n Package: fake\nVersion: 5.2-1+b7\n";
        let packages = read_status(status.as_bytes()).unwrap();
        assert_eq!(packages.len(), 1);
        assert_eq!((packages[0].name.as_str(), packages[0].version.as_str()), ("bash", "5.2-1+b7"));
        assert_eq!(packages[0].installed_bytes, 7 * 1024);
    }

    #[test]
    fn agrees_with_dpkg_query() {
        let Ok(file) = std::fs::File::open("/var/lib/dpkg/status") else {
            eprintln!("SKIPPED: no dpkg on this machine");
            return;
        };
        let output = std::process::Command::new("dpkg-query")
            .args(["-W", "-f", "${db:Status-Abbrev}|${Package}|${Version}|${Architecture}\n"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut expected: Vec<String> = text
            .lines()
            .filter(|line| line.as_bytes()[1] == b'i')
            .map(|line| line.split_once('|').unwrap().1.to_owned())
            .collect();
        expected.sort();
        let mut found: Vec<String> = read_status(io::BufReader::new(file))
            .unwrap()
            .iter()
            .map(|package| format!("{}|{}|{}", package.name, package.version, package.architecture))
            .collect();
        found.sort();
        assert_eq!(found, expected);
    }
}
