//! A language model in this process: llama.cpp, any GGUF file.

mod engine;
mod grammar;
mod sampling;
mod slot;
mod utf8;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use async_trait::async_trait;
use futures::StreamExt;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::model::{LlamaChatMessage, LlamaChatTemplate, LlamaModel};
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::{LogOptions, send_logs_to_tracing};
use qanda_core::ports::{GenerationStream, Message, Prompt, Shape};
use qanda_core::{LanguageModel, ModelError, RequestContext};
use tokio::sync::mpsc;

use self::engine::{Engine, Request};
use super::thoughts::{Opening, without_thoughts};

/// How a local model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalOptions {
    /// Answers generated at the same time; each has a context of its own.
    pub slots: usize,
    /// Tokens of a prompt and its answer together, at most what the model was trained for.
    pub context: usize,
    /// Questions that may wait for a slot; more are refused.
    pub queue: usize,
    /// Threads that compute.
    pub threads: usize,
}

/// A GGUF model with its engine thread.
///
/// Dropping it lets running answers finish and waits for the thread: a process must not end while llama.cpp
/// computes.
pub struct LocalModel {
    name: String,
    model: Arc<LlamaModel>,
    template: LlamaChatTemplate,
    context: usize,
    /// Taken in `drop`: the engine ends when no sender is left.
    requests: Option<SyncSender<Request>>,
    engine: Option<JoinHandle<()>>,
    waiting: Arc<AtomicUsize>,
}

impl LocalModel {
    /// Loads a GGUF file and starts the engine. Takes about as long as reading the file.
    ///
    /// # Errors
    /// When the file is no GGUF model, has no chat template, or its context does not fit in memory.
    pub fn load(file: &Path, options: LocalOptions) -> Result<Self, ModelError> {
        let doing = || format!("loading the language model {}", file.display());
        if !file.is_file() {
            return Err(ModelError::failed(doing(), "there is no such file"));
        }
        // llama.cpp says a lot; what matters of it comes back as errors.
        send_logs_to_tracing(LogOptions::default().with_logs_enabled(false));
        let backend = backend()?;
        let params = std::pin::pin!(LlamaModelParams::default().with_n_gpu_layers(0));
        let model = LlamaModel::load_from_file(&backend, file, &params)
            .map_err(|cause| ModelError::failed(doing(), format!("{cause} (is it a complete GGUF file?)")))?;
        let template = model
            .chat_template(None)
            .map_err(|_| ModelError::failed(doing(), "it has no chat template; take an instruction-tuned model"))?;
        let model = Arc::new(model);
        let context = options.context.min(model.n_ctx_train() as usize);
        let (requests, incoming) = sync_channel(options.queue.max(1));
        let waiting = Arc::new(AtomicUsize::new(0));
        let engine = Engine::start(
            backend,
            Arc::clone(&model),
            LocalOptions { context, ..options },
            incoming,
            Arc::clone(&waiting),
        )?;
        let name = file.file_stem().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned());
        Ok(Self { name, model, template, context, requests: Some(requests), engine: Some(engine), waiting })
    }

    /// The tokens that the model continues: its own chat template, filled in; and where its text begins then.
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

    /// What holds one answer to a shape.
    fn grammar(&self, shape: &Shape) -> Result<LlamaSampler, ModelError> {
        let failed = |cause: String| ModelError::failed("making a grammar of the answer's shape", cause);
        let text = grammar::grammar(shape)
            .ok_or_else(|| failed("a list's bounds exclude each other or are too large".to_owned()))?;
        LlamaSampler::grammar(&self.model, &text, "root").map_err(|cause| failed(cause.to_string()))
    }
}

impl Drop for LocalModel {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(engine) = self.engine.take() {
            // It only fails when the engine panicked, which its callers have seen.
            let _ = engine.join();
        }
    }
}

#[async_trait]
impl LanguageModel for LocalModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn context_window(&self) -> usize {
        self.context
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.model.vocab().tokenize(text.as_bytes(), false, false).len()
    }

    async fn generate(&self, _: &RequestContext, prompt: Prompt) -> Result<GenerationStream, ModelError> {
        let (tokens, opening) = self.tokens(&prompt.messages)?;
        let limit = self.context.saturating_sub(prompt.max_tokens.min(self.context / 2));
        if tokens.len() > limit {
            return Err(ModelError::PromptTooLong { tokens: tokens.len(), limit: Some(limit) });
        }
        let grammar = prompt.shape.as_ref().map(|shape| self.grammar(shape)).transpose()?;
        let (reply, receiver) = mpsc::unbounded_channel();
        // An answer that outgrows its slot would fail all of them.
        let max_tokens = prompt.max_tokens.min(self.context - tokens.len());
        let request = Request { tokens, max_tokens, temperature: prompt.temperature, grammar, reply };
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let requests = self.requests.as_ref().ok_or(ModelError::Stopped)?;
        requests.try_send(request).map_err(|error| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => ModelError::Overloaded { waiting: self.waiting.load(Ordering::Relaxed) },
                TrySendError::Disconnected(_) => ModelError::Stopped,
            }
        })?;
        let generation =
            futures::stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
        Ok(without_thoughts(generation.boxed(), opening))
    }
}

/// llama.cpp is initialised once a process and lives as long as any model.
fn backend() -> Result<Arc<LlamaBackend>, ModelError> {
    static BACKEND: std::sync::Mutex<std::sync::Weak<LlamaBackend>> = std::sync::Mutex::new(std::sync::Weak::new());
    let mut shared = BACKEND.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(backend) = shared.upgrade() {
        return Ok(backend);
    }
    let backend = LlamaBackend::init().map_err(|cause| ModelError::failed("starting llama.cpp", cause))?;
    let backend = Arc::new(backend);
    *shared = Arc::downgrade(&backend);
    Ok(backend)
}
