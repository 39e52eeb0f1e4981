use super::marker::{LONGEST_MARKER, is_inside_marker, markers_in, would_become_marker};
use super::support::{Claim, Evidence, Support};
use crate::answer::Citation;
use crate::document::Span;
use crate::language::{Words, content_words, ends_between};

/// Treatment of statements that no passage clearly backs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grounding {
    /// They are left out. Small models invent: what is left is what the documents say.
    Strict,
    /// They stay, without a marker. For models that can be trusted to paraphrase.
    Marked,
}

/// Reads an answer as it streams and lets through only markers that hold.
///
/// - `[n]` that names no passage is taken out; `[1, 3]` becomes `[1][3]`.
/// - A marker whose passage does not back the statement, while another passage clearly does, is pointed there.
/// - A sentence that the model left without a marker gets one when a passage clearly backs it.
///
/// Text is held back only while it may still become a marker, so it streams on token by token; under
/// [`Grounding::Strict`] it is held back until its statement is complete and backed.
#[derive(Debug)]
pub struct CitationWriter {
    grounding: Grounding,
    /// Content words of what was asked.
    question: Words,
    /// Passage `n` of the prompt is `evidence[n - 1]`.
    evidence: Vec<Evidence>,
    /// Words pointed at so far, by passage, in bytes of the passage's text.
    cited: Vec<Option<Span>>,
    /// An opened bracket that may become a marker.
    bracket: Option<String>,
    /// White space whose fate depends on what follows it.
    space: String,
    /// The statement that the next marker backs.
    claim: String,
    /// Markers that the statement has already.
    claim_markers: Vec<usize>,
    /// Words that the statement's markers point at, by passage: counted once the statement is let through.
    claim_words: Vec<(usize, Span)>,
    /// Everything let through, and behind it the statement under way.
    text: String,
    /// Passages cited since this was last asked for, by index.
    newly_cited: Vec<usize>,
    /// End of the text that is let through for good, in bytes.
    settled: usize,
    /// End of the last quotation, in bytes of the text; 0 without one.
    quoted: usize,
    /// Statements left out since the last one that was let through.
    left_out: usize,
}

impl CitationWriter {
    /// A writer over the passages of a prompt, in their order there, for an answer to `question`.
    #[must_use]
    pub fn new(evidence: Vec<Evidence>, grounding: Grounding, question: &str) -> Self {
        let cited = vec![None; evidence.len()];
        Self {
            question: content_words(question),
            grounding,
            evidence,
            cited,
            bracket: None,
            space: String::new(),
            claim: String::new(),
            claim_markers: Vec::new(),
            claim_words: Vec::new(),
            text: String::new(),
            newly_cited: Vec::new(),
            settled: 0,
            quoted: 0,
            left_out: 0,
        }
    }

    /// Takes the next piece of the model's text and returns what can be shown now.
    pub fn push(&mut self, piece: &str) -> String {
        let shown = self.settled;
        for c in piece.chars() {
            self.push_char(c);
        }
        self.settle_as_it_comes();
        self.text[shown..self.settled].to_owned()
    }

    /// Ends the answer and returns the rest of what is to be shown.
    pub fn end(&mut self) -> String {
        let shown = self.settled;
        self.flush_bracket();
        self.space.clear();
        self.end_claim();
        self.settle_as_it_comes();
        // Whatever is not settled by now said too little to be backed.
        self.text.truncate(self.settled);
        self.text[shown..].to_owned()
    }

    /// Adds a quotation of the service's own, which points at `evidence[index]`: before the model's first words or
    /// after its last ones. Returns it for showing.
    pub fn quote(&mut self, before: &str, index: usize, words: Span) -> String {
        let shown = self.text.len();
        let quoted = &self.evidence[index].hit.passage.text[words.start..words.end];
        let quoted = quoted.trim_start_matches(['-', '*', '+', ' ']).split_whitespace().collect::<Vec<_>>().join(" ");
        self.text.push_str(&format!("{before}\u{201c}{quoted}\u{201d} [{}]", index + 1));
        self.cite(index, words);
        self.settled = self.text.len();
        self.quoted = self.settled;
        self.text[shown..].to_owned()
    }

    /// Whether the model has lost the thread: several statements on end were left out.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.left_out >= 3
    }

    /// Whether some of these words are among those cited.
    #[must_use]
    pub fn cites(&self, index: usize, words: Span) -> bool {
        self.cited[index].is_some_and(|cited| cited.start < words.end && words.start < cited.end)
    }

    /// Whether nothing has been cited so far.
    #[must_use]
    pub fn is_uncited(&self) -> bool {
        self.cited.iter().all(Option::is_none)
    }

    /// The text let through so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The citations of passages that were not cited when this was last asked for.
    pub fn newly_cited(&mut self) -> Vec<Citation> {
        let fresh = std::mem::take(&mut self.newly_cited);
        fresh.into_iter().filter_map(|index| self.citation(index)).collect()
    }

    /// The finished text and its citations, by marker.
    #[must_use]
    pub fn finish(self) -> (String, Vec<Citation>) {
        let citations = (0..self.evidence.len()).filter_map(|index| self.citation(index)).collect();
        (self.text, citations)
    }

    fn citation(&self, index: usize) -> Option<Citation> {
        let (hit, words) = (&self.evidence[index].hit, self.cited[index]?);
        Some(Citation {
            marker: index + 1,
            passage_id: hit.passage.id.clone(),
            document: hit.passage.document.clone(),
            title: hit.passage.title.clone(),
            text: hit.passage.text[words.start..words.end].to_owned(),
            score: hit.score,
            span: words.shifted(hit.passage.span.start),
            page: None,
        })
    }

    fn push_char(&mut self, c: char) {
        if let Some(bracket) = &mut self.bracket {
            match c {
                ']' => return self.close_bracket(),
                c if is_inside_marker(c) && bracket.len() < LONGEST_MARKER => return bracket.push(c),
                _ => self.flush_bracket(),
            }
        }
        match c {
            '[' => self.bracket = Some(String::new()),
            c if c.is_whitespace() => self.space.push(c),
            ']' if would_become_marker(&self.text) => {}
            c => {
                self.flush_space(Some(c));
                self.text.push(c);
                self.claim.push(c);
            }
        }
    }

    /// The bracket was no marker: let it through as it came.
    fn flush_bracket(&mut self) {
        if let Some(inside) = self.bracket.take() {
            self.flush_space(None);
            self.text.push('[');
            self.text.push_str(&inside);
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
        if ends_between(self.claim.trim_end(), &space, &after) {
            self.end_claim();
        }
        if !space.is_empty() {
            self.text.push_str(&space);
            self.claim.push(' ');
        }
    }

    fn close_bracket(&mut self) {
        let inside = self.bracket.take().unwrap_or_default();
        let markers = markers_in(&inside);
        if markers.is_empty() {
            // `[]`, `[-]`: brackets of the text's own.
            self.flush_space(None);
            self.text.push_str(&format!("[{inside}]"));
            return;
        }
        if self.claim.trim().is_empty() {
            // It backs nothing: it stands at the start, or behind a quotation that has a marker of its own.
            self.space.clear();
            return;
        }
        let claim = Claim::new(&self.claim);
        let mut held = Vec::new();
        for marker in markers.into_iter().filter(|marker| (1..=self.evidence.len()).contains(marker)) {
            let index = self.redirect(marker - 1, &claim);
            if !self.claim_markers.contains(&index) {
                self.claim_markers.push(index);
                held.push(index);
            }
        }
        if held.is_empty() {
            // The white space before a marker goes with it, but a line break belongs to the text.
            if !self.space.contains('\n') {
                self.space.clear();
            }
            return;
        }
        let space = std::mem::take(&mut self.space);
        self.text.push_str(&space);
        for index in held {
            self.write_marker(index, &claim);
        }
    }

    /// The passage that a marker should point at: its own, unless that does not back the claim and another does.
    fn redirect(&self, index: usize, claim: &Claim) -> usize {
        let own = self.evidence[index].support(claim).map_or(0.0, |support| support.share);
        if own >= 0.3 {
            return index;
        }
        self.clearest(claim).map_or(index, |(index, _)| index)
    }

    /// The passage that clearly backs the claim, the best one if several do.
    fn clearest(&self, claim: &Claim) -> Option<(usize, Support)> {
        if !claim.says_something() {
            return None;
        }
        let supports = self.evidence.iter().enumerate().filter_map(|(index, e)| Some((index, e.support(claim)?)));
        supports
            .filter(|(_, support)| support.is_clear())
            .reduce(|best, next| if next.1.share > best.1.share { next } else { best })
    }

    fn write_marker(&mut self, index: usize, claim: &Claim) {
        self.text.push_str(&format!("[{}]", index + 1));
        let passage = &self.evidence[index];
        // Words that back nothing in particular: the passage as a whole is what was pointed at.
        let words = match passage.support(claim) {
            Some(support) if support.share >= 0.3 => support.span,
            _ => Span::new(0, passage.hit.passage.text.len()),
        };
        self.claim_words.push((index, words));
    }

    fn cite(&mut self, index: usize, words: Span) {
        let before = self.cited[index];
        if before.is_none() {
            self.newly_cited.push(index);
        }
        self.cited[index] = Some(before.map_or(words, |before| before.cover(words)));
    }

    /// Without strict grounding everything is let through as it comes.
    fn settle_as_it_comes(&mut self) {
        if self.grounding == Grounding::Marked || self.evidence.is_empty() {
            self.settle();
        }
    }

    /// Lets the text so far through for good.
    fn settle(&mut self) {
        self.settled = self.text.len();
        for (index, words) in std::mem::take(&mut self.claim_words) {
            self.cite(index, words);
        }
    }

    /// A statement has ended. One without a marker gets one if it clearly comes from a passage; under strict
    /// grounding one that does not is taken back.
    fn end_claim(&mut self) {
        if self.evidence.is_empty() {
            // Nothing could back it.
            return self.claim.clear();
        }
        let claim = Claim::new(&self.claim);
        if !claim.says_something() {
            // Too short to be found ("Yes."): it goes with what follows.
            return;
        }
        let strict = self.grounding == Grounding::Strict;
        let unmarked = self.claim_markers.is_empty();
        // Where the model's own marker decides, nothing has to be compared.
        let clearest = if strict || unmarked { self.clearest(&claim) } else { None };
        if let (Some((index, _)), true) = (clearest, unmarked) {
            self.text.push(' ');
            self.write_marker(index, &claim);
        }
        // To repeat the question, or what was said or quoted already, is no answer.
        let new =
            |(index, support): (usize, Support)| !self.cites(index, support.span) && claim.adds_to(&self.question);
        let backed = clearest.is_some_and(|found| !strict || new(found));
        if backed {
            self.settle();
            self.left_out = 0;
        } else if strict {
            self.text.truncate(self.settled);
            self.claim_words.clear();
            self.left_out += 1;
        }
        self.claim.clear();
        self.claim_markers.clear();
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
