//! Pages of long lists.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::protocol::{Fault, Params};

/// How many entries a page has at most.
const PAGE_MAX: u64 = 1000;

/// One page of a list, and the token of the next.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) entries: Vec<T>,
    pub(crate) next_token: Option<String>,
}

/// Takes the page that `MaxResults` and `NextToken` ask for out of `entries`, which are sorted by `key`.
///
/// A token names the last entry that was told, so that pages stay right when entries come and go in between.
pub(crate) fn page<T>(
    params: &Params,
    mut entries: Vec<T>,
    key: impl Fn(&T) -> String,
) -> Result<Page<T>, Fault> {
    let count_max = params.number("MaxResults")?;
    if count_max.is_some_and(|count| count == 0 || count > PAGE_MAX) {
        let message = format!("MaxResults must be between 1 and {PAGE_MAX}");
        return Err(Fault::client("InvalidParameterValue", message));
    }
    entries.sort_by_key(&key);
    if let Some(token) = params.get("NextToken") {
        let invalid =
            || Fault::client("InvalidParameterValue", format!("Unable to parse pagination token {token}"));
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
        let last = String::from_utf8(bytes).map_err(|_| invalid())?;
        entries.retain(|entry| key(entry) > last);
    }
    let count_max = count_max.map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(usize::MAX));
    let is_more = entries.len() > count_max;
    entries.truncate(count_max);
    let last = entries.last().filter(|_| is_more);
    let next_token = last.map(|entry| URL_SAFE_NO_PAD.encode(key(entry)));
    Ok(Page { entries, next_token })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_to_the_whole_list() {
        let all: Vec<u32> = (0..25).collect();
        let mut seen = Vec::new();
        let mut token = String::new();
        loop {
            let params = Params::parse(format!("MaxResults=10&NextToken={token}").as_bytes()).unwrap();
            let page = page(&params, all.clone(), |number| format!("{number:04}")).unwrap();
            seen.extend(page.entries);
            match page.next_token {
                Some(next) => token = next,
                None => break,
            }
        }
        assert_eq!(seen, all);
        let params = Params::parse(b"NextToken=%21").unwrap();
        assert!(page(&params, all, ToString::to_string).is_err());
    }
}
