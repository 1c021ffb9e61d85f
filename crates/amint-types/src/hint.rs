//! What to try after an error.

/// An error that may know what the user can try.
///
/// Keeps "what went wrong" (`Display`) apart from "what to try" (`hint`), so that the terminal can show the
/// hint on its own line after the whole chain of causes.
pub trait Hint {
    /// Returns one sentence fragment that tells what to try, if there is something.
    fn hint(&self) -> Option<String> {
        None
    }
}
