//! Questions, and the limits within which they are answered.

use std::collections::BTreeMap;
use std::fmt;

use crate::Moment;

/// Metadata that a passage must have: every key with exactly this value, or with a list that has it as an item.
pub type Filter = BTreeMap<String, String>;

/// Kind of stored text that is searched.
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
    /// Passages to retrieve.
    pub n_results: usize,
    /// Kind of text to search.
    pub source: Source,
    /// Metadata that every passage must have.
    pub filter: Filter,
    /// Earlier turns of the conversation, oldest first.
    pub history: Vec<Turn>,
    /// What the caller tells the model beside the question, such as the language to answer in; empty for nothing. It
    /// stands below the service's own instructions, and is not searched.
    pub instructions: String,
    /// Moment at which the documents must hold; now if there is none.
    pub as_of: Option<Moment>,
}

impl Question {
    /// Passages retrieved when the caller does not say.
    pub const DEFAULT_RESULTS: usize = 5;
    /// Most passages that can be asked for.
    pub const MOST_RESULTS: usize = 50;
    /// Longest question, in characters.
    pub const LONGEST_CONTENT: usize = 16_000;
    /// Most earlier turns.
    pub const MOST_TURNS: usize = 50;
    /// Longest history, in characters of all its turns together, and of the caller's instructions.
    pub const LONGEST_HISTORY: usize = 64_000;
    /// Most conditions of a filter.
    pub const MOST_CONDITIONS: usize = 32;
    /// Longest name or value of a filter's condition, in characters.
    pub const LONGEST_CONDITION: usize = 1_000;

    /// A question with the defaults of the HTTP contract.
    pub fn new(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            search: true,
            n_results: Self::DEFAULT_RESULTS,
            source: Source::default(),
            filter: Filter::new(),
            history: Vec::new(),
            instructions: String::new(),
            as_of: None,
        }
    }

    /// The last turns of a conversation, as many as a question may have, in half of the characters that it may have: a
    /// chat hands in all there are.
    #[must_use]
    pub fn recent(mut turns: Vec<Turn>) -> Vec<Turn> {
        let mut left = Self::LONGEST_HISTORY / 2;
        let fits = |turn: &&Turn| {
            let length = turn.content.chars().count();
            let fits = length <= left;
            left = left.saturating_sub(length);
            fits
        };
        let kept = turns.iter().rev().take(Self::MOST_TURNS).take_while(fits).count();
        turns.split_off(turns.len() - kept)
    }

    /// A step's instructions with those of the caller below them.
    pub(crate) fn instructed(&self, own: &str) -> String {
        let theirs = self.instructions.trim();
        if theirs.is_empty() { own.to_owned() } else { format!("{}\n\n{theirs}", own.trim_end()) }
    }

    /// Checks every field against its limits.
    ///
    /// # Errors
    /// All faults at once.
    pub fn validate(&self) -> Result<(), InvalidQuestion> {
        let mut faults = Vec::new();
        self.check_content(&mut faults);
        if !(1..=Self::MOST_RESULTS).contains(&self.n_results) {
            let (given, most) = (self.n_results, Self::MOST_RESULTS);
            faults
                .push(FieldFault::new("n_results", format!("is {given}; it must be a whole number from 1 to {most}")));
        }
        self.check_filter(&mut faults);
        self.check_history(&mut faults);
        if faults.is_empty() { Ok(()) } else { Err(InvalidQuestion(faults)) }
    }

    fn check_content(&self, faults: &mut Vec<FieldFault>) {
        let (length, longest) = (self.content.chars().count(), Self::LONGEST_CONTENT);
        if self.content.trim().is_empty() {
            faults.push(FieldFault::new("content", "is empty; ask something"));
        } else if length > longest {
            faults.push(FieldFault::new("content", format!("has {length} characters; at most {longest} are allowed")));
        }
    }

    fn check_filter(&self, faults: &mut Vec<FieldFault>) {
        let (conditions, most) = (self.filter.len(), Self::MOST_CONDITIONS);
        if conditions > most {
            faults.push(FieldFault::new("filter", format!("has {conditions} conditions; at most {most} are allowed")));
            return;
        }
        let longest = Self::LONGEST_CONDITION;
        for (name, value) in &self.filter {
            for (part, text) in [("name", name), ("value", value)] {
                let length = text.chars().count();
                if length > longest {
                    let shown: String = name.chars().take(40).collect();
                    let message = format!("has a {part} of {length} characters; at most {longest} are allowed");
                    faults.push(FieldFault::new(format!("filter.{shown}"), message));
                }
            }
        }
    }

    fn check_history(&self, faults: &mut Vec<FieldFault>) {
        let (turns, most) = (self.history.len(), Self::MOST_TURNS);
        if turns > most {
            faults.push(FieldFault::new("history", format!("has {turns} turns; at most {most} are allowed")));
        }
        let said = self.history.iter().map(|turn| &turn.content).chain([&self.instructions]);
        let length: usize = said.map(|words| words.chars().count()).sum();
        let longest = Self::LONGEST_HISTORY;
        if length > longest {
            let message = format!("has {length} characters in all; at most {longest} are allowed");
            faults.push(FieldFault::new("history", message));
        }
        for (number, turn) in self.history.iter().enumerate() {
            if turn.role == Role::System {
                faults.push(FieldFault::new(format!("history[{number}].role"), Role::ALLOWED_IN_HISTORY));
            }
        }
    }
}

/// A field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// Its name, with a path for nested ones: `history[0].role`.
    pub field: String,
    /// The fault, and what is allowed.
    pub message: String,
}

impl FieldFault {
    /// A fault of a field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// All faults of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidQuestion(pub Vec<FieldFault>);

impl fmt::Display for InvalidQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.0.iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect();
        f.write_str(&faults.join("; "))
    }
}

impl std::error::Error for InvalidQuestion {}

/// One earlier message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Who said it.
    pub role: Role,
    /// Its words.
    pub content: String,
}

/// Speaker in a chat.
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
    /// The roles that earlier turns may have, in words.
    pub const ALLOWED_IN_HISTORY: &str = "must be \"user\" or \"assistant\"";

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

#[cfg(test)]
#[path = "question_tests.rs"]
mod tests;
