use qanda_core::ports::TokenCounter;

/// Characters that a token stands for at most, in sizes. English has four to five to a token, other languages fewer.
pub const CHARACTERS_PER_TOKEN: usize = 8;

/// Size of a text: its tokens, or as many as its characters are worth if a tokenizer finds fewer.
#[derive(Clone, Copy)]
pub struct Measure<'a>(pub &'a dyn TokenCounter);

impl Measure<'_> {
    /// The size in tokens.
    #[must_use]
    pub fn tokens(&self, text: &str) -> usize {
        self.0.count_tokens(text).max(text.chars().count().div_ceil(CHARACTERS_PER_TOKEN))
    }
}
