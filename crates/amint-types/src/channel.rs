//! Channels: names such as `latest` and `stable` that an image has for a while, as parameters of AWS Systems Manager.

/// The longest name of a parameter (`PutParameter`, Name), and its most levels.
const NAME_CHARS_MAX: usize = 1011;
const LEVELS_MAX: usize = 15;

/// A text cannot be the name of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` {reason}")]
pub struct ParameterNameError {
    name: String,
    reason: &'static str,
}

/// Puts the name of a channel's parameter together.
///
/// # Errors
/// Fails when the service allows no such name (`PutParameter`, Name).
pub fn channel_parameter(prefix: &str, channel: &str) -> Result<String, ParameterNameError> {
    let fail = |name: &str, reason| Err(ParameterNameError { name: name.to_owned(), reason });
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    if channel.is_empty() || !channel.chars().all(is_allowed) {
        return fail(channel, "is no channel: letters, digits and _ . - are allowed");
    }
    if !prefix.starts_with('/') || prefix.ends_with('/') {
        return fail(prefix, "is no path of parameters: it begins with a slash, and does not end with one");
    }
    let mut levels = prefix[1..].split('/');
    if !levels.all(|level| !level.is_empty() && level.chars().all(is_allowed)) {
        return fail(
            prefix,
            "is no path of parameters: letters, digits and _ . - are allowed between slashes",
        );
    }
    let first = prefix[1..].split('/').next().unwrap_or_default().to_ascii_lowercase();
    if first.starts_with("aws") || first.starts_with("ssm") {
        return fail(prefix, "is kept for AWS: it begins with `aws` or `ssm`");
    }
    let name = format!("{prefix}/{channel}");
    if name.len() > NAME_CHARS_MAX || name.matches('/').count() > LEVELS_MAX {
        return fail(&name, "is too long for a parameter");
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_the_service_takes() {
        assert_eq!(channel_parameter("/golden/web", "stable").unwrap(), "/golden/web/stable");
        for (prefix, channel) in [
            ("golden", "stable"),
            ("/golden/", "stable"),
            ("/golden//web", "stable"),
            ("/aws/web", "stable"),
            ("/golden/web", "a/b"),
            ("/golden/web", ""),
            ("/golden/w b", "stable"),
            ("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15", "stable"),
        ] {
            assert!(channel_parameter(prefix, channel).is_err(), "{prefix} {channel}");
        }
    }
}
