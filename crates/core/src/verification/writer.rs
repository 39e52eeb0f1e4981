//! Reads along while an answer is written.

mod settling;

use super::cited::Cited;
use super::marker::{Place, markers, would_become_marker};
use super::scanner::{Piece, Scanner};
use super::statement::Statement;
use super::support::Evidence;
use crate::answer::Citation;
use crate::document::Span;
use crate::language::{Words, content_words, ends_between};

/// Treatment of statements that no passage clearly backs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grounding {
    /// There are none: an answer over documents is quoted from them, and the model is not asked.
    Quoted,
    /// They are left out. Small models invent: what is left is what the documents say.
    Strict,
    /// They stay, without a marker. For models that can be trusted to paraphrase.
    Marked,
}

/// A verified text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Written {
    /// The words, with markers that hold.
    pub text: String,
    /// Places in documents that back it, by marker.
    pub citations: Vec<Citation>,
    /// Statements that no passage backs, in bytes of the text.
    pub unsupported: Vec<Span>,
}

/// Reads an answer as it streams and lets through only markers that hold.
///
/// - `[n]` that names no passage is taken out; `[1, 3]` becomes `[1][3]`.
/// - Brackets that are text stay text: in code, as an index or a range of values, as a link.
/// - A marker whose passage does not back the statement is pointed at another one that clearly does, or taken out.
/// - A sentence that the model left without a marker gets one when a passage clearly backs it.
///
/// A statement streams on token by token up to its first marker, and is held back from there until it is complete; under
/// [`Grounding::Strict`] it is held back until it is complete and backed.
#[derive(Debug)]
pub struct CitationWriter {
    grounding: Grounding,
    /// Content words of what was asked.
    question: Words,
    /// Passage `n` of the prompt is `evidence[n - 1]`.
    evidence: Vec<Evidence>,
    cited: Cited,
    scanner: Scanner,
    /// White space whose fate depends on what follows it.
    space: String,
    statement: Statement,
    /// Everything let through, and behind it the statement under way, without its markers.
    text: String,
    /// End of the text that is let through for good, in bytes.
    settled: usize,
    /// End of the last quotation, in bytes of the text; 0 without one.
    quoted: usize,
    /// Statements that nothing backs, in bytes of the text.
    unsupported: Vec<Span>,
    /// Whether it may repeat what was said.
    is_aside: bool,
    /// Statements left out since the last one that was let through.
    left_out: usize,
}

impl CitationWriter {
    /// A writer over the passages of a prompt, in their order there, for an answer to `question`.
    #[must_use]
    pub fn new(evidence: Vec<Evidence>, grounding: Grounding, question: &str) -> Self {
        Self {
            question: content_words(question),
            grounding,
            cited: Cited::none_of(evidence.len()),
            scanner: Scanner::new(evidence.len()),
            evidence,
            space: String::new(),
            statement: Statement::default(),
            text: String::new(),
            settled: 0,
            quoted: 0,
            unsupported: Vec::new(),
            is_aside: false,
            left_out: 0,
        }
    }

    /// Takes the next piece of the model's text and returns what can be shown now.
    pub fn push(&mut self, piece: &str) -> String {
        let mut pieces = Vec::new();
        piece.chars().for_each(|c| self.scanner.push(c, &mut pieces));
        let shown = self.settled;
        pieces.into_iter().for_each(|piece| self.take(piece));
        self.settle_as_it_comes();
        self.text[shown..self.settled].to_owned()
    }

    /// Ends the answer and returns the rest of what is to be shown.
    pub fn end(&mut self) -> String {
        let mut pieces = Vec::new();
        self.scanner.end(&mut pieces);
        let shown = self.settled;
        pieces.into_iter().for_each(|piece| self.take(piece));
        self.space.clear();
        self.end_statement();
        self.end_rest();
        self.settle_as_it_comes();
        // Whatever is not settled by now said too little to be backed.
        self.text.truncate(self.settled);
        self.text[shown..].to_owned()
    }

    /// Adds a quotation of the service's own, which points at `words` of `evidence[index]` and shows them as `shown`:
    /// before the model's first words or after its last ones. Returns it for showing.
    pub fn quote(&mut self, before: &str, index: usize, words: Span, shown: &str) -> String {
        let start = self.text.len();
        self.text.push_str(&format!("{before}\u{201c}{shown}\u{201d} [{}]", index + 1));
        self.cited.add(index, words);
        self.settled = self.text.len();
        self.quoted = self.settled;
        self.text[start..].to_owned()
    }

    /// Verifies a text beside the answer, such as the model's reasons, over the same passages. What it cites is among the
    /// citations; what it says may have been said in the answer.
    pub fn aside(&mut self, text: &str) -> String {
        let aside = Self::new(std::mem::take(&mut self.evidence), self.grounding, "");
        let mut aside = Self { is_aside: true, cited: std::mem::take(&mut self.cited), ..aside };
        aside.push(text);
        aside.end();
        self.evidence = aside.evidence;
        self.cited = aside.cited;
        aside.text
    }

    /// Whether the model has lost the thread: several statements on end were left out.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.left_out >= 3
    }

    /// Whether some of these words are among those cited.
    #[must_use]
    pub fn cites(&self, index: usize, words: Span) -> bool {
        self.cited.touches(index, words)
    }

    /// Whether nothing has been cited so far.
    #[must_use]
    pub fn is_uncited(&self) -> bool {
        self.cited.is_empty()
    }

    /// The text let through so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The citations of passages that were not cited when this was last asked for.
    pub fn newly_cited(&mut self) -> Vec<Citation> {
        let fresh = self.cited.take_fresh();
        fresh.into_iter().filter_map(|index| self.cited.citation(index, &self.evidence)).collect()
    }

    /// The finished text, its citations by marker, and the statements that no passage backs.
    #[must_use]
    pub fn finish(self) -> Written {
        let citation = |index| self.cited.citation(index, &self.evidence);
        let citations = (0..self.evidence.len()).filter_map(citation).collect();
        Written { text: self.text, citations, unsupported: self.unsupported }
    }

    fn take(&mut self, piece: Piece) {
        match piece {
            Piece::Plain(c) if c.is_whitespace() => self.space.push(c),
            Piece::Plain(']') if would_become_marker(&self.text) => {}
            Piece::Plain(c) => {
                self.flush_space(Some(c));
                self.write(&c.to_string());
            }
            Piece::Code(c) => {
                if !self.space.is_empty() {
                    self.flush_space(Some(c));
                }
                self.write(&c.to_string());
            }
            Piece::Edge => self.end_statement(),
            Piece::Bracket { inside, behind } => self.take_bracket(&inside, &behind),
        }
    }

    /// Adds to the statement under way.
    fn write(&mut self, text: &str) {
        if self.statement.is_empty() {
            self.statement.start = self.text.len();
        }
        self.text.push_str(text);
        self.statement.words.push_str(text);
    }

    fn take_bracket(&mut self, inside: &str, behind: &str) {
        let line = self.text.rsplit('\n').next().unwrap_or_default();
        let marker = if self.statement.ends_in_markers(&self.text) { "]" } else { "" };
        let before = format!("{line}{marker}{}", self.space);
        let place = Place { before: &before, behind, numbered: self.evidence.len() };
        let is_known = |word: &str| self.evidence.iter().any(|evidence| evidence.has_word(word));
        match markers(inside, place, is_known) {
            None => {
                self.flush_space(Some('['));
                self.write(&format!("[{inside}]"));
            }
            // It backs nothing: it stands at the start, or behind a quotation that has a marker of its own.
            Some(_) if self.statement.is_empty() => self.space.clear(),
            Some(numbers) => {
                let space = std::mem::take(&mut self.space);
                self.statement.mark(self.text.len(), space, &numbers);
            }
        }
    }

    /// White space between a quotation and what the model says is an empty line, whatever the model wrote.
    fn separate_from_quotation(&mut self) {
        if self.quoted > 0 && self.quoted == self.text.len() {
            self.space = "\n\n".to_owned();
        }
    }

    /// Lets white space through; a statement may end at it.
    fn flush_space(&mut self, next: Option<char>) {
        self.separate_from_quotation();
        let space = std::mem::take(&mut self.space);
        let after = next.map(String::from).unwrap_or_default();
        if ends_between(self.statement.words.trim_end(), &space, &after) {
            self.end_statement();
        }
        if !space.is_empty() {
            self.text.push_str(&space);
            self.statement.words.push(' ');
        }
    }
}

#[cfg(test)]
mod tests;
