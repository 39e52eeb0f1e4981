//! AsciiDoc: the file's text verbatim; only its blocks are found, line by line.

use std::path::Path;

use super::lines::{Line, LineBlocks, lines};
use super::{BlockKind, Extracted, Reader, data_addresses};
use crate::{ReadError, decode::decode};

pub(super) struct AsciiDoc;

impl Reader for AsciiDoc {
    fn endings(&self) -> &'static [&'static str] {
        &["adoc", "asciidoc", "asc"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["text/asciidoc"]
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Extracted, ReadError> {
        let text = decode(bytes)?;
        let blocks = data_addresses::cut_out(&text, blocks(&text));
        Ok(Extracted { title: super::first_heading(&blocks), text, blocks, ..Extracted::default() })
    }
}

fn blocks(text: &str) -> Vec<super::Block> {
    let lines = lines(text);
    let mut found = LineBlocks::default();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        let bare = line.text.trim_end();
        if let Some(kind) = delimited(bare) {
            let inside = lines[at + 1..].iter().position(|line| line.text.trim_end() == bare);
            let end = inside.map_or(lines.len(), |length| at + length + 2);
            match kind {
                Delimited::Block(kind) => found.block(kind, &lines[at..end]),
                Delimited::Comment => found.end(),
                // A caution, a quotation, a sidebar: what is inside is text, between its two marks.
                Delimited::Text => {
                    found.end();
                    at += 1;
                    continue;
                }
            }
            at = end;
        } else if let Some((level, title)) = title(bare) {
            found.heading(level, title, &lines[at..=at]);
            at += 1;
        } else if is_machinery(bare) {
            found.end();
            at += 1;
        } else {
            found.line(without_comment(line), is_item(bare));
            at += 1;
        }
    }
    found.finish()
}

enum Delimited {
    Block(BlockKind),
    Comment,
    Text,
}

/// What a line opens that consists of marks alone.
fn delimited(line: &str) -> Option<Delimited> {
    let is_row_of = |mark: char| line.len() >= 4 && line.chars().all(|c| c == mark);
    Some(match line {
        "|===" | ",===" | ":===" | "!===" => Delimited::Block(BlockKind::Table),
        _ if is_row_of('-') || is_row_of('.') || is_row_of('+') => Delimited::Block(BlockKind::Code),
        _ if line.starts_with("```") => Delimited::Block(BlockKind::Code),
        _ if is_row_of('/') => Delimited::Comment,
        _ if is_row_of('=') || is_row_of('*') || is_row_of('_') || line == "--" => Delimited::Text,
        _ => return None,
    })
}

/// Level and words of a title: `== Start`.
fn title(line: &str) -> Option<(usize, &str)> {
    let words = line.trim_start_matches('=');
    let level = line.len() - words.len();
    let words = words.strip_prefix(' ').map(str::trim).filter(|words| !words.is_empty())?;
    (1..=6).contains(&level).then_some((level, words))
}

/// Lines that say something to the program alone: attributes, comments, anchors, includes.
fn is_machinery(line: &str) -> bool {
    let is_attribute = line
        .strip_prefix(':')
        .and_then(|rest| rest.split_once(':'))
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_!".contains(c)));
    let is_style = line.starts_with('[') && line.ends_with(']') && !is_admonition(line);
    (line.starts_with("//") && !line.starts_with("///"))
        || is_attribute
        || is_style
        || ["include::", "ifdef::", "ifndef::", "endif::", "toc::"].iter().any(|mark| line.starts_with(mark))
}

/// `[WARNING]` above a block says what the block is.
fn is_admonition(line: &str) -> bool {
    ["[NOTE", "[TIP", "[IMPORTANT", "[WARNING", "[CAUTION"].iter().any(|mark| line.starts_with(mark))
}

fn without_comment(line: Line<'_>) -> Line<'_> {
    // A line with only a continuation mark joins an item with what follows.
    if line.text.trim() == "+" { Line { text: "", ..line } } else { line }
}

fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let marks = line.trim_start_matches(['*', '.', '-']);
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    (marks.len() < line.len() && marks.starts_with(' '))
        || (number.len() < line.len() && number.starts_with(". "))
        || line.split_once(":: ").is_some_and(|(term, _)| !term.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_and_the_text_is_the_file() {
        let file = "= Pumps\n:toc: left\n\nIntro text\nin two lines.\n\n== Start\n\n// a comment\nNOTE: Never dry.\n\n[WARNING]\n====\nHot.\n====\n\n\
                    . Open it.\n. Close\nit.\n\n[source,sh]\n----\nls\n\npwd\n----\n\n|===\n| a | b\n\n| 1 | 2\n|===\n";
        let read = AsciiDoc.read(file.as_bytes(), Path::new("a.adoc")).unwrap();
        assert_eq!((read.text.as_str(), read.title.as_deref()), (file, Some("Pumps")));
        let shown: Vec<String> =
            read.blocks.iter().map(|block| file[block.span.start..block.span.end].to_owned()).collect();
        assert_eq!(
            shown,
            [
                "= Pumps",
                "Intro text\nin two lines.",
                "== Start",
                "NOTE: Never dry.",
                "[WARNING]",
                "Hot.",
                ". Open it.",
                ". Close\nit.",
                "----\nls\n\npwd\n----",
                "|===\n| a | b\n\n| 1 | 2\n|===",
            ]
        );
        assert_eq!(read.blocks[2].kind, BlockKind::Heading { level: 2, title: "Start".to_owned() });
    }
}
