//! Names and versions of images in the store.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Most characters that a name or a version may have: an AMI name has 128 at most (`RegisterImage`), and
/// `NAME-VERSION` has to fit.
const PART_CHARS_MAX: usize = 60;

/// The text is no image name, version or reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}: {why}")]
pub struct ParseNameError {
    text: String,
    what: &'static str,
    why: &'static str,
}

fn check(
    text: &str,
    what: &'static str,
    is_allowed: fn(char) -> bool,
    allowed: &'static str,
) -> Result<(), ParseNameError> {
    let fail = |why| Err(ParseNameError { text: text.to_owned(), what, why });
    if text.is_empty() {
        return fail("it is empty");
    }
    if text.chars().count() > PART_CHARS_MAX {
        return fail("it is longer than 60 characters");
    }
    if !text.starts_with(|character: char| character.is_ascii_alphanumeric()) {
        return fail("it must start with a letter or digit");
    }
    if !text.chars().all(is_allowed) {
        return fail(allowed);
    }
    Ok(())
}

macro_rules! checked_text {
    ($name:ident, $what:literal, $is_allowed:expr, $allowed:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseNameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                check(text, $what, $is_allowed, $allowed)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

checked_text!(
    ImageName,
    "an image name",
    |character| character.is_ascii_lowercase()
        || character.is_ascii_digit()
        || matches!(character, '-' | '_' | '.'),
    "only lower-case letters, digits, `-`, `_` and `.` are allowed",
    "The name of an image: lower-case letters, digits, `-`, `_`, `.`; starts with a letter or digit."
);

checked_text!(
    ImageVersion,
    "an image version",
    |character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '+' | '~'),
    "only letters, digits, `-`, `_`, `.`, `+` and `~` are allowed",
    "The version of an image: letters, digits, `-`, `_`, `.`, `+`, `~`; starts with a letter or digit."
);

/// `NAME` or `NAME:VERSION`: an image of the store, the newest one when no version is given.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageRef {
    /// The name.
    pub name: ImageName,
    /// The version, or none for the newest.
    pub version: Option<ImageVersion>,
}

impl fmt::Display for ImageRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(formatter, "{}:{version}", self.name),
            None => write!(formatter, "{}", self.name),
        }
    }
}

impl FromStr for ImageRef {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((name, version)) => Ok(Self { name: name.parse()?, version: Some(version.parse()?) }),
            None => Ok(Self { name: text.parse()?, version: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_with_and_without_version() {
        let reference: ImageRef = "web:1.4.0".parse().unwrap();
        assert_eq!(reference.name.as_str(), "web");
        assert_eq!(reference.version.as_ref().unwrap().as_str(), "1.4.0");
        assert_eq!(reference.to_string(), "web:1.4.0");
        assert_eq!("web".parse::<ImageRef>().unwrap().version, None);
    }

    #[test]
    fn refuses_what_could_be_a_path_or_an_option() {
        for text in ["", "../web", "Web", "-web", "web:", "web:1/2", "a b", &"x".repeat(61)] {
            assert!(text.parse::<ImageRef>().is_err(), "{text:?}");
        }
    }
}
