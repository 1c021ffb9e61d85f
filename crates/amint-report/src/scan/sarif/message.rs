//! Text as SARIF messages (section 3.11): braces are placeholders there, and `[text](target)` is a link.

use super::super::text::line;
use super::model::Message;

/// Makes a message that shows `text` as it is.
pub(super) fn message(text: &str) -> Message {
    Message { text: plain(text) }
}

/// Doubles braces, and parts what would be a link: the text comes from an image that nobody vouches for.
pub(super) fn plain(text: &str) -> String {
    line(text).replace('{', "{{").replace('}', "}}").replace("](", "] (")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_an_image_makes_neither_placeholders_nor_links() {
        assert_eq!(plain("a {0} [update](http://x)\n"), "a {{0}} [update] (http://x)");
    }
}
