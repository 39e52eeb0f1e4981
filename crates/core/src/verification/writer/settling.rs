//! What becomes of a statement once it is complete.

use super::{CitationWriter, Grounding};
use crate::document::Span;
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
        let unmarked = !self.statement.is_marked();
        // Where the model's own marker decides, nothing has to be compared.
        let clearest = if strict || unmarked { self.clearest(&claim) } else { None };
        // To repeat the question, or what was said or quoted already, is no answer.
        let new = |(index, support): (usize, Support)| {
            !self.cited.touches(index, support.span) && claim.adds_to(&self.question)
        };
        let backed = clearest.is_some_and(|found| !strict || new(found));
        if strict && !backed {
            self.text.truncate(self.settled);
            self.statement = Default::default();
            self.left_out += 1;
            return;
        }
        self.verify_markers(&claim);
        if let (Some((index, support)), true) = (clearest, unmarked) {
            self.text.push_str(&format!(" [{}]", index + 1));
            self.cited.add(index, support.span);
        }
        if backed {
            self.settled = self.text.len();
            self.left_out = 0;
        }
    }

    /// The text has ended, perhaps in words that say too little to be a statement.
    pub(super) fn end_rest(&mut self) {
        if self.grounding == Grounding::Marked && !self.statement.is_empty() {
            self.verify_markers(&Claim::new(&self.statement.words));
        } else {
            self.end_markers(&[]);
        }
    }

    /// Lets those markers of the statement through that hold.
    fn verify_markers(&mut self, claim: &Claim) {
        let mut held = Vec::new();
        for named in self.statement.markers.iter().map(|placed| placed.passages.clone()) {
            let passages = named.into_iter().map(|index| self.redirect(index, claim));
            held.push(passages.map(|index| (index, self.words(index, claim))).collect::<Vec<_>>());
        }
        self.end_markers(&held);
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

    /// The words of a passage that back a claim. Where none do in particular, the passage as a whole was pointed at.
    fn words(&self, index: usize, claim: &Claim) -> Span {
        let passage = &self.evidence[index];
        match passage.support(claim) {
            Some(support) if support.share >= 0.3 => support.span,
            _ => Span::new(0, passage.hit.passage.text.len()),
        }
    }
}
