//! Whether a passage has anything to do with a question.

use std::collections::HashSet;

use crate::language::{Language, Words, content_words_in, language_of_question};
use crate::ports::Hit;

/// Keeps the hits that are about the question: near it in meaning, or found by its letters.
///
/// A search always returns something; handing a model passages about something else is how it comes to invent. But
/// embedders know no error codes and no names that were made up yesterday, so a passage is kept as well that contains
/// all content words of the question (a third of them in other languages than English), or an identifier in it.
pub(crate) fn relevant(question: &str, mut hits: Vec<Hit>, floor: f32) -> Vec<Hit> {
    let asked = Letters::of(question);
    let evidence: Vec<Evidence> = hits.iter().map(|hit| asked.found_in(&hit.passage.with_context())).collect();
    let all_words = evidence.iter().filter(|found| found.all_words).count();
    // One common word tells nothing. The search prefers passages with the question's words, so a word that only few of
    // its hits hold is held by few passages altogether.
    let words_tell = asked.words.len() >= 2 || 2 * all_words <= hits.len();
    let mut evidence = evidence.into_iter();
    hits.retain(|hit| {
        let found = evidence.next().unwrap_or_default();
        hit.cosine.is_some_and(|cosine| cosine >= floor) || found.identifier || (found.all_words && words_tell)
    });
    hits
}

/// What a question can be found by in spite of a distant vector.
struct Letters {
    words: Words,
    /// Language of the question, by whose rules words are compared.
    language: Language,
    /// In lower case.
    identifiers: HashSet<String>,
}

/// What a passage has of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Evidence {
    all_words: bool,
    identifier: bool,
}

impl Letters {
    fn of(question: &str) -> Self {
        // In a question that is shouted capitals mean nothing.
        let shouted = !question.chars().any(char::is_lowercase);
        let identifiers = tokens(question).filter(|token| is_identifier(token, shouted)).map(str::to_lowercase);
        let language = language_of_question(question);
        let words = content_words_in(question, language);
        Self { words, language, identifiers: identifiers.collect() }
    }

    fn found_in(&self, passage: &str) -> Evidence {
        let identifier = !self.identifiers.is_empty()
            && tokens(passage).any(|token| self.identifiers.contains(token.to_lowercase().as_str()));
        let words = content_words_in(passage, self.language);
        let found = self.words.iter().filter(|word| words.contains(*word)).count();
        // In other languages than English vectors tell less, and forms of a word are many.
        let wanted = if self.language == Language::ENGLISH { self.words.len() } else { self.words.len().div_ceil(3) };
        let all_words = !self.words.is_empty() && found >= wanted;
        Evidence { all_words, identifier }
    }
}

/// Words with the marks that stand inside identifiers: `E-1042`, `max_connections`, `io.netty`.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let inside = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    text.split(move |c: char| !inside(c))
        .map(|token| token.trim_matches(['-', '_', '.']))
        .filter(|token| !token.is_empty())
}

/// Fewest digits of what is no year and hardly an amount.
const LONG_NUMBER: usize = 5;
/// Fewest letters of a word in capitals that is no usual abbreviation.
const LONG_CAPITALS: usize = 6;

/// Whether a word is one that somebody made up to name a thing: letters with digits behind them, capitals inside of a
/// word, a long number.
fn is_identifier(token: &str, shouted: bool) -> bool {
    let letters = token.chars().filter(|c| c.is_alphabetic()).count();
    let digits = token.chars().filter(char::is_ascii_digit).count();
    let capitals = token.chars().filter(|c| c.is_uppercase()).count();
    // "500mg" and "2nd" are amounts.
    let coded = digits > 0 && letters > 0 && (token.starts_with(char::is_alphabetic) || letters > 3);
    let humped = token.chars().zip(token.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    let capital = !shouted && capitals >= LONG_CAPITALS && capitals == letters;
    coded || humped || capital || token.contains('_') || digits >= LONG_NUMBER
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metadata, Passage, Span};

    fn hits(texts: &[&str]) -> Vec<Hit> {
        let hit = |text: &&str| Hit {
            passage: Passage {
                id: 1.into(),
                document: String::new(),
                title: "Notes".to_owned(),
                headings: Vec::new(),
                text: (*text).to_owned(),
                span: Span::new(0, text.len()),
                metadata: Metadata::new(),
                pages: None,
            },
            pair: None,
            score: 0.5,
            cosine: Some(0.1),
        };
        texts.iter().map(hit).collect()
    }

    fn kept(question: &str, texts: &[&str]) -> Vec<String> {
        relevant(question, hits(texts), 0.3).into_iter().map(|hit| hit.passage.text).collect()
    }

    #[test]
    fn an_identifier_that_is_found_by_its_letters_is_found() {
        let texts = ["Fault E-1042 means that the lid is open.", "The lid is green.", "Fault E-1043 is harmless."];
        for question in ["What now, it shows E-1042?", "e-1042 again and again on my machine"] {
            assert_eq!(kept(question, &texts), texts[..1], "{question}");
        }
        assert_eq!(kept("why ECONNREFUSED today", &["On ECONNREFUSED restart it."]).len(), 1);
    }

    #[test]
    fn usual_words_amounts_and_years_are_no_identifiers() {
        for usual in ["water", "France", "2024", "500mg", "2nd", "NATO", "12.5", "well-known", "X-ray"] {
            assert!(!is_identifier(usual, false), "{usual}");
        }
        for made_up in ["E1042", "CVE-2024-1234", "0x80070005", "max_connections", "readTimeout", "SIGTERM", "100341"] {
            assert!(is_identifier(made_up, false), "{made_up}");
        }
        assert!(!is_identifier("CAPITAL", true));
    }

    #[test]
    fn one_word_counts_where_few_passages_hold_it() {
        assert_eq!(kept("Sarvok?", &["Sarvok is a pump.", "Tank 7.", "Tank 8."]), ["Sarvok is a pump."]);
        assert!(kept("water?", &["Water is wet.", "Water is cold.", "Tank 8."]).is_empty());
    }

    #[test]
    fn all_words_of_a_question_are_enough_and_some_are_not() {
        assert_eq!(kept("lid green?", &["The lid is green.", "The lid is open."]), ["The lid is green."]);
    }
}
