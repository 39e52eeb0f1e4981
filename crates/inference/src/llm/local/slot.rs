//! Places for answers in the model's memory.

use std::time::Instant;

use llama_cpp_2::token::LlamaToken;
use qanda_core::ModelError;
use qanda_core::ports::Finish;

use super::request::{Reply, Request};
use super::utf8::Utf8Joiner;

/// One sequence of the model's memory: what it holds, and the answer that uses it now.
pub(super) struct Slot<S> {
    /// Tokens whose keys and values the memory holds for this sequence. They stay when an answer ends: the next
    /// prompt that begins alike starts from there.
    pub(super) held: Vec<LlamaToken>,
    /// The answer under way.
    pub(super) job: Option<Job<S>>,
}

/// An answer under way.
pub(super) struct Job<S> {
    /// Number of its request: lower ones came before.
    pub(super) arrival: u64,
    /// Tokens to be evaluated next: the rest of the prompt, then the last generated token.
    pub(super) next: Vec<LlamaToken>,
    pub(super) sampler: S,
    /// Tokens that may still be generated.
    left: usize,
    text: Utf8Joiner,
    deadline: Option<Instant>,
    reply: Reply,
}

impl<S> Slot<S> {
    /// A slot that holds nothing.
    pub(super) const fn empty() -> Self {
        Self { held: Vec::new(), job: None }
    }

    /// Tokens at the start of `prompt` that are held already.
    pub(super) fn common_prefix(&self, prompt: &[LlamaToken]) -> usize {
        self.held.iter().zip(prompt).take_while(|(held, wanted)| held == wanted).count()
    }

    /// Ends the answer under way.
    pub(super) fn end(&mut self, finish: Finish) {
        if let Some(job) = self.job.take() {
            job.reply.end(finish);
        }
    }

    /// Ends the answer under way with an error.
    pub(super) fn fail(&mut self, error: ModelError) {
        if let Some(job) = self.job.take() {
            job.reply.fail(error);
        }
    }
}

impl<S> Job<S> {
    /// A job for what is left of a prompt after the first `held` tokens.
    pub(super) fn new(request: Request<S>, held: usize, arrival: u64) -> Self {
        Self {
            arrival,
            next: request.tokens[held..].to_vec(),
            sampler: request.sampler,
            left: request.max_tokens,
            text: Utf8Joiner::default(),
            deadline: request.deadline,
            reply: request.reply,
        }
    }

    /// Whether nobody waits for the rest.
    pub(super) fn is_abandoned(&self) -> bool {
        self.reply.is_abandoned()
    }

    /// Whether its request's time is over.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// Whether the prompt is evaluated and tokens are being generated, one a step.
    pub(super) fn is_generating(&self) -> bool {
        self.next.len() == 1
    }

    /// Passes a generated token on; `bytes` is its text. Returns whether more may follow.
    pub(super) fn emit(&mut self, token: LlamaToken, bytes: &[u8]) -> bool {
        self.next = vec![token];
        self.left = self.left.saturating_sub(1);
        self.reply.text(self.text.push(bytes));
        self.left > 0
    }
}
