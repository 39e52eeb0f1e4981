use llama_cpp_2::token::LlamaToken;
use qanda_core::ModelError;
use qanda_core::ports::{Finish, Generated};
use tokio::sync::mpsc::UnboundedSender;

use super::engine::Request;
use super::sampling::Sampler;
use super::utf8::Utf8Joiner;

/// One sequence of the context: what it holds, and the answer that uses it now.
#[derive(Default)]
pub(super) struct Slot {
    /// Tokens whose keys and values the context holds for this sequence. They stay when an answer ends: the next
    /// prompt that begins alike starts from there.
    pub(super) held: Vec<LlamaToken>,
    /// The answer under way.
    pub(super) job: Option<Job>,
}

/// An answer under way.
pub(super) struct Job {
    /// Tokens to be evaluated next: the rest of the prompt, then the last generated token.
    pub(super) next: Vec<LlamaToken>,
    pub(super) sampler: Sampler,
    /// Tokens that may still be generated.
    left: usize,
    text: Utf8Joiner,
    reply: UnboundedSender<Result<Generated, ModelError>>,
}

/// What became of an answer with one more token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It goes on.
    Goes,
    /// It is complete, or nobody listens any more.
    Ended,
}

impl Slot {
    /// How many tokens at the start of `prompt` are held already.
    pub(super) fn common_prefix(&self, prompt: &[LlamaToken]) -> usize {
        self.held.iter().zip(prompt).take_while(|(held, wanted)| held == wanted).count()
    }
}

impl Job {
    /// A job for what is left of a prompt after the first `held` tokens.
    pub(super) fn new(request: Request, held: usize, n_vocab: i32) -> Self {
        let sampler = Sampler::new(request.temperature, n_vocab, request.grammar);
        Self {
            next: request.tokens[held..].to_vec(),
            sampler,
            left: request.max_tokens,
            text: Utf8Joiner::default(),
            reply: request.reply,
        }
    }

    /// Whether the caller went away.
    pub(super) fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    /// Whether the prompt is evaluated and tokens are being generated, one a step.
    pub(super) fn is_generating(&self) -> bool {
        self.next.len() == 1
    }

    /// Passes a generated token on; `bytes` is its text.
    pub(super) fn emit(&mut self, token: LlamaToken, bytes: &[u8]) -> Outcome {
        self.next = vec![token];
        self.left = self.left.saturating_sub(1);
        let sent = self.reply.send(Ok(Generated::Text(self.text.push(bytes))));
        if sent.is_err() {
            return Outcome::Ended;
        }
        if self.left == 0 { self.end(Finish::Length) } else { Outcome::Goes }
    }

    /// Tells the caller that the answer is complete.
    pub(super) fn end(&self, finish: Finish) -> Outcome {
        // A caller who went away does not need to know.
        let _ = self.reply.send(Ok(Generated::End(finish)));
        Outcome::Ended
    }

    /// Tells the caller that there will be no more.
    pub(super) fn fail(&self, error: ModelError) {
        // A caller who went away does not need to know.
        let _ = self.reply.send(Err(error));
    }
}
