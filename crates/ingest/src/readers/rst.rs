//! reStructuredText: the file's text verbatim; only its blocks are found, line by line.

use std::path::Path;

use super::lines::{Line, LineBlocks, indent, lines};
use super::{BlockKind, Extracted, Reader, data_addresses};
use crate::{ReadError, decode::decode};

/// Marks with which titles are underlined.
const UNDERLINES: &str = "=-~^\"'`#*+.:_<>!$%&(),/;?@[\\]{|}";

/// Directives that say nothing to a reader of the text.
const MACHINERY: [&str; 9] =
    ["toctree", "contents", "include", "highlight", "index", "meta", "raw", "role", "default-role"];

pub(super) struct ReStructuredText;

impl Reader for ReStructuredText {
    fn endings(&self) -> &'static [&'static str] {
        &["rst", "rest"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["text/x-rst", "text/prs.fallenstein.rst"]
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
    // Signs of titles in the order in which they first come: the outermost first.
    let mut levels: Vec<(char, bool)> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if let Some((title, mark, length)) = title(&lines[at..]) {
            let known = levels.iter().position(|level| *level == mark);
            let level = known.unwrap_or_else(|| {
                levels.push(mark);
                levels.len() - 1
            });
            found.heading(level + 1, title.text.trim(), &lines[at..at + length]);
            at += length;
        } else if let Some(name) = line.text.trim_start().strip_prefix(".. ") {
            at = directive(&lines, at, name, &mut found);
        } else if is_table_border(line.text) {
            let end = at + lines[at..].iter().take_while(|line| !line.text.trim().is_empty()).count();
            found.block(BlockKind::Table, &lines[at..end]);
            at = end;
        } else if opens_code(&found, &lines, at) {
            let end = indented_until(&lines, at, indent(line.text));
            found.block(BlockKind::Code, &lines[at..end]);
            at = end;
        } else {
            found.line(line, is_item(line.text));
            at += 1;
        }
    }
    found.finish()
}

/// The line of a title, its mark and whether that stands above it as well, and the lines that all takes.
fn title<'a>(lines: &[Line<'a>]) -> Option<(Line<'a>, (char, bool), usize)> {
    let mark = |line: &Line<'_>| {
        let bare = line.text.trim_end();
        let mark = bare.chars().next().filter(|mark| UNDERLINES.contains(*mark))?;
        (bare.chars().count() >= 2 && bare.chars().all(|c| c == mark)).then(|| (mark, bare.chars().count()))
    };
    let words = |line: &Line<'_>| !line.text.trim().is_empty() && mark(line).is_none();
    if let [over, title, under, ..] = lines
        && let (Some((above, _)), Some((below, _))) = (mark(over), mark(under))
        && above == below
        && words(title)
    {
        return Some((*title, (above, true), 3));
    }
    if let [title, under, ..] = lines
        && let Some((below, length)) = mark(under)
        && words(title)
        && !title.text.starts_with(' ')
        && length + 2 >= title.text.trim().chars().count().min(8)
    {
        return Some((*title, (below, false), 2));
    }
    None
}

/// A directive or a comment: content is kept, machinery and comments are in no block.
fn directive(lines: &[Line<'_>], at: usize, name: &str, found: &mut LineBlocks) -> usize {
    let end = indented_until(lines, at + 1, indent(lines[at].text) + 1);
    let is_note = name.starts_with('[') || name.starts_with('|');
    let Some((directive, _)) = name.split_once("::").filter(|_| !is_note) else {
        if is_note {
            found.block(BlockKind::Paragraph, &lines[at..end]);
        }
        // Else it is a comment, or the name of a place.
        found.end();
        return end;
    };
    match directive.trim() {
        name if MACHINERY.contains(&name) => found.end(),
        "code" | "code-block" | "sourcecode" | "parsed-literal" | "literalinclude" => {
            found.block(BlockKind::Code, &lines[at..end]);
        }
        "list-table" | "csv-table" | "table" => found.block(BlockKind::Table, &lines[at..end]),
        _ => {
            // A caution, a figure: its first line and what stands in it, as text.
            found.end();
            for line in &lines[at..end] {
                let is_option = line.text.trim_start().starts_with(':') && !line.text.trim_end().ends_with(':');
                if is_option {
                    found.end();
                } else {
                    found.line(*line, is_item(line.text));
                }
            }
            found.end();
        }
    }
    end
}

/// The end of the lines that are indented at least so far, without blank ones behind them.
fn indented_until(lines: &[Line<'_>], from: usize, columns: usize) -> usize {
    let mut end = from;
    for (at, line) in lines.iter().enumerate().skip(from) {
        if line.text.trim().is_empty() {
            continue;
        }
        if indent(line.text) < columns.max(1) {
            break;
        }
        end = at + 1;
    }
    end
}

/// Whether an indented line follows a paragraph that ends in `::`.
fn opens_code(found: &LineBlocks, lines: &[Line<'_>], at: usize) -> bool {
    indent(lines[at].text) > 0
        && !found.is_open()
        && lines[..at]
            .iter()
            .rev()
            .find(|line| !line.text.trim().is_empty())
            .is_some_and(|line| line.text.trim_end().ends_with("::"))
}

fn is_table_border(line: &str) -> bool {
    let line = line.trim();
    (line.starts_with("+-") && line.chars().all(|c| "+-=".contains(c)))
        || (line.starts_with("==") && line.contains("= =") && line.chars().all(|c| c == '=' || c == ' '))
}

fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == '#');
    line.starts_with("- ")
        || line.starts_with("* ")
        || line.starts_with("+ ")
        || (number.len() < line.len() && (number.starts_with(". ") || number.starts_with(") ")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_and_the_text_is_the_file() {
        let file = "=====\nPumps\n=====\n\nIntro text\nin two lines.\n\nStart\n-----\n\n.. a comment\n\n.. warning::\n   Never dry.\n\n\
                    1. Open it.\n2. Close\n   it.\n\nRun this::\n\n    ls\n\n    pwd\n\n.. toctree::\n   a\n\n\
                    +---+---+\n| a | b |\n+===+===+\n| 1 | 2 |\n+---+---+\n\n.. [1] A footnote.\n";
        let read = ReStructuredText.read(file.as_bytes(), Path::new("a.rst")).unwrap();
        assert_eq!((read.text.as_str(), read.title.as_deref()), (file, Some("Pumps")));
        let shown: Vec<String> =
            read.blocks.iter().map(|block| file[block.span.start..block.span.end].to_owned()).collect();
        assert_eq!(
            shown,
            [
                "=====\nPumps\n=====",
                "Intro text\nin two lines.",
                "Start\n-----",
                ".. warning::\n   Never dry.",
                "1. Open it.",
                "2. Close\n   it.",
                "Run this::",
                "    ls\n\n    pwd",
                "+---+---+\n| a | b |\n+===+===+\n| 1 | 2 |\n+---+---+",
                ".. [1] A footnote.",
            ]
        );
        assert_eq!(read.blocks[2].kind, BlockKind::Heading { level: 2, title: "Start".to_owned() });
        assert_eq!((&read.blocks[4].kind, &read.blocks[7].kind), (&BlockKind::ListItem, &BlockKind::Code));
    }
}
