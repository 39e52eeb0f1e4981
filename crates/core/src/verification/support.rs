//! Support: the words of a passage that back a statement.
//!
//! A statement is compared with the sentences of a passage. It is supported where one of them, or two neighbouring
//! ones, hold all that it says (in these or equal words, or in the headings above) and no rule finds a difference in
//! numbers, denials, comparators or opposites. That is cheap enough to run while an answer streams, needs no model, and
//! errs towards silence.

use std::sync::OnceLock;

use super::tokens::{Kind, Token, tokens};
use super::wording::ABOUT_ITSELF;
use super::{comparators, negation, numbers, opposites};
use crate::document::{EntryId, Metadata, Passage, Span, heading_path};
use crate::language::{Words, content_words, holding, sentences};
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
    /// Tokens of its title and headings: a sentence under "Metformin" need not repeat the word.
    context: Vec<Token>,
}

#[derive(Debug)]
struct Sentence {
    span: Span,
    tokens: Vec<Token>,
}

/// A statement to be backed.
#[derive(Debug)]
pub(super) struct Claim {
    words: Words,
    tokens: Vec<Token>,
}

/// Relation of a passage to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It says so, in these bytes of its text.
    Supported(Span),
    /// It speaks of the same and says something else.
    Contradicted,
    /// It does not say so, as far as the rules can tell.
    NotFound,
}

impl Claim {
    /// Fewer content words than this say too little to be found anywhere. Numbers and units do not count: "60
    /// mL/min" stands in many places.
    const FEWEST_WORDS: usize = 3;

    pub(super) fn new(text: &str) -> Self {
        let is_about_itself = |word: &str| ABOUT_ITSELF.contains(&word);
        let mut words = content_words(text);
        words.retain(|word| !is_about_itself(word));
        let mut tokens = tokens(text);
        tokens.retain(|token| !is_about_itself(&token.word));
        Self { words, tokens }
    }

    /// Whether it says more than a question does.
    pub(super) fn adds_to(&self, question: &Words) -> bool {
        self.words.iter().any(|word| !question.contains(word))
    }

    pub(super) fn says_something(&self) -> bool {
        // Where a character is a syllable or a word, fewer of them say as much.
        let telling = |word: &&String| {
            let is_long = if word.is_ascii() { word.len() >= 3 } else { word.len() >= 4 };
            is_long && word.chars().all(|c| c.is_alphabetic() || !c.is_ascii())
        };
        self.words.iter().filter(telling).count() >= Self::FEWEST_WORDS
    }
}

/// Degree to which a passage backs a claim, and the words that do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Support {
    /// Share of the claim's words and numbers found, 0 to 1.
    pub(super) share: f32,
    /// Whether a rule tells the claim from what stands here.
    differs: bool,
    pub(super) verdict: Verdict,
    /// The words that come nearest, in bytes of the passage's text.
    pub(super) span: Span,
}

impl Support {
    /// Enough to say that the claim comes from here.
    pub(super) const fn is_clear(&self) -> bool {
        matches!(self.verdict, Verdict::Supported(_))
    }

    /// Whether the model's own marker may stand though the words are others: many of them are the same, fewer where
    /// it cites several passages for parts of what it says, and no rule finds a difference.
    pub(super) fn may_be_a_paraphrase(&self, of_several: bool) -> bool {
        self.share >= if of_several { PARAPHRASED_PART } else { PARAPHRASE } && !self.differs
    }

    fn contradicts(&self) -> bool {
        self.verdict == Verdict::Contradicted
    }
}

/// Share of a claim that a passage has to speak of before a difference contradicts it.
const SAME_SUBJECT: f32 = 0.7;

/// Share of a claim that a passage has to hold for a marker that the model put there itself.
const PARAPHRASE: f32 = 0.5;
/// The same where the model cites several passages.
const PARAPHRASED_PART: f32 = 0.3;
/// Words and numbers of a claim that each of two sentences has to add.
const FEWEST_ADDED: usize = 2;

impl Evidence {
    /// A hit that statements can be compared with.
    #[must_use]
    pub const fn new(hit: Hit) -> Self {
        Self { hit, parts: OnceLock::new() }
    }

    /// Whether the passage has this word; what stands before an opening bracket there is the name of a variable.
    pub(super) fn has_word(&self, word: &str) -> bool {
        let text = holding(&self.hit.passage.text);
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
            // What one sentence says or contradicts needs no second one: a citation should be no longer than needed.
            if best.is_some_and(|best| best.is_clear() || best.contradicts()) {
                break;
            }
            for window in parts.sentences.windows(width) {
                let Some(found) = parts.compare(window, claim) else { continue };
                let margin = if width == 2 { 0.15 } else { 0.0 };
                if best.is_none_or(|best| found.rank() > best.rank() + margin) {
                    best = Some(found);
                }
            }
        }
        best
    }
}

/// Relation of a text to a statement, as it is found before a marker may stand; for measuring that by itself.
#[must_use]
pub fn verify(text: &str, statement: &str) -> Verdict {
    let passage = Passage {
        id: EntryId::from(1),
        document: String::new(),
        title: String::new(),
        headings: Vec::new(),
        text: text.to_owned(),
        span: Span::new(0, text.len()),
        metadata: Metadata::new(),
        pages: None,
    };
    verify_under(passage, statement)
}

/// The same of a passage, whose words stand under its title and headings.
pub(crate) fn verify_under(passage: Passage, statement: &str) -> Verdict {
    let evidence = Evidence::new(Hit { passage, pair: None, score: 1.0, cosine: None });
    evidence.support(&Claim::new(statement)).map_or(Verdict::NotFound, |support| support.verdict)
}

/// Whether a text clearly backs a statement.
#[must_use]
pub fn backs(text: &str, statement: &str) -> bool {
    matches!(verify(text, statement), Verdict::Supported(_))
}

impl Parts {
    fn of(hit: &Hit) -> Self {
        let text = holding(&hit.passage.text);
        let sentence = |span: Span| Sentence { span, tokens: tokens(&text[span.start..span.end]) };
        let sentences = sentences(&text).into_iter().map(sentence).collect();
        Self { sentences, context: tokens(&heading_path(&hit.passage.title, &hit.passage.headings)) }
    }

    fn compare(&self, window: &[Sentence], claim: &Claim) -> Option<Support> {
        let span = window.first()?.span.cover(window.last()?.span);
        let evidence = joined(window);
        let said: Vec<&Token> = claim.tokens.iter().filter(|token| token.says()).collect();
        let is_in = |tokens: &[Token], token: &Token| tokens.iter().any(|known| known.is_same(token));
        if let [one, other] = window {
            // One word more is as likely chance: "stomach" for "brain", and "brain" in the next sentence.
            let adds = |own: &Sentence, others: &Sentence| {
                let only = |token: &&&Token| is_in(&own.tokens, token) && !is_in(&others.tokens, token);
                said.iter().filter(only).count() >= FEWEST_ADDED
            };
            if !adds(one, other) || !adds(other, one) {
                return None;
            }
        }
        let (here, elsewhere): (Vec<&Token>, Vec<&Token>) = said.iter().partition(|token| is_in(&evidence, token));
        if here.is_empty() {
            return None;
        }
        let (above, lost): (Vec<&Token>, Vec<&Token>) =
            elsewhere.into_iter().partition(|token| is_in(&self.context, token));
        // The headings may help a claim that the sentences back, not carry one alone.
        let counted = if here.len() >= 2 { here.len() + above.len() } else { here.len() };
        let share = counted as f32 / said.len() as f32;
        let differs = share >= PARAPHRASED_PART && differ(&claim.tokens, &evidence, &lost);
        let verdict = if differs && share >= SAME_SUBJECT {
            Verdict::Contradicted
        } else if !differs && counted == said.len() {
            Verdict::Supported(span)
        } else {
            Verdict::NotFound
        };
        Some(Support { share, differs, verdict, span })
    }
}

/// Tokens of neighbouring sentences, each some clauses behind the one before.
fn joined(window: &[Sentence]) -> Vec<Token> {
    let mut all: Vec<Token> = Vec::new();
    for sentence in window {
        let clauses = all.last().map_or(0, |token| token.clause + 2);
        all.extend(sentence.tokens.iter().cloned().map(|token| Token { clause: token.clause + clauses, ..token }));
    }
    all
}

/// Whether any rule tells a claim from the evidence for it. `lost` are the words and numbers that it lacks.
fn differ(claim: &[Token], evidence: &[Token], lost: &[&Token]) -> bool {
    let is_opposed = |token: &&Token| {
        token.kind == Kind::Word
            && opposites::of(&token.word).iter().any(|other| evidence.iter().any(|known| known.word == *other))
    };
    let is_other_number = |token: &&Token| {
        numbers::quantity(token)
            .is_some_and(|own| evidence.iter().filter_map(numbers::quantity).any(|other| other.is_alike(own)))
    };
    lost.iter().any(|token| is_opposed(token) || is_other_number(token))
        || negation::differ(claim, evidence)
        || comparators::differ(claim, evidence)
        || numbers::are_exchanged(claim, evidence)
}

impl Support {
    /// Order of preference among windows: what says so, what says otherwise, what shares most.
    fn rank(&self) -> f32 {
        self.share
            + if self.is_clear() {
                2.0
            } else if self.contradicts() {
                1.0
            } else {
                0.0
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_contradicted(text: &str, statement: &str) -> bool {
        verify(text, statement) == Verdict::Contradicted
    }

    #[test]
    fn equal_words_and_units_support() {
        for (text, statement) in [
            ("Give it for 2 weeks before an operation.", "It is administered for 14 days prior to an operation."),
            (
                "Most people with hypertension need no more than 5 mg.",
                "Most people with high blood pressure need at most 5 mg.",
            ),
            ("It should not be given to children.", "It shouldn't be given to kids."),
        ] {
            assert!(backs(text, statement), "{statement}");
        }
    }

    #[test]
    fn what_is_struck_out_backs_nothing() {
        for text in [
            "The filter of the pump is replaced every ~~90~~ 30 days.",
            "The filter of the pump is replaced every <del>90</del><ins>30</ins> days.",
        ] {
            assert!(backs(text, "The filter of the pump is replaced every 30 days."), "{text}");
            assert!(!backs(text, "The filter of the pump is replaced every 90 days."), "{text}");
        }
        let gone = "~~The filter of the pump is replaced every 90 days.~~ Ask the technician.";
        assert_eq!(verify(gone, "The filter of the pump is replaced every 90 days."), Verdict::NotFound);
    }

    #[test]
    fn one_thing_changed_contradicts() {
        for (text, statement) in [
            ("Stop metformin when eGFR is below 30.", "Do not stop metformin when eGFR is below 30."),
            ("Stop metformin when eGFR is below 30.", "Stop metformin when eGFR is above 30."),
            ("Stop metformin when eGFR is below 30.", "Start metformin when eGFR is below 30."),
            ("Review it below 45 and stop it below 30 mL/min.", "Review it below 30 and stop it below 45 mL/min."),
            ("The tablet is taken for 3 days at night.", "The tablet is taken for 3 weeks at night."),
            ("Nobody should be treated with a reliever alone.", "Adults should be treated with a reliever alone."),
            ("The vaccine is given before discharge.", "The vaccine is given after discharge."),
        ] {
            assert!(is_contradicted(text, statement), "{statement}: {:?}", verify(text, statement));
            assert!(backs(text, text), "{text}");
        }
    }

    #[test]
    fn another_name_is_not_found() {
        assert_eq!(
            verify("The drug harms the kidneys of adults.", "The drug harms the liver of adults."),
            Verdict::NotFound
        );
    }
}
