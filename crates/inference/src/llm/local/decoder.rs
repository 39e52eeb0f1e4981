//! The computing part of a language model, as the engine sees it.

use llama_cpp_2::token::LlamaToken;
use qanda_core::ModelError;

/// Memory and computation of a model that continues several sequences of tokens at once.
///
/// The engine knows nothing else of a model, so its rules can be tried without one.
pub(super) trait Decoder {
    /// Chooses the tokens of one answer.
    type Sampler;

    /// Copies the memory of a sequence to another one; whether that is possible.
    fn copy(&mut self, from: usize, to: usize) -> bool;

    /// Forgets all but the first `keep` tokens of a sequence; returns how many it holds then, `keep` or none.
    fn truncate(&mut self, sequence: usize, keep: usize) -> usize;

    /// Forgets all sequences.
    fn clear(&mut self);

    /// Evaluates tokens, those of a sequence in a row.
    ///
    /// # Errors
    /// When that fails; the memory is in an unknown state then.
    fn evaluate(&mut self, inputs: &[Input]) -> Result<(), ModelError>;

    /// Chooses the token that follows the input at this place of the last evaluation.
    fn choose(&mut self, sampler: &mut Self::Sampler, place: usize) -> Choice;
}

/// A token to evaluate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) sequence: usize,
    /// Its place in the sequence, from 0.
    pub(super) position: usize,
    pub(super) token: LlamaToken,
    /// Whether the token after it will be asked for.
    pub(super) is_last: bool,
}

/// The token that a model chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// This one; `text` are its bytes, which may end in the middle of a character.
    Token { token: LlamaToken, text: Vec<u8> },
    /// The one that says that the answer is complete.
    End,
    /// No token, as the answer's shape allows none at all.
    Nothing,
}
