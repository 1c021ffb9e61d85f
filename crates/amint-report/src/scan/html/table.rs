//! Tables of the inventory: all have one form, so that one template shows them.

use super::super::text::clipped;
use crate::html::count;
use crate::html::frame::Mark;

/// The longest text of one cell, and of its note, in characters: a name may be as long as its maker wants.
const CELL_CHARACTERS_MAX: usize = 300;
const NOTE_CHARACTERS_MAX: usize = 1_000;

/// Lists longer than this start folded.
pub(super) const OPEN_ROWS_MAX: usize = 60;

/// One part of the page.
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) note: String,
    pub(super) tables: Vec<Table>,
    /// What to say when there is nothing to show.
    pub(super) empty: &'static str,
    pub(super) has_filter: bool,
}

/// One table of a section.
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) heads: Vec<Head>,
    pub(super) rows: Vec<Vec<Cell>>,
    pub(super) is_folded: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) name: &'static str,
    pub(super) is_number: bool,
}

/// One cell: a mark, a text, a smaller note, in this order.
#[derive(Default)]
pub(super) struct Cell {
    pub(super) mark: Option<Mark>,
    pub(super) text: String,
    pub(super) note: String,
    pub(super) is_code: bool,
    pub(super) is_number: bool,
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { text: clipped(text.into(), CELL_CHARACTERS_MAX), ..Self::default() }
    }

    pub(super) fn code(text: impl Into<String>) -> Self {
        Self { is_code: true, ..Self::text(text) }
    }

    pub(super) fn number(text: impl Into<String>) -> Self {
        Self { is_number: true, ..Self::text(text) }
    }

    pub(super) fn mark(mark: Mark) -> Self {
        Self { mark: Some(mark), ..Self::default() }
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = clipped(note.into(), NOTE_CHARACTERS_MAX);
        self
    }
}

impl Table {
    /// Makes a table; heads that begin with `#` are over numbers.
    pub(super) fn new(caption: &str, heads: &[&'static str], rows: Vec<Vec<Cell>>) -> Self {
        let heads = heads
            .iter()
            .map(|name| match name.strip_prefix('#') {
                Some(name) => Head { name, is_number: true },
                None => Head { name, is_number: false },
            })
            .collect();
        Self { caption: caption.to_owned(), heads, is_folded: rows.len() > OPEN_ROWS_MAX, rows }
    }
}

impl Section {
    /// Makes a section of one table, with a filter where the table is long.
    pub(super) fn of(
        id: &'static str,
        title: &'static str,
        (noun, empty): (&str, &'static str),
        heads: &[&'static str],
        rows: Vec<Vec<Cell>>,
    ) -> Self {
        let note = count(rows.len(), noun);
        let has_filter = rows.len() > OPEN_ROWS_MAX;
        let tables = if rows.is_empty() { Vec::new() } else { vec![Table::new(title, heads, rows)] };
        Self { id, title, note, tables, empty, has_filter }
    }
}
