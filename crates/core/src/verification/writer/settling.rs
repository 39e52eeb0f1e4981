//! What becomes of a statement once it is complete.

use super::{CitationWriter, Grounding};
use crate::document::Span;
use crate::verification::refusal::is_refusal;
use crate::verification::statement::Statement;
use crate::verification::support::{Claim, Support};

impl CitationWriter {
    /// Without strict grounding everything is let through as it comes, up to a marker that has to be verified.
    pub(super) fn settle_as_it_comes(&mut self) {
        if self.grounding == Grounding::Marked || self.evidence.is_empty() {
            self.settled = self.statement.markers.first().map_or(self.text.len(), |placed| placed.at);
        }
    }

    /// A statement has ended: its markers are verified. One without a marker gets one if it clearly comes from a passage;
    /// under strict grounding one that does not is taken back.
    pub(super) fn end_statement(&mut self) {
        if self.evidence.is_empty() {
            // Nothing could back it.
            return self.end_markers(&[]);
        }
        let claim = Claim::new(&self.statement.words);
        if !claim.says_something() {
            // Too short to be found ("Yes."): it goes with what follows.
            return;
        }
        let strict = self.grounding == Grounding::Strict;
        let clearest = self.clearest(&claim);
        // To repeat the question, or what was said or quoted already, is no answer.
        let new = |(index, support): (usize, Support)| {
            self.is_aside || (!self.cited.touches(index, support.span) && claim.adds_to(&self.question))
        };
        let backed = clearest.is_some_and(|found| !strict || new(found));
        if strict && !backed {
            self.text.truncate(self.settled);
            self.statement = Statement::default();
            self.left_out += 1;
            return;
        }
        let start = self.statement.start;
        let cited = self.verify_markers(&claim, clearest);
        let end = self.text.trim_end().len();
        if let (Some((index, support)), false) = (clearest, cited) {
            self.text.push_str(&format!(" [{}]", index + 1));
            self.cited.add(index, support.span);
        } else if !cited && !is_refusal(&self.text[start..end]) {
            self.unsupported.push(Span::new(start, end));
        }
        self.left_out = 0;
        if strict {
            self.settled = self.text.len();
        }
    }

    /// The text has ended, perhaps in words that say too little to be a statement of their own: an answer such as
    /// "4.5 hours `[1]`" is verified by what it says.
    pub(super) fn end_rest(&mut self) {
        if self.grounding == Grounding::Marked && !self.statement.is_empty() && !self.evidence.is_empty() {
            let (start, was_marked) = (self.statement.start, self.statement.is_marked());
            let cited = self.verify_markers(&Claim::new(&self.statement.words), None);
            let end = self.text.trim_end().len();
            if was_marked && !cited && !is_refusal(&self.text[start..end]) {
                self.unsupported.push(Span::new(start, end));
            }
        } else {
            self.end_markers(&[]);
        }
    }

    /// Lets those markers of the statement through that hold; returns whether any does.
    fn verify_markers(&mut self, claim: &Claim, clearest: Option<(usize, Support)>) -> bool {
        let several = self.statement.markers.iter().map(|placed| placed.passages.len()).sum::<usize>() > 1;
        let named = self.statement.markers.iter().map(|placed| placed.passages.clone());
        let held = named.map(|passages| {
            passages.into_iter().filter_map(|index| self.held(index, several, claim, clearest)).collect::<Vec<_>>()
        });
        let held: Vec<_> = held.collect();
        self.end_markers(&held);
        held.iter().any(|here| !here.is_empty())
    }

    /// Where a marker points that the model put to a passage: there, to the passage that clearly backs the claim, or
    /// nowhere.
    fn held(
        &self,
        index: usize,
        several: bool,
        claim: &Claim,
        clearest: Option<(usize, Support)>,
    ) -> Option<(usize, Span)> {
        let own = self.evidence[index].support(claim);
        match (own, clearest) {
            (Some(own), _) if own.is_clear() => Some((index, own.span)),
            // One of several passages backs its part of the statement.
            (Some(own), _) if own.may_be_a_paraphrase(several) => Some((index, own.span)),
            (_, Some((better, support))) => Some((better, support.span)),
            _ => None,
        }
    }

    /// Puts the markers that hold into the text, by the places where the model put markers, and begins a new statement.
    pub(super) fn end_markers(&mut self, held: &[Vec<(usize, Span)>]) {
        let statement = std::mem::take(&mut self.statement);
        let mut written = Vec::new();
        let mut named: Vec<usize> = Vec::new();
        for (place, placed) in statement.markers.iter().enumerate() {
            let mut here = Vec::new();
            for (index, words) in held.get(place).into_iter().flatten() {
                self.cited.add(*index, *words);
                if !named.contains(index) {
                    named.push(*index);
                    here.push(*index);
                }
            }
            written.push((placed.at, placed.written(&here)));
        }
        for (at, markers) in written.into_iter().rev() {
            self.text.insert_str(at, &markers);
        }
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
}
