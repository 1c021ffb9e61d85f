//! `[base]`: what the image is made from.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::defaults;
use crate::problems::{Flaw, Problem, Problems};
use crate::schema;
use crate::table::{Table, values};
use crate::text::{Choice, choose, mirror_url, path};

pub(crate) const KEYS: [&str; 7] =
    ["debian", "mirror", "security_mirror", "keyring", "components", "backports", "snapshot"];

/// Says which Debian release the image is made from, and where its packages come from (A4, B1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Base {
    /// The Debian release, by its code name.
    pub debian: Debian,
    /// The archive that packages come from: an `http`, `https` or `file` address. Without it the builder's own
    /// mirror is used.
    #[schemars(extend("pattern" = schema::MIRROR_PATTERN))]
    pub mirror: Option<String>,
    /// The archive that security updates come from, in the same forms.
    #[schemars(extend("pattern" = schema::MIRROR_PATTERN))]
    pub security_mirror: Option<String>,
    /// The keys that the archive must be signed with, an `OpenPGP` keyring: a path, relative to the recipe's folder. Without
    /// it the host's Debian archive keyring is used.
    #[schemars(with = "Option<String>")]
    pub keyring: Option<PathBuf>,
    /// The archive's components that packages may come from; `main` is always one of them.
    #[schemars(schema_with = "schema::components", default = "defaults::components")]
    pub components: Vec<String>,
    /// Whether packages may come from the release's backports, too: only those that are pinned to them, asked for
    /// in a version of theirs, or not to be had elsewhere.
    #[schemars(default)]
    pub backports: bool,
    /// An archive that keeps old states of Debian's: an `http`, `https` or `file` address. Packages of a lock file
    /// that the mirror no longer has are taken from there.
    #[schemars(extend("pattern" = schema::MIRROR_PATTERN))]
    pub snapshot: Option<String>,
}

impl Base {
    /// Returns the suite of the release's backports, if packages may come from there.
    pub fn backports_suite(&self) -> Option<String> {
        self.backports.then(|| format!("{}-backports", self.debian))
    }
}

/// A Debian release that images can be made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
#[non_exhaustive]
pub enum Debian {
    /// Debian 12.
    Bookworm,
    /// Debian 13.
    Trixie,
}

impl Debian {
    /// Returns the code name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
        }
    }

    /// Returns the major version.
    pub fn version(self) -> u32 {
        match self {
            Self::Bookworm => 12,
            Self::Trixie => 13,
        }
    }
}

impl fmt::Display for Debian {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Choice for Debian {
    const WHAT: &'static str = "a Debian release that images can be made from";
    const ALL: &'static [Self] = &[Self::Bookworm, Self::Trixie];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// A component of Debian's archive (Debian policy, section 2.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Component(&'static str);

impl Choice for Component {
    const WHAT: &'static str = "a component of Debian's archive";
    const ALL: &'static [Self] =
        &[Self("main"), Self("contrib"), Self("non-free"), Self("non-free-firmware")];

    fn word(self) -> &'static str {
        self.0
    }
}

/// Returns the section and the place of the keyring's path.
pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> Option<(Base, Option<Range<usize>>)> {
    let Some(table) = root.table(problems, "base", "[base]", &KEYS) else {
        root.require(problems, "base");
        return None;
    };
    table.require(problems, "debian");
    let debian = table.parsed(problems, "debian", release);
    let mirror = table.parsed(problems, "mirror", mirror_url);
    let security_mirror = table.parsed(problems, "security_mirror", mirror_url);
    let keyring = table.parsed(problems, "keyring", path::host);
    let components =
        table.parsed_list(problems, "components", Component::ALL.len(), choose::<Component>).map(values);
    if components.as_ref().is_some_and(|components| !components.contains(&Component("main"))) {
        let span = table.span_of("components");
        problems.push(Problem::error(span, "`components` lacks `main`, which every image needs"));
    }
    let backports = table.boolean(problems, "backports").unwrap_or_default();
    let snapshot = table.parsed(problems, "snapshot", mirror_url);
    let keyring_span = keyring.as_ref().map(|keyring| keyring.span.clone());
    let base = Base {
        debian: debian?.value,
        mirror: mirror.map(|mirror| mirror.value),
        security_mirror: security_mirror.map(|mirror| mirror.value),
        keyring: keyring.map(|keyring| keyring.value),
        components: match components {
            Some(components) => components.into_iter().map(|component| component.0.to_owned()).collect(),
            None => defaults::components(),
        },
        backports,
        snapshot: snapshot.map(|snapshot| snapshot.value),
    };
    Some((base, keyring_span))
}

fn release(text: &str) -> Result<Debian, Flaw> {
    choose::<Debian>(text).map_err(|flaw| {
        let meant = Debian::ALL.iter().find(|release| release.version().to_string() == text);
        match meant {
            Some(release) => Flaw::new(flaw.message).hint(format!("write the code name: `{release}`")),
            None => flaw,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::recipe::parse;

    fn errors(base: &str) -> Vec<(String, String)> {
        let text = format!("[image]\nname = \"web\"\nversion = \"1\"\n[base]\n{base}\n");
        let error = parse(&text, Path::new("amint.toml")).unwrap_err();
        error.items.into_iter().map(|item| (item.message, item.hint.unwrap_or_default())).collect()
    }

    #[test]
    fn wants_the_code_name_of_a_release() {
        assert_eq!(errors("debian = \"12\"")[0].1, "write the code name: `bookworm`");
        assert_eq!(errors("debian = \"trixi\"")[0].1, "did you mean `trixie`?");
        assert_eq!(errors("debian = \"sid\"")[0].1, "known: `bookworm` and `trixie`");
        assert_eq!(errors("")[0].0, "missing key `debian` in `[base]`");
    }

    #[test]
    fn takes_nothing_from_backports_by_default() {
        let base = |section: &str| crate::section::testing::recipe(section).base;
        assert_eq!((base("").backports_suite(), base("").snapshot), (None, None));
        assert_eq!(base("backports = true\n").backports_suite().as_deref(), Some("trixie-backports"));
        let found = errors("debian = \"trixie\"\nbackports = \"true\"\nsnapshot = \"ftp://mirror.example/\"");
        assert_eq!(found[0].1, "write it without quotes: `true`");
        assert!(found[1].0.contains("is not an address that can be used"));
    }

    #[test]
    fn wants_main_among_the_components() {
        let found = errors("debian = \"trixie\"\ncomponents = [\"contrib\", \"nonfree\", \"contrib\"]");
        let messages: Vec<_> = found.iter().map(|(message, _)| message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "`components` lacks `main`, which every image needs",
                "`nonfree` is not a component of Debian's archive",
                "`contrib` is listed twice",
            ]
        );
        assert_eq!(found[1].1, "did you mean `non-free`?");
    }
}
