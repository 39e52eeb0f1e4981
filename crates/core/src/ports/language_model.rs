use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::ModelError;
use crate::question::Role;

/// One message of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What it says.
    pub content: String,
}

impl Message {
    /// A message.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

/// What a model's output must look like when it is to be read by a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A JSON string.
    Text,
    /// A JSON object with exactly these fields, in this order.
    Object(Vec<(&'static str, Shape)>),
    /// A JSON list.
    List {
        /// What its items look like.
        of: Box<Shape>,
        /// Fewest items.
        least: usize,
        /// Most items.
        most: usize,
    },
}

/// What a model is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The conversation; the model writes what comes next.
    pub messages: Vec<Message>,
    /// Most tokens to write.
    pub max_tokens: usize,
    /// 0 takes the likeliest token every time.
    pub temperature: f32,
    /// JSON of this shape instead of prose. A model that cannot be held to it may still return something else, so
    /// readers have to survive that. The outermost shape is an object.
    pub shape: Option<Shape>,
}

/// A piece of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its text: whole characters, possibly none.
    pub text: String,
}

/// Tokens as they are generated. A failure is an item, so it never looks like an end. Dropping the stream
/// cancels the generation.
pub type TokenStream = BoxStream<'static, Result<Token, ModelError>>;

/// Continues a conversation.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// Name of the model, for answers and status.
    fn name(&self) -> &str;

    /// Tokens that a prompt and its answer may take together.
    fn context_window(&self) -> usize;

    /// Tokens of `text`, exact or estimated; used to fit passages into the window.
    fn count_tokens(&self, text: &str) -> usize;

    /// Starts generating.
    ///
    /// # Errors
    /// [`ModelError::Overloaded`] when too many wait, [`ModelError::PromptTooLong`] when it cannot fit.
    async fn generate(&self, prompt: Prompt) -> Result<TokenStream, ModelError>;
}
