//! Sequences of tokens, each pooled into one vector: of an embedder its embedding, of a reranker its score.

use std::num::NonZeroU32;
use std::sync::mpsc::{SyncSender, sync_channel};

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;
use qanda_core::ModelError;

use super::Llama;
use crate::batcher::{Batcher, Class, Limits, Work};

/// Tokens of a sequence, at least one.
type Sequence = Vec<LlamaToken>;

/// Numbers of a sequence, or why there are none.
type Outcome = Result<Vec<f32>, String>;

/// Size of a running model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Most tokens of a sequence.
    pub(crate) window: usize,
    /// Threads that compute.
    pub(crate) threads: usize,
}

/// A model that pools, as its file says, with the thread that it computes on.
pub(crate) struct Pooled {
    batcher: Batcher<Sequence, Outcome>,
}

/// Tokens of a batch, unless a single sequence is longer: llama.cpp compares all tokens of a batch with each other, also
/// those of different sequences, so that larger ones cost more for each token.
const BATCH: usize = 512;

/// Most sequences of a batch.
const SEQUENCES: usize = 64;

/// Short sequences count as this many tokens.
const LEAST: usize = BATCH / SEQUENCES;

impl Pooled {
    /// Starts a model, and has it compute `probes` before anything else.
    ///
    /// # Errors
    /// When there is no thread, the context does not fit in memory, or the probes cannot be computed.
    pub(crate) fn start(
        name: &'static str,
        llama: Llama,
        size: Size,
        probes: Vec<Sequence>,
    ) -> Result<(Self, Vec<Vec<f32>>), ModelError> {
        let limits = Limits { name, batch: BATCH, size: |sequence: &Sequence| sequence.len().max(LEAST) };
        let (ready, started) = sync_channel(1);
        let llama = std::sync::Arc::new(llama);
        let worker = move |work: &Work<Sequence, Outcome>| run(&llama, size, &probes, &ready, work);
        let batcher = Batcher::start_workers(1, limits, worker)
            .map_err(|cause| ModelError::failed("starting the model's thread", cause))?;
        let probed = started.recv().map_err(|_| ModelError::Stopped)?;
        let probed = probed.map_err(|cause| ModelError::failed("starting the model", cause))?;
        Ok((Self { batcher }, probed))
    }

    /// The numbers of each sequence, in their order.
    ///
    /// # Errors
    /// When too many questions wait, or llama.cpp fails.
    pub(crate) async fn compute(&self, sequences: Vec<Sequence>, class: Class) -> Result<Vec<Vec<f32>>, ModelError> {
        let outcomes = self.batcher.compute(sequences, class).await?;
        let failed = |cause| ModelError::failed("evaluating the model", cause);
        outcomes.into_iter().map(|outcome: Outcome| outcome.map_err(failed)).collect()
    }
}

/// The thread's work: a context that lives as long as it.
fn run(
    llama: &Llama,
    size: Size,
    probes: &[Sequence],
    ready: &SyncSender<Result<Vec<Vec<f32>>, String>>,
    work: &Work<Sequence, Outcome>,
) {
    let context = llama.model.new_context(&llama.backend, params(size)).map_err(|cause| cause.to_string());
    let mut evaluation = match context {
        Ok(context) => Evaluation { context, batch: LlamaBatch::new(most(size), 1) },
        Err(cause) => {
            // `Pooled::start` waits for this.
            let _ = ready.send(Err(cause));
            return;
        }
    };
    let _ = ready.send(probes.iter().map(|probe| evaluation.of(std::slice::from_ref(probe))?.remove(0)).collect());
    work.serve(&mut |sequences| match evaluation.of(sequences) {
        Ok(outcomes) => outcomes,
        Err(cause) => vec![Err(cause); sequences.len()],
    });
}

/// A context and a batch for it.
struct Evaluation<'m> {
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
}

impl Evaluation<'_> {
    /// The numbers of each sequence.
    fn of(&mut self, sequences: &[Sequence]) -> Result<Vec<Outcome>, String> {
        // Encoders keep nothing; what decoders keep is of no use to other sequences.
        self.context.clear_kv_cache();
        self.batch.clear();
        for (number, sequence) in (0..).zip(sequences) {
            for (position, token) in (0..).zip(sequence) {
                self.batch.add(*token, position, &[number], true).map_err(|cause| cause.to_string())?;
            }
        }
        self.context.decode(&mut self.batch).map_err(|cause| cause.to_string())?;
        let numbers = |number| {
            let numbers = self.context.embeddings_seq_ith(number).map_err(|cause| cause.to_string())?;
            let finite = numbers.iter().all(|number| number.is_finite());
            if finite { Ok(numbers.to_vec()) } else { Err("it computed something that is no number".to_owned()) }
        };
        Ok((0..).zip(sequences).map(|(number, _)| numbers(number)).collect())
    }
}

fn params(size: Size) -> LlamaContextParams {
    let (tokens, threads) = (most(size), i32::try_from(size.threads.max(1)).unwrap_or(i32::MAX));
    let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
    LlamaContextParams::default()
        .with_embeddings(true)
        // A sequence is pooled where all of it is: batches are not split, and one memory holds all sequences.
        .with_n_ctx(NonZeroU32::new(tokens))
        .with_n_batch(tokens)
        .with_n_ubatch(tokens)
        .with_n_seq_max(SEQUENCES as u32)
        .with_kv_unified(true)
        .with_n_threads(threads)
        .with_n_threads_batch(threads)
        .with_no_perf(true)
}

/// Most tokens that are evaluated at once.
fn most(size: Size) -> usize {
    size.window.max(BATCH)
}
