//! Pages of long lists.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeInclusive};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Call;
use crate::protocol::{Fault, Params};
use crate::records::{Record, Table};

/// How many entries a page has: what most operations allow.
pub(crate) const USUAL: RangeInclusive<u64> = 5..=1000;

/// Which page is asked for. A token names the last entry that was told, so that pages stay right when entries come and
/// go in between.
#[derive(Debug)]
pub(crate) struct Pager {
    after: Option<String>,
    count_max: usize,
}

/// One page of a list, and the token of the next.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) entries: Vec<T>,
    pub(crate) next_token: Option<String>,
}

impl Pager {
    /// Reads `MaxResults` and `NextToken`.
    pub(crate) fn new(call: &Call<'_>, params: &Params, allowed: RangeInclusive<u64>) -> Result<Self, Fault> {
        let count_max = params.number("MaxResults")?;
        if let Some(count) = count_max.filter(|count| !allowed.contains(count)) {
            let message = format!(
                "Value ( {count} ) for parameter maxResults is invalid. Expecting a value between {} and {}.",
                allowed.start(),
                allowed.end()
            );
            return Err(Fault::client("InvalidParameterValue", message));
        }
        Self::at(call, params.get("NextToken"), count_max)
    }

    /// As [`new`](Self::new), of values that were read and checked elsewhere.
    pub(crate) fn at(call: &Call<'_>, token: Option<&str>, count_max: Option<u64>) -> Result<Self, Fault> {
        let after = token.map(parse_token).transpose()?;
        let count_max = count_max.or_else(|| call.world.options.page_default.map(u64::from));
        let count_max = count_max.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
        Ok(Self { after, count_max })
    }

    /// Returns the records of a table from where the page begins, in the order of their ids.
    pub(crate) fn rest<'t, T: Record>(&self, table: &'t Table<T>) -> impl Iterator<Item = &'t Arc<T>> {
        let start = self.after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        table.range::<str, _>((start, Bound::Unbounded)).map(|(_, record)| record)
    }

    /// Takes the page out of entries that are no records, in the order of keys that no two of them share.
    pub(crate) fn page_by<T>(
        &self,
        entries: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> String,
    ) -> Page<T> {
        let sorted: BTreeMap<String, T> = entries.into_iter().map(|entry| (key(&entry), entry)).collect();
        let is_after = |key: &String| self.after.as_ref().is_none_or(|after| key > after);
        let mut rest = sorted.into_iter().filter(|(key, _)| is_after(key));
        let (keys, entries): (Vec<String>, Vec<T>) = rest.by_ref().take(self.count_max).unzip();
        let next_token = keys.last().filter(|_| rest.next().is_some()).map(|last| token(last));
        Page { entries, next_token }
    }

    /// Takes the page out of what [`rest`](Self::rest) gave; no more is asked of it than the page needs.
    pub(crate) fn page<T: Record>(
        &self,
        mut rest: impl Iterator<Item = Result<Arc<T>, Fault>>,
    ) -> Result<Page<Arc<T>>, Fault> {
        let entries: Vec<Arc<T>> = rest.by_ref().take(self.count_max).collect::<Result<_, _>>()?;
        let is_more = rest.next().transpose()?.is_some();
        let next_token = entries.last().filter(|_| is_more).map(|last| token(last.id()));
        Ok(Page { entries, next_token })
    }

    /// Takes the page out of a list whose entries come with their keys, ascending.
    pub(crate) fn page_of<T>(&self, entries: impl Iterator<Item = (String, T)>) -> Page<T> {
        let is_rest = |(key, _): &(String, T)| self.after.as_ref().is_none_or(|after| key > after);
        let mut rest = entries.filter(is_rest);
        let taken: Vec<(String, T)> = rest.by_ref().take(self.count_max).collect();
        let next_token = rest.next().and_then(|_| taken.last()).map(|(key, _)| token(key));
        Page { entries: taken.into_iter().map(|(_, entry)| entry).collect(), next_token }
    }
}

fn token(id: &str) -> String {
    URL_SAFE_NO_PAD.encode(id)
}

fn parse_token(token: &str) -> Result<String, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Fault::client("InvalidNextToken", format!("The token '{token}' is invalid")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Token;

    #[test]
    fn pages_join_to_the_whole_list() {
        let record = |number: u32| Token {
            key: format!("{number:04}"),
            parameters: String::new(),
            resource: String::new(),
            created: jiff::Timestamp::UNIX_EPOCH,
        };
        let table: Table<Token> =
            (0..25).map(|number| (format!("{number:04}"), Arc::new(record(number)))).collect();
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let pager = Pager { after, count_max: 10 };
            let page = pager.page(pager.rest(&table).cloned().map(Ok)).unwrap();
            seen.extend(page.entries.iter().map(|entry| entry.key.clone()));
            match page.next_token {
                Some(next) => after = Some(parse_token(&next).unwrap()),
                None => break,
            }
        }
        assert_eq!(seen, table.keys().cloned().collect::<Vec<_>>());
        let first = Pager { after: None, count_max: 2 }.page_by(["c", "a", "b"], |text| (*text).to_owned());
        let after = first.next_token.map(|token| parse_token(&token).unwrap());
        let second = Pager { after, count_max: 2 }.page_by(["c", "a", "b"], |text| (*text).to_owned());
        assert_eq!((first.entries, second.entries, second.next_token), (vec!["a", "b"], vec!["c"], None));
        assert!(parse_token("!").is_err());
    }
}
