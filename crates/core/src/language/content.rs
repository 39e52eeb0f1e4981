//! Words that carry meaning, and numbers.

use std::borrow::Cow;
use std::collections::HashSet;

use super::stem::stem_in;
use super::{Language, STOP_WORDS, words};
use crate::document::Span;

/// The words of `text` that carry meaning: lower case, without stop words, reduced to their stems, so that "vaccines"
/// meets "vaccine" and "recommended" meets "recommends". Numbers are kept as they are. Stop words and stems are English;
/// of other languages all words count.
#[must_use]
pub fn content_words(text: &str) -> Words {
    content_words_in(text, Language::ENGLISH)
}

/// The same by the stop words and stems of a language.
#[must_use]
pub fn content_words_in(text: &str, language: Language) -> Words {
    words(text).filter_map(|word| content(word.form, language)).collect()
}

/// Words without an order. Each answer takes its passages apart, so the hash is a quick one.
pub type Words = HashSet<String, foldhash::fast::RandomState>;

/// Length of the longest English stop word.
const LONGEST_STOP_WORD: usize = 6;

/// The stem of a word that carries meaning.
fn content(word: Cow<'_, str>, language: Language) -> Option<String> {
    let is_stop_word = match language {
        Language::ENGLISH => word.len() <= LONGEST_STOP_WORD && STOP_WORDS.binary_search(&&*word).is_ok(),
        _ => language.is_stop_word(&word),
    };
    (!is_stop_word).then(|| stem_in(&word, language).into_owned())
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
        if word.form.starts_with(|c: char| c.is_ascii_digit()) {
            numbers.insert(word.form.clone().into_owned());
        } else if let Some(number) = number_word(&word.form) {
            numbers.insert(number.to_string());
        }
        all.extend(content(word.form, Language::ENGLISH));
    }
    (all, numbers)
}

/// Fewest bytes of words that are looked for: shorter ones stand in many places by chance.
const FEWEST_BYTES: usize = 12;

/// Place of `words` in `text` as they are, from byte `from` on (a character boundary): whole words only, and not
/// so few that it means nothing. Accents may be composed or not.
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
    let as_it_is = places.find(|place| {
        let (before, after) = (text[..place.start].chars().next_back(), text[place.end..].chars().next());
        !inside(before, words.chars().next()) && !inside(words.chars().next_back(), after)
    });
    as_it_is.or_else(|| if words.is_ascii() { None } else { find_composed(text, words, from) })
}

/// Place of words that are the same once their characters are composed.
fn find_composed(text: &str, wanted: &str, from: usize) -> Option<Span> {
    let composed = |text: &str| super::composed(text).into_owned();
    if composed(text) == text && composed(wanted) == wanted {
        return None;
    }
    let wanted = composed(wanted);
    let spans: Vec<Span> = words(&text[from..]).map(|word| word.span.shifted(from)).collect();
    let count = words(&wanted).count().max(1);
    spans.windows(count).map(|window| window[0].cover(window[count - 1])).find_map(|found| {
        let (before, after) =
            (wanted.find(char::is_alphanumeric)?, wanted.chars().rev().take_while(|c| !c.is_alphanumeric()));
        // Marks around the first and the last word belong to what is looked for.
        let start = found.start.checked_sub(before).filter(|start| text.is_char_boundary(*start) && *start >= from)?;
        let end = found.end + after.map(char::len_utf8).sum::<usize>();
        let place = text.get(start..end)?;
        (composed(place) == wanted).then(|| Span::new(start, end))
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
    fn words_are_found_however_their_accents_are_written() {
        let (composed, taken_apart) =
            ("Zuerst die Größe messen. Dann mehr.", "Zuerst die Gro\u{308}ße messen. Dann mehr.");
        for (text, words) in [(composed, "die Gro\u{308}ße messen."), (taken_apart, "die Größe messen.")] {
            let found = find_words(text, words, 0).expect("they stand there");
            assert!(
                text[found.start..found.end].starts_with("die Gr") && text[found.start..found.end].ends_with("messen.")
            );
        }
        assert_eq!(find_words(composed, "die Gro\u{308}ße wiegen", 0), None);
    }

    #[test]
    fn content_words_treat_forms_of_a_word_alike() {
        assert_eq!(content_words("the recommended vaccines"), content_words("Recommends a vaccine."));
        assert!(content_words("It is what it is").is_empty());
        assert!(STOP_WORDS.is_sorted());
        assert_eq!(STOP_WORDS.iter().map(|word| word.len()).max(), Some(LONGEST_STOP_WORD));
        let german = Language::of_tag(Some("de"));
        assert_eq!(
            content_words_in("Wann werden die Kühlschränke geprüft?", german),
            content_words_in("geprüfter Kühlschrank", german)
        );
    }

    #[test]
    fn numbers_keep_decimals_and_split_fractions() {
        let (_, found) = words_and_numbers("below 140/90 mmHg, 0.5 mg, 7%. In 2024 twelve.");
        for number in ["140", "90", "0.5", "7", "2024", "12"] {
            assert!(found.contains(number), "{number} in {found:?}");
        }
    }
}
