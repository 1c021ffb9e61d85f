//! One kind of secret: a row of the tables in [`kinds`](crate::kinds).

use amint_types::Severity;

/// A row.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    /// Any of them begins the secret, or stands at most `lead_bytes` behind its beginning. Case is told apart by the
    /// expression, not here.
    pub(crate) keywords: &'static [&'static [u8]],
    pub(crate) lead_bytes: usize,
    pub(crate) matcher: Matcher,
    /// Bits per character that the value has at least.
    pub(crate) entropy_min: f64,
    pub(crate) bytes_max: usize,
    /// Values of manuals, or parts of them: told as information.
    pub(crate) examples: &'static [&'static str],
    /// Whether the value is chosen by people, so that its digest could be guessed, and placeholders are likely.
    pub(crate) is_chosen: bool,
}

/// How the value is found where a keyword stands.
#[derive(Clone, Copy)]
pub(crate) enum Matcher {
    /// An expression for the whole; its first group is the value, or all of it where it has none.
    Token(&'static str),
    /// An expression for the value, which is assigned to a name that begins with the keyword.
    Assigned(&'static str),
    /// Code, for what no expression can tell.
    Code(fn(&Window<'_>) -> Option<Hit>),
}

/// The bytes around a keyword.
#[derive(Clone, Copy)]
pub(crate) struct Window<'a> {
    pub(crate) bytes: &'a [u8],
    /// Where the keyword begins in `bytes`.
    pub(crate) at: usize,
    /// Where the keyword begins in the file.
    pub(crate) offset: u64,
}

impl<'a> Window<'a> {
    /// Returns the bytes from the keyword on.
    pub(crate) fn ahead(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Returns up to `count` bytes before the keyword.
    pub(crate) fn behind(&self, count: usize) -> &'a [u8] {
        self.bytes.get(self.at.saturating_sub(count)..self.at).unwrap_or_default()
    }
}

/// A value that has the form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hit {
    /// Range of the value in the window.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// What may be shown of it.
    pub(crate) shown: String,
    pub(crate) note: Option<String>,
    pub(crate) severity: Option<Severity>,
    pub(crate) is_placeholder: bool,
}

impl Kind {
    /// A token of a provider, which tells by its form what it is.
    pub(crate) const fn token(
        id: &'static str,
        title: &'static str,
        keywords: &'static [&'static [u8]],
        expression: &'static str,
    ) -> Self {
        Self {
            id,
            title,
            rule: "SEC-004",
            severity: Severity::Critical,
            keywords,
            lead_bytes: 0,
            matcher: Matcher::Token(expression),
            entropy_min: 3.0,
            bytes_max: 1024,
            examples: &[],
            is_chosen: false,
        }
    }

    /// A token without a form of its own, which only the name before it betrays.
    pub(crate) const fn assigned(
        id: &'static str,
        title: &'static str,
        keywords: &'static [&'static [u8]],
        value: &'static str,
    ) -> Self {
        Self {
            matcher: Matcher::Assigned(value),
            severity: Severity::High,
            ..Self::token(id, title, keywords, "")
        }
    }

    /// Something that code recognises.
    pub(crate) const fn code(
        id: &'static str,
        title: &'static str,
        keywords: &'static [&'static [u8]],
        check: fn(&Window<'_>) -> Option<Hit>,
    ) -> Self {
        Self { matcher: Matcher::Code(check), entropy_min: 0.0, ..Self::token(id, title, keywords, "") }
    }

    pub(crate) const fn rule(self, rule: &'static str) -> Self {
        Self { rule, ..self }
    }

    pub(crate) const fn severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// Lets the value begin up to `lead_bytes` before the keyword.
    pub(crate) const fn lead(self, lead_bytes: usize) -> Self {
        Self { lead_bytes, ..self }
    }

    pub(crate) const fn entropy(self, entropy_min: f64) -> Self {
        Self { entropy_min, ..self }
    }

    pub(crate) const fn longest(self, bytes_max: usize) -> Self {
        Self { bytes_max, ..self }
    }

    pub(crate) const fn examples(self, examples: &'static [&'static str]) -> Self {
        Self { examples, ..self }
    }

    /// Marks a value that people choose.
    pub(crate) const fn chosen(self) -> Self {
        Self { is_chosen: true, entropy_min: 0.0, ..self }
    }
}
