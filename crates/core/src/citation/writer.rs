use super::support::{Claim, Evidence};
use crate::answer::Citation;
use crate::document::Span;

/// Reads an answer as it streams and lets through only markers that hold.
///
/// - `[n]` that names no passage is taken out; `[1, 3]` becomes `[1][3]`.
/// - A marker whose passage does not back the statement, while another passage clearly does, is pointed there.
/// - A sentence that the model left without a marker gets one when a passage clearly backs it.
///
/// Text is held back only while it may still become a marker, so it streams on token by token.
#[derive(Debug)]
pub struct CitationWriter {
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
    /// Everything let through.
    text: String,
}

/// Longest bracket that is still waited for, in bytes: `[1, 2, 3, 4, 5]` fits.
const LONGEST_MARKER: usize = 24;

impl CitationWriter {
    /// A writer over the passages of a prompt, in their order there.
    #[must_use]
    pub fn new(evidence: Vec<Evidence>) -> Self {
        let cited = vec![None; evidence.len()];
        Self {
            evidence,
            cited,
            bracket: None,
            space: String::new(),
            claim: String::new(),
            claim_markers: Vec::new(),
            text: String::new(),
        }
    }

    /// Takes the next piece of the model's text and returns what can be shown now.
    pub fn push(&mut self, piece: &str) -> String {
        let shown = self.text.len();
        for c in piece.chars() {
            self.push_char(c);
        }
        self.text[shown..].to_owned()
    }

    /// Ends the answer and returns the rest of what is to be shown.
    pub fn end(&mut self) -> String {
        let shown = self.text.len();
        self.flush_bracket();
        self.space.clear();
        self.end_claim();
        self.text[shown..].to_owned()
    }

    /// Adds words of the service's own, such as a quotation, which point at `evidence[index]`.
    pub fn quote(&mut self, before: &str, index: usize, words: Span) -> String {
        let shown = self.text.len();
        let quoted = self.evidence[index].hit.passage.text[words.start..words.end].to_owned();
        self.text.push_str(&format!("{before}\u{201c}{quoted}\u{201d} [{}]", index + 1));
        self.cited[index] = Some(words);
        self.text[shown..].to_owned()
    }

    /// Whether nothing has been cited so far.
    #[must_use]
    pub fn is_uncited(&self) -> bool {
        self.cited.iter().all(Option::is_none)
    }

    /// What was let through so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The passage and the words in it that come closest to `text`, best first in the order of the passages.
    #[must_use]
    pub fn closest(&self, text: &str) -> Option<(usize, Span)> {
        let claim = Claim::new(text);
        let supports = self.evidence.iter().enumerate().filter_map(|(index, e)| Some((index, e.support(&claim)?)));
        // The first of equals: passages come best first.
        let (index, support) = supports.reduce(|best, next| if next.1.share > best.1.share { next } else { best })?;
        Some((index, support.span))
    }

    /// The finished text and its citations, by marker.
    #[must_use]
    pub fn finish(self) -> (String, Vec<Citation>) {
        let citations = self.evidence.iter().zip(&self.cited).enumerate().filter_map(|(index, (evidence, words))| {
            let (hit, words) = (&evidence.hit, (*words)?);
            Some(Citation {
                marker: index + 1,
                passage_id: hit.passage.id,
                document: hit.passage.document.clone(),
                title: hit.passage.title.clone(),
                text: hit.passage.text[words.start..words.end].to_owned(),
                score: hit.score,
                span: words.shifted(hit.passage.span.start),
                page: None,
            })
        });
        let citations = citations.collect();
        (self.text, citations)
    }

    fn push_char(&mut self, c: char) {
        if let Some(bracket) = &mut self.bracket {
            match c {
                ']' => return self.close_bracket(),
                '0'..='9' | ',' | ';' | ' ' | '-' | '–' if bracket.len() < LONGEST_MARKER => return bracket.push(c),
                _ => self.flush_bracket(),
            }
        }
        match c {
            '[' => self.bracket = Some(String::new()),
            c if c.is_whitespace() => self.space.push(c),
            c => {
                self.flush_space();
                self.text.push(c);
                self.claim.push(c);
            }
        }
    }

    /// The bracket was no marker: let it through as it came.
    fn flush_bracket(&mut self) {
        if let Some(inside) = self.bracket.take() {
            self.flush_space();
            self.text.push('[');
            self.text.push_str(&inside);
        }
    }

    /// White space ends a statement where it follows a full stop or breaks the line.
    fn flush_space(&mut self) {
        if self.space.is_empty() {
            return;
        }
        let space = std::mem::take(&mut self.space);
        if space.contains('\n') || self.claim.ends_with(['.', '!', '?']) {
            self.end_claim();
        }
        self.text.push_str(&space);
        self.claim.push(' ');
    }

    fn close_bracket(&mut self) {
        let inside = self.bracket.take().unwrap_or_default();
        let markers = markers_in(&inside);
        if markers.is_empty() {
            // `[]`, `[-]`: brackets of the text's own.
            self.flush_space();
            self.text.push_str(&format!("[{inside}]"));
            return;
        }
        let claim = Claim::new(&self.claim);
        let mut held = Vec::new();
        for marker in markers.into_iter().filter(|marker| (1..=self.evidence.len()).contains(marker)) {
            let index = self.settle(marker - 1, &claim);
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

    /// Which passage a marker should point at: its own, unless that does not back the claim and another does.
    fn settle(&self, index: usize, claim: &Claim) -> usize {
        let own = self.evidence[index].support(claim).map_or(0.0, |support| support.share);
        if own >= 0.3 {
            return index;
        }
        self.clearest(claim).unwrap_or(index)
    }

    /// The passage that clearly backs the claim, the best one if several do.
    fn clearest(&self, claim: &Claim) -> Option<usize> {
        if !claim.says_something() {
            return None;
        }
        let supports = self.evidence.iter().enumerate().filter_map(|(index, e)| Some((index, e.support(claim)?)));
        supports
            .filter(|(_, support)| support.is_clear())
            .reduce(|best, next| if next.1.share > best.1.share { next } else { best })
            .map(|(index, _)| index)
    }

    fn write_marker(&mut self, index: usize, claim: &Claim) {
        self.text.push_str(&format!("[{}]", index + 1));
        let passage = &self.evidence[index];
        // Words that back nothing in particular: the passage as a whole is what was pointed at.
        let words = match passage.support(claim) {
            Some(support) if support.share >= 0.3 => support.span,
            _ => Span::new(0, passage.hit.passage.text.len()),
        };
        let all = self.cited[index].map_or(words, |before| before.cover(words));
        self.cited[index] = Some(all);
    }

    /// A statement has ended without a marker of its own: give it one if it clearly comes from a passage.
    fn end_claim(&mut self) {
        let claim = Claim::new(&self.claim);
        if self.claim_markers.is_empty() {
            if !claim.says_something() {
                // Too short to be found ("Yes."): it goes with what follows.
                return;
            }
            if let Some(index) = self.clearest(&claim) {
                self.text.push(' ');
                self.write_marker(index, &claim);
            }
        }
        self.claim.clear();
        self.claim_markers.clear();
    }
}

/// The numbers in a bracket: `1`, `1, 3`, `1-3`. None where it holds anything else.
fn markers_in(inside: &str) -> Vec<usize> {
    let mut markers = Vec::new();
    for part in inside.split([',', ';', ' ']).filter(|part| !part.is_empty()) {
        let mut ends = part.split(['-', '–']).map(|end| end.parse::<usize>().unwrap_or(usize::MAX));
        match (ends.next(), ends.next()) {
            (Some(from), Some(to)) if from <= to && to - from < 10 => markers.extend(from..=to),
            (Some(one), None) => markers.push(one),
            _ => {}
        }
    }
    markers
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
