//! Tables: cells into rows of text that can be read one by one.

use qanda_core::Span;

use super::writer::Page;
use super::{Block, BlockKind};

/// Columns and rows that one cell may cover.
const MAX_COVERED: usize = 1_000;

/// Columns of a table; cells behind them are joined to the last one.
const MAX_COLUMNS: usize = 1_024;

/// Bytes that merged cells may add by being repeated. What is beyond stays empty.
const MAX_REPEATED: usize = 1 << 20;

/// Rows that a header may have; a table of nothing but headings is one of data.
const MAX_HEADER_ROWS: usize = 4;

/// Characters of a header that can stand above every part of a table. A table with a longer one is written record by
/// record, each value behind the name of its column.
const MAX_HEADER: usize = 240;

/// A table under way. A merged cell is repeated wherever it covers a place, so that each row can be read alone.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    /// Rows at the top that name the columns.
    header_rows: usize,
    /// Merged cells that reach into rows to come: text and number of those rows, by column.
    hanging: Vec<Option<(String, usize)>>,
    repeated: usize,
}

impl Table {
    /// A table whose first row names its columns.
    pub(super) fn with_header() -> Self {
        Self { header_rows: 1, ..Self::default() }
    }

    /// A table of rows of which the first one names the columns.
    pub(super) fn of_rows(rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        let mut table = Self::with_header();
        for row in rows {
            table.begin_row();
            row.into_iter().for_each(|cell| table.cell(&cell, 1, 1));
        }
        table
    }

    /// Says that the row under way names the columns, if only such rows are above it.
    pub(super) fn mark_header(&mut self) {
        let is_next = self.rows.len() == self.header_rows + 1;
        if is_next && self.rows.len() <= MAX_HEADER_ROWS {
            self.header_rows += 1;
        }
    }

    /// Begins a row.
    pub(super) fn begin_row(&mut self) {
        self.end_row();
        self.rows.push(Vec::new());
    }

    /// Takes the row's next cell, which covers so many columns and rows.
    pub(super) fn cell(&mut self, text: &str, columns: usize, rows: usize) {
        if self.rows.is_empty() {
            self.begin_row();
        }
        self.fill_hanging();
        let text = one_line(text);
        for number in 0..columns.clamp(1, MAX_COVERED) {
            let text = if number == 0 { text.clone() } else { self.repeat(&text) };
            let Some(row) = self.rows.last_mut() else { return };
            if row.len() >= MAX_COLUMNS {
                if let (0, Some(last)) = (number, row.last_mut()) {
                    last.push(' ');
                    last.push_str(&text);
                }
                return;
            }
            let column = row.len();
            row.push(text.clone());
            if rows > 1 {
                self.hanging.resize(self.hanging.len().max(column + 1), None);
                self.hanging[column] = Some((text, (rows - 1).min(MAX_COVERED)));
            }
        }
    }

    /// Takes a cell that goes on with the one above it.
    pub(super) fn continued_cell(&mut self, columns: usize) {
        for _ in 0..columns.clamp(1, MAX_COVERED) {
            let [.., above, row] = self.rows.as_slice() else { return self.cell("", 1, 1) };
            let text = above.get(row.len()).cloned().unwrap_or_default();
            let text = self.repeat(&text);
            self.cell(&text, 1, 1);
        }
    }

    /// Fills the columns at which a cell of a row above reaches into this one.
    fn fill_hanging(&mut self) {
        while let Some((text, left)) =
            self.rows.last().and_then(|row| self.hanging.get_mut(row.len())).and_then(Option::take)
        {
            let column = self.rows.last().map_or(0, Vec::len);
            let text = self.repeat(&text);
            if left > 1 {
                self.hanging[column] = Some((text.clone(), left - 1));
            }
            if let Some(row) = self.rows.last_mut() {
                row.push(text);
            }
        }
    }

    fn end_row(&mut self) {
        self.fill_hanging();
        if self.rows.last().is_some_and(|row| row.iter().all(|cell| !says_something(cell))) {
            self.rows.pop();
        }
    }

    /// Makes one row of a header that has several: "Dose" above "adults" is "Dose adults".
    fn join_header(&mut self) {
        let names = self.header_rows.min(self.rows.len().saturating_sub(1));
        if names < 2 {
            return;
        }
        for row in self.rows.drain(1..names).collect::<Vec<_>>() {
            let names = &mut self.rows[0];
            names.resize(names.len().max(row.len()), String::new());
            for (name, below) in names.iter_mut().zip(row).filter(|(name, below)| *name != below) {
                name.push(' ');
                name.push_str(&below);
                *name = one_line(name);
            }
        }
    }

    fn repeat(&mut self, text: &str) -> String {
        self.repeated += text.len();
        if self.repeated > MAX_REPEATED { String::new() } else { text.to_owned() }
    }

    /// Writes the table as blocks of a page.
    pub(super) fn write(mut self, page: &mut Page) {
        self.end_row();
        self.join_header();
        let header = self.header_rows > 0 && self.rows.len() > 1;
        let width: usize = self.rows.first().map_or(0, |names| names.iter().map(|name| name.chars().count() + 3).sum());
        match self.rows.as_slice() {
            [] => {}
            [names, records @ ..] if header && width > MAX_HEADER => {
                records.iter().for_each(|record| page.block(BlockKind::Table, &record_lines(names, record)));
            }
            rows => page.block(BlockKind::Table, &lines(rows, header)),
        }
    }
}

/// Rows as Markdown has them; below the first one a rule, if it is a header.
fn lines(rows: &[Vec<String>], header: bool) -> String {
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        text.push('|');
        // What stands across the whole table is said once.
        let across = row.len() > 1 && number > 0 && row.iter().all(|cell| *cell == row[0]);
        for cell in &row[..if across { 1 } else { row.len() }] {
            text.push(' ');
            text.push_str(&cell.replace('|', "\\|"));
            text.push_str(" |");
        }
        text.push('\n');
        if number == 0 && header {
            text.push('|');
            text.push_str(&"---|".repeat(row.len().max(1)));
            text.push('\n');
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// A record of a wide table: a line for each value that there is.
fn record_lines(names: &[String], record: &[String]) -> String {
    let values = record.iter().enumerate().filter(|(_, value)| !value.is_empty());
    let line = |(column, value): (usize, &String)| match names.get(column).filter(|name| !name.is_empty()) {
        Some(name) => format!("- {name}: {value}"),
        None => format!("- {value}"),
    };
    values.map(line).collect::<Vec<_>>().join("\n")
}

fn says_something(cell: &str) -> bool {
    cell.contains(|c: char| !c.is_whitespace())
}

fn one_line(cell: &str) -> String {
    cell.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Page {
    /// Adds a block whose text is known already.
    pub(super) fn block(&mut self, kind: BlockKind, text: &str) {
        self.begin(None);
        let text = text.trim_end();
        if text.trim().is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        let start = self.text.len();
        self.text.push_str(text);
        self.blocks.push(Block { kind, span: Span::new(start, self.text.len()) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(table: Table) -> String {
        let mut page = Page::default();
        table.write(&mut page);
        page.text
    }

    fn rows(rows: &[&[&str]]) -> Table {
        Table::of_rows(rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()))
    }

    #[test]
    fn rows_are_lines_below_their_header() {
        assert_eq!(
            text(rows(&[&["Drug", "Dose"], &["A\nB", "5 | mg"], &["", " "], &["C", ""]])),
            "| Drug | Dose |\n|---|---|\n| A B | 5 \\| mg |\n| C |  |"
        );
        assert_eq!(text(rows(&[&["only", "one"]])), "| only | one |");
        assert_eq!(text(Table::default()), "");
    }

    #[test]
    fn merged_cells_are_repeated_where_they_reach() {
        let mut table = Table::with_header();
        table.begin_row();
        ["Ward", "Test", "Tube"].iter().for_each(|name| table.cell(name, 1, 1));
        table.begin_row();
        table.cell("North", 1, 2);
        table.cell("INR", 2, 1);
        table.begin_row();
        table.cell("Glucose", 1, 1);
        table.cell("grey", 1, 1);
        table.begin_row();
        table.cell("South wing", 3, 1);
        table.begin_row();
        table.continued_cell(1);
        table.cell("Iron", 1, 1);
        assert_eq!(
            text(table),
            "| Ward | Test | Tube |\n|---|---|---|\n| North | INR | INR |\n| North | Glucose | grey |\n\
             | South wing |\n| South wing | Iron |"
        );
    }

    #[test]
    fn a_header_of_several_rows_becomes_one() {
        let mut table = Table::default();
        for row in [[("Drug", 1, 2), ("Dose", 2, 1)].as_slice(), &[("adults", 1, 1), ("children", 1, 1)]] {
            table.begin_row();
            row.iter().for_each(|(text, columns, rows)| table.cell(text, *columns, *rows));
            table.mark_header();
        }
        table.begin_row();
        ["A", "5 mg", "2 mg"].iter().for_each(|text| table.cell(text, 1, 1));
        assert_eq!(text(table), "| Drug | Dose adults | Dose children |\n|---|---|---|\n| A | 5 mg | 2 mg |");
    }

    #[test]
    fn wide_tables_are_written_record_by_record() {
        let names: Vec<String> = (0..30).map(|number| format!("Name of column {number}")).collect();
        let record = |first: &str| {
            let mut row = vec![String::new(); 30];
            row[0] = first.to_owned();
            row[7] = "yes".to_owned();
            row
        };
        assert_eq!(
            text(Table::of_rows([names, record("A-1"), record("A-2")])),
            "- Name of column 0: A-1\n- Name of column 7: yes\n\n- Name of column 0: A-2\n- Name of column 7: yes"
        );
    }

    #[test]
    fn cells_that_cover_everything_stay_bounded() {
        let mut table = Table::default();
        for _ in 0..50 {
            table.begin_row();
            table.cell(&"x".repeat(1_000), usize::MAX, usize::MAX);
        }
        assert!(text(table).len() < 4 << 20);
    }
}
