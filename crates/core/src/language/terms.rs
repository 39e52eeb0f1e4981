//! Terms: what texts are indexed by, and what a question looks for.
//!
//! A text is indexed by the stems of its own language. A question is looked for by the stems of every language that
//! the store has texts in, since a few words hardly tell theirs.

use std::borrow::Cow;
use std::collections::HashSet;

use super::stem::stem_in;
use super::{Language, language_of_question, words};

/// Longest term, in bytes: a longer word is known by its beginning.
const LONGEST: usize = 128;

/// Most words of a question that count. Nobody types this many; a pasted document must not make a search slow.
const MOST_WORDS: usize = 128;

/// Calls `take` with every term of a text in a language, in their order: its words without stop words, each as its stem.
pub fn each_term(text: &str, language: Language, mut take: impl FnMut(&str)) {
    for word in words(text).filter(|word| !language.is_stop_word(&word.form)) {
        take(shortened(&stem_in(&word.form, language)));
    }
}

/// The terms of a question among texts in these languages, each once, in their order.
#[must_use]
pub fn terms_of_question(text: &str, languages: &[Language]) -> Vec<String> {
    let own = language_of_question(text);
    let mut seen = HashSet::new();
    let mut words: Vec<Cow<'_, str>> =
        words(text).map(|word| word.form).filter(|word| !own.is_stop_word(word)).collect();
    words.retain(|word| seen.insert(word.clone()));
    words.truncate(MOST_WORDS);
    let mut terms: Vec<String> = Vec::with_capacity(words.len());
    let mut known = HashSet::new();
    for word in &words {
        for language in languages.iter().filter(|language| !language.is_stop_word(word)) {
            let term = shortened(&stem_in(word, *language)).to_owned();
            if known.insert(term.clone()) {
                terms.push(term);
            }
        }
    }
    terms
}

fn shortened(term: &str) -> &str {
    &term[..term.floor_char_boundary(LONGEST)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str, tag: &str) -> Vec<String> {
        let mut found = Vec::new();
        each_term(text, Language::of_tag(Some(tag)), |term| found.push(term.to_owned()));
        found
    }

    #[test]
    fn texts_are_indexed_by_the_stems_of_their_language() {
        assert_eq!(terms("The pumps are cleaned.", "en"), ["pump", "clean"]);
        assert_eq!(terms("Die Pumpen werden gereinigt.", "de"), terms("Pumpe gereinigt", "de"));
        let key = "ab12".repeat(1_000);
        assert_eq!(terms(&key, "en"), [key[..LONGEST].to_owned()]);
    }

    #[test]
    fn a_question_is_looked_for_by_the_stems_of_all_languages_there_are() {
        let languages = ["en", "de", "fr"].map(|tag| Language::of_tag(Some(tag)));
        let asked = terms_of_question("Wann werden die Pumpen gereinigt?", &languages);
        for term in terms("Pumpe gereinigt", "de") {
            assert!(asked.contains(&term), "{term} in {asked:?}");
        }
        assert!(!asked.contains(&"die".to_owned()) && asked.len() <= 6, "{asked:?}");
        assert_eq!(terms_of_question("cleaned pump pumps?", &languages[..1]), ["clean", "pump"]);
        let page: String = (0..1_000).map(|n| format!("word{n} ")).collect();
        assert_eq!(terms_of_question(&page, &languages[..1]).len(), MOST_WORDS);
    }
}
