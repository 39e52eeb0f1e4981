//! The loop that evaluates all running answers together.
//!
//! Every step evaluates one batch: the last token of each answer that is being written, and as much of the
//! waiting prompts as fits beside them ("continuous batching": Yu et al., "Orca", OSDI 2022). An answer that ends
//! makes room at the next step, not at the end of a batch. Prompts are evaluated in the order in which they came.

use std::cmp::Reverse;
use std::time::Instant;

use qanda_core::ModelError;
use qanda_core::ports::Finish;

use super::decoder::{Choice, Decoder, Input};
use super::handle::{Inbox, Next};
use super::request::Request;
use super::slot::{Job, Slot};

/// Tokens evaluated in one step while nobody is being written to.
pub(super) const STEP_TOKENS: usize = 512;
/// Tokens of prompts evaluated in one step beside running answers: they pause for some 0.4 s at most.
const STEP_TOKENS_BESIDE: usize = 128;
/// A start shared with another slot is copied from this many tokens on: copying moves the slot's whole memory, so
/// a few tokens are sooner evaluated again.
const WORTH_COPYING: usize = 48;

/// The engine, on its thread.
pub(super) struct Engine<D: Decoder> {
    /// First, so that a panic is known to all before callers see their answers end.
    inbox: Inbox<D::Sampler>,
    decoder: D,
    slots: Vec<Slot<D::Sampler>>,
    /// Requests begun so far.
    begun: u64,
}

impl<D: Decoder> Engine<D> {
    /// An engine for so many answers at once.
    pub(super) fn new(decoder: D, slots: usize, inbox: Inbox<D::Sampler>) -> Self {
        Self { inbox, decoder, slots: (0..slots).map(|_| Slot::empty()).collect(), begun: 0 }
    }

    /// Works until the last sender is gone and the last answer finished.
    pub(super) fn run(mut self) {
        loop {
            let open = self.admit();
            self.drop_unwanted();
            if self.is_idle() {
                if open {
                    continue;
                }
                return;
            }
            if let Err(error) = self.step() {
                self.fail_all(&error);
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.slots.iter().all(|slot| slot.job.is_none())
    }

    /// Gives waiting requests a slot; sleeps when there is nothing to do. Returns whether more may come.
    fn admit(&mut self) -> bool {
        while self.slots.iter().any(|slot| slot.job.is_none()) {
            match self.inbox.next(self.is_idle()) {
                Next::Request(request) if request.reply.is_abandoned() => {}
                Next::Request(request) => self.begin(request),
                Next::Nothing => return true,
                Next::Closed => return false,
            }
        }
        true
    }

    /// Starts a request in the free slot that holds most of its beginning, after copying more of it from another
    /// slot where that helps.
    fn begin(&mut self, request: Request<D::Sampler>) {
        let shared = |slot: &Slot<_>| slot.common_prefix(&request.tokens);
        let free = self.slots.iter().enumerate().filter(|(_, slot)| slot.job.is_none());
        // Among equals the lowest: llama.cpp evaluates neighbours together, and splits a batch at a gap.
        let Some((index, slot)) = free.max_by_key(|(index, slot)| (shared(slot), Reverse(*index))) else { return };
        let mut held = shared(slot);
        let best = self.slots.iter().enumerate().max_by_key(|(_, slot)| shared(slot));
        if let Some((source, other)) = best
            && shared(other) > held + WORTH_COPYING
            && self.decoder.copy(source, index)
        {
            held = shared(other);
        }
        // The last token of the prompt is evaluated in any case: its output is the first token of the answer.
        let held = held.min(request.tokens.len().saturating_sub(1));
        let held = self.decoder.truncate(index, held);
        self.begun += 1;
        let slot = &mut self.slots[index];
        slot.held = request.tokens[..held].to_vec();
        slot.job = Some(Job::new(request, held, self.begun));
    }

    /// Frees the slots of answers that nobody waits for any more. One that is late has failed: what it has so far is no
    /// answer, whether its caller notices first or the engine does.
    fn drop_unwanted(&mut self) {
        let now = Instant::now();
        for slot in &mut self.slots {
            let Some(job) = &slot.job else { continue };
            if job.is_abandoned() {
                slot.end(Finish::Cancelled);
            } else if job.is_late(now) {
                slot.fail(ModelError::DeadlineExceeded);
            }
        }
    }

    /// Evaluates one batch and passes on the tokens that come out of it.
    fn step(&mut self) -> Result<(), ModelError> {
        let shares = shares(&self.slots);
        let mut inputs = Vec::with_capacity(shares.iter().sum());
        for (sequence, (slot, share)) in self.slots.iter_mut().zip(shares).enumerate() {
            let Some(job) = &mut slot.job else { continue };
            let complete = share == job.next.len();
            for (n, token) in job.next.drain(..share).enumerate() {
                inputs.push(Input { sequence, position: slot.held.len(), token, is_last: complete && n + 1 == share });
                slot.held.push(token);
            }
        }
        self.decoder.evaluate(&inputs)?;
        for (place, input) in inputs.iter().enumerate().filter(|(_, input)| input.is_last) {
            self.pass_on(input.sequence, place);
        }
        Ok(())
    }

    /// Takes the next token of a slot from the output and passes it on; frees the slot at the end.
    fn pass_on(&mut self, index: usize, place: usize) {
        let slot = &mut self.slots[index];
        let Some(job) = &mut slot.job else { return };
        match self.decoder.choose(&mut job.sampler, place) {
            Choice::Token { token, text } => {
                if !job.emit(token, &text) {
                    slot.end(Finish::Length);
                }
            }
            Choice::End => slot.end(Finish::Stop),
            Choice::Nothing => {
                let cause = "the model has no token that the answer's shape allows";
                slot.fail(ModelError::failed("generating the answer", cause));
            }
        }
    }

    /// A failed evaluation leaves the memory in an unknown state: everybody is told, and it starts afresh.
    fn fail_all(&mut self, error: &ModelError) {
        tracing::error!(%error, "the language model failed");
        for slot in &mut self.slots {
            slot.held.clear();
            slot.fail(ModelError::failed("generating the answer", error.to_string()));
        }
        self.decoder.clear();
    }
}

/// Tokens of each slot in the next step: one for an answer that is being written; prompts share what room there is,
/// first come, first served.
fn shares<S>(slots: &[Slot<S>]) -> Vec<usize> {
    let mut shares = vec![0; slots.len()];
    let mut prompts = Vec::new();
    for (index, slot) in slots.iter().enumerate() {
        match &slot.job {
            Some(job) if job.is_generating() => shares[index] = 1,
            Some(job) => prompts.push((job.arrival, index, job.next.len())),
            None => {}
        }
    }
    let mut room = if shares.contains(&1) { STEP_TOKENS_BESIDE } else { STEP_TOKENS };
    prompts.sort_unstable();
    for (_, index, left) in prompts {
        shares[index] = left.min(room);
        room -= shares[index];
    }
    shares
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
