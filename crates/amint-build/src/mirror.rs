//! Where packages come from.
//!
//! The mirror of Debian's archive is taken, in this order, from the command line, the environment, the recipe,
//! and the host's own apt sources (`sources.list(5)`: one-line and deb822 style). No mirror is built in.

use std::fs;
use std::path::{Path, PathBuf};

use amint_types::Hint;

/// The environment variable that names the archive mirror.
pub const MIRROR_VARIABLE: &str = "AMINT_DEBIAN_MIRROR";
/// The environment variable that names the mirror of the security archive.
pub const SECURITY_MIRROR_VARIABLE: &str = "AMINT_DEBIAN_SECURITY_MIRROR";

/// Largest apt source file that is read.
const SOURCE_BYTES_MAX: u64 = 1024 * 1024;

/// The archives that a build takes packages from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrors {
    /// URI of the archive: `http://mirror.example/debian`.
    pub archive: String,
    /// URI of the security archive; without one the image lacks security fixes.
    pub security: Option<String>,
    /// Where the URIs came from, for people.
    pub origin: String,
}

/// No mirror is known.
#[derive(Debug, thiserror::Error)]
#[error(
    "no mirror of Debian's archive is known: none in the recipe, none in {MIRROR_VARIABLE}, none in the host's apt sources"
)]
pub struct NoMirror;

impl Hint for NoMirror {
    fn hint(&self) -> Option<String> {
        Some(format!(
            "give one: `--mirror http://HOST/debian`, {MIRROR_VARIABLE}, or `mirror` under `[base]`"
        ))
    }
}

/// What the user said about mirrors, strongest first.
#[derive(Clone, Debug, Default)]
pub struct MirrorWishes {
    /// From the command line or the environment.
    pub archive: Option<String>,
    /// From the command line or the environment.
    pub security: Option<String>,
    /// From the recipe.
    pub recipe_archive: Option<String>,
    /// From the recipe.
    pub recipe_security: Option<String>,
}

/// Chooses the mirrors: wishes first, then the apt sources below `etc_apt` (usually `/etc/apt`).
pub fn choose(wishes: MirrorWishes, etc_apt: &Path) -> Result<Mirrors, NoMirror> {
    let MirrorWishes { archive, security, recipe_archive, recipe_security } = wishes;
    if let Some(archive) = archive {
        return Ok(Mirrors {
            archive,
            security: security.or(recipe_security),
            origin: "command line or environment".to_owned(),
        });
    }
    if let Some(archive) = recipe_archive {
        return Ok(Mirrors { archive, security: security.or(recipe_security), origin: "recipe".to_owned() });
    }
    let entries = host_sources(etc_apt);
    let find = |is_wanted: fn(&Entry) -> bool| entries.iter().find(|entry| is_wanted(entry)).cloned();
    let main = find(Entry::is_archive).ok_or(NoMirror)?;
    let host_security = find(Entry::is_security).map(|entry| entry.uri);
    Ok(Mirrors {
        archive: main.uri,
        security: security.or(recipe_security).or(host_security),
        origin: main.file.display().to_string(),
    })
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    uri: String,
    suites: Vec<String>,
    file: PathBuf,
}

impl Entry {
    /// Debian's archive is known by its suites and the last part of its path: the host name may be any.
    fn is_archive(&self) -> bool {
        self.path_ends_with("debian") && self.suites.iter().any(|suite| is_release(suite))
    }

    fn is_security(&self) -> bool {
        (self.path_ends_with("debian-security") || self.path_ends_with("debian-security/"))
            && self.suites.iter().any(|suite| suite.ends_with("-security") || suite.ends_with("/updates"))
    }

    fn path_ends_with(&self, name: &str) -> bool {
        self.uri.trim_end_matches('/').rsplit('/').next() == Some(name)
    }
}

fn is_release(suite: &str) -> bool {
    const RELEASES: [&str; 8] =
        ["bullseye", "bookworm", "trixie", "forky", "sid", "stable", "oldstable", "testing"];
    RELEASES.contains(&suite)
}

fn host_sources(etc_apt: &Path) -> Vec<Entry> {
    let mut files = vec![etc_apt.join("sources.list")];
    if let Ok(folder) = fs::read_dir(etc_apt.join("sources.list.d")) {
        let mut parts: Vec<PathBuf> = folder.filter_map(|entry| Some(entry.ok()?.path())).collect();
        parts.sort();
        files.extend(parts);
    }
    let mut entries = Vec::new();
    for file in files {
        let is_small = fs::metadata(&file).is_ok_and(|metadata| metadata.len() <= SOURCE_BYTES_MAX);
        let Some(text) = is_small.then(|| fs::read_to_string(&file).ok()).flatten() else { continue };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("sources") => read_deb822(&text, &file, &mut entries),
            Some("list") => read_one_line(&text, &file, &mut entries),
            _ => {}
        }
    }
    entries
}

/// Reads the one-line style: `deb [options] URI SUITE COMPONENT...`.
fn read_one_line(text: &str, file: &Path, entries: &mut Vec<Entry>) {
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some(rest) = line.strip_prefix("deb").filter(|rest| rest.starts_with([' ', '\t'])) else {
            continue;
        };
        let rest = rest.trim_start();
        let rest = match rest.strip_prefix('[') {
            Some(options) => options.split_once(']').map_or("", |(_, rest)| rest),
            None => rest,
        };
        let mut words = rest.split_whitespace();
        if let (Some(uri), Some(suite)) = (words.next(), words.next()) {
            entries.push(Entry {
                uri: uri.trim_end_matches('/').to_owned(),
                suites: vec![suite.to_owned()],
                file: file.to_owned(),
            });
        }
    }
}

/// Reads the deb822 style: stanzas of `Types:`, `URIs:`, `Suites:`, possibly `Enabled: no`.
fn read_deb822(text: &str, file: &Path, entries: &mut Vec<Entry>) {
    let without_comments: String =
        text.lines().filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect();
    for stanza in without_comments.split("\n\n") {
        let field = |name: &str| deb822_field(stanza, name);
        let is_off = field("Enabled").is_some_and(|value| value.eq_ignore_ascii_case("no"));
        let is_binary =
            field("Types").is_some_and(|types| types.split_whitespace().any(|kind| kind == "deb"));
        if is_off || !is_binary {
            continue;
        }
        let suites: Vec<String> =
            field("Suites").unwrap_or_default().split_whitespace().map(ToOwned::to_owned).collect();
        for uri in field("URIs").unwrap_or_default().split_whitespace() {
            entries.push(Entry {
                uri: uri.trim_end_matches('/').to_owned(),
                suites: suites.clone(),
                file: file.to_owned(),
            });
        }
    }
}

fn deb822_field(stanza: &str, name: &str) -> Option<String> {
    let mut value: Option<String> = None;
    for line in stanza.lines() {
        if let Some(collected) = &mut value {
            if line.starts_with([' ', '\t']) {
                collected.push(' ');
                collected.push_str(line.trim());
                continue;
            }
            break;
        }
        if let Some((key, rest)) = line.split_once(':')
            && key.eq_ignore_ascii_case(name)
        {
            value = Some(rest.trim().to_owned());
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apt(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sources.list.d")).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn takes_the_host_s_deb822_sources() {
        let text = "Types: deb\n# note\nURIs: http://a.example/debian/\nSuites: bookworm\n bookworm-updates\n\n\
                    Types: deb deb-src\nURIs: http://a.example/debian-security\nSuites: bookworm-security\n";
        let folder = apt(&[("sources.list.d/debian.sources", text)]);
        let mirrors = choose(MirrorWishes::default(), folder.path()).unwrap();
        assert_eq!(mirrors.archive, "http://a.example/debian");
        assert_eq!(mirrors.security.as_deref(), Some("http://a.example/debian-security"));
        assert!(mirrors.origin.ends_with("debian.sources"));
    }

    #[test]
    fn takes_the_host_s_one_line_sources() {
        let text = "deb-src http://s.example/debian trixie main\n#deb http://c.example/debian trixie main\n\
                    deb [signed-by=/k arch=amd64] http://b.example/debian trixie main # here\n";
        let folder = apt(&[("sources.list", text)]);
        let mirrors = choose(MirrorWishes::default(), folder.path()).unwrap();
        assert_eq!(mirrors.archive, "http://b.example/debian");
        assert_eq!(mirrors.security, None);
    }

    #[test]
    fn passes_over_other_distributions_and_disabled_sources() {
        let ubuntu = "deb http://u.example/ubuntu noble main\ndeb http://v.example/debian nodistro main\n";
        let off = "Types: deb\nURIs: http://a.example/debian\nSuites: trixie\nEnabled: no\n";
        let folder = apt(&[("sources.list", ubuntu), ("sources.list.d/off.sources", off)]);
        let error = choose(MirrorWishes::default(), folder.path()).unwrap_err();
        assert!(error.hint().unwrap().contains("--mirror"));
    }

    #[test]
    fn prefers_the_command_line_over_the_recipe_over_the_host() {
        let folder = apt(&[("sources.list", "deb http://host.example/debian trixie main\n")]);
        let recipe = MirrorWishes {
            recipe_archive: Some("http://recipe.example/debian".to_owned()),
            ..MirrorWishes::default()
        };
        assert_eq!(choose(recipe.clone(), folder.path()).unwrap().archive, "http://recipe.example/debian");
        let flag = MirrorWishes { archive: Some("http://flag.example/debian".to_owned()), ..recipe };
        assert_eq!(choose(flag, folder.path()).unwrap().archive, "http://flag.example/debian");
    }
}
