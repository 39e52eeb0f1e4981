//! Prompts: instructions, earlier turns, and what is said now.

use crate::ports::{LanguageModel, Message, Prompt};
use crate::question::{Role, Turn};
use crate::verification::Grounding;

/// Limits and manner of a generation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Generation {
    /// Tokens of passages in a prompt: the sentences nearest to the question are chosen.
    pub context_tokens: usize,
    /// Treatment of statements that no passage backs.
    pub grounding: Grounding,
    /// Confidence below which a question is not answered from documents, from 0 to 1.
    pub min_confidence: f32,
    /// Most tokens of an answer.
    pub max_tokens: usize,
    /// 0 takes the likeliest token every time.
    pub temperature: f32,
}

/// A prompt with its length.
pub(super) struct Draft {
    pub(super) prompt: Prompt,
    /// Tokens of its messages; an estimate for models that do not tell.
    pub(super) tokens: usize,
}

impl Draft {
    /// Instructions, what was said before, and what is said now.
    pub(super) fn new(
        model: &dyn LanguageModel,
        instructions: &str,
        history: &[Turn],
        user: String,
        generation: Generation,
    ) -> Self {
        let mut messages = vec![Message::new(Role::System, instructions.trim_end())];
        messages.extend(history.iter().map(|turn| Message::new(turn.role, turn.content.clone())));
        messages.push(Message::new(Role::User, user));
        let tokens = messages.iter().map(|message| model.count_tokens(&message.content)).sum();
        let Generation { max_tokens, temperature, .. } = generation;
        Self { prompt: Prompt { messages, max_tokens, temperature, shape: None }, tokens }
    }
}
