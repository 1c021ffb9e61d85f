//! The `.repo` files of dnf, yum and zypper (`dnf.conf(5)`, `zypper(8)`).

use crate::Problems;

use super::ini::{self, Section};
use super::repository::{Manager, Repository, RepositoryFile, parse_bool, words};
use super::variables::Variables;

/// What `/etc/dnf/dnf.conf` or `/etc/yum.conf` set for all repositories that say nothing themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MainSettings {
    /// Whether signatures of packages are checked.
    pub checks_packages: Option<bool>,
    /// Whether signatures of repositories are checked.
    pub checks_metadata: Option<bool>,
    /// Whether certificates of servers are checked.
    pub checks_certificate: Option<bool>,
    /// Packages that are never updated from repositories.
    pub excludes: Vec<String>,
}

/// Reads the section `main` of a configuration file.
pub fn read_main(content: &[u8], problems: &mut Problems) -> MainSettings {
    let sections = ini::read(content, problems);
    let Some(main) = sections.iter().find(|section| section.name == "main") else {
        return MainSettings::default();
    };
    let flag = |key| main.get(key).and_then(parse_bool);
    MainSettings {
        checks_packages: flag("gpgcheck").or(flag("pkg_gpgcheck")),
        checks_metadata: flag("repo_gpgcheck"),
        checks_certificate: flag("sslverify"),
        excludes: ["exclude", "excludepkgs"]
            .into_iter()
            .filter_map(|key| main.get(key))
            .flat_map(words)
            .collect(),
    }
}

/// Reads a `.repo` file of dnf or yum; `main` fills in what it does not say.
pub fn read_dnf(content: &[u8], variables: &Variables, main: &MainSettings) -> RepositoryFile {
    read(Manager::Dnf, content, variables, main)
}

/// Reads a `.repo` file of zypper.
pub fn read_zypper(content: &[u8], variables: &Variables) -> RepositoryFile {
    read(Manager::Zypper, content, variables, &MainSettings::default())
}

fn read(manager: Manager, content: &[u8], variables: &Variables, main: &MainSettings) -> RepositoryFile {
    let mut file = RepositoryFile::default();
    for section in ini::read(content, &mut file.problems) {
        if section.name != "main" {
            file.add(repository(manager, &section, variables, main));
        }
    }
    file
}

fn repository(manager: Manager, section: &Section, variables: &Variables, main: &MainSettings) -> Repository {
    let expanded = |key: &str| section.get(key).map(|value| variables.expand(value));
    let list = |key: &str| expanded(key).map(|value| words(&value)).unwrap_or_default();
    let flag = |key: &str| section.get(key).and_then(parse_bool);
    let mut uris = list("baseurl");
    let path = expanded("path").unwrap_or_default();
    let path = path.trim_matches('/');
    if !path.is_empty() {
        // zypper: all addresses have it behind them.
        for uri in &mut uris {
            *uri = format!("{}/{path}", uri.trim_end_matches('/'));
        }
    }
    Repository {
        id: Some(variables.expand(&section.name)),
        name: expanded("name"),
        is_enabled: flag("enabled").unwrap_or(true),
        types: vec!["rpm".to_owned()],
        uris,
        mirror_list: expanded("mirrorlist"),
        metalink: expanded("metalink"),
        keys: list("gpgkey"),
        checks_packages: flag("gpgcheck").or(flag("pkg_gpgcheck")).or(main.checks_packages),
        checks_metadata: flag("repo_gpgcheck").or(main.checks_metadata),
        checks_certificate: flag("sslverify").or(main.checks_certificate),
        priority: section.get("priority").and_then(|priority| priority.parse().ok()),
        ..Repository::new(manager, section.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPO: &str = "\
# Amazon
[amazonlinux]
name=Amazon Linux $releasever repository
mirrorlist=https://cdn.${awsregion:-default}.example/$releasever/$basearch/mirror.list
enabled=1
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-1
       file:///etc/pki/rpm-gpg/RPM-GPG-KEY-2
priority=10

[local-$basearch]
baseurl = http://a.example/x/, http://b.example/x/
  http://c.example/x/
enabled = False
gpgcheck = 0
sslverify = 0
metalink=https://m.example/?repo=x&arch=$basearch
";

    #[test]
    fn reads_repositories_with_variables() {
        let variables = Variables::of_system("2023.6", "x86_64");
        let found = read_dnf(REPO.as_bytes(), &variables, &MainSettings::default());
        let [first, second] = &found.repositories[..] else { panic!() };
        assert_eq!(first.id.as_deref(), Some("amazonlinux"));
        assert_eq!(first.name.as_deref(), Some("Amazon Linux 2023.6 repository"));
        assert_eq!(
            first.mirror_list.as_deref(),
            Some("https://cdn.default.example/2023.6/x86_64/mirror.list")
        );
        assert_eq!((first.keys.len(), first.priority, first.position), (2, Some(10), 2));
        assert!(first.is_enabled && !first.is_unsigned());
        assert_eq!(second.id.as_deref(), Some("local-x86_64"));
        assert_eq!(second.uris, ["http://a.example/x/", "http://b.example/x/", "http://c.example/x/"]);
        assert!(!second.is_enabled && second.is_unsigned());
        assert_eq!(second.checks_certificate, Some(false));
        assert_eq!(second.metalink.as_deref(), Some("https://m.example/?repo=x&arch=x86_64"));
        assert!(found.problems.is_empty());
    }

    #[test]
    fn what_a_repository_does_not_say_is_said_for_all() {
        let main = read_main(b"[main]\ngpgcheck=False\nexclude=kernel* foo\n", &mut Problems::default());
        assert_eq!(main.excludes, ["kernel*", "foo"]);
        let text = b"[a]\nbaseurl=http://a.example\n[b]\nbaseurl=http://b.example\ngpgcheck=yes\n";
        let found = read_dnf(text, &Variables::default(), &main);
        assert_eq!(found.repositories.iter().map(Repository::is_unsigned).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn reads_repositories_of_zypper() {
        let text = b"[repo-oss]\nname=Main\nenabled=1\nautorefresh=1\nbaseurl=https://d.example/distribution/\npath=/leap/$releasever\nrepo_gpgcheck=1\npkg_gpgcheck=0\n";
        let found = read_zypper(text, &Variables::of_system("15.6", "x86_64"));
        assert_eq!(found.repositories[0].uris, ["https://d.example/distribution/leap/15.6"]);
        assert!(!found.repositories[0].is_unsigned());
        assert_eq!(found.repositories[0].manager, Manager::Zypper);
    }

    #[test]
    fn tells_lines_that_make_no_sense() {
        let found = read_dnf(b"x=1\n[a]\nnonsense\n;note\n", &Variables::default(), &MainSettings::default());
        let positions: Vec<u64> = found.problems.iter().map(|problem| problem.position).collect();
        assert_eq!(positions, [1, 3]);
        assert_eq!(found.repositories.len(), 1);
    }
}
