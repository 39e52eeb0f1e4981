//! The decoder that llama.cpp is.

use std::num::NonZeroU32;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use qanda_core::ModelError;

use super::LocalOptions;
use super::decoder::{Choice, Decoder, Input};
use super::sampling::Sampler;

/// A context of llama.cpp.
pub(super) struct LlamaDecoder<'m> {
    model: &'m LlamaModel,
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
}

impl<'m> LlamaDecoder<'m> {
    /// A context for `options.slots` sequences, of which one step evaluates up to `step` tokens.
    ///
    /// # Errors
    /// When it cannot be made, usually for want of memory.
    pub(super) fn new(
        backend: &LlamaBackend,
        model: &'m LlamaModel,
        options: LocalOptions,
        step: usize,
    ) -> Result<Self, ModelError> {
        let context = model.new_context(backend, context_params(options, step)).map_err(|cause| {
            let doing = format!("making a context of {} x {} tokens", options.slots, options.context);
            ModelError::failed(doing, cause)
        })?;
        Ok(Self { model, context, batch: LlamaBatch::new(step + options.slots, 1) })
    }
}

impl Decoder for LlamaDecoder<'_> {
    type Sampler = Sampler;

    fn copy(&mut self, from: usize, to: usize) -> bool {
        self.context.copy_kv_cache_seq(signed(from), signed(to), None, None).is_ok()
    }

    fn truncate(&mut self, sequence: usize, keep: usize) -> usize {
        let cut = self.context.clear_kv_cache_seq(Some(unsigned(sequence)), Some(unsigned(keep)), None);
        if matches!(cut, Ok(true)) {
            return keep;
        }
        // Recurrent models cannot be cut back in the middle.
        let _ = self.context.clear_kv_cache_seq(Some(unsigned(sequence)), None, None);
        0
    }

    fn clear(&mut self) {
        self.context.clear_kv_cache();
    }

    fn evaluate(&mut self, inputs: &[Input]) -> Result<(), ModelError> {
        let failed = |cause: String| ModelError::failed("evaluating the model", cause);
        self.batch.clear();
        for input in inputs {
            let Input { sequence, position, token, is_last } = *input;
            self.batch
                .add(token, signed(position), &[signed(sequence)], is_last)
                .map_err(|cause| failed(cause.to_string()))?;
        }
        self.context.decode(&mut self.batch).map_err(|cause| failed(cause.to_string()))
    }

    fn choose(&mut self, sampler: &mut Sampler, place: usize) -> Choice {
        let vocab = self.model.vocab();
        match sampler.sample(&self.context, signed(place)) {
            Some(token) if vocab.is_eog(token) => Choice::End,
            Some(token) => Choice::Token { token, text: vocab.token_to_piece(token, false, None) },
            None => Choice::Nothing,
        }
    }
}

fn context_params(options: LocalOptions, step: usize) -> LlamaContextParams {
    let threads = signed(options.threads.max(1));
    LlamaContextParams::default()
        // Each sequence has its own part of the context: an answer never pays for another one's length.
        .with_n_ctx(NonZeroU32::new(unsigned(options.context * options.slots)))
        .with_n_seq_max(unsigned(options.slots))
        .with_kv_unified(false)
        .with_n_batch(unsigned(step + options.slots))
        .with_n_ubatch(unsigned(step))
        .with_n_threads(threads)
        .with_n_threads_batch(threads)
        .with_no_perf(true)
}

/// Numbers of slots and places are far below these bounds.
fn signed(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn unsigned(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
