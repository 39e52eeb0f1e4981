//! What is asked.

use std::collections::BTreeMap;

/// Metadata that a passage must have: every key with exactly this value.
pub type Filter = BTreeMap<String, String>;

/// Which kind of stored text is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Source {
    /// Passages of documents.
    #[default]
    Context,
    /// Question/answer pairs written beforehand.
    Qa,
    /// Both.
    All,
}

impl Source {
    /// The name on the wire, as the original service spelt it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Context => "context",
            Self::Qa => "QA",
            Self::All => "all",
        }
    }
}

impl std::str::FromStr for Source {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "context" => Ok(Self::Context),
            "QA" | "qa" => Ok(Self::Qa),
            "all" => Ok(Self::All),
            other => Err(format!("\"{other}\" is not one of \"context\", \"QA\", \"all\"")),
        }
    }
}

/// A question with everything that steers its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question in words.
    pub content: String,
    /// Search the documents (`true`) or ask the model alone.
    pub search: bool,
    /// How many passages to retrieve.
    pub n_results: usize,
    /// What to search.
    pub source: Source,
    /// Metadata that every passage must have.
    pub filter: Filter,
    /// Earlier turns of the conversation, oldest first.
    pub history: Vec<Turn>,
}

impl Question {
    /// Passages retrieved when the caller does not say.
    pub const DEFAULT_RESULTS: usize = 5;

    /// A question with the defaults of the HTTP contract.
    pub fn new(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            search: true,
            n_results: Self::DEFAULT_RESULTS,
            source: Source::default(),
            filter: Filter::new(),
            history: Vec::new(),
        }
    }
}

/// One earlier message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub content: String,
}

/// Who speaks in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Instructions of the service.
    System,
    /// The person asking.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The name that chat templates and endpoints use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}
