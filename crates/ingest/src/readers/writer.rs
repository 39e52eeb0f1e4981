//! Writes the text of formats that have none of their own, and remembers its blocks.

use qanda_core::Span;

use super::{Block, BlockKind, Extracted};

/// Spaces before an item stop growing here, or deep lists would be mostly spaces.
const MAX_INDENT: usize = 8;

/// A document as text.
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
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Next {
    Heading(u8),
    /// An item of a list.
    Item {
        /// Number of lists around its list.
        depth: usize,
        /// Its bullet or number: "-", "4.".
        marker: String,
    },
    Code,
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
            Some(Next::Item { .. }) => BlockKind::ListItem,
            Some(Next::Code) => BlockKind::Code,
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
        self.next = self.next.take().filter(|next| matches!(next, Next::Item { .. }));
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

    /// Puts a mark behind the open block's words, unless they end in one.
    pub(super) fn close_with(&mut self, mark: char) {
        let start = self.open.as_ref().map_or(self.text.len(), |open| open.start);
        if self.text[start..].ends_with(|c: char| c.is_alphanumeric() || matches!(c, ')' | ']')) {
            self.text.push(mark);
        }
    }

    /// Takes what came before back to the last word, for what belongs to it: an index, a closing mark.
    pub(super) fn no_gap(&mut self) {
        self.space = false;
    }

    /// A paragraph of its own.
    pub(super) fn paragraph(&mut self, words: &str) {
        self.whole(None, words);
    }

    /// A heading of its own; levels beyond 6 are 6.
    pub(super) fn heading(&mut self, level: usize, words: &str) {
        let level = u8::try_from(level.clamp(1, 6)).unwrap_or(6);
        self.whole(Some(Next::Heading(level)), words);
    }

    /// A line of code; lines that follow each other are one block.
    pub(super) fn code_line(&mut self, line: &str) {
        self.begin(Some(Next::Code));
        let last =
            self.blocks.last().filter(|block| block.kind == BlockKind::Code && block.span.end == self.text.len());
        match last.map(|block| block.span.start) {
            Some(start) => {
                self.blocks.pop();
                self.next = None;
                self.open = Some(Open { kind: Some(Next::Code), start });
                self.text.push('\n');
                self.text.push_str(line);
            }
            None => self.verbatim(line),
        }
        self.begin(None);
    }

    fn whole(&mut self, kind: Option<Next>, words: &str) {
        self.begin(kind);
        for (number, line) in words.lines().enumerate() {
            if number > 0 {
                self.line_break();
            }
            self.words(line);
        }
        self.begin(None);
    }

    /// First byte of a page that begins here.
    pub(super) fn begin_page(&mut self) -> usize {
        self.begin(None);
        if self.text.is_empty() { 0 } else { self.text.len() + 2 }
    }

    /// Adds another document's text and blocks.
    pub(super) fn append(&mut self, part: &Extracted) {
        self.begin(None);
        if !self.text.is_empty() {
            self.text.push_str("\n\n");
        }
        let start = self.text.len();
        self.text.push_str(&part.text);
        let shifted =
            part.blocks.iter().map(|Block { kind, span }| Block { kind: kind.clone(), span: span.shifted(start) });
        self.blocks.extend(shifted);
    }

    /// The document, with the title given or that of its first heading.
    pub(super) fn finish(mut self, title: Option<String>) -> Extracted {
        self.end_block();
        let tidy = |title: String| title.split_whitespace().collect::<Vec<_>>().join(" ");
        let first_heading = || {
            self.blocks.iter().find_map(|block| match &block.kind {
                BlockKind::Heading { title, .. } => Some(title.clone()),
                _ => None,
            })
        };
        let title = title.map(tidy).filter(|title| !title.is_empty()).or_else(first_heading);
        Extracted { title, text: self.text, blocks: self.blocks, ..Extracted::default() }
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
        let item = matches!(kind, Some(Next::Item { .. }));
        let after_item = self.blocks.last().is_some_and(|block| block.kind == BlockKind::ListItem);
        if !self.text.is_empty() {
            self.text.push_str(if item && after_item { "\n" } else { "\n\n" });
        }
        let start = self.text.len();
        if let Some(Next::Item { depth, marker }) = &kind {
            self.text.push_str(&"  ".repeat((*depth).min(MAX_INDENT)));
            self.text.push_str(marker);
            self.text.push(' ');
        }
        self.open = Some(Open { kind, start });
    }
}
