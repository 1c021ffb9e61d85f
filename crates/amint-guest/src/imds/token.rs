//! Session tokens of the metadata service.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// The shortest life of a token that EC2 grants, in seconds.
pub const TOKEN_TTL_SECONDS_MIN: u32 = 1;
/// The longest life of a token that EC2 grants, in seconds: six hours.
pub const TOKEN_TTL_SECONDS_MAX: u32 = 21_600;

/// A guest may ask for tokens as often as it likes; beyond this many the one that ends first is forgotten.
const TOKENS_MAX: usize = 4096;

/// The tokens that were given out and still hold.
#[derive(Debug, Default)]
pub(crate) struct Tokens(HashMap<String, Timestamp>);

impl Tokens {
    /// Reads the wish of the `X-aws-ec2-metadata-token-ttl-seconds` header.
    pub(crate) fn parse_ttl(text: &str) -> Option<u32> {
        // `str::parse` alone would take a leading plus sign.
        let ttl = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()?;
        (TOKEN_TTL_SECONDS_MIN..=TOKEN_TTL_SECONDS_MAX).contains(&ttl).then_some(ttl)
    }

    /// Makes a token that holds for `ttl_seconds` from `now`.
    pub(crate) fn issue(&mut self, ttl_seconds: u32, now: Timestamp) -> String {
        self.0.retain(|_, end| *end > now);
        if self.0.len() >= TOKENS_MAX
            && let Some(first) = self.0.iter().min_by_key(|(_, end)| **end).map(|(token, _)| token.clone())
        {
            self.0.remove(&first);
        }
        let token = format!("{}{}==", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let end = now.saturating_add(SignedDuration::from_secs(i64::from(ttl_seconds)));
        self.0.insert(token.clone(), end.unwrap_or(Timestamp::MAX));
        token
    }

    /// Returns how many seconds `token` still holds; none when it never did or no longer does.
    pub(crate) fn remaining_seconds(&self, token: &str, now: Timestamp) -> Option<i64> {
        let end = self.0.get(token).filter(|end| **end > now)?;
        Some(end.duration_since(now).as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ttl_must_lie_in_the_range_of_ec2() {
        for (text, expected) in [("1", Some(1)), ("21600", Some(21_600)), ("060", Some(60))] {
            assert_eq!(Tokens::parse_ttl(text), expected, "{text}");
        }
        for text in ["", "0", "21601", "-1", "+5", "1.5", " 60", "60s", "99999999999999999999"] {
            assert_eq!(Tokens::parse_ttl(text), None, "{text}");
        }
    }

    #[test]
    fn token_holds_until_its_end_and_no_longer() {
        let mut tokens = Tokens::default();
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let token = tokens.issue(60, start);
        assert_eq!(tokens.remaining_seconds(&token, start), Some(60));
        assert_eq!(tokens.remaining_seconds(&token, start + SignedDuration::from_secs(59)), Some(1));
        assert_eq!(tokens.remaining_seconds(&token, start + SignedDuration::from_mins(1)), None);
        assert_eq!(tokens.remaining_seconds("guess", start), None);
    }

    #[test]
    fn greedy_guest_cannot_fill_the_memory() {
        let mut tokens = Tokens::default();
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let short = tokens.issue(1, start);
        for _ in 0..TOKENS_MAX + 10 {
            tokens.issue(60, start);
        }
        assert_eq!(tokens.0.len(), TOKENS_MAX);
        assert_eq!(tokens.remaining_seconds(&short, start), None);
    }
}
