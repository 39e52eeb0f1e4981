//! Context that a part of a long table or list needs beside its headings: the names of the columns, the sentence that
//! announces the list.

use super::Measure;
use crate::readers::{Block, BlockKind};
use qanda_core::Span;
use qanda_core::language::sentences_within;

/// What is carried takes at most this part of a passage's room.
const CARRIED_PART: usize = 3;

/// The header of a table: its first line, with the rule below it if there is one. A record of a wide table begins with
/// the line that names it, which serves its later parts in the same way.
pub(super) fn header_of(text: &str, table: Span) -> Span {
    let part = &text[table.start..table.end];
    let mut lines = part.split_inclusive('\n');
    let first = lines.next().unwrap_or_default();
    let rule = lines.next().filter(|line| is_rule(line)).unwrap_or_default();
    Span::new(table.start, table.start + (first.len() + rule.len()))
}

/// A header as context: one line, without the bullet of a record.
pub(super) fn header_words(text: &str, header: Span) -> String {
    let line = text[header.start..header.end].lines().next().unwrap_or_default().trim();
    line.strip_prefix("- ").unwrap_or(line).to_owned()
}

fn is_rule(line: &str) -> bool {
    line.contains("--") && line.trim().chars().all(|c| "|-:+= ".contains(c))
}

/// Whether words are short enough to stand above every part.
pub(super) fn can_be_carried(words: &str, measure: Measure<'_>, room: usize) -> bool {
    words.len() <= room * 8 && measure.tokens(words) <= room / CARRIED_PART
}

/// Sentences that announce the list at hand: that of the list, and those of the items around an inner one.
#[derive(Default)]
pub(super) struct Announcements {
    /// Columns before the announcing words, and the words; those of a paragraph count as no column at all.
    open: Vec<(Option<usize>, String)>,
}

impl Announcements {
    /// Takes the next block and returns what announces it.
    pub(super) fn of(&mut self, text: &str, block: &Block) -> Vec<String> {
        let columns = columns_before(text, block.span);
        let is_item = block.kind == BlockKind::ListItem;
        // A paragraph or code inside an item stands below it, a few columns to the right.
        let goes_on = is_item || columns > 0;
        if !goes_on {
            self.open.clear();
        }
        self.open.retain(|(before, _)| before.is_none_or(|before| before < columns));
        let announced = if goes_on { self.open.iter().map(|(_, words)| words.clone()).collect() } else { Vec::new() };
        if matches!(block.kind, BlockKind::Paragraph | BlockKind::ListItem)
            && let Some(words) = announcing(text, block.span)
        {
            self.open.push((is_item.then_some(columns), words));
        }
        announced
    }
}

/// Columns of white space before a block's words, in its line.
fn columns_before(text: &str, span: Span) -> usize {
    let line = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let words = &text[line..span.end];
    words.len() - words.trim_start_matches([' ', '\t']).len()
}

/// The last sentence of a block, if it ends with a colon.
fn announcing(text: &str, span: Span) -> Option<String> {
    let words = text[span.start..span.end].trim_end_matches(|c: char| c.is_whitespace() || c == '*' || c == '_');
    if !words.ends_with([':', '：']) {
        return None;
    }
    let last = sentences_within(text, span).pop()?;
    let sentence = text[last.start..last.end].split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = sentence.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_numbered = bare.len() < sentence.len() && bare.starts_with(['.', ')']);
    let bare = if is_numbered { &bare[1..] } else { sentence.trim_start_matches(['-', '*', '+', '•']) };
    Some(bare.trim().to_owned()).filter(|bare| !bare.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::reader_for;
    use std::path::Path;

    fn announced(file: &str) -> Vec<String> {
        let path = Path::new("a.md");
        let read = reader_for(path).and_then(|reader| reader.read(file.as_bytes(), path)).expect("readable");
        let mut announcements = Announcements::default();
        read.blocks.iter().map(|block| announcements.of(&read.text, block).join(" > ")).collect()
    }

    #[test]
    fn items_know_what_announces_them() {
        assert_eq!(
            announced(
                "Load it. Check these:\n\n- one\n- two:\n  1. inner\n\n     its second paragraph\n- three\n\nEnd.\n\n- alone\n"
            ),
            ["", "Check these:", "Check these:", "Check these: > two:", "Check these: > two:", "Check these:", "", ""]
        );
    }

    #[test]
    fn a_header_is_the_first_line_with_its_rule() {
        for (table, header) in [
            ("| a | b |\n|---|:-:|\n| 1 | 2 |", "| a | b |\n|---|:-:|\n"),
            ("| a | b |\n| 1 | 2 |", "| a | b |\n"),
            ("- ID: 5\n- Name: x", "- ID: 5\n"),
        ] {
            let span = header_of(table, Span::new(0, table.len()));
            assert_eq!(&table[span.start..span.end], header);
        }
        assert_eq!(header_words("- ID: 5\n- Name: x", Span::new(0, 8)), "ID: 5");
    }
}
