//! Prompts as tokens: the model's own chat template, filled in.

use std::sync::Arc;

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use qanda_core::ModelError;
use qanda_core::ports::{Message, Prompt, Shape};

use super::grammar;
use super::markers::{Markers, Run};
use super::sampling::Sampler;
use super::template::{ChatTemplate, Piece};
use crate::llm::thoughts::Opening;

/// Makes requests of prompts.
pub(super) struct Prompts {
    model: Arc<LlamaModel>,
    template: ChatTemplate,
    markers: Markers,
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
    /// Prompts of up to `context` tokens with their answers.
    ///
    /// # Errors
    /// When the model's file has no chat template, or one that cannot be filled in; says what it takes.
    pub(super) fn new(model: Arc<LlamaModel>, context: usize) -> Result<Self, String> {
        let source = model
            .meta_val_str("tokenizer.chat_template")
            .map_err(|_| "it has no chat template; take an instruction-tuned model, whose file has one".to_owned())?;
        let piece = |token: LlamaToken| {
            // A vocabulary without such a token says -1.
            let bytes = if token.0 < 0 { Vec::new() } else { model.vocab().token_to_piece(token, true, None) };
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let (bos, eos) = (piece(model.vocab().bos()), piece(model.vocab().eos()));
        let template = ChatTemplate::compile(&source, bos, eos).map_err(|cause| {
            format!("its chat template cannot be filled in ({cause}); take a file of this model with another one")
        })?;
        let markers = Markers::of(&model, &source);
        Ok(Self { model, template, markers, context })
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
        let pieces = self
            .template
            .fill(messages)
            .map_err(|cause| ModelError::failed("filling in the model's chat template", cause))?;
        let vocab = self.model.vocab();
        let runs = self.markers.runs(&pieces);
        let mut tokens = Vec::new();
        // As llama.cpp has it: a template that writes the beginning itself needs no second one.
        if vocab.should_add_bos() && runs.first() != Some(&Run::Marker(vocab.bos())) {
            tokens.push(vocab.bos());
        }
        for run in runs {
            match run {
                Run::Marker(token) => tokens.push(token),
                Run::Text(text) => vocab.tokenize_into(text.as_bytes(), &mut tokens, false, false),
            }
        }
        let end = match pieces.last() {
            Some(Piece::Markup(end)) => end,
            _ => "",
        };
        Ok((tokens, Opening::after_template(end)))
    }

    /// A sampler that holds one answer to a shape.
    fn grammar(&self, shape: &Shape) -> Result<LlamaSampler, ModelError> {
        let failed = |cause: String| ModelError::failed("making a grammar of the answer's shape", cause);
        let text = grammar::grammar(shape)
            .ok_or_else(|| failed("a list's bounds exclude each other or are too large".to_owned()))?;
        LlamaSampler::grammar(&self.model, &text, "root").map_err(|cause| failed(cause.to_string()))
    }
}

#[cfg(test)]
#[path = "prompts_tests.rs"]
mod tests;
