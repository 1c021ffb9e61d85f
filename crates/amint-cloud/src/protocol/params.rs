//! Parameters of the Query protocol: `Filter.1.Value.2=x`.
//!
//! Every name that an operation does not ask for is refused at its end ([`Params::finish`]): a typing error must not
//! pass in silence. Empty values count as absent, because Packer sends them for what it leaves out.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::Fault;

/// The most parameters that one request may have.
const COUNT_MAX: usize = 10_000;
/// The most elements of one list.
const LIST_MAX: u32 = 10_000;

/// A body is no list of parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// There are more than anyone needs.
    #[error("more than {COUNT_MAX} parameters")]
    TooMany,
    /// One stands twice.
    #[error("the parameter {0} stands twice")]
    Repeated(String),
}

/// The parameters of a request, and which of them were asked for.
#[derive(Debug, Default)]
pub struct Params {
    values: BTreeMap<String, String>,
    asked: RefCell<BTreeSet<String>>,
}

/// One `Filter.N` of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Its name.
    pub name: String,
    /// What may match; `*` and `?` stand for anything.
    pub values: Vec<String>,
}

impl Params {
    /// Reads `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// Fails when a parameter stands twice, or when there are too many.
    pub fn parse(body: &[u8]) -> Result<Self, ParamsError> {
        let mut values = BTreeMap::new();
        for (count, (name, value)) in form_urlencoded::parse(body).enumerate() {
            if count >= COUNT_MAX {
                return Err(ParamsError::TooMany);
            }
            if values.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(ParamsError::Repeated(name.into_owned()));
            }
        }
        Ok(Self { values, asked: RefCell::default() })
    }

    /// Makes parameters of names and values.
    pub fn of(values: BTreeMap<String, String>) -> Self {
        Self { values, asked: RefCell::default() }
    }

    /// Returns a parameter; none when it is absent or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.asked.borrow_mut().insert(name.to_owned());
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Tells whether a parameter is there, be it empty: `NoDevice` says what it says by that.
    pub fn has(&self, name: &str) -> bool {
        self.asked.borrow_mut().insert(name.to_owned());
        self.values.contains_key(name)
    }

    /// Returns a parameter that has to be there.
    ///
    /// # Errors
    /// Fails with `MissingParameter`.
    pub fn required(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).ok_or_else(|| Fault::missing(name))
    }

    /// Returns a parameter that is `true` or `false`.
    ///
    /// # Errors
    /// Fails with `InvalidParameterValue` for anything else.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Fault> {
        self.get(name)
            .map(|value| match value.to_ascii_lowercase().as_str() {
                "true" => Ok(true),
                "false" => Ok(false),
                _ => Err(Fault::invalid_value(name, value)),
            })
            .transpose()
    }

    /// Returns a parameter that is a whole number.
    ///
    /// # Errors
    /// Fails with `InvalidParameterValue` for anything else.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Fault> {
        self.get(name).map(|value| value.parse().map_err(|_| Fault::invalid_value(name, value))).transpose()
    }

    /// Returns the values of `name.1`, `name.2` and so on, in that order.
    pub fn list(&self, name: &str) -> Vec<&str> {
        self.indexes(name).into_iter().filter_map(|index| self.get(&format!("{name}.{index}"))).collect()
    }

    /// Returns the numbers of a list's elements, ascending.
    pub fn indexes(&self, name: &str) -> Vec<u32> {
        let prefix = format!("{name}.");
        let after = self.values.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
        let numbers: BTreeSet<u32> = after
            .filter_map(|(key, _)| key[prefix.len()..].split('.').next()?.parse().ok())
            .filter(|number| *number <= LIST_MAX)
            .collect();
        numbers.into_iter().collect()
    }

    /// Returns the filters of a request.
    ///
    /// # Errors
    /// Fails when one has no name or no value.
    pub fn filters(&self) -> Result<Vec<Filter>, Fault> {
        self.indexes("Filter")
            .into_iter()
            .map(|index| {
                let name = self.required(&format!("Filter.{index}.Name"))?.to_owned();
                let list = format!("Filter.{index}.Value");
                // An empty value is one to a filter: it asks for what is empty.
                let values: Vec<String> = self
                    .indexes(&list)
                    .into_iter()
                    .map(|number| {
                        let key = format!("{list}.{number}");
                        self.get(&key);
                        self.values.get(&key).cloned().unwrap_or_default()
                    })
                    .collect();
                if values.is_empty() {
                    return Err(Fault::client(
                        "InvalidParameterValue",
                        format!("The filter '{name}' has no values"),
                    ));
                }
                Ok(Filter { name, values })
            })
            .collect()
    }

    /// Returns the SHA-256 of all parameters but some: two requests with the same one ask for the same.
    pub fn digest(&self, without: &[&str]) -> String {
        let mut hasher = Sha256::new();
        for (name, value) in self.values.iter().filter(|(name, _)| !without.contains(&name.as_str())) {
            for text in [name, value] {
                hasher.update((text.len() as u64).to_le_bytes());
                hasher.update(text);
            }
        }
        hex::encode(hasher.finalize())
    }

    /// Returns all names and values, without counting them as asked for.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Counts all parameters as asked for: the request is one that was answered before.
    pub fn ask_all(&self) {
        self.asked.borrow_mut().extend(self.values.keys().cloned());
    }

    /// Refuses what nobody asked for.
    ///
    /// # Errors
    /// Fails with `UnknownParameter`.
    pub fn finish(&self) -> Result<(), Fault> {
        let asked = self.asked.borrow();
        match self.values.keys().find(|name| !asked.contains(*name)) {
            None => Ok(()),
            Some(name) => {
                Err(Fault::client("UnknownParameter", format!("The parameter {name} is not recognized")))
            }
        }
    }
}

impl Filter {
    /// Tells whether a value is among those asked for.
    pub fn is_match(&self, value: &str) -> bool {
        self.values.iter().any(|pattern| is_match(pattern, value))
    }
}

/// Compares with a pattern in which `*` stands for any text, `?` for one character, and `\` takes either literally.
fn is_match(pattern: &str, value: &str) -> bool {
    enum Part {
        Any,
        One,
        Letter(char),
    }
    let mut parts = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        parts.push(match letter {
            '*' => Part::Any,
            '?' => Part::One,
            '\\' => Part::Letter(letters.next().unwrap_or('\\')),
            other => Part::Letter(other),
        });
    }
    let value: Vec<char> = value.chars().collect();
    let (mut part, mut at) = (0, 0);
    // Where the last `*` stood, and how much it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while at < value.len() {
        let fits = match parts.get(part) {
            Some(Part::Any) => {
                star = Some((part, at));
                part += 1;
                continue;
            }
            Some(Part::One) => true,
            Some(Part::Letter(letter)) => *letter == value[at],
            None => false,
        };
        if fits {
            part += 1;
            at += 1;
        } else if let Some((star_part, taken)) = star {
            star = Some((star_part, taken + 1));
            part = star_part + 1;
            at = taken + 1;
        } else {
            return false;
        }
    }
    parts[part..].iter().all(|part| matches!(part, Part::Any))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn params(body: &str) -> Params {
        Params::parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn lists_are_in_the_order_of_their_numbers() {
        let params = params("ImageId.10=c&ImageId.2=b&ImageId.1=a&ImageIdentity=x&ImageId.x=y");
        assert_eq!(params.list("ImageId"), ["a", "b", "c"]);
    }

    #[test]
    fn empty_values_are_absent() {
        let params = params("VpcId=&SubnetId=subnet-1");
        assert_eq!((params.get("VpcId"), params.get("SubnetId")), (None, Some("subnet-1")));
        assert_eq!(params.finish(), Ok(()));
    }

    #[test]
    fn what_nobody_asked_for_is_refused() {
        let params = params("Action=DescribeImages&Onwer.1=self");
        params.get("Action");
        assert_eq!(params.finish().unwrap_err().message, "The parameter Onwer.1 is not recognized");
    }

    #[test]
    fn filters_match_as_patterns() {
        let filters =
            params("Filter.1.Name=name&Filter.1.Value.1=web-*&Filter.1.Value.2=a%3F").filters().unwrap();
        let matching: Vec<bool> =
            ["web-1", "web", "ab", "abc"].iter().map(|value| filters[0].is_match(value)).collect();
        assert_eq!(matching, [true, false, true, false]);
        let literal = Filter { name: String::new(), values: vec!["a\\*".to_owned()] };
        assert!(literal.is_match("a*") && !literal.is_match("ab"));
        assert!(params("Filter.1.Name=name").filters().is_err());
    }

    #[test]
    fn a_parameter_that_stands_twice_is_refused() {
        assert_eq!(Params::parse(b"a=1&a=2").unwrap_err(), ParamsError::Repeated("a".to_owned()));
    }

    proptest! {
        #[test]
        fn patterns_agree_with_a_slow_matcher(pattern in "[ab*?]{0,8}", value in "[ab]{0,10}") {
            fn slow(pattern: &[u8], value: &[u8]) -> bool {
                match pattern.first() {
                    None => value.is_empty(),
                    Some(b'*') => (0..=value.len()).any(|taken| slow(&pattern[1..], &value[taken..])),
                    Some(b'?') => !value.is_empty() && slow(&pattern[1..], &value[1..]),
                    Some(letter) => value.first() == Some(letter) && slow(&pattern[1..], &value[1..]),
                }
            }
            prop_assert_eq!(is_match(&pattern, &value), slow(pattern.as_bytes(), value.as_bytes()));
        }

        #[test]
        fn no_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(params) = Params::parse(&body) {
                let _ = (params.list("a"), params.filters(), params.finish());
            }
        }
    }
}
