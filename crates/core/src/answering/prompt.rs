//! What the model is told.

use crate::Question;
use crate::document::heading_path;
use crate::ports::{Hit, LanguageModel, Message, Prompt};
use crate::question::{Role, Turn};
use crate::verification::Grounding;

/// Tokens left for chat markup around the messages.
const MARKUP_TOKENS: usize = 64;

/// What a model reads and how it answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Generation {
    /// Tokens of passages in a prompt: the sentences nearest to the question are chosen.
    pub context_tokens: usize,
    /// What becomes of statements that no passage backs.
    pub grounding: Grounding,
    /// Most tokens of an answer.
    pub max_tokens: usize,
    /// 0 takes the likeliest token every time.
    pub temperature: f32,
}

/// A prompt that asks the model alone.
pub(super) fn model_alone(system: &str, question: &str, history: &[Turn], generation: Generation) -> Prompt {
    conversation(system, history, question.to_owned(), generation)
}

/// A prompt over excerpts of passages; those that are empty or do not fit into the model's window are left out.
/// Returns the hits that are in it as well, in the order of their numbers.
pub(super) fn over_passages(
    system: &str,
    question: &Question,
    hits: Vec<(Hit, String)>,
    model: &dyn LanguageModel,
    generation: Generation,
) -> (Prompt, Vec<Hit>) {
    let mut room = room(system, question, model, generation);
    let mut body = String::new();
    let mut used = Vec::new();
    for (hit, excerpt) in hits.into_iter().filter(|(_, excerpt)| !excerpt.is_empty()) {
        let passage = &hit.passage;
        let heading = heading_path(&passage.title, &passage.headings);
        let numbered = format!("[{}] {heading}\n{excerpt}\n\n", used.len() + 1);
        let tokens = model.count_tokens(&numbered);
        if tokens <= room {
            room -= tokens;
            body.push_str(&numbered);
            used.push(hit);
        }
    }
    body.push_str("Question: ");
    body.push_str(&question.content);
    (conversation(system, &question.history, body, generation), used)
}

/// Tokens that are left for what a question is answered from.
pub(super) fn room(system: &str, question: &Question, model: &dyn LanguageModel, generation: Generation) -> usize {
    let asked: usize = question.history.iter().map(|turn| model.count_tokens(&turn.content)).sum();
    let fixed = MARKUP_TOKENS + asked + model.count_tokens(system) + model.count_tokens(&question.content);
    model.context_window().saturating_sub(generation.max_tokens + fixed)
}

/// Instructions, what was said before, and what is said now.
pub(super) fn conversation(system: &str, history: &[Turn], user: String, generation: Generation) -> Prompt {
    let mut messages = vec![Message::new(Role::System, system.trim_end())];
    messages.extend(history.iter().map(|turn| Message::new(turn.role, turn.content.clone())));
    messages.push(Message::new(Role::User, user));
    Prompt { messages, max_tokens: generation.max_tokens, temperature: generation.temperature, shape: None }
}
