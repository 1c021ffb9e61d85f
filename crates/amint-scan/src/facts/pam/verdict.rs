//! What a stack comes to when its modules answer one way or another.

use super::control::{Action, Answer};
use super::modules::{Nature, nature};
use super::stack::{Entry, Item};

/// How many runs of one stack are looked at: modules whose answer is not known double them.
const RUNS_MAX: usize = 4096;

/// Tells whether somebody without any proof may be let in.
pub(crate) fn opens_without_proof(items: &[Item]) -> bool {
    may_succeed(items, None)
}

/// Lists the modules that alone may let somebody in, in order.
pub(crate) fn open_by(items: &[Item]) -> Vec<&Entry> {
    let entries = items.iter().flat_map(Item::entries);
    entries
        .filter(|entry| {
            let is_judge = matches!(
                nature(&entry.module),
                Nature::Password | Nature::Proof | Nature::Program | Nature::Unknown
            );
            is_judge && may_succeed(items, Some(entry))
        })
        .collect()
}

/// Tells whether some run ends with a yes when of all that judge only `proven` says yes.
fn may_succeed(items: &[Item], proven: Option<&Entry>) -> bool {
    let mut run = Run { proven, left: RUNS_MAX };
    run.walk(items, 0, State::default(), &mut |state| state.is_success())
}

/// What the run has come to so far.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// Whether something said yes or no already, and which.
    impression: Option<bool>,
    /// Whether the last word is a yes.
    is_yes: bool,
}

impl State {
    fn is_success(self) -> bool {
        self.impression == Some(true) && self.is_yes
    }
}

struct Run<'stack> {
    proven: Option<&'stack Entry>,
    left: usize,
}

impl Run<'_> {
    /// Walks on from `at`; tells whether some way ends as `accepts` wishes.
    fn walk(
        &mut self,
        items: &[Item],
        at: usize,
        state: State,
        accepts: &mut dyn FnMut(State) -> bool,
    ) -> bool {
        // Out of patience: a stack this tangled is not said to be safe.
        let Some(left) = self.left.checked_sub(1) else { return true };
        self.left = left;
        let Some(item) = items.get(at) else { return accepts(state) };
        let entry = match item {
            Item::Module(entry) => entry,
            Item::Substack(inner) => {
                let mut ends = Vec::new();
                self.walk(inner, 0, state, &mut |end| {
                    ends.push(end);
                    false
                });
                return ends.into_iter().any(|end| self.walk(items, at + 1, end, accepts));
            }
        };
        for answer in self.answers(entry) {
            let is_accepted = match step(entry.control.after(*answer), *answer, at, state) {
                (None, state) => accepts(state),
                (Some(next), _) if next > items.len() => false,
                (Some(next), state) => self.walk(items, next, state, accepts),
            };
            if is_accepted {
                return true;
            }
        }
        false
    }

    fn answers(&self, entry: &Entry) -> &'static [Answer] {
        if self.proven == Some(entry) {
            return &[Answer::Success];
        }
        match nature(&entry.module) {
            Nature::Permits => &[Answer::Success],
            Nature::Helps => &[Answer::Success, Answer::Ignore],
            Nature::Depends => &[Answer::Success, Answer::Failure],
            _ => &[Answer::Failure],
        }
    }
}

/// Follows libpam's own loop: what the run has come to, and where it goes on.
fn step(action: Action, answer: Answer, at: usize, mut state: State) -> (Option<usize>, State) {
    match action {
        Action::Ignore => {}
        Action::Ok | Action::Done => {
            if answer != Answer::Ignore
                && (state.impression.is_none() || (state.impression == Some(true) && state.is_yes))
            {
                state.impression = Some(true);
                state.is_yes = answer == Answer::Success;
            }
            if action == Action::Done && state.impression != Some(false) {
                return (None, state);
            }
        }
        Action::Bad | Action::Die => {
            if state.impression != Some(false) {
                state.impression = Some(false);
                state.is_yes = false;
            }
            if action == Action::Die {
                return (None, state);
            }
        }
        Action::Reset => state = State::default(),
        // A jump gives no impression of its own; one past the end is an error.
        Action::Jump(count) => return (Some(at.saturating_add(count).saturating_add(1)), state),
    }
    (Some(at + 1), state)
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, stack};
    use super::*;
    use crate::testing::Fixture;

    fn verdict(lines: &str) -> (bool, Vec<String>) {
        let fixture = Fixture::new()
            .file("/etc/pam.d/x", lines)
            .file("/etc/pam.d/sub", "auth sufficient pam_unix.so\nauth requisite pam_deny.so\n");
        fixture.with(|cx| {
            let items = stack(cx, "x", Kind::Auth).unwrap();
            let open = open_by(&items).iter().map(|entry| entry.module.clone()).collect();
            (opens_without_proof(&items), open)
        })
    }

    const DEBIAN: &str = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n\
                          auth required pam_permit.so\nauth optional pam_cap.so\n";

    #[test]
    fn the_stacks_of_distributions_ask_for_a_password() {
        assert_eq!(verdict(DEBIAN), (false, vec!["pam_unix.so".to_owned()]));
        let red_hat = "auth required pam_env.so\nauth required pam_faildelay.so delay=2000000\n\
            auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular\n\
            auth [default=1 ignore=ignore success=ok] pam_localuser.so\n\
            auth sufficient pam_unix.so nullok\n\
            auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular\n\
            auth sufficient pam_sss.so forward_pass\nauth required pam_deny.so\n";
        assert_eq!(verdict(red_hat), (false, vec!["pam_unix.so".to_owned(), "pam_sss.so".to_owned()]));
        let su = "auth sufficient pam_rootok.so\nauth required pam_unix.so\n";
        assert_eq!(verdict(su).1, ["pam_rootok.so", "pam_unix.so"]);
    }

    #[test]
    fn doors_that_need_no_proof_are_seen() {
        for lines in [
            "auth sufficient pam_permit.so\nauth required pam_unix.so\n",
            "auth required pam_permit.so\n",
            "auth optional pam_unix.so\nauth optional pam_permit.so\n",
            "auth sufficient pam_unix.so\nauth required pam_permit.so\n",
            "auth [success=1 default=ignore] pam_unix.so\nauth optional pam_deny.so\nauth required pam_permit.so\n",
            "auth [success=1 default=1] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n",
            "auth sufficient pam_succeed_if.so user ingroup x\nauth required pam_unix.so\n",
            "auth required pam_env.so\n",
        ] {
            assert!(verdict(lines).0, "{lines}");
        }
    }

    #[test]
    fn stacks_that_need_every_proof_open_by_none_alone() {
        let both = "auth required pam_unix.so\nauth required pam_google_authenticator.so\n";
        assert_eq!(verdict(both), (false, Vec::new()));
        assert_eq!(verdict("auth substack sub\n"), (false, vec!["pam_unix.so".to_owned()]));
        assert!(!verdict("auth substack sub\nauth required pam_permit.so\n").0);
        assert!(!verdict("auth [success=9 default=ignore] pam_permit.so\nauth required pam_deny.so\n").0);
    }

    #[test]
    fn a_stack_of_many_unknown_answers_ends() {
        let lines = "auth [success=ignore default=ignore] pam_succeed_if.so x\n".repeat(60);
        assert!(verdict(&lines).0);
    }
}
