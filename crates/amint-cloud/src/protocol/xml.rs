//! Answers in XML.

use std::fmt::Display;

use quick_xml::escape::escape;

/// An element of an answer: text, or elements below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    name: &'static str,
    text: Option<String>,
    children: Vec<Element>,
}

impl Element {
    /// Makes an empty element.
    pub fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// Makes an element with text.
    pub fn of(name: &'static str, text: impl Display) -> Self {
        Self { name, text: Some(text.to_string()), children: Vec::new() }
    }

    /// Makes a list in EC2's manner: each entry is an `item`.
    pub fn list(name: &'static str, entries: impl IntoIterator<Item = Self>) -> Self {
        let items = entries.into_iter().map(|entry| Self { name: "item", ..entry });
        Self { name, text: None, children: items.collect() }
    }

    /// Makes a list in the manner of other services: each entry is a `member`.
    pub fn members(name: &'static str, entries: impl IntoIterator<Item = Self>) -> Self {
        let members = entries.into_iter().map(|entry| Self { name: "member", ..entry });
        Self { name, text: None, children: members.collect() }
    }

    /// Adds an element.
    #[must_use]
    pub fn with(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// Adds an element with text.
    #[must_use]
    pub fn text(self, name: &'static str, text: impl Display) -> Self {
        self.with(Self::of(name, text))
    }

    /// Adds an element with text where there is one.
    #[must_use]
    pub fn maybe(self, name: &'static str, text: Option<impl Display>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// Adds the elements of another element.
    #[must_use]
    pub fn with_all(mut self, other: Self) -> Self {
        self.children.extend(other.children);
        self
    }

    /// Adds why something is in its state: a code and words.
    #[must_use]
    pub fn with_reason(self, reason: Option<(&str, &str)>) -> Self {
        match reason {
            Some((code, words)) => {
                self.with(Self::new("stateReason").text("code", code).text("message", words))
            }
            None => self,
        }
    }

    /// Returns the name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the text, where it is one.
    pub fn own_text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Returns the elements below it.
    pub fn children(&self) -> &[Self] {
        &self.children
    }

    /// Takes the elements out.
    pub fn into_children(self) -> Vec<Self> {
        self.children
    }

    /// Writes a document with this root, in a name space.
    pub fn to_document(&self, namespace: &str) -> String {
        let mut document = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut document, Some(namespace).filter(|namespace| !namespace.is_empty()));
        document
    }

    fn write(&self, document: &mut String, namespace: Option<&str>) {
        document.push('<');
        document.push_str(self.name);
        if let Some(namespace) = namespace {
            document.push_str(" xmlns=\"");
            document.push_str(&escape(namespace));
            document.push('"');
        }
        document.push('>');
        if let Some(text) = &self.text {
            // Control characters have no form in XML 1.0 (section 2.2).
            let text: String =
                text.chars().filter(|letter| !letter.is_control() || "\t\n\r".contains(*letter)).collect();
            document.push_str(&escape(text.as_str()));
        }
        for child in &self.children {
            child.write(document, None);
        }
        document.push_str("</");
        document.push_str(self.name);
        document.push('>');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_lists_and_escapes_text() {
        let element = Element::new("R")
            .with(Element::list("set", [Element::new("x").text("name", "a<b>&\u{1}"), Element::of("x", 1)]))
            .maybe("none", None::<String>);
        assert_eq!(
            element.to_document("urn:x"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns=\"urn:x\"><set><item><name>a&lt;b&gt;&amp;</name>\
             </item><item>1</item></set></R>"
        );
    }
}
