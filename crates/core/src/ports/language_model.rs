use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::question::Role;
use crate::{ModelError, RequestContext};

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

/// Form of a model's output when it is to be read by a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// A JSON string.
    Text,
    /// A JSON object with exactly these fields, in this order.
    Object(Vec<(&'static str, Shape)>),
    /// A JSON list.
    List {
        /// Form of its items.
        of: Box<Shape>,
        /// Fewest items.
        least: usize,
        /// Most items.
        most: usize,
    },
}

/// A request to a model.
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

/// An event of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Generated {
    /// Text of a token: whole characters, possibly none.
    Text(String),
    /// The end; nothing follows.
    End(Finish),
}

/// Reason why a generation ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model had said everything.
    Stop,
    /// The limit of tokens was reached: the text may be cut off.
    Length,
    /// Nobody wanted the rest.
    Cancelled,
}

impl Finish {
    /// The name that answers carry.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Text as it is generated, closed by [`Generated::End`]. A failure is an item, and a stream that runs dry without an
/// end has failed as well, so nothing that breaks looks like a finished answer. Dropping the stream cancels the
/// generation.
pub type GenerationStream = BoxStream<'static, Result<Generated, ModelError>>;

/// A generation that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Its text, token by token.
    pub tokens: Vec<String>,
    /// Why it ended.
    pub finish: Finish,
}

/// Reads a generation to its end.
///
/// # Errors
/// The stream's own error; [`ModelError::Stopped`] when it runs dry without an end.
pub async fn read_to_end(mut stream: GenerationStream) -> Result<Generation, ModelError> {
    let mut tokens = Vec::new();
    loop {
        match stream.next().await.unwrap_or(Err(ModelError::Stopped))? {
            Generated::Text(text) => tokens.push(text),
            Generated::End(finish) => return Ok(Generation { tokens, finish }),
        }
    }
}

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
    async fn generate(&self, context: &RequestContext, prompt: Prompt) -> Result<GenerationStream, ModelError>;

    /// Whether it can generate, as far as is known here without asking anyone. Cheap enough to be asked at any time.
    ///
    /// # Errors
    /// [`ModelError::Stopped`] when it has stopped for good: this process will not answer any more.
    fn check(&self) -> Result<(), ModelError> {
        Ok(())
    }
}
