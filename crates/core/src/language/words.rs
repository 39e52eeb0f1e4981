//! Words that carry meaning, and numbers.

use std::borrow::Cow;
use std::collections::HashSet;

use super::stem;
use crate::document::Span;

/// Words that say nothing about what a text is about. English, as the models inside are; in other languages all
/// words count. In alphabetical order.
pub(crate) const STOP_WORDS: &[&str] = &[
    "a", "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "before", "but", "by",
    "can", "could", "did", "do", "does", "for", "from", "had", "has", "have", "he", "her", "his", "how", "i", "if",
    "in", "into", "is", "it", "its", "may", "me", "might", "more", "most", "must", "my", "no", "not", "of", "on",
    "one", "or", "other", "our", "out", "over", "shall", "she", "should", "so", "some", "such", "than", "that", "the",
    "their", "them", "then", "there", "these", "they", "this", "those", "to", "up", "us", "was", "we", "were", "what",
    "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
];

/// The words of `text` that carry meaning: lower case, without stop words, reduced to their stems, so that "vaccines"
/// meets "vaccine" and "recommended" meets "recommends". Numbers are kept as they are.
#[must_use]
pub fn content_words(text: &str) -> Words {
    words(text).filter_map(content).collect()
}

/// Words without an order. Each answer takes its passages apart, so the hash is a quick one.
pub type Words = HashSet<String, foldhash::fast::RandomState>;

/// Length of the longest stop word.
const LONGEST_STOP_WORD: usize = 6;

/// The stem of a word that carries meaning.
fn content(word: Cow<'_, str>) -> Option<String> {
    let counts = word.len() > LONGEST_STOP_WORD || STOP_WORDS.binary_search(&&*word).is_err();
    counts.then(|| stem(&word).into_owned())
}

/// Number words that are hardly ever meant as anything else, from 2 on.
const NUMBER_WORDS: [&str; 11] =
    ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// The number that a word from "two" to "twelve" stands for.
pub(crate) fn number_word(word: &str) -> Option<u8> {
    NUMBER_WORDS.iter().zip(2..).find(|(name, _)| **name == word).map(|(_, number)| number)
}

/// The content words of `text`, and the numbers in it, such as `140`, `0.5` or `2024`; "two" to "twelve" count as
/// digits.
#[must_use]
pub fn words_and_numbers(text: &str) -> (Words, Words) {
    let (mut all, mut numbers) = (Words::default(), Words::default());
    for word in words(text) {
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            numbers.insert(word.clone().into_owned());
        } else if let Some(number) = number_word(&word) {
            numbers.insert(number.to_string());
        }
        all.extend(content(word));
    }
    (all, numbers)
}

fn words(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let inner = |c: char| c.is_alphanumeric() || c == '.' || c == ',' || c == '\'';
    text.split(move |c: char| !inner(c))
        .flat_map(|piece| {
            // "2.5" is one number, "end.Begin" is two words.
            let number = piece.starts_with(|c: char| c.is_ascii_digit());
            piece.split(move |c: char| !number && !c.is_alphanumeric())
        })
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .map(lower_case)
}

/// Most words are lower case already, and need no copy.
fn lower_case(word: &str) -> Cow<'_, str> {
    let as_it_is = word.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if as_it_is { Cow::Borrowed(word) } else { Cow::Owned(word.to_lowercase()) }
}

/// Fewest bytes of words that are looked for: shorter ones stand in many places by chance.
const FEWEST_BYTES: usize = 12;

/// Place of `words` in `text` as they are, from byte `from` on (a character boundary): whole words only, and not
/// so few that it means nothing.
#[must_use]
pub fn find_words(text: &str, words: &str, from: usize) -> Option<Span> {
    let words = words.trim();
    if words.len() < FEWEST_BYTES {
        return None;
    }
    let inside =
        |a: Option<char>, b: Option<char>| a.is_some_and(char::is_alphanumeric) && b.is_some_and(char::is_alphanumeric);
    let mut places =
        text.get(from..)?.match_indices(words).map(|(at, _)| Span::new(from + at, from + at + words.len()));
    places.find(|place| {
        let (before, after) = (text[..place.start].chars().next_back(), text[place.end..].chars().next());
        !inside(before, words.chars().next()) && !inside(words.chars().next_back(), after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whole_and_only_where_they_say_something() {
        let text = "Do not know. Insulin lowers glucose, and more.";
        assert_eq!(find_words(text, " lowers glucose ", 0), Some(Span::new(21, 35)));
        assert_eq!(find_words(text, "lowers glucose", 22), None);
        for absent in ["now. Insulin lower", "lowers glu", "know", "", "owers glucose"] {
            assert_eq!(find_words(text, absent, 0), None, "{absent}");
        }
    }

    #[test]
    fn content_words_treat_forms_of_a_word_alike() {
        assert_eq!(content_words("the recommended vaccines"), content_words("Recommends a vaccine."));
        assert!(content_words("It is what it is").is_empty());
        assert!(STOP_WORDS.is_sorted());
        assert_eq!(STOP_WORDS.iter().map(|word| word.len()).max(), Some(LONGEST_STOP_WORD));
    }

    #[test]
    fn numbers_keep_decimals_and_split_fractions() {
        let (_, found) = words_and_numbers("below 140/90 mmHg, 0.5 mg, 7%. In 2024 twelve.");
        for number in ["140", "90", "0.5", "7", "2024", "12"] {
            assert!(found.contains(number), "{number} in {found:?}");
        }
    }
}
