//! Writes a page's text and remembers its blocks.

use qanda_core::Span;

use super::super::{Block, BlockKind};

/// Spaces before an item stop growing here, or deep lists would be mostly spaces.
const MAX_INDENT: usize = 8;

/// A page as text.
#[derive(Default)]
pub(super) struct Page {
    /// Blocks parted by a blank line; list items by a line end.
    pub(super) text: String,
    /// Place of each.
    pub(super) blocks: Vec<Block>,
    open: Option<Open>,
    /// Kind of block that the next words begin, if it is something else than a paragraph.
    next: Option<Next>,
    /// White space was read and not written yet; it is not written at all at the end of a line.
    space: bool,
}

/// Kind of block that the next words begin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Heading(u8),
    /// An item, with the number of lists around its list.
    Item(usize),
    Code,
    Table,
}

struct Open {
    kind: Option<Next>,
    start: usize,
}

impl Page {
    /// Ends the open block; the next words begin another.
    pub(super) fn end_block(&mut self) {
        self.space = false;
        let Some(open) = self.open.take() else { return };
        let end = open.start + self.text[open.start..].trim_end().len();
        self.text.truncate(end);
        if end == open.start {
            return;
        }
        let span = Span::new(open.start, end);
        let kind = match open.kind {
            None => BlockKind::Paragraph,
            Some(Next::Heading(level)) => {
                let title = self.text[open.start..].split_whitespace().collect::<Vec<_>>().join(" ");
                BlockKind::Heading { level, title }
            }
            Some(Next::Item(_)) => BlockKind::ListItem,
            Some(Next::Code) => BlockKind::Code,
            Some(Next::Table) => BlockKind::Table,
        };
        self.blocks.push(Block { kind, span });
    }

    /// Ends the open block and says what the next words begin; `None` is a paragraph.
    pub(super) fn begin(&mut self, next: Option<Next>) {
        self.end_block();
        self.next = next;
    }

    /// Ends the open block. An item that has no words yet stays an item: its words may be in an inner block.
    pub(super) fn begin_inner(&mut self) {
        self.end_block();
        self.next = self.next.filter(|next| matches!(next, Next::Item(_)));
    }

    /// Adds words, with every run of white space as one space.
    pub(super) fn words(&mut self, words: &str) {
        for c in words.chars() {
            if c.is_whitespace() {
                self.space = true;
            } else if c != '\u{ad}' && c != '\u{200b}' {
                // (Soft hyphens and zero-width spaces would hide the word from a search.)
                self.write_space();
                self.text.push(c);
            }
        }
    }

    /// Adds text as it is.
    pub(super) fn verbatim(&mut self, text: &str) {
        if self.open.is_some() || !text.trim().is_empty() {
            self.open_block();
            self.text.push_str(text);
        }
    }

    /// White space between what was written and what will be.
    pub(super) fn gap(&mut self) {
        self.space = true;
    }

    /// Goes on in a new line of the same block.
    pub(super) fn line_break(&mut self) {
        self.space = false;
        if self.open.as_ref().is_some_and(|open| self.text.len() > open.start) && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// Bytes written so far.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Takes back the open block's text from `len` on, if there are no words in it.
    pub(super) fn take_back_if_blank(&mut self, len: usize) {
        let start = self.open.as_ref().map_or(self.text.len(), |open| open.start.max(len));
        if !self.text[start..].contains(char::is_alphanumeric) {
            self.text.truncate(start);
            self.space = false;
        }
    }

    /// Opens a block if none is, and writes the space that is due.
    fn write_space(&mut self) {
        if self.open.is_none() {
            self.open_block();
        } else if self.space && !self.text.ends_with(['\n', ' ']) {
            self.text.push(' ');
        }
        self.space = false;
    }

    fn open_block(&mut self) {
        if self.open.is_some() {
            return;
        }
        let kind = self.next.take();
        let item = matches!(kind, Some(Next::Item(_)));
        let after_item = self.blocks.last().is_some_and(|block| block.kind == BlockKind::ListItem);
        if !self.text.is_empty() {
            self.text.push_str(if item && after_item { "\n" } else { "\n\n" });
        }
        let start = self.text.len();
        if let Some(Next::Item(depth)) = kind {
            self.text.push_str(&"  ".repeat(depth.min(MAX_INDENT)));
            self.text.push_str("- ");
        }
        self.open = Some(Open { kind, start });
    }
}
