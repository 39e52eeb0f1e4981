//! What the model is told.

use crate::document::heading_path;
use crate::ports::{Hit, LanguageModel, Message, Prompt};
use crate::question::{Role, Turn};

/// Instructions for answering from passages. The same for every question, so that a model can keep what it
/// computed for them.
const DIRECT_SYSTEM: &str = include_str!("prompts/direct_system.txt");
/// Instructions for answering without documents.
const MODEL_ALONE_SYSTEM: &str = include_str!("prompts/model_alone_system.txt");
/// Tokens left for chat markup around the messages.
const MARKUP_TOKENS: usize = 64;

/// How long and how freely a model answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Generation {
    /// Most tokens of an answer.
    pub max_tokens: usize,
    /// 0 takes the likeliest token every time.
    pub temperature: f32,
}

/// A prompt that asks the model alone.
pub(super) fn model_alone(question: &str, history: &[Turn], generation: Generation) -> Prompt {
    conversation(MODEL_ALONE_SYSTEM, history, question.to_owned(), generation)
}

/// A prompt over passages, and the passages that fitted into the model's window, in the order of their numbers.
pub(super) fn over_passages(
    question: &str,
    history: &[Turn],
    hits: Vec<Hit>,
    model: &dyn LanguageModel,
    generation: Generation,
) -> (Prompt, Vec<Hit>) {
    let asked: usize = history.iter().map(|turn| model.count_tokens(&turn.content)).sum();
    let fixed = MARKUP_TOKENS + asked + model.count_tokens(DIRECT_SYSTEM) + model.count_tokens(question);
    let mut room = model.context_window().saturating_sub(generation.max_tokens + fixed);
    let mut body = String::new();
    let mut used = Vec::new();
    for hit in hits {
        let passage = numbered(used.len() + 1, &hit);
        let tokens = model.count_tokens(&passage);
        if tokens > room {
            break;
        }
        room -= tokens;
        body.push_str(&passage);
        used.push(hit);
    }
    body.push_str("Question: ");
    body.push_str(question);
    (conversation(DIRECT_SYSTEM, history, body, generation), used)
}

fn numbered(number: usize, hit: &Hit) -> String {
    let passage = &hit.passage;
    format!("[{number}] {}\n{}\n\n", heading_path(&passage.title, &passage.headings), passage.text)
}

fn conversation(system: &str, history: &[Turn], user: String, generation: Generation) -> Prompt {
    let mut messages = vec![Message::new(Role::System, system.trim_end())];
    messages.extend(history.iter().map(|turn| Message::new(turn.role, turn.content.clone())));
    messages.push(Message::new(Role::User, user));
    Prompt { messages, max_tokens: generation.max_tokens, temperature: generation.temperature }
}
