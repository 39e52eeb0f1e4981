//! Tokens of a text without the model's tokenizer.

/// A count that grows with the text.
#[derive(Default)]
struct Estimate {
    ascii: usize,
    /// Bytes of other characters.
    wide: usize,
    words: usize,
    in_word: bool,
}

impl Estimate {
    fn push(&mut self, character: char) {
        if character.is_ascii() {
            self.ascii += 1;
        } else {
            self.wide += character.len_utf8();
        }
        let is_word = !character.is_whitespace();
        self.words += usize::from(is_word && !self.in_word);
        self.in_word = is_word;
    }

    fn tokens(&self) -> usize {
        let by_bytes = self.ascii.div_ceil(4) + self.wide.div_ceil(2);
        by_bytes.max((self.words * 4).div_ceil(3))
    }
}

/// About how many tokens a text has for a model whose tokenizer is not known: the larger of four bytes and three
/// quarters of a word a token. Characters beyond ASCII count as half a token a byte, since most tokenizers need
/// one to two tokens for a character of a script that is not Latin.
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
