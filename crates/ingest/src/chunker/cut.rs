//! Cuts blocks into units that fit a passage, only as finely as needed.

use qanda_core::Span;
use qanda_core::language::sentences_within;
use unicode_segmentation::UnicodeSegmentation;

use super::Measure;
use super::context::{can_be_carried, header_of, header_words};
use crate::readers::{Block, BlockKind};

/// No text is counted as a whole that is longer than this for each token of room: it is surely too long, and a
/// tokenizer may take a hundred times its size in memory.
const BYTES_PER_TOKEN: usize = 16;

/// A piece of text that is not cut any further.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// Place where it stands, without white space around it.
    pub(super) span: Span,
    /// Tokens of its text.
    pub(super) tokens: usize,
    /// What stands above a passage that begins with it, below the headings.
    pub(super) carried: Vec<String>,
    /// Tokens that this takes.
    pub(super) carried_tokens: usize,
}

impl Unit {
    fn new(span: Span, tokens: usize) -> Self {
        Self { span, tokens, carried: Vec::new(), carried_tokens: 0 }
    }
}

/// Places at which a text may be cut.
#[derive(Debug, Clone, Copy)]
enum Level {
    Sentence,
    Line,
    Word,
    /// Inside a word without end: behind a mark that parts what is written without spaces.
    Mark,
    /// Between characters as people see them, as many to a piece as there are tokens of room.
    Character,
}

/// Coarse to fine, for text whose line ends mean little.
const PROSE: &[Level] = &[Level::Sentence, Level::Line, Level::Word, Level::Mark, Level::Character];

/// Coarse to fine, for text in which a line is a row or a statement.
const LINES: &[Level] = &[Level::Line, Level::Sentence, Level::Word, Level::Mark, Level::Character];

#[derive(Clone, Copy)]
pub(super) struct Cutter<'a> {
    pub(super) text: &'a str,
    pub(super) measure: Measure<'a>,
    /// Most tokens of a unit, at least 1.
    pub(super) room: usize,
}

impl Cutter<'_> {
    /// The units of a block, in order; together they hold every character of it that is not white space.
    pub(super) fn units(&self, block: &Block) -> Vec<Unit> {
        let mut units = Vec::new();
        match block.kind {
            BlockKind::Table => return self.rows(trim(self.text, block.span)),
            BlockKind::Code => self.cut(block.span, LINES, &mut units),
            _ => self.cut(block.span, PROSE, &mut units),
        }
        units
    }

    /// The units of a table: its rows, each of which knows the header. The header itself stays with the first row.
    fn rows(&self, table: Span) -> Vec<Unit> {
        let mut units = Vec::new();
        let header = header_of(self.text, table);
        let words = header_words(self.text, header);
        let is_whole = self.tokens(table).is_some_and(|tokens| tokens <= self.room);
        if is_whole || !can_be_carried(&words, self.measure, self.room) {
            self.cut(table, LINES, &mut units);
            return units;
        }
        let carried_tokens = self.measure.tokens(&words) + 1;
        let below = Cutter { room: self.room.saturating_sub(carried_tokens).max(1), ..*self };
        let first_row = self.text[header.end..table.end].find('\n').map_or(table.end, |end| header.end + end + 1);
        let top = trim(self.text, Span::new(table.start, first_row));
        let (top, rest) = match self.tokens(top).filter(|tokens| *tokens <= self.room) {
            Some(_) => (top, Span::new(first_row, table.end)),
            None => (header, Span::new(header.end, table.end)),
        };
        self.cut(top, LINES, &mut units);
        for row in spans_of(self.text[rest.start..rest.end].split_inclusive('\n'), rest.start) {
            let first = units.len();
            below.cut(row, LINES, &mut units);
            for unit in &mut units[first..] {
                unit.carried = vec![words.clone()];
                unit.carried_tokens = carried_tokens;
            }
        }
        units
    }

    /// Names what stands above the units of a block inside a list.
    pub(super) fn below(&self, announced: &[String], mut unit: Unit) -> Unit {
        if !announced.is_empty() {
            unit.carried_tokens += announced.iter().map(|words| self.measure.tokens(words) + 1).sum::<usize>();
            unit.carried = [announced, &unit.carried].concat();
        }
        unit
    }

    /// Tokens of a text; `None` if it is too long to be worth counting.
    pub(super) fn tokens(&self, span: Span) -> Option<usize> {
        let short = span.len() <= self.room.saturating_mul(BYTES_PER_TOKEN);
        short.then(|| self.measure.tokens(&self.text[span.start..span.end]))
    }

    fn cut(&self, span: Span, levels: &[Level], units: &mut Vec<Unit>) {
        let span = trim(self.text, span);
        if span.is_empty() {
            return;
        }
        if let Some(tokens) = self.tokens(span).filter(|tokens| *tokens <= self.room) {
            return units.push(Unit::new(span, tokens));
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
                None => units.push(Unit::new(span, self.room)),
            },
        }
    }

    fn pieces(&self, span: Span, level: Level) -> Vec<Span> {
        let part = &self.text[span.start..span.end];
        match level {
            Level::Sentence => sentences_within(self.text, span),
            Level::Line => spans_of(part.split_inclusive('\n'), span.start),
            Level::Word => spans_of(part.split_inclusive(char::is_whitespace), span.start),
            Level::Mark => {
                let marks = part.grapheme_indices(true).filter(|(_, seen)| seen.starts_with(parts_words));
                spans_between(span, marks.map(|(at, mark)| at + mark.len()))
            }
            Level::Character => {
                let characters = part.grapheme_indices(true).step_by(self.room);
                spans_between(span, characters.map(|(at, _)| at))
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

/// Whether a mark parts words or statements that stand without spaces: clauses of Chinese and Japanese, fields of JSON,
/// parts of addresses, zero-width spaces of Thai and Khmer.
fn parts_words(mark: char) -> bool {
    matches!(mark, '\u{200b}' | '\u{ad}') || ",;:!?)]}>|/&=-_。、，；：！？）】」』》·•…।॥؛،۔།".contains(mark)
}

/// Cuts a text near the middle: between characters as people see them, inside of one only where it is alone; `None`
/// if it is a single code point.
pub(super) fn halves(text: &str, span: Span) -> Option<(Span, Span)> {
    let part = &text[span.start..span.end];
    let near_middle = |cut: &usize| cut.abs_diff(part.len() / 2);
    let between = part.grapheme_indices(true).map(|(at, _)| at).skip(1).min_by_key(near_middle);
    let inside = || part.char_indices().map(|(at, _)| at).skip(1).min_by_key(near_middle);
    let cut = span.start + between.or_else(inside)?;
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

/// The parts of a span between cuts, which count from its start.
fn spans_between(span: Span, cuts: impl Iterator<Item = usize>) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut start = span.start;
    for cut in cuts.map(|cut| span.start + cut).chain([span.end]) {
        if cut > start {
            spans.push(Span::new(start, cut));
            start = cut;
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_whole_characters() {
        for (text, cut) in [
            ("a漢", 1),
            ("漢a", 3),
            ("ab", 1),
            ("é漢x", 2),
            ("ééé", 2),
            ("👩‍👩‍👧x", 18),
            // A base with nothing but marks on it is cut between those.
            ("e\u{301}\u{302}\u{303}", 3),
        ] {
            let whole = Span::new(0, text.len());
            assert_eq!(halves(text, whole), Some((Span::new(0, cut), Span::new(cut, text.len()))), "{text}");
        }
        assert_eq!(halves("漢", Span::new(0, 3)), None);
        assert_eq!(halves("", Span::new(0, 0)), None);
    }
}
