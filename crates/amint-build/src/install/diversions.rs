//! Diversions and overrides that packages of the tree made (`dpkg-divert(1)`, `dpkg-statoverride(1)`).

use std::collections::HashMap;
use std::path::Path;

use super::InstallError;

/// Where files go instead, and who owns them instead.
#[derive(Debug, Default)]
pub(super) struct Diversions {
    /// Path (relative) to its other path and the package whose own files stay.
    diverted: HashMap<Vec<u8>, (Vec<u8>, String)>,
    /// Path (relative) to owner, group and mode.
    overrides: HashMap<Vec<u8>, (u32, u32, u32)>,
}

impl Diversions {
    /// Reads dpkg's database in `tree`; a missing file is an empty one.
    pub(super) fn read(tree: &Path) -> Result<Self, InstallError> {
        let read = |name: &str| {
            let path = tree.join("var/lib/dpkg").join(name);
            match std::fs::read_to_string(&path) {
                Ok(text) => Ok(text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
                Err(source) => Err(InstallError::Database { path, source }),
            }
        };
        let accounts = |file: &str| std::fs::read_to_string(tree.join(file)).unwrap_or_default();
        let mut found = Self { diverted: parse_diversions(&read("diversions")?), ..Self::default() };
        let text = read("statoverride")?;
        if !text.trim().is_empty() {
            let (users, groups) = (accounts("etc/passwd"), accounts("etc/group"));
            found.overrides = parse_overrides(&text, &users, &groups);
        }
        Ok(found)
    }

    /// Returns where `package` has to put its file `path`.
    pub(super) fn target<'a>(&'a self, path: &'a [u8], package: &str) -> &'a [u8] {
        match self.diverted.get(path) {
            Some((target, owner)) if owner != package => target,
            _ => path,
        }
    }

    /// Returns owner, group and mode that an administrator or a package set for `path`.
    pub(super) fn owner(&self, path: &[u8]) -> Option<(u32, u32, u32)> {
        self.overrides.get(path).copied()
    }
}

/// The file has three lines for each: from, to, package (`:` for none).
fn parse_diversions(text: &str) -> HashMap<Vec<u8>, (Vec<u8>, String)> {
    let relative = |path: &str| path.trim_start_matches('/').as_bytes().to_owned();
    let lines: Vec<&str> = text.lines().collect();
    lines
        .as_chunks::<3>()
        .0
        .iter()
        .map(|[from, to, owner]| (relative(from), (relative(to), (*owner).to_owned())))
        .collect()
}

/// Each line: owner, group, mode in octal, path; `#` before a number.
fn parse_overrides(text: &str, users: &str, groups: &str) -> HashMap<Vec<u8>, (u32, u32, u32)> {
    let number = |accounts: &str, name: &str| -> Option<u32> {
        if let Some(number) = name.strip_prefix('#') {
            return number.parse().ok();
        }
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
        })
    };
    let parse = |line: &str| {
        let mut words = line.splitn(4, ' ');
        let (user, group, mode, path) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let owner = (number(users, user)?, number(groups, group)?, u32::from_str_radix(mode, 8).ok()?);
        Some((path.trim_start_matches('/').as_bytes().to_owned(), owner))
    };
    text.lines().filter_map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diverts_the_files_of_all_packages_but_one() {
        let found = Diversions {
            diverted: parse_diversions("/bin/sh\n/bin/sh.distrib\ndash\n/etc/x\n/etc/x.local\n:\n"),
            ..Diversions::default()
        };
        assert_eq!(found.target(b"bin/sh", "bash"), b"bin/sh.distrib");
        assert_eq!(found.target(b"bin/sh", "dash"), b"bin/sh");
        assert_eq!(found.target(b"etc/x", "any"), b"etc/x.local");
        assert_eq!(found.target(b"etc/y", "any"), b"etc/y");
    }

    #[test]
    fn reads_owners_by_name_and_by_number() {
        let found = parse_overrides(
            "root ssl-cert 2755 /usr/bin/a\n#5 #6 0640 /etc/b c\nnobody-knows root 0600 /x\n",
            "root:x:0:0::/:\n",
            "ssl-cert:x:109:\nroot:x:0:\n",
        );
        assert_eq!(found.get(&b"usr/bin/a"[..]), Some(&(0, 109, 0o2755)));
        assert_eq!(found.get(&b"etc/b c"[..]), Some(&(5, 6, 0o640)));
        assert_eq!(found.len(), 2);
    }
}
