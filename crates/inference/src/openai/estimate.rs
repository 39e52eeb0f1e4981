//! Tokens of a text without the model's tokenizer.

/// A count that grows with the text.
#[derive(Default)]
struct Estimate {
    /// Letters, and what counts as several.
    parts: usize,
    words: usize,
    in_word: bool,
}

const fn is_light(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b' ' | b'\n' | b'\t' | b'\r')
}

/// White space as `char::is_whitespace` has it.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

impl Estimate {
    fn push(&mut self, character: char) {
        self.parts += match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => {
                if is_light(byte) {
                    1
                } else {
                    3
                }
            }
            _ => 2 * character.len_utf8(),
        };
        let is_word = !character.is_whitespace();
        self.words += usize::from(is_word && !self.in_word);
        self.in_word = is_word;
    }

    /// The same for ASCII characters, in loops that the compiler makes vectors of: a prompt is counted several times
    /// on its way.
    fn push_ascii(&mut self, run: &[u8]) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
        let light = run.iter().filter(|byte| is_light(**byte)).count();
        self.parts += 3 * run.len() - 2 * light;
        let begun = run.iter().zip(&run[1..]).filter(|(before, byte)| is_space(**before) && !is_space(**byte)).count();
        self.words += begun + usize::from(!self.in_word && !is_space(*first));
        self.in_word = !is_space(*last);
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
    let mut rest = text;
    while !rest.is_empty() {
        let ascii = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
        estimate.push_ascii(&rest.as_bytes()[..ascii]);
        let mut others = rest[ascii..].chars();
        others.next().into_iter().for_each(|character| estimate.push(character));
        rest = others.as_str();
    }
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
    use super::{Estimate, estimate_tokens, fitting_start};

    #[test]
    fn estimates_are_on_the_high_side_of_what_tokenizers_count() {
        // Counts of cl100k_base for the first two, as its authors publish them; a character each for the third.
        for (text, counted) in [("tiktoken is great!", 6), ("", 0), ("漢字漢字", 4)] {
            let estimated = estimate_tokens(text);
            assert!((counted..=counted * 2).contains(&estimated), "{text}: {estimated}");
        }
    }

    #[test]
    fn runs_of_ascii_count_like_their_characters() {
        for text in ["", " a  b\u{b}c ", "größer als 5\u{a0}µm\n\n— so “it” is…", "é", "a é b", "\u{1c}x y\t"]
        {
            let mut estimate = Estimate::default();
            text.chars().for_each(|character| estimate.push(character));
            assert_eq!(estimate_tokens(text), estimate.tokens(), "{text:?}");
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
