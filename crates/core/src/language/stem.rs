//! Forms of a word reduced to one stem.

use std::borrow::Cow;

use frostem::{Algorithm, Stemmer};

/// The stem of a word in lower case, by Porter's rules for English: "vaccines" and "vaccination" meet "vaccine". Words
/// of other languages stay nearly whole, which still finds them.
#[must_use]
pub fn stem(word: &str) -> Cow<'_, str> {
    // Making a stemmer costs nothing: it is a choice of rules.
    Stemmer::new(Algorithm::English).stem(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for [a, b] in [["vaccines", "vaccination"], ["recommended", "recommends"], ["doses", "dose"]] {
            assert_eq!(stem(a), stem(b));
        }
        for word in ["140", "0.5", "größe", "漢字"] {
            assert_eq!(stem(word), word);
        }
    }
}
