//! Texts as the tokens of a model, and their number.

use std::sync::Arc;

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use qanda_core::ports::TokenCounter;

/// Tokenizer of a GGUF embedder.
pub(super) struct Tokens {
    model: Arc<LlamaModel>,
    /// Most tokens of a text, with the special ones at its ends.
    window: usize,
    /// Stands for what the vocabulary does not hold.
    unknown: Option<LlamaToken>,
    /// Words before each passage.
    passage_prefix: String,
}

/// Characters for which a word that is not known counts as one token.
const CHARACTERS: usize = 2;

impl Tokens {
    pub(super) const fn new(
        model: Arc<LlamaModel>,
        window: usize,
        unknown: Option<LlamaToken>,
        passage_prefix: String,
    ) -> Self {
        Self { model, window, unknown, passage_prefix }
    }

    /// The model's input for a text: at least one token. Of a text that is too long the start is left, and the token that
    /// ends it.
    pub(super) fn of(&self, text: &str) -> Vec<LlamaToken> {
        let vocab = self.model.vocab();
        let mut tokens = vocab.tokenize(text.as_bytes(), true, false);
        if tokens.len() > self.window {
            let plain = vocab.tokenize(text.as_bytes(), false, false);
            let last = tokens.last().copied().filter(|last| plain.last() != Some(last));
            tokens.truncate(self.window - usize::from(last.is_some()));
            tokens.extend(last);
        }
        if tokens.is_empty() {
            // Models without special tokens make nothing of an empty text.
            tokens = vocab.tokenize(b" ", false, false);
            tokens.truncate(1);
        }
        if tokens.is_empty() { vec![LlamaToken(0)] } else { tokens }
    }

    fn plain(&self, text: &str) -> Vec<LlamaToken> {
        self.model.vocab().tokenize(text.as_bytes(), false, false)
    }

    /// Tokens of a word. One that is not known as a whole counts by its length: a page of a script that the model does not
    /// read would count as nothing.
    fn of_word(&self, word: &str) -> usize {
        let tokens = self.plain(word);
        let unknown = tokens.iter().any(|token| Some(*token) == self.unknown);
        if unknown { tokens.len().max(word.chars().count().div_ceil(CHARACTERS)) } else { tokens.len() }
    }
}

impl TokenCounter for Tokens {
    fn count_tokens(&self, text: &str) -> usize {
        let tokens = self.plain(text);
        match tokens.iter().any(|token| Some(*token) == self.unknown) {
            true => text.split_whitespace().map(|word| self.of_word(word)).sum(),
            false => tokens.len(),
        }
    }

    fn max_tokens(&self) -> usize {
        let special = self.model.vocab().tokenize(b"", true, false).len();
        self.window.saturating_sub(special + self.plain(&self.passage_prefix).len())
    }
}
