//! The thread that owns the context and evaluates all running answers together.
//!
//! Every step evaluates one batch: the last token of each answer that is being written, and as much of the
//! waiting prompts as fits beside them ("continuous batching": Yu et al., "Orca", OSDI 2022). An answer that ends
//! makes room at the next step, not at the end of a batch.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use qanda_core::ModelError;
use qanda_core::ports::{Finish, Generated};
use tokio::sync::mpsc::UnboundedSender;

use super::LocalOptions;
use super::slot::{Job, Outcome, Slot};

/// Tokens evaluated in one step while nobody is being written to.
const STEP_TOKENS: usize = 512;
/// Tokens of prompts evaluated in one step beside running answers: they pause for some 0.4 s at most.
const STEP_TOKENS_BESIDE: usize = 128;
/// A start shared with another slot is copied from this many tokens on: copying moves the slot's whole memory, so
/// a few tokens are sooner evaluated again.
const WORTH_COPYING: usize = 48;

/// A question for the engine.
pub(super) struct Request {
    pub(super) tokens: Vec<LlamaToken>,
    pub(super) max_tokens: usize,
    pub(super) temperature: f32,
    /// Holds the answer to a shape.
    pub(super) grammar: Option<LlamaSampler>,
    pub(super) reply: UnboundedSender<Result<Generated, ModelError>>,
}

/// The engine, on its thread.
pub(super) struct Engine<'m> {
    model: &'m LlamaModel,
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
    slots: Vec<Slot>,
    requests: Receiver<Request>,
    waiting: Arc<AtomicUsize>,
    open: bool,
}

impl Engine<'_> {
    /// Starts the thread and waits until the context stands.
    ///
    /// # Errors
    /// When the context cannot be made, usually for want of memory.
    pub(super) fn start(
        backend: Arc<LlamaBackend>,
        model: Arc<LlamaModel>,
        options: LocalOptions,
        requests: Receiver<Request>,
        waiting: Arc<AtomicUsize>,
    ) -> Result<JoinHandle<()>, ModelError> {
        let (ready, started) = sync_channel(1);
        let run = move || {
            let context = match model.new_context(&backend, context_params(options)) {
                Ok(context) => context,
                Err(cause) => {
                    let doing = format!("making a context of {} x {} tokens", options.slots, options.context);
                    // `start` waits for this.
                    let _ = ready.send(Err(ModelError::failed(doing, cause)));
                    return;
                }
            };
            let _ = ready.send(Ok(()));
            let slots = (0..options.slots.max(1)).map(|_| Slot::default()).collect();
            let batch = LlamaBatch::new(STEP_TOKENS + options.slots, 1);
            Engine { model: &model, context, batch, slots, requests, waiting, open: true }.run();
        };
        let thread = std::thread::Builder::new().name("llm".to_owned());
        let thread = thread.spawn(run).map_err(|cause| ModelError::failed("starting the model's thread", cause))?;
        started.recv().map_err(|_| ModelError::Stopped)??;
        Ok(thread)
    }

    /// Works until the last sender is gone and the last answer finished.
    fn run(mut self) {
        loop {
            self.admit();
            self.drop_abandoned();
            if self.slots.iter().all(|slot| slot.job.is_none()) {
                if !self.open {
                    return;
                }
                continue;
            }
            if let Err(error) = self.step() {
                self.fail_all(&error);
            }
        }
    }

    /// Gives waiting requests a slot; sleeps when there is nothing to do.
    fn admit(&mut self) {
        while self.open && self.slots.iter().any(|slot| slot.job.is_none()) {
            let idle = self.slots.iter().all(|slot| slot.job.is_none());
            let next = if idle {
                self.requests.recv().map_err(|_| TryRecvError::Disconnected)
            } else {
                self.requests.try_recv()
            };
            match next {
                Ok(request) => {
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                    if !request.reply.is_closed() {
                        self.begin(request);
                    }
                }
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.open = false,
            }
        }
    }

    /// Starts a request in the free slot that holds most of its beginning, after copying more of it from another
    /// slot where that helps.
    fn begin(&mut self, request: Request) {
        let shared = |slot: &Slot| slot.common_prefix(&request.tokens);
        let free = self.slots.iter().enumerate().filter(|(_, slot)| slot.job.is_none());
        // Among equals the one that holds least: long prompts of others stay available for a repeated question.
        let Some((index, slot)) = free.max_by_key(|(_, slot)| (shared(slot), usize::MAX - slot.held.len())) else {
            return;
        };
        let mut held = shared(slot);
        let best = self.slots.iter().enumerate().max_by_key(|(_, slot)| shared(slot));
        if let Some((source, other)) = best
            && shared(other) > held + WORTH_COPYING
            && self.context.copy_kv_cache_seq(sequence(source), sequence(index), None, None).is_ok()
        {
            held = shared(other);
        }
        // The last token of the prompt is evaluated in any case: its output is the first token of the answer.
        let held = held.min(request.tokens.len().saturating_sub(1));
        let cut = self.context.clear_kv_cache_seq(unsigned(index), unsigned(held), None);
        let held = if matches!(cut, Ok(true)) {
            held
        } else {
            // Recurrent models cannot be cut back in the middle.
            let _ = self.context.clear_kv_cache_seq(unsigned(index), None, None);
            0
        };
        self.slots[index].held = request.tokens[..held].to_vec();
        self.slots[index].job = Some(Job::new(request, held, self.model.n_vocab()));
    }

    fn drop_abandoned(&mut self) {
        for slot in &mut self.slots {
            slot.job.take_if(|job| job.is_abandoned());
        }
    }

    /// Evaluates one batch and passes on the tokens that come out of it.
    fn step(&mut self) -> Result<(), ModelError> {
        self.batch.clear();
        let failed = |cause: String| ModelError::failed("evaluating the model", cause);
        let generating = self.slots.iter().filter(|slot| slot.job.as_ref().is_some_and(Job::is_generating)).count();
        let mut room = if generating > 0 { STEP_TOKENS_BESIDE } else { STEP_TOKENS };
        // Slots whose next token comes out of this step, with the row of the output that tells it.
        let mut outputs = Vec::new();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let Some(job) = &mut slot.job else { continue };
            let count = if job.is_generating() { 1 } else { job.next.len().min(room) };
            if count == 0 {
                continue;
            }
            if !job.is_generating() {
                room -= count;
            }
            let complete = count == job.next.len();
            for (n, token) in job.next.drain(..count).enumerate() {
                let last = complete && n + 1 == count;
                if last {
                    outputs.push((index, self.batch.n_tokens()));
                }
                let position = i32::try_from(slot.held.len()).map_err(|cause| failed(cause.to_string()))?;
                self.batch.add(token, position, &[sequence(index)], last).map_err(|cause| failed(cause.to_string()))?;
                slot.held.push(token);
            }
        }
        self.context.decode(&mut self.batch).map_err(|cause| failed(cause.to_string()))?;
        for (index, row) in outputs {
            self.sample(index, row);
        }
        Ok(())
    }

    /// Takes the next token of a slot from the output and passes it on; frees the slot at the end.
    fn sample(&mut self, index: usize, row: i32) {
        let slot = &mut self.slots[index];
        let Some(job) = &mut slot.job else { return };
        let vocab = self.model.vocab();
        let outcome = match job.sampler.sample(&self.context, row) {
            Some(token) if vocab.is_eog(token) => job.end(Finish::Stop),
            Some(token) => job.emit(token, &vocab.token_to_piece(token, false, None)),
            None => {
                let cause = "the model has no token that the answer's shape allows";
                job.fail(ModelError::failed("generating the answer", cause));
                Outcome::Ended
            }
        };
        if outcome == Outcome::Ended {
            slot.job = None;
        }
    }

    /// A failed evaluation leaves the context in an unknown state: everybody is told, and it starts afresh.
    fn fail_all(&mut self, error: &ModelError) {
        tracing::error!(%error, "the language model failed");
        for slot in &mut self.slots {
            slot.held.clear();
            if let Some(job) = slot.job.take() {
                job.fail(ModelError::failed("generating the answer", error.to_string()));
            }
        }
        self.context.clear_kv_cache();
    }
}

fn context_params(options: LocalOptions) -> LlamaContextParams {
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let threads = i32::try_from(options.threads.max(1)).unwrap_or(1);
    LlamaContextParams::default()
        // Each sequence has its own part of the context: an answer never pays for another one's length.
        .with_n_ctx(NonZeroU32::new(small(options.context * options.slots.max(1))))
        .with_n_seq_max(small(options.slots.max(1)))
        .with_kv_unified(false)
        .with_n_batch(small(STEP_TOKENS + options.slots))
        .with_n_ubatch(small(STEP_TOKENS))
        .with_n_threads(threads)
        .with_n_threads_batch(threads)
        .with_no_perf(true)
}

/// Sequence ids are slot numbers.
fn sequence(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

fn unsigned(number: usize) -> Option<u32> {
    u32::try_from(number).ok()
}
