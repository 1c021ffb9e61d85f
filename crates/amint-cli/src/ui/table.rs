//! Lists in columns.

use amint_report::printable_line;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement};

use super::palette::Palette;

/// Rows below one header, without borders, in columns as wide as they need.
pub(crate) struct Table {
    inner: comfy_table::Table,
}

impl Table {
    /// Starts a table with its column names.
    pub(crate) fn new<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Self {
        let mut inner = comfy_table::Table::new();
        inner.load_style(NOTHING);
        // Lines are never wrapped: they go through `grep` and `cut` as well as under eyes.
        inner.set_content_arrangement(ContentArrangement::Disabled);
        inner.set_header(header);
        Self { inner }
    }

    /// Aligns the columns of numbers to the right.
    pub(crate) fn right<const COLUMNS: usize>(mut self, columns: [usize; COLUMNS]) -> Self {
        for index in columns {
            if let Some(column) = self.inner.column_mut(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self
    }

    /// Adds a row.
    pub(crate) fn row<Cell: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<String> = cells.into_iter().map(|cell| printable_line(cell.as_ref())).collect();
        self.inner.add_row(cells);
    }

    /// Writes the table, each line with its end; the header is bold.
    pub(crate) fn render(&self, palette: Palette) -> String {
        let mut text = String::new();
        for (index, line) in self.inner.lines().enumerate() {
            // The margins that the preset leaves at both ends.
            let line = line.strip_prefix(' ').unwrap_or(&line).trim_end();
            text.push_str(&if index == 0 { palette.bold(line) } else { line.to_owned() });
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["IMAGE", "SIZE", "BUILT"]).right([1]);
        table.row(["web:1.4.0", "580.4 MiB", "2026-10-01"]);
        table.row(["映像:2", "2 GiB", "2026-10-02"]);
        table
    }

    #[test]
    fn lines_up_columns_also_with_wide_characters() {
        assert_eq!(
            table().render(Palette::PLAIN),
            "IMAGE           SIZE  BUILT\nweb:1.4.0  580.4 MiB  2026-10-01\n映像:2         2 GiB  2026-10-02\n"
        );
    }

    #[test]
    fn marks_the_header_and_keeps_control_characters_out() {
        let mut table = table();
        table.row(["a\nb\u{1b}[31m", "", ""]);
        let text = table.render(Palette { is_coloured: true, is_unicode: true });
        assert!(text.starts_with("\u{1b}[1mIMAGE"));
        assert!(text.ends_with("\na b\n"));
    }
}
