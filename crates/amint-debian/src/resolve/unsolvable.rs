//! Why packages cannot be installed, in words that somebody can act on.

use std::fmt;

use amint_types::Hint;

use crate::universe::Universe;

/// Most versions that are told of a package.
const KNOWN_COUNT_MAX: usize = 6;
/// Most providers that are told of a name.
const PROVIDER_COUNT_MAX: usize = 12;

/// The packages that were asked for cannot be installed together.
///
/// `Display` is one line; [`Unsolvable::details`] tells the whole story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsolvable {
    problems: Vec<Problem>,
}

/// One reason why something cannot be installed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// No package has the name.
    Unknown {
        /// The name.
        name: String,
        /// Names that may have been meant.
        similar: Vec<String>,
    },
    /// The package is there, but not in the version or suite.
    NoSuchVersion {
        /// The package.
        name: String,
        /// The version that was asked for.
        version: Option<String>,
        /// The suite that was asked for.
        suite: Option<String>,
        /// The versions there are.
        known: Vec<Known>,
    },
    /// Several packages provide the name, and none has it.
    Virtual {
        /// The name.
        name: String,
        /// The packages that provide it.
        providers: Vec<String>,
    },
    /// No version of the package may be installed, because of pins.
    RuledOut {
        /// The package.
        name: String,
        /// The versions there are.
        known: Vec<Known>,
    },
    /// The package is held at another version than was asked for.
    Held {
        /// The package.
        name: String,
        /// The version it is held at.
        held: String,
    },
    /// The package is held at a version that is not there.
    HeldMissing {
        /// The package.
        name: String,
        /// The version it is held at.
        held: String,
        /// The versions there are.
        known: Vec<Known>,
    },
    /// Dependencies or exclusions do not let the packages be installed together.
    Relations {
        /// The packages that were asked for and are part of the problem.
        requested: Vec<String>,
        /// The steps that lead to the contradiction: without any one of them there were none.
        steps: Vec<String>,
        /// What to try.
        hint: Option<String>,
    },
}

/// A version that is known of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The version.
    pub version: String,
    /// The suites that have it.
    pub suites: Vec<String>,
}

impl Known {
    /// Describes versions, the newest one first.
    pub(super) fn of(universe: &Universe, places: impl Iterator<Item = usize>) -> Vec<Self> {
        let mut places: Vec<usize> = places.collect();
        places.sort_by(|left, right| {
            universe.packages()[*right].version.cmp(&universe.packages()[*left].version)
        });
        places
            .into_iter()
            .map(|place| {
                let record = &universe.packages()[place];
                let mut suites: Vec<String> = Vec::new();
                for origin in record.origins() {
                    let id = &universe.origins()[origin].id;
                    if !suites.contains(id) {
                        suites.push(id.clone());
                    }
                }
                Self { version: record.version.to_string(), suites }
            })
            .collect()
    }
}

impl fmt::Display for Known {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.version, self.suites.join(", "))
    }
}

fn list(known: &[Known]) -> String {
    let mut words: Vec<String> = known.iter().take(KNOWN_COUNT_MAX).map(ToString::to_string).collect();
    if known.len() > KNOWN_COUNT_MAX {
        words.push(format!("and {} more", known.len() - KNOWN_COUNT_MAX));
    }
    words.join(", ")
}

/// Joins names as in "`a`, `b` and `c`".
pub(super) fn quoted(names: &[String], last: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
    }
}

impl Unsolvable {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// Returns all problems: several if several names could not be found.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns the whole story, line by line.
    pub fn details(&self) -> Vec<String> {
        let lines = |problem: &Problem| match problem {
            Problem::Relations { steps, .. } => steps.clone(),
            _ => vec![problem.to_string()],
        };
        self.problems.iter().flat_map(lines).collect()
    }
}

impl fmt::Display for Unsolvable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problems[..] {
            [] => formatter.write_str("the packages cannot be installed"),
            [only] => only.fmt(formatter),
            [first, rest @ ..] => write!(formatter, "{first}; {} more names cannot be resolved", rest.len()),
        }
    }
}

impl std::error::Error for Unsolvable {}

impl Hint for Unsolvable {
    fn hint(&self) -> Option<String> {
        self.problems.iter().find_map(Problem::hint)
    }
}

impl Problem {
    /// Returns the name of the package that the problem is about, if it is about one.
    pub fn package(&self) -> Option<&str> {
        match self {
            Self::Unknown { name, .. }
            | Self::NoSuchVersion { name, .. }
            | Self::Virtual { name, .. }
            | Self::RuledOut { name, .. }
            | Self::Held { name, .. }
            | Self::HeldMissing { name, .. } => Some(name),
            Self::Relations { .. } => None,
        }
    }
}

impl Hint for Problem {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { similar, .. } if similar.is_empty() => {
                Some("it may be in a component or suite that is not among the sources".to_owned())
            }
            Self::Unknown { similar, .. } => Some(format!("did you mean {}?", quoted(similar, "or"))),
            Self::NoSuchVersion { name, known, .. } => Some(format!(
                "ask for `{name}={}`, or for `{name}` without a version",
                known.first()?.version
            )),
            Self::Virtual { providers, .. } => {
                Some(format!("name one of them, such as `{}`", providers.first()?))
            }
            Self::RuledOut { name, .. } => {
                Some(format!("pin `{name}` to a priority above 0, or ask for a version"))
            }
            Self::Held { name, held } => {
                Some(format!("end the hold of `{name}`, or ask for `{name}={held}`"))
            }
            Self::HeldMissing { name, .. } => {
                Some(format!("end the hold of `{name}`, or use a snapshot that has it"))
            }
            Self::Relations { hint, .. } => hint.clone(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, .. } => write!(formatter, "no package is called `{name}`"),
            Self::NoSuchVersion { name, version, suite, known } => {
                write!(formatter, "`{name}")?;
                if let Some(version) = version {
                    write!(formatter, "={version}")?;
                }
                if let Some(suite) = suite {
                    write!(formatter, "/{suite}")?;
                }
                write!(formatter, "` is not there; known: {}", list(known))
            }
            Self::Virtual { name, providers } => {
                let shown = &providers[..providers.len().min(PROVIDER_COUNT_MAX)];
                write!(formatter, "`{name}` is a virtual package, provided by {}", shown.join(", "))?;
                if providers.len() > shown.len() {
                    write!(formatter, " and {} more", providers.len() - shown.len())?;
                }
                Ok(())
            }
            Self::RuledOut { name, known } => {
                write!(formatter, "pins rule out all versions of `{name}`: {}", list(known))
            }
            Self::Held { name, held } => write!(formatter, "`{name}` is held at {held}"),
            Self::HeldMissing { name, held, known } => {
                write!(formatter, "`{name}` is held at {held}, which is not there; known: {}", list(known))
            }
            Self::Relations { requested, .. } => match requested.len() {
                0 => formatter.write_str("the base system cannot be installed"),
                1 => write!(formatter, "`{}` cannot be installed", requested[0]),
                _ => write!(formatter, "{} cannot be installed together", quoted(requested, "and")),
            },
        }
    }
}
