//! Cuts blocks into units that fit a passage, only as finely as needed.

use qanda_core::language::sentences_within;
use qanda_core::{Span, ports::TokenCounter};

use crate::readers::{Block, BlockKind};

/// No text is counted as a whole that is longer than this for each token of room: it is surely too long, and a
/// tokenizer may take a hundred times its size in memory.
const BYTES_PER_TOKEN: usize = 16;

/// A piece of text that is not cut any further.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    /// Where it stands, without white space around it.
    pub(super) span: Span,
    /// Tokens of its text.
    pub(super) tokens: usize,
}

/// Where a text may be cut.
#[derive(Debug, Clone, Copy)]
enum Level {
    Sentence,
    Line,
    Word,
    Character,
}

/// Coarse to fine, for text whose line ends mean little.
const PROSE: &[Level] = &[Level::Sentence, Level::Line, Level::Word, Level::Character];

/// Coarse to fine, for text in which a line is a row or a statement.
const LINES: &[Level] = &[Level::Line, Level::Sentence, Level::Word, Level::Character];

pub(super) struct Cutter<'a> {
    pub(super) text: &'a str,
    pub(super) counter: &'a dyn TokenCounter,
    /// Most tokens of a unit, at least 1.
    pub(super) room: usize,
}

impl Cutter<'_> {
    /// The units of a block, in order; together they hold every character of it that is not white space.
    pub(super) fn units(&self, block: &Block) -> Vec<Unit> {
        let mut units = Vec::new();
        let levels = if matches!(block.kind, BlockKind::Code | BlockKind::Table) { LINES } else { PROSE };
        self.cut(block.span, levels, &mut units);
        units
    }

    /// Tokens of a text; `None` if it is too long to be worth counting.
    pub(super) fn tokens(&self, span: Span) -> Option<usize> {
        let short = span.len() <= self.room.saturating_mul(BYTES_PER_TOKEN);
        short.then(|| self.counter.count_tokens(&self.text[span.start..span.end]))
    }

    fn cut(&self, span: Span, levels: &[Level], units: &mut Vec<Unit>) {
        let span = trim(self.text, span);
        if span.is_empty() {
            return;
        }
        if let Some(tokens) = self.tokens(span).filter(|tokens| *tokens <= self.room) {
            return units.push(Unit { span, tokens });
        }
        match levels.split_first() {
            Some((level, finer)) => {
                for piece in self.pieces(span, *level) {
                    self.cut(piece, finer, units);
                }
            }
            None => match halves(self.text, span) {
                Some((left, right)) => {
                    self.cut(left, levels, units);
                    self.cut(right, levels, units);
                }
                // A single character that takes more tokens than there is room: nothing is left to cut.
                None => units.push(Unit { span, tokens: self.room }),
            },
        }
    }

    fn pieces(&self, span: Span, level: Level) -> Vec<Span> {
        let part = &self.text[span.start..span.end];
        match level {
            Level::Sentence => sentences_within(self.text, span),
            Level::Line => spans_of(part.split_inclusive('\n'), span.start),
            Level::Word => spans_of(part.split_inclusive(char::is_whitespace), span.start),
            Level::Character => {
                let mut cuts: Vec<usize> =
                    part.char_indices().step_by(self.room).map(|(at, _)| span.start + at).collect();
                cuts.push(span.end);
                cuts.windows(2).map(|cut| Span::new(cut[0], cut[1])).collect()
            }
        }
    }
}

/// `span` without the white space at its ends.
pub(super) fn trim(text: &str, span: Span) -> Span {
    let part = &text[span.start..span.end];
    let start = span.start + (part.len() - part.trim_start().len());
    Span::new(start, start + part.trim().len())
}

/// Cuts a text near the middle, between characters; `None` if it is a single one.
pub(super) fn halves(text: &str, span: Span) -> Option<(Span, Span)> {
    let middle = (span.start + span.len() / 2).max(span.start + 1);
    let cut = (middle..span.end).chain((span.start + 1..middle).rev()).find(|at| text.is_char_boundary(*at))?;
    Some((Span::new(span.start, cut), Span::new(cut, span.end)))
}

fn spans_of<'a>(pieces: impl Iterator<Item = &'a str>, start: usize) -> Vec<Span> {
    pieces
        .scan(start, |at, piece| {
            let span = Span::new(*at, *at + piece.len());
            *at = span.end;
            Some(span)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_whole_characters() {
        for (text, cut) in [("a漢", 1), ("漢a", 3), ("ab", 1), ("é漢x", 5), ("ééé", 4)] {
            let whole = Span::new(0, text.len());
            assert_eq!(halves(text, whole), Some((Span::new(0, cut), Span::new(cut, text.len()))), "{text}");
        }
        assert_eq!(halves("漢", Span::new(0, 3)), None);
        assert_eq!(halves("", Span::new(0, 0)), None);
    }
}
