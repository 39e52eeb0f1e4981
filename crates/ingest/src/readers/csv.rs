//! Tables as text: CSV with commas or semicolons, and TSV.

use std::path::Path;

use super::table::Table;
use super::writer::Page;
use super::{Extracted, Reader};
use crate::{ReadError, decode::decode};

/// Bytes of a file by whose first lines the mark between values is found.
const LOOKED_AT: usize = 4_096;

pub(super) struct Csv;

impl Reader for Csv {
    fn endings(&self) -> &'static [&'static str] {
        &["csv", "tsv", "tab"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["text/csv", "text/tab-separated-values"]
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Extracted, ReadError> {
        let text = decode(bytes)?;
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(mark_between_values(&text))
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut notes = Vec::new();
        for record in reader.records() {
            match record {
                Ok(record) => rows.push(record.iter().map(|value| value.trim().to_owned()).collect()),
                Err(error) => notes.push(format!("a row could not be read: {error}")),
            }
        }
        let mut page = Page::default();
        Table::of_rows(rows).write(&mut page);
        if page.text.is_empty() {
            return Err(ReadError::NoText);
        }
        // A file's first row is no title.
        Ok(Extracted { title: None, notes, ..page.finish(None) })
    }
}

/// The mark that parts most values of the first line, outside of quotation marks.
fn mark_between_values(text: &str) -> u8 {
    let start = &text[..text.floor_char_boundary(LOOKED_AT)];
    let line = start.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |mark: u8| {
        let mut quoted = false;
        let outside = |byte: &u8| {
            quoted ^= *byte == b'"';
            !quoted && *byte == mark
        };
        line.as_bytes().iter().copied().filter(outside).count()
    };
    b",;\t|".iter().copied().rev().max_by_key(|mark| count(*mark)).unwrap_or(b',')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(file: &str) -> String {
        Csv.read(file.as_bytes(), Path::new("a.csv")).unwrap().text
    }

    #[test]
    fn rows_stand_below_the_names_of_their_columns() {
        let rows = "| Part | Level |\n|---|---|\n| W-4, red | 12 |\n| W-5 |";
        assert_eq!(text("\u{feff}Part,Level\r\n\"W-4, red\",12\r\nW-5\r\n"), rows);
        assert_eq!(text("Part;Level\n\"W-4, red\";12\nW-5\n"), rows);
        assert_eq!(text("Part\tLevel\nW-4, red\t12\nW-5\n"), rows);
        assert_eq!(text("\"a\nb\",c\n1,2"), "| a b | c |\n|---|---|\n| 1 | 2 |");
    }

    #[test]
    fn a_file_without_values_is_refused() {
        assert_eq!(Csv.read(b",,\n,\n", Path::new("a.csv")).unwrap_err().to_string(), "no text in it");
    }
}
