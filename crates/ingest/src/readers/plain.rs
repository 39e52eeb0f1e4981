//! Plain text: the file's text verbatim, a paragraph wherever blank lines part it.

use std::path::Path;

use qanda_core::Span;

use super::{Block, BlockKind, Extracted, Reader, data_addresses};
use crate::{ReadError, decode::decode};

pub(super) struct Plain;

impl Reader for Plain {
    fn endings(&self) -> &'static [&'static str] {
        &["txt", "text"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["text/plain"]
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Extracted, ReadError> {
        let text = decode(bytes)?;
        let blocks = data_addresses::cut_out(&text, paragraphs(&text, &BlockKind::Paragraph));
        Ok(Extracted { text, blocks, ..Extracted::default() })
    }
}

/// Blocks of a kind, wherever blank lines part them.
pub(super) fn paragraphs(text: &str, kind: &BlockKind) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Span> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let words = Span::new(at, at + line.trim_end().len());
        at += line.len();
        if words.is_empty() {
            blocks.extend(open.take());
        } else {
            open = Some(open.map_or(words, |paragraph| paragraph.cover(words)));
        }
    }
    blocks.extend(open);
    blocks.into_iter().map(|span| Block { kind: kind.clone(), span }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_parted_by_blank_lines_and_the_text_is_the_file() {
        let file = "  Erste Zeile\r\nzweite ≥ Zeile\r\n \r\n\r\nNächster Absatz";
        let read = Plain.read(file.as_bytes(), Path::new("a.txt")).unwrap();
        assert_eq!(read.text, file);
        let blocks: Vec<&str> = read.blocks.iter().map(|block| &file[block.span.start..block.span.end]).collect();
        assert_eq!(blocks, ["  Erste Zeile\r\nzweite ≥ Zeile", "Nächster Absatz"]);
    }
}
