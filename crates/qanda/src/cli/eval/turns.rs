//! Earlier messages of a conversation in a file of questions.

use qanda_core::question::{Role, Turn};
use serde::Deserialize;

/// An earlier message of the conversation.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct KnownTurn {
    role: KnownRole,
    content: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KnownRole {
    User,
    Assistant,
}

/// The conversation before a question.
pub(crate) fn turns(history: &[KnownTurn]) -> Vec<Turn> {
    let role = |role| match role {
        KnownRole::User => Role::User,
        KnownRole::Assistant => Role::Assistant,
    };
    history.iter().map(|turn| Turn { role: role(turn.role), content: turn.content.clone() }).collect()
}
