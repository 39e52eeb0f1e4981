//! Quoting: the words of the documents that answer, as a reader or the comparison of sentences found them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::run::Run;
use crate::Passage;
use crate::compute::compute;
use crate::document::Span;
use crate::language::words_and_numbers;
use crate::ports::Hit;
use crate::retrieval::judgement::FoundWords;
use crate::retrieval::unit::{Layout, Unit, is_item};
use crate::verification::{Verdict, disagree, verify_under};

/// A unit of a passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quotation {
    /// Number of its hit.
    pub(super) hit: usize,
    /// The words.
    pub(super) unit: Unit,
    /// What they say to a question for yes or no, where they settle it.
    pub(super) yes: Option<bool>,
    /// Whether they disagree with the quotation before them.
    pub(super) disagrees: bool,
}

impl Quotation {
    /// The unit around words of a hit.
    pub(super) fn around(hits: &[Hit], hit: usize, words: Span) -> Self {
        Self { hit, unit: Layout::of_passage(&hits[hit].passage).unit(words, false), yes: None, disagrees: false }
    }
}

/// The units around the words that a reader found: the best, and a second one that disagrees with it, else one that is
/// nearly as good and says something else.
pub(super) async fn quotations(run: &Run<'_>, hits: &Arc<[Hit]>, found: &[FoundWords]) -> Vec<Quotation> {
    let (question, hits, found) = (Arc::clone(&run.question), Arc::clone(hits), found.to_vec());
    compute(move || choose(&question.content, &hits, &found)).await
}

/// The unit around the best of the words that a reader found in those hits that are among the evidence, by their number
/// there.
pub(super) fn best_of(hits: &[Hit], evidence: &[Hit], found: &[FoundWords]) -> Option<Quotation> {
    found.iter().find_map(|words| {
        let id = &hits[words.hit].passage.id;
        let at = evidence.iter().position(|hit| hit.passage.id == *id)?;
        Some(Quotation::around(evidence, at, words.span))
    })
}

/// Logits that the second quotation may be worse than the first.
const MARGIN: f32 = 1.0;
/// The same for a question that asks for two things.
const MARGIN_OF_TWO: f32 = 6.0;

fn choose(question: &str, hits: &[Hit], found: &[FoundWords]) -> Vec<Quotation> {
    let Some(best) = found.first() else { return Vec::new() };
    let mut first = unit(question, hits, *best, found);
    if let Some(second) = rival(question, hits, &first, found) {
        return vec![first, second];
    }
    first.yes = yes_or_no(question, hits, &first);
    let margin = if asks_for_two(question) { MARGIN_OF_TWO } else { MARGIN };
    let near = found.iter().skip(1).take_while(|words| best.score - words.score <= margin);
    let second = near.map(|words| unit(question, hits, *words, found)).find(|second| is_another(&first, second));
    std::iter::once(first).chain(second).collect()
}

/// The best of the other quotations that disagrees with the first. What stands under other headings of the same document
/// is about something else.
fn rival(question: &str, hits: &[Hit], first: &Quotation, found: &[FoundWords]) -> Option<Quotation> {
    if asks_for_two(question) {
        return None;
    }
    let quoted =
        |quotation: &Quotation| Passage { text: quotation.unit.shown.clone(), ..hits[quotation.hit].passage.clone() };
    let one = quoted(first);
    let is_elsewhere = |words: &&FoundWords| {
        let other = &hits[words.hit].passage;
        words.hit != first.hit && (other.document != one.document || other.headings == one.headings)
    };
    let others = found.iter().filter(is_elsewhere).map(|words| unit(question, hits, *words, found));
    let rival = others.into_iter().find(|other| disagree(question, &one, &quoted(other)));
    rival.map(|rival| Quotation { disagrees: true, ..rival })
}

/// Whether a question asks for two things, or for how they differ.
fn asks_for_two(question: &str) -> bool {
    let asked = question.to_lowercase();
    [" and ", " differ", "difference between", "compare"].iter().any(|words| asked.contains(words))
}

/// The unit around found words; the whole list where it is asked for.
fn unit(question: &str, hits: &[Hit], words: FoundWords, found: &[FoundWords]) -> Quotation {
    let layout = Layout::of_passage(&hits[words.hit].passage);
    let whole_list = asks_for_several(question) || items_found(&layout, hits, words, found) >= 2;
    Quotation { hit: words.hit, unit: layout.unit(words.span, whole_list), yes: None, disagrees: false }
}

/// Items of the same passage in which the reader found words that are nearly as good.
fn items_found(layout: &Layout<'_>, hits: &[Hit], best: FoundWords, found: &[FoundWords]) -> usize {
    let text = &hits[best.hit].passage.text;
    let near = found.iter().filter(|words| words.hit == best.hit && best.score - words.score <= MARGIN);
    let sentence = |words: &FoundWords| {
        layout.sentences().iter().find(|span| span.start < words.span.end && words.span.start < span.end)
    };
    let items = near.filter_map(sentence).filter(|span| is_item(&text[span.start..span.end]));
    items.map(|span| span.start).collect::<BTreeSet<_>>().len()
}

/// Words of a question in which "are" tells that it asks for several things: "which yearly checks are done".
const WORDS_BEFORE_ARE: usize = 5;

/// Whether a question asks for all of a list.
fn asks_for_several(question: &str) -> bool {
    let asked = question.to_lowercase();
    let mut words = asked.split_whitespace();
    match words.next() {
        Some("list" | "name") => true,
        Some("what" | "which") => words.take(WORDS_BEFORE_ARE).any(|word| word == "are"),
        _ => false,
    }
}

/// Whether a second quotation adds something: it is somewhere else, and not the same words.
fn is_another(first: &Quotation, second: &Quotation) -> bool {
    let apart = first.hit != second.hit
        || first.unit.span.end <= second.unit.span.start
        || second.unit.span.end <= first.unit.span.start;
    let says_more =
        words_and_numbers(&second.unit.shown).0.difference(&words_and_numbers(&first.unit.shown).0).count() >= 2;
    apart && says_more
}

/// Verbs that begin a question for yes or no.
const ASKING: [&str; 19] = [
    "is", "are", "was", "were", "do", "does", "did", "can", "could", "may", "might", "must", "shall", "should", "will",
    "would", "has", "have", "need",
];

/// Words and marks by which a statement holds in part of the cases: neither yes nor no.
const CONDITIONS: [&str; 6] = [" if ", "If ", " unless ", " except ", " only ", ";"];

/// Yes or no, where the question asks for it and the quoted words settle it: they say all that it asks, or the same with one
/// thing denied or exchanged.
fn yes_or_no(question: &str, hits: &[Hit], quotation: &Quotation) -> Option<bool> {
    let (verb, asked) = question.trim().split_once(char::is_whitespace)?;
    let conditional = |words: &str| CONDITIONS.iter().any(|condition| words.contains(condition));
    let is_plain = !asked.contains(" or ") && !conditional(asked) && !conditional(&quotation.unit.shown);
    if !ASKING.contains(&verb.to_lowercase().as_str()) || !is_plain {
        return None;
    }
    let passage = Passage { text: quotation.unit.shown.clone(), ..hits[quotation.hit].passage.clone() };
    match verify_under(passage, asked.trim_end_matches(['?', ' '])) {
        Verdict::Supported(_) => Some(true),
        Verdict::Contradicted => Some(false),
        Verdict::NotFound => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_for_all_of_a_list_are_told_from_others() {
        for several in ["What are the steps?", "Which yearly checks are done in diabetes?", "List the options."] {
            assert!(asks_for_several(several), "{several}");
        }
        for one in
            ["Which tube is taken for glucose?", "What is done on the ward when hands are dirty?", "How are they?"]
        {
            assert!(!asks_for_several(one), "{one}");
        }
    }

    #[test]
    fn yes_and_no_agree_with_the_quoted_words() {
        let passage = |text: &str| Passage { text: text.to_owned(), ..super::super::fakes::water() };
        let says = |question: &str, text: &str| {
            let hits = [Hit { passage: passage(text), pair: None, score: 1.0, cosine: None }];
            yes_or_no(question, &hits, &Quotation::around(&hits, 0, Span::new(0, 1)))
        };
        let (vaccine, gloves) =
            ("Influenza vaccine can be given at any stage of pregnancy.", "Do not wash the gloves for reuse.");
        assert_eq!(says("Can influenza vaccine be given in pregnancy?", vaccine), Some(true));
        assert_eq!(says("Should gloves be washed for reuse?", gloves), Some(false));
        assert_eq!(says("Can influenza vaccine be given to children?", vaccine), None);
        let eyes = "Examine the eyes every year; every 2 years is enough if there is no retinopathy.";
        assert_eq!(says("Are the eyes examined every year?", eyes), None);
        assert_eq!(says("When can influenza vaccine be given in pregnancy?", vaccine), None);
    }
}
