//! Text into passages, by its structure.
//!
//! 1. Headings part the text into sections; a passage never crosses one.
//! 2. Inside a section, blocks that fit are taken whole; longer ones are cut into sentences (rows of tables and
//!    lines of code into lines), those into words, words without end at punctuation, those between characters, only
//!    as far as needed.
//!    What a part of a long table or list needs beside it, the names of the columns or the sentence that announces the
//!    list, is carried along below its headings.
//! 3. What came out is packed together again, as much as the budget holds.
//!
//! The budget is one of tokens and of characters ([`Measure`]): some tokenizers take a whole run that they do not know
//! for one token, however long it is.
//!
//! Tokens are counted once for each piece and added up. That the sum is right is checked once, on the whole
//! passage under its headings; a tokenizer whose tokens do not add up costs a split, never a passage that is too
//! long.

mod context;
mod cut;
mod measure;
mod sections;

use std::ops::Range;

use qanda_core::Span;
use qanda_core::document::with_context;
use qanda_core::ports::TokenCounter;

use self::context::{Announcements, can_be_carried};
use self::cut::{Cutter, Unit, halves, trim};
pub use self::measure::{CHARACTERS_PER_TOKEN, Measure};
use self::sections::{Section, sections};
use crate::readers::Extracted;

/// The last passage of a section is evened out with the one before if it is smaller than this part of the room.
const SMALL_PART: usize = 4;

/// A heading longer than this part of the budget is text, not context.
const HEADING_PART: usize = 4;

/// The headings above a passage take at most this part of the budget; the outermost ones are left out first.
const CONTEXT_PART: usize = 2;

/// Most sentences that announce a list inside a list and are carried along.
const CARRIED: usize = 3;

/// A passage, before it is embedded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Place where it stands in the document's text, without white space around it.
    pub span: Span,
    /// Headings above it, outermost first; below them what a part of a table or a list cannot be understood without:
    /// the header as `| Name | Dose |`, the sentence that announces the list.
    pub headings: Vec<String>,
}

/// Cuts a document into passages: in the order of the text, without overlaps, every word of every block in
/// exactly one of them (a heading only where no text comes below it).
///
/// No passage takes more than `budget` tokens by `counter`, or [`CHARACTERS_PER_TOKEN`] times as many characters, counted
/// as it is embedded: under `title` and its headings, as [`with_context`] writes them. (For a title that leaves no room
/// at all that cannot be; the recipe of a document shortens titles.)
#[must_use]
pub fn passages(title: &str, document: &Extracted, counter: &dyn TokenCounter, budget: usize) -> Vec<Chunk> {
    let longest_heading = budget / HEADING_PART;
    let measure = Measure(counter);
    let is_context = |heading: &str| heading.len() < budget * 4 && measure.tokens(heading) <= longest_heading;
    let job = Job { title, text: &document.text, measure, budget };
    sections(&document.blocks, is_context).into_iter().flat_map(|section| job.section(section)).collect()
}

struct Job<'a> {
    title: &'a str,
    text: &'a str,
    measure: Measure<'a>,
    budget: usize,
}

impl Job<'_> {
    fn section(&self, section: Section<'_>) -> Vec<Chunk> {
        let (headings, room) = self.context(section.headings);
        let mut announcements = Announcements::default();
        let mut units = Vec::new();
        for block in section.blocks {
            let announced = announcements.of(self.text, block).into_iter();
            // A sentence that is too long to stand above all of a list is in its first part alone.
            let carried: Vec<String> =
                announced.filter(|words| can_be_carried(words, self.measure, room)).take(CARRIED).collect();
            let room = self.room_below(&headings, &carried, room);
            let cutter = Cutter { text: self.text, measure: self.measure, room };
            units.extend(cutter.units(block).into_iter().map(|unit| cutter.below(&carried, unit)));
        }
        let cutter = Cutter { text: self.text, measure: self.measure, room };
        let mut chunks = Vec::new();
        for group in pack(&units, &self.gaps(&units, &cutter), room) {
            self.settle(&units[group], &headings, &mut chunks);
        }
        chunks
    }

    /// Tokens that are left for text when something is carried below the headings.
    fn room_below(&self, headings: &[String], carried: &[String], room: usize) -> usize {
        if carried.is_empty() {
            return room;
        }
        let context = [headings, carried].concat();
        self.budget.saturating_sub(self.measure.tokens(&with_context(self.title, &context, ""))).max(1).min(room)
    }

    /// The headings that fit as context, and the tokens that they leave for text.
    fn context(&self, mut headings: Vec<String>) -> (Vec<String>, usize) {
        loop {
            let taken = self.measure.tokens(&with_context(self.title, &headings, ""));
            if headings.is_empty() || taken <= self.budget / CONTEXT_PART {
                return (headings, self.budget.saturating_sub(taken).max(1));
            }
            headings.remove(0);
        }
    }

    /// Tokens between each unit and the one before: text outside of all blocks, such as comments, which a passage
    /// over both would take in.
    fn gaps(&self, units: &[Unit], cutter: &Cutter<'_>) -> Vec<usize> {
        let before = std::iter::once(0).chain(units.iter().map(|unit| unit.span.end));
        let gap = |(end, unit): (usize, &Unit)| {
            let gap = trim(self.text, Span::new(end, unit.span.start));
            if gap.is_empty() { 0 } else { cutter.tokens(gap).unwrap_or(usize::MAX / 2) }
        };
        before.zip(units).enumerate().map(|(at, pair)| if at == 0 { 0 } else { gap(pair) }).collect()
    }

    /// Makes one passage of the units, or more if their tokens did not add up.
    fn settle(&self, units: &[Unit], headings: &[String], chunks: &mut Vec<Chunk>) {
        let Some(first) = units.first() else { return };
        let span = units.iter().fold(first.span, |span, unit| span.cover(unit.span));
        let chunk = Chunk { span: trim(self.text, span), headings: [headings, &first.carried].concat() };
        if self.fits(&chunk) {
            if !chunk.span.is_empty() {
                chunks.push(chunk);
            }
        } else if units.len() > 1 {
            let (left, right) = units.split_at(units.len() / 2);
            self.settle(left, headings, chunks);
            self.settle(right, headings, chunks);
        } else if first.carried.is_empty() {
            self.halve(chunk, chunks);
        } else {
            // Rather without what was carried than cut at any place.
            self.settle(&[Unit { carried: Vec::new(), ..first.clone() }], headings, chunks);
        }
    }

    /// Cuts a passage until it fits.
    fn halve(&self, chunk: Chunk, chunks: &mut Vec<Chunk>) {
        let chunk = Chunk { span: trim(self.text, chunk.span), ..chunk };
        match halves(self.text, chunk.span) {
            Some((left, right)) if !self.fits(&chunk) => {
                self.halve(Chunk { span: left, headings: chunk.headings.clone() }, chunks);
                self.halve(Chunk { span: right, ..chunk }, chunks);
            }
            _ if chunk.span.is_empty() => {}
            _ => chunks.push(chunk),
        }
    }

    fn fits(&self, chunk: &Chunk) -> bool {
        let text = with_context(self.title, &chunk.headings, &self.text[chunk.span.start..chunk.span.end]);
        self.measure.tokens(&text) <= self.budget
    }
}

/// Groups units, each group with at most `room` tokens: each as full as it goes, except that a small last one
/// shares with the one before, since a passage of a few words says little on its own.
fn pack(units: &[Unit], gaps: &[usize], room: usize) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut taken = 0;
    for (at, unit) in units.iter().enumerate() {
        let more = unit.tokens + gaps[at];
        // What stands above a group is what its first unit needs.
        match groups.last_mut() {
            Some(group) if taken + more <= room => {
                group.end = at + 1;
                taken += more;
            }
            _ => {
                groups.push(at..at + 1);
                taken = unit.carried_tokens + unit.tokens;
            }
        }
    }
    if taken < room / SMALL_PART
        && let [.., before, last] = groups.as_mut_slice()
    {
        let middle = most_even_cut(&units[before.start..last.end], &gaps[before.start..last.end]);
        before.end = before.start + middle;
        last.start = before.end;
    }
    groups
}

/// Place to cut units in two groups so that the larger is as small as can be.
fn most_even_cut(units: &[Unit], gaps: &[usize]) -> usize {
    let tokens = |range: Range<usize>| {
        let inner = gaps[range.start + 1..range.end].iter().copied();
        units[range].iter().map(|unit| unit.tokens).chain(inner).fold(0, usize::saturating_add)
    };
    (1..units.len()).min_by_key(|cut| tokens(0..*cut).max(tokens(*cut..units.len()))).unwrap_or(1)
}

#[cfg(test)]
mod tests;
