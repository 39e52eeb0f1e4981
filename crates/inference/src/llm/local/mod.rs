//! A language model in this process: llama.cpp, any GGUF file.

mod context;
mod decoder;
mod engine;
mod grammar;
mod handle;
mod markers;
mod prompts;
mod request;
mod sampling;
mod slot;
mod template;
mod utf8;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use qanda_core::ports::{GenerationStream, Prompt};
use qanda_core::{LanguageModel, ModelError, RequestContext};

use self::context::LlamaDecoder;
use self::engine::{Engine, STEP_TOKENS};
use self::handle::EngineHandle;
use self::prompts::{Prepared, Prompts};
use self::request::{Request, answer};
use self::sampling::Sampler;
use super::thoughts::without_thoughts;
use crate::llama::{self, Llama};

/// Size and shape of a running local model.
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
/// Dropping it lets running answers finish and waits for the thread.
pub struct LocalModel {
    name: String,
    prompts: Arc<Prompts>,
    engine: EngineHandle<Sampler>,
}

impl LocalModel {
    /// Loads a GGUF file and starts the engine. Takes about as long as reading the file.
    ///
    /// # Errors
    /// When llama.cpp cannot load the file, when it has no chat template or one that cannot be filled in, or when its
    /// context does not fit in memory.
    pub fn load(file: &Path, options: LocalOptions) -> Result<Self, ModelError> {
        let doing = || format!("loading the language model {}", file.display());
        let Llama { backend, model } = Llama::load(file).map_err(|cause| ModelError::failed(doing(), cause))?;
        let context = options.context.min(model.n_ctx_train() as usize);
        let prompts = Prompts::new(Arc::clone(&model), context).map_err(|cause| ModelError::failed(doing(), cause))?;
        let options = LocalOptions { context, slots: options.slots.max(1), ..options };
        let engine = start(backend, model, options)?;
        Ok(Self { name: llama::name(file), prompts: Arc::new(prompts), engine })
    }
}

fn start(
    backend: Arc<LlamaBackend>,
    model: Arc<LlamaModel>,
    options: LocalOptions,
) -> Result<EngineHandle<Sampler>, ModelError> {
    EngineHandle::start(options.queue, move |inbox, ready| {
        let decoder = LlamaDecoder::new(&backend, &model, options, STEP_TOKENS);
        let (decoder, made) = match decoder {
            Ok(decoder) => (Some(decoder), Ok(())),
            Err(error) => (None, Err(error)),
        };
        // `EngineHandle::start` waits for this.
        let _ = ready.send(made);
        if let Some(decoder) = decoder {
            Engine::new(decoder, options.slots, inbox).run();
        }
    })
}

#[async_trait]
impl LanguageModel for LocalModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn context_window(&self) -> usize {
        self.prompts.context()
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.prompts.count(text)
    }

    async fn generate(&self, context: &RequestContext, prompt: Prompt) -> Result<GenerationStream, ModelError> {
        let prompts = Arc::clone(&self.prompts);
        // Reading a long prompt or a grammar would hold up all that runs on this thread.
        let prepared = tokio::task::spawn_blocking(move || prompts.prepare(&prompt)).await;
        let Prepared { tokens, opening, max_tokens, sampler } =
            prepared.map_err(|cause| ModelError::failed("preparing the prompt", cause))??;
        let (reply, stream) = answer();
        self.engine.submit(Request { tokens, max_tokens, sampler, deadline: context.deadline, reply })?;
        Ok(without_thoughts(stream, opening))
    }

    fn check(&self) -> Result<(), ModelError> {
        self.engine.check()
    }
}
