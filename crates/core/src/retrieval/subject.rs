//! What a question asks about: its names, numbers and long words.
//!
//! "How is Lujo fever diagnosed?" shares all but one word with a page on another fever. That one word is the question's
//! subject, and a passage without it speaks of something else, however well the rest fits.

use crate::language::{Words, content_words};

/// Letters from which on a word is a term rather than a word of every day. Chosen on the development parts of `own`,
/// `squad2` and `medquad` (docs/quality.md): people write names in lower case, too, and those of drugs and diseases tend
/// to be long.
const TERM: usize = 10;

/// Short words that titles write in lower case, and that therefore do not tell a title from a sentence.
const IN_TITLES: [&str; 14] =
    ["a", "an", "the", "of", "in", "on", "at", "to", "for", "and", "or", "by", "with", "from"];

/// The content words of a question that name what it asks about: words with a capital inside a sentence, with digits,
/// and long ones.
pub(super) fn named(question: &str) -> Words {
    let words: Vec<&str> = question.split_whitespace().map(|word| word.trim_matches(is_mark)).collect();
    let is_lower = |word: &&str| word.starts_with(char::is_lowercase) && !IN_TITLES.contains(word);
    // Where all is written large, capitals tell nothing.
    let capitals_tell = words.iter().skip(1).any(is_lower);
    let mut begins = true;
    let mut named = Words::default();
    for (raw, word) in question.split_whitespace().zip(&words) {
        let is_name = capitals_tell && word.chars().skip(usize::from(begins)).any(char::is_uppercase);
        if is_name || word.chars().any(|c| c.is_ascii_digit()) || word.chars().count() >= TERM {
            named.extend(content_words(word));
        }
        begins = raw.ends_with(['.', '!', '?', ':']);
    }
    named
}

fn is_mark(c: char) -> bool {
    !c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(question: &str) -> Vec<String> {
        let mut names: Vec<_> = named(question).into_iter().collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn names_numbers_and_terms_are_what_a_question_asks_about() {
        assert_eq!(names("How is Lujo fever diagnosed?"), ["lujo"]);
        assert_eq!(names("What does HbA1c of 48 mean? And LDL?"), ["48", "hba1c", "ldl"]);
        assert_eq!(names("which glucocorticoid comes first"), ["glucocorticoid"]);
        assert!(names("At what age does screening begin? When does it end?").is_empty());
    }

    #[test]
    fn capitals_tell_nothing_where_all_words_have_them() {
        assert!(names("What Is the Dose of Insulin?").is_empty());
        assert!(names("WHAT IS THE DOSE?").is_empty());
    }
}
