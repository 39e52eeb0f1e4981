//! Blocks of formats that are read line by line.

use qanda_core::Span;

use super::{Block, BlockKind};

/// A line of a text, without its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    /// First byte in the text.
    pub(super) start: usize,
}

/// The lines of a text.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let found = Line { text: line.trim_end_matches(['\n', '\r']), start };
            start += line.len();
            found
        })
        .collect()
}

/// Columns of white space at the start of a line.
pub(super) fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// Blocks under way.
#[derive(Default)]
pub(super) struct LineBlocks {
    blocks: Vec<Block>,
    open: Option<Block>,
}

impl LineBlocks {
    /// Takes a line of running text: a blank one ends a paragraph, an item begins its own.
    pub(super) fn line(&mut self, line: Line<'_>, is_item: bool) {
        let words = line.text.trim_end();
        if words.trim().is_empty() {
            return self.end();
        }
        let span = Span::new(line.start, line.start + words.len());
        if is_item {
            self.end();
        }
        match &mut self.open {
            Some(block) => block.span = block.span.cover(span),
            None => {
                let kind = if is_item { BlockKind::ListItem } else { BlockKind::Paragraph };
                self.open = Some(Block { kind, span });
            }
        }
    }

    /// Takes a heading that stands in these lines.
    pub(super) fn heading(&mut self, level: usize, title: &str, lines: &[Line<'_>]) {
        let level = u8::try_from(level.clamp(1, 6)).unwrap_or(6);
        self.block(BlockKind::Heading { level, title: title.to_owned() }, lines);
    }

    /// Takes lines that are one block.
    pub(super) fn block(&mut self, kind: BlockKind, lines: &[Line<'_>]) {
        self.end();
        let filled = |line: &&Line<'_>| !line.text.trim().is_empty();
        let (Some(first), Some(last)) = (lines.iter().find(filled), lines.iter().rev().find(filled)) else { return };
        let span = Span::new(first.start, last.start + last.text.trim_end().len());
        self.blocks.push(Block { kind, span });
    }

    /// Whether a paragraph or an item is open.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Ends the open block.
    pub(super) fn end(&mut self) {
        self.blocks.extend(self.open.take());
    }

    /// The blocks, in the order of the text.
    pub(super) fn finish(mut self) -> Vec<Block> {
        self.end();
        self.blocks
    }
}
