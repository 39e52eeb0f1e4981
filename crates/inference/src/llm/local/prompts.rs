//! Prompts as tokens: the model's own chat template, filled in.

use std::sync::Arc;

use llama_cpp_2::model::{LlamaChatMessage, LlamaChatTemplate, LlamaModel};
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use qanda_core::ModelError;
use qanda_core::ports::{Message, Prompt, Shape};

use super::grammar;
use super::sampling::Sampler;
use crate::llm::thoughts::Opening;

/// Makes requests of prompts.
pub(super) struct Prompts {
    model: Arc<LlamaModel>,
    template: LlamaChatTemplate,
    /// Tokens of a prompt and its answer together.
    context: usize,
}

/// A prompt that fits, ready for the engine.
pub(super) struct Prepared {
    pub(super) tokens: Vec<LlamaToken>,
    /// Beginning of the model's text after the template.
    pub(super) opening: Opening,
    /// Most tokens of the answer.
    pub(super) max_tokens: usize,
    pub(super) sampler: Sampler,
}

impl Prompts {
    pub(super) const fn new(model: Arc<LlamaModel>, template: LlamaChatTemplate, context: usize) -> Self {
        Self { model, template, context }
    }

    /// Tokens that a prompt and its answer may have together.
    pub(super) const fn context(&self) -> usize {
        self.context
    }

    /// Tokens of a text.
    pub(super) fn count(&self, text: &str) -> usize {
        self.model.vocab().tokenize(text.as_bytes(), false, false).len()
    }

    /// Takes as long as reading the prompt, some milliseconds for thousands of tokens.
    ///
    /// # Errors
    /// [`ModelError::PromptTooLong`]; others where the template or the answer's shape is of no use.
    pub(super) fn prepare(&self, prompt: &Prompt) -> Result<Prepared, ModelError> {
        let (tokens, opening) = self.tokens(&prompt.messages)?;
        let limit = self.context.saturating_sub(prompt.max_tokens.min(self.context / 2));
        if tokens.len() > limit {
            return Err(ModelError::PromptTooLong { tokens: tokens.len(), limit: Some(limit) });
        }
        let grammar = prompt.shape.as_ref().map(|shape| self.grammar(shape)).transpose()?;
        Ok(Prepared {
            // An answer that outgrows its slot would fail all of them.
            max_tokens: prompt.max_tokens.min(self.context - tokens.len()),
            tokens,
            opening,
            sampler: Sampler::new(prompt.temperature, self.model.n_vocab(), grammar),
        })
    }

    /// The tokens that the model continues, and where its text begins then.
    ///
    /// Markup is read as such in the template only. In a message it is text like any other, or a question or a
    /// document could speak with the service's voice.
    fn tokens(&self, messages: &[Message]) -> Result<(Vec<LlamaToken>, Opening), ModelError> {
        let failed = |cause: String| ModelError::failed("filling in the model's chat template", cause);
        let placeholder = |number: usize| format!("<<message-{number}>>");
        let chat = messages
            .iter()
            .enumerate()
            .map(|(number, message)| LlamaChatMessage::new(message.role.as_str().to_owned(), placeholder(number)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|cause| failed(cause.to_string()))?;
        let rendered =
            self.model.apply_chat_template(&self.template, &chat, true).map_err(|cause| failed(cause.to_string()))?;
        let vocab = self.model.vocab();
        // A template that writes its own beginning needs no second one.
        let add_special = !rendered.starts_with("<|im_start|>") && vocab.should_add_bos();
        let mut tokens = Vec::new();
        let mut rest = rendered.as_str();
        for (number, message) in messages.iter().enumerate() {
            let place = placeholder(number);
            // Some templates have no place for instructions of the service and leave them out.
            let Some((markup, after)) = rest.split_once(&place) else { continue };
            vocab.tokenize_into(markup.as_bytes(), &mut tokens, add_special && number == 0, true);
            vocab.tokenize_into(message.content.trim().as_bytes(), &mut tokens, false, false);
            rest = after;
        }
        vocab.tokenize_into(rest.as_bytes(), &mut tokens, false, true);
        Ok((tokens, Opening::after_template(&rendered)))
    }

    /// A sampler that holds one answer to a shape.
    fn grammar(&self, shape: &Shape) -> Result<LlamaSampler, ModelError> {
        let failed = |cause: String| ModelError::failed("making a grammar of the answer's shape", cause);
        let text = grammar::grammar(shape)
            .ok_or_else(|| failed("a list's bounds exclude each other or are too large".to_owned()))?;
        LlamaSampler::grammar(&self.model, &text, "root").map_err(|cause| failed(cause.to_string()))
    }
}
