//! Support: the words of a passage that back a statement.
//!
//! A statement is compared with the sentences of a passage by the share of its content words that they contain.
//! That is cheap enough to run while an answer streams, needs no model, and errs towards silence: it finds
//! statements that stay close to their source, which is what an answer from documents should do.

use std::sync::OnceLock;

use crate::document::{EntryId, Metadata, Passage, Span, heading_path};
use crate::language::{Words, content_words, sentences, words_and_numbers};
use crate::ports::Hit;

/// A retrieved passage, taken apart for comparison once there is something to compare it with: most answers need
/// only those that they cite.
#[derive(Debug)]
pub struct Evidence {
    /// The passage with its score.
    pub hit: Hit,
    parts: OnceLock<Parts>,
}

#[derive(Debug)]
struct Parts {
    sentences: Vec<Sentence>,
    /// Words of its title and headings: a sentence under "Metformin" need not repeat the word.
    context: Words,
}

#[derive(Debug)]
struct Sentence {
    span: Span,
    words: Words,
    numbers: Words,
}

/// A statement to be backed.
#[derive(Debug)]
pub(super) struct Claim {
    words: Words,
    numbers: Words,
}

/// Stems of words with which an answer speaks of itself; they say nothing that a document could back.
const ABOUT_ITSELF: [&str; 6] = ["answer", "question", "passag", "document", "sentenc", "text"];

impl Claim {
    /// Fewer content words than this say too little to be found anywhere. Numbers and units do not count: "60
    /// mL/min" stands in many places.
    const FEWEST_WORDS: usize = 3;

    pub(super) fn new(text: &str) -> Self {
        let (mut words, numbers) = words_and_numbers(text);
        words.retain(|word| !ABOUT_ITSELF.contains(&word.as_str()));
        Self { words, numbers }
    }

    /// Whether it says more than a question does.
    pub(super) fn adds_to(&self, question: &Words) -> bool {
        self.words.iter().any(|word| !question.contains(word))
    }

    pub(super) fn says_something(&self) -> bool {
        let telling = |word: &&String| word.chars().count() >= 3 && word.chars().all(char::is_alphabetic);
        self.words.iter().filter(telling).count() >= Self::FEWEST_WORDS
    }
}

/// Degree to which a passage backs a claim, and the words that do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Support {
    /// Share of the claim's content words found, 0 to 1.
    pub share: f32,
    /// Whether every number of the claim is there too.
    pub numbers_agree: bool,
    /// The backing words, in bytes of the passage's text.
    pub span: Span,
}

impl Support {
    /// Enough to say that the claim comes from here.
    pub(super) fn is_clear(&self) -> bool {
        self.share >= 0.8 && self.numbers_agree
    }
}

impl Evidence {
    /// A hit that statements can be compared with.
    #[must_use]
    pub const fn new(hit: Hit) -> Self {
        Self { hit, parts: OnceLock::new() }
    }

    /// Whether the passage has this word; what stands before an opening bracket there is the name of a variable.
    pub(super) fn has_word(&self, word: &str) -> bool {
        let text = &self.hit.passage.text;
        text.match_indices(word).any(|(at, _)| {
            let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(|c| c.is_alphanumeric() || c == '[')
        })
    }

    /// The sentence, or two neighbouring ones, that back the claim best; nothing where they share no words.
    pub(super) fn support(&self, claim: &Claim) -> Option<Support> {
        let parts = self.parts.get_or_init(|| Parts::of(&self.hit));
        let mut best: Option<Support> = None;
        for width in 1..=2 {
            for window in parts.sentences.windows(width) {
                let Some(found) = parts.compare(window, claim) else { continue };
                // A second sentence has to earn its place: a citation should be no longer than needed.
                let margin = if width == 2 { 0.15 } else { 0.0 };
                if best.is_none_or(|best| found.rank() > best.rank() + margin) {
                    best = Some(found);
                }
            }
        }
        best
    }
}

/// Whether a text clearly backs a statement, as is asked before a marker may stand; for measuring that by itself.
#[must_use]
pub fn backs(text: &str, statement: &str) -> bool {
    let passage = Passage {
        id: EntryId::from(1),
        document: String::new(),
        title: String::new(),
        headings: Vec::new(),
        text: text.to_owned(),
        span: Span::new(0, text.len()),
        metadata: Metadata::new(),
    };
    let evidence = Evidence::new(Hit { passage, pair: None, score: 1.0, cosine: None });
    evidence.support(&Claim::new(statement)).is_some_and(|support| support.is_clear())
}

impl Parts {
    fn of(hit: &Hit) -> Self {
        let text = &hit.passage.text;
        let sentence = |span: Span| {
            let (words, numbers) = words_and_numbers(&text[span.start..span.end]);
            Sentence { span, words, numbers }
        };
        let sentences = sentences(text).into_iter().map(sentence).collect();
        Self { sentences, context: content_words(&heading_path(&hit.passage.title, &hit.passage.headings)) }
    }

    fn compare(&self, window: &[Sentence], claim: &Claim) -> Option<Support> {
        let (first, last) = (window.first()?, window.last()?);
        let here = |word: &&String| window.iter().any(|sentence| sentence.words.contains(*word));
        let found = claim.words.iter().filter(here).count();
        if found == 0 {
            return None;
        }
        let above = claim.words.iter().filter(|word| !here(word) && self.context.contains(*word)).count();
        let numbers_agree =
            claim.numbers.iter().all(|number| window.iter().any(|sentence| sentence.numbers.contains(number)));
        // The headings may help a claim that the sentences back, not carry one alone.
        let counted = if found >= 2 { found + above } else { found };
        Some(Support {
            share: counted as f32 / claim.words.len() as f32,
            numbers_agree,
            span: first.span.cover(last.span),
        })
    }
}

impl Support {
    /// Order of preference among windows: agreeing numbers weigh as much as a fifth of the words.
    fn rank(&self) -> f32 {
        self.share + if self.numbers_agree { 0.2 } else { 0.0 }
    }
}
