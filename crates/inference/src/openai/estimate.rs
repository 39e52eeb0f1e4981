//! Tokens of a text without the model's tokenizer.

/// A count that grows with the text.
#[derive(Default)]
struct Estimate {
    /// Letters, and what counts as several.
    parts: usize,
    words: usize,
    in_word: bool,
}

impl Estimate {
    fn push(&mut self, character: char) {
        self.parts += match character {
            'a'..='z' | 'A'..='Z' | ' ' | '\n' | '\t' | '\r' => 1,
            character if character.is_ascii() => 3,
            character => 2 * character.len_utf8(),
        };
        let is_word = !character.is_whitespace();
        self.words += usize::from(is_word && !self.in_word);
        self.in_word = is_word;
    }

    fn tokens(&self) -> usize {
        (self.parts * 2).div_ceil(7).max((self.words * 4).div_ceil(3))
    }
}

/// About how many tokens a text has for a model whose tokenizer is not known, rather too many than too few: the larger
/// of three quarters of a word a token, and 3.5 letters or spaces a token, where a digit or sign counts as three
/// letters, and any other character as two for each of its bytes. For English guidelines that is a fifth more than a
/// tokenizer of 49,000 entries counts; larger vocabularies count less.
#[must_use]
pub fn estimate_tokens(text: &str) -> usize {
    let mut estimate = Estimate::default();
    text.chars().for_each(|character| estimate.push(character));
    estimate.tokens()
}

/// The start of a text that is estimated at no more than `most` tokens.
pub(crate) fn fitting_start(text: &str, most: usize) -> &str {
    let mut estimate = Estimate::default();
    for (at, character) in text.char_indices() {
        estimate.push(character);
        if estimate.tokens() > most {
            return &text[..at];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{estimate_tokens, fitting_start};

    #[test]
    fn estimates_are_on_the_high_side_of_what_tokenizers_count() {
        // Counts of cl100k_base for the first two, as its authors publish them; a character each for the third.
        for (text, counted) in [("tiktoken is great!", 6), ("", 0), ("漢字漢字", 4)] {
            let estimated = estimate_tokens(text);
            assert!((counted..=counted * 2).contains(&estimated), "{text}: {estimated}");
        }
    }

    #[test]
    fn a_text_is_cut_where_it_is_full() {
        let text = "One two three, größer und größer.";
        for most in 0..20 {
            let start = fitting_start(text, most);
            assert!(text.starts_with(start) && estimate_tokens(start) <= most);
        }
        assert_eq!(fitting_start(text, 100), text);
    }
}
