//! Length of texts in tokens, also where the tokenizer does not know what it reads.

use tokenizers::Tokenizer;

/// Names under which vocabularies keep their token for the unknown.
const UNKNOWN: [&str; 2] = ["[UNK]", "<unk>"];

/// Characters for which a run that is not known counts as one token. Runs of the same kind that the tokenizer does
/// read (half a line of hex, a word of Thai) have one to two characters a token.
const CHARACTERS: usize = 2;

/// Counts tokens, without a limit.
pub(super) struct Counter {
    tokenizer: Tokenizer,
    unknown: Option<u32>,
}

impl Counter {
    /// A counter over a tokenizer that does not cut.
    pub(super) fn new(tokenizer: Tokenizer) -> Self {
        let unknown = UNKNOWN.iter().find_map(|name| tokenizer.token_to_id(name));
        Self { tokenizer, unknown }
    }

    /// Tokens of a text, without the special ones at its ends.
    ///
    /// WordPiece gives one token to a run that it does not know, however long: a line of base64 or a page of Thai, which
    /// has no spaces, would count as nothing. Such a run counts by its length.
    pub(super) fn count(&self, text: &str) -> usize {
        // Should the tokenizer fail, a byte a token is the safe side.
        let Ok(encoding) = self.tokenizer.encode_fast(text, false) else { return text.len() };
        if !encoding.get_ids().iter().any(|id| Some(*id) == self.unknown) {
            return encoding.len();
        }
        // Only this one tells where tokens stand, which costs time.
        let Ok(encoding) = self.tokenizer.encode_char_offsets(text, false) else { return text.len() };
        let tokens = encoding.get_ids().iter().zip(encoding.get_offsets());
        tokens
            .map(|(id, (start, end))| match Some(*id) == self.unknown {
                true => (end - start).div_ceil(CHARACTERS).max(1),
                false => 1,
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Counter;

    fn counter() -> Counter {
        let tokenizer = json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
            "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
            "model": {
                "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": {"[UNK]": 0, "plain": 1, "##er": 2, "words": 3},
            },
        });
        Counter::new(tokenizer.to_string().parse().expect("a tokenizer"))
    }

    #[test]
    fn known_words_count_as_their_pieces() {
        assert_eq!(counter().count("plainer words"), 3);
        assert_eq!(counter().count(""), 0);
    }

    #[test]
    fn unknown_runs_count_by_their_length_whatever_the_script() {
        assert_eq!(counter().count("x"), 1);
        assert_eq!(counter().count(&"4f".repeat(500)), 500);
        // Characters count, not bytes.
        assert_eq!(counter().count(&"ก".repeat(1_000)), 500);
        assert_eq!(counter().count(&format!("plain {} words", "z".repeat(101))), 1 + 51 + 1);
    }
}
