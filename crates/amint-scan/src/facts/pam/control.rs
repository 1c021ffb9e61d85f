//! What follows from what a module answers.

/// What a module answers, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Yes.
    Success,
    /// No.
    Failure,
    /// Nothing to say.
    Ignore,
}

/// What is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Ignore,
    Ok,
    Done,
    Bad,
    Die,
    Reset,
    Jump(usize),
}

/// What follows from each answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Control {
    success: Action,
    failure: Action,
    ignore: Action,
}

impl Control {
    /// Reads a control word, or a list in brackets; none when it is neither.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let new = |success, failure, ignore| Self { success, failure, ignore };
        match text.to_ascii_lowercase().as_str() {
            "required" => return Some(new(Action::Ok, Action::Bad, Action::Ignore)),
            "requisite" => return Some(new(Action::Ok, Action::Die, Action::Ignore)),
            "sufficient" => return Some(new(Action::Done, Action::Ignore, Action::Ignore)),
            "optional" => return Some(new(Action::Ok, Action::Ignore, Action::Ignore)),
            _ => {}
        }
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        let mut default = Action::Bad;
        let (mut success, mut failure, mut ignore) = (None, None, None);
        for pair in inner.split_whitespace() {
            let (value, action) = pair.split_once('=')?;
            let action = action_of(action)?;
            match value {
                "default" => default = action,
                "success" => success = Some(action),
                "ignore" => ignore = Some(action),
                "auth_err" | "perm_denied" => failure = Some(action),
                _ => {}
            }
        }
        Some(new(success.unwrap_or(default), failure.unwrap_or(default), ignore.unwrap_or(default)))
    }

    pub(super) fn after(&self, answer: Answer) -> Action {
        match answer {
            Answer::Success => self.success,
            Answer::Failure => self.failure,
            Answer::Ignore => self.ignore,
        }
    }
}

fn action_of(text: &str) -> Option<Action> {
    Some(match text {
        "ignore" => Action::Ignore,
        "ok" => Action::Ok,
        "done" => Action::Done,
        "bad" => Action::Bad,
        "die" => Action::Die,
        "reset" => Action::Reset,
        number => Action::Jump(number.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_lists_are_read() {
        let sufficient = Control::parse("Sufficient").unwrap();
        assert_eq!((sufficient.success, sufficient.failure), (Action::Done, Action::Ignore));
        let listed = Control::parse("[success=2 default=ignore auth_err=die]").unwrap();
        assert_eq!((listed.success, listed.failure), (Action::Jump(2), Action::Die));
        assert_eq!(Control::parse("[success=maybe]"), None);
        assert_eq!(Control::parse("perhaps"), None);
    }
}
