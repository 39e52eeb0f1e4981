//! An answer under way: from frames to text without thoughts and an explicit end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, Stream};
use qanda_core::ModelError;
use qanda_core::ports::{Finish, Generated};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};

use super::chunk::{Ending, Piece};
use super::events::Frame;
use super::frames::Frames;
use super::profile::Profile;
use super::{SharedProfile, TimeLimits};
use crate::llm::thoughts::{NoAnswer, ThoughtFilter};
use crate::openai::{Deadline, Endpoint, Failure, Rejection, Reply};

/// How long more is waited for after a reason for the end, where neither `[DONE]` nor the end of the body follows. A
/// reason that came with text is waited on as long as any text: it may stand in every piece.
const QUIET: Duration = Duration::from_secs(2);
/// How long the end of a finished answer is waited for, so that its connection can be used again.
const TAIL: Duration = Duration::from_secs(1);
/// Signs of life without text prolong the wait for text up to this many times.
const MOST_WAITS: u32 = 4;

/// An answer under way.
pub(super) struct Answer {
    frames: Frames,
    /// Its connection is in use as long as this is here.
    permit: OwnedSemaphorePermit,
    endpoint: Arc<Endpoint>,
    limits: TimeLimits,
    shared: SharedProfile,
    /// Knowledge of the endpoint, with what this answer shows of it.
    seen: Profile,
    filter: ThoughtFilter,
    /// Events that nobody has taken yet.
    ready: VecDeque<Generated>,
    /// Moment until which the first sign of the model is waited for; none once there was one.
    first: Option<Deadline>,
    /// Reason for the end that came last, and the moment until which more is waited for after it.
    ending: Option<(Ending, Instant)>,
    last_piece: Instant,
    has_text: bool,
    /// Whether the cost came after the text: an end, where no reason is given.
    is_billed: bool,
    /// Whether text was handed on.
    has_emitted: bool,
}

impl Answer {
    /// Reads until the model shows itself. What fails before that can still be retried.
    pub(super) async fn begin(
        reply: Reply,
        endpoint: Arc<Endpoint>,
        most_bytes: usize,
        limits: TimeLimits,
        shared: SharedProfile,
        asked: Profile,
        deadline: Deadline,
    ) -> Result<Self, Failure> {
        let Reply { response, permit } = reply;
        let mut answer = Self {
            frames: Frames::new(response, most_bytes),
            permit,
            endpoint,
            limits,
            shared,
            filter: ThoughtFilter::new(asked.opening),
            seen: asked,
            ready: VecDeque::new(),
            first: Some(deadline),
            ending: None,
            last_piece: Instant::now(),
            has_text: false,
            is_billed: false,
            has_emitted: false,
        };
        while answer.first.is_some() {
            answer.step().await?;
        }
        Ok(answer)
    }

    /// Reads until there is text to hand on, or the end: through the thoughts.
    pub(super) async fn until_text(&mut self) -> Result<(), Failure> {
        while self.ready.is_empty() {
            self.step().await?;
        }
        Ok(())
    }

    /// The tokens. It ends after a complete answer or after one error.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Generated, ModelError>> + Send + 'static {
        futures::stream::unfold(Some(self), |answer| async {
            let mut answer = answer?;
            match answer.next().await {
                Ok(Generated::Text(text)) => Some((Ok(Generated::Text(text)), Some(answer))),
                Ok(end) => {
                    answer.release();
                    Some((Ok(end), None))
                }
                Err(failure) => Some((Err(answer.endpoint.error(failure)), None)),
            }
        })
    }

    async fn next(&mut self) -> Result<Generated, Failure> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.has_emitted = true;
                return Ok(event);
            }
            if let Err(failure) = self.step().await {
                let address = self.endpoint.address();
                return Err(if self.has_emitted { failure.after_text(address) } else { failure });
            }
        }
    }

    /// Reads one frame. When it is the last one, the end is ready after this.
    async fn step(&mut self) -> Result<(), Failure> {
        let deadline = self.deadline();
        let frame = match timeout_at(deadline.at, self.frames.next()).await {
            Ok(Ok(frame)) => frame,
            // The connection broke behind the end of the answer.
            Ok(Err(_)) if self.may_end_here() => None,
            Ok(Err(broken)) => return Err(broken.into_failure(|cause| self.endpoint.broken(cause))),
            Err(_) if self.may_end_here() && !deadline.is_final => None,
            Err(_) => return Err(self.stalled(deadline)),
        };
        match frame {
            Some(Frame::Data { event, value }) => {
                let piece = Piece::read(&value, event.as_deref(), !self.has_text);
                let piece = piece.map_err(|report| Failure::from(Rejection::in_answer(report)))?;
                self.take(piece)
            }
            Some(Frame::Ping) => Ok(()),
            Some(Frame::Done) => self.end(!self.seen.gives_reasons && self.has_text),
            None => self.end(self.is_billed),
        }
    }

    /// Moment until which the next frame is waited for.
    fn deadline(&self) -> Deadline {
        if let Some(first) = self.first {
            return first;
        }
        let at = match self.ending {
            Some((_, until)) => until,
            None => (Instant::now() + self.limits.idle).min(self.last_piece + self.limits.idle * MOST_WAITS),
        };
        Deadline { at, is_final: false }.or_earlier(self.limits.request)
    }

    /// Whether the answer is complete if nothing more comes. A reason in every piece tells nothing.
    fn may_end_here(&self) -> bool {
        self.ending.is_some() && !self.seen.gives_empty_reasons
    }

    fn take(&mut self, piece: Piece) -> Result<(), Failure> {
        self.last_piece = Instant::now();
        if piece.reasons {
            self.filter.note_thought_apart();
            self.first = None;
        }
        self.is_billed = piece.is_usage && self.has_text;
        if !piece.text.is_empty() {
            self.first = None;
            self.has_text = true;
            self.seen.gives_empty_reasons |= self.ending.is_some();
            match self.filter.push(&piece.text) {
                Ok(text) => self.emit(text),
                Err(reason) => return Err(self.without_answer(reason, Finish::Stop)),
            }
        }
        match piece.ending {
            Some(Ending::Filtered) => {
                return Err(Failure::Filtered("its content filter stopped the answer".to_owned()));
            }
            Some(Ending::Failed) => {
                return Err(Failure::Connection(format!("{} gave up on the answer", self.endpoint.address())));
            }
            Some(ending) => {
                let stands_alone = piece.text.is_empty() && self.has_text;
                let wait = if stands_alone { QUIET.min(self.limits.idle) } else { self.limits.idle };
                self.ending = Some((ending, self.last_piece + wait));
                self.seen.gives_reasons = true;
            }
            // Text after a reason: more may follow as late as any.
            None if !piece.text.is_empty() => {
                let until = self.last_piece + self.limits.idle;
                self.ending = self.ending.map(|(ending, _)| (ending, until));
            }
            None => {}
        }
        Ok(())
    }

    /// Ends the answer. `is_ended` says that it is complete even without a reason.
    fn end(&mut self, is_ended: bool) -> Result<(), Failure> {
        self.first = None;
        let finish = match self.ending {
            Some((Ending::Length, _)) => Finish::Length,
            Some(_) => Finish::Stop,
            None if is_ended => Finish::Stop,
            None => return Err(self.cut()),
        };
        if !self.has_text {
            let has_thought = self.filter.has_thought();
            // Thoughts that an endpoint keeps to itself use up tokens as well.
            return Err(if has_thought || finish == Finish::Length {
                self.seen.reasons = true;
                Failure::OnlyReasoning { truncated: finish == Finish::Length }
            } else {
                self.without_a_word()
            });
        }
        match self.filter.end(finish) {
            Ok(rest) => self.emit(rest),
            Err(reason) => return Err(self.without_answer(reason, finish)),
        }
        self.seen.reasons |= self.filter.has_thought();
        self.seen.opening = self.filter.learnt();
        self.shared.learn(self.seen);
        self.ready.push_back(Generated::End(finish));
        Ok(())
    }

    fn emit(&mut self, text: String) {
        if !text.is_empty() {
            self.ready.push_back(Generated::Text(text));
        }
    }

    fn without_answer(&mut self, reason: NoAnswer, finish: Finish) -> Failure {
        self.seen.reasons = true;
        self.seen.opening = self.filter.learnt();
        self.shared.learn(self.seen);
        match reason {
            NoAnswer::OnlyThought => Failure::OnlyReasoning { truncated: finish == Finish::Length },
            NoAnswer::Leaked => Failure::Interrupted(NoAnswer::LEAKED.to_owned()),
        }
    }

    fn cut(&self) -> Failure {
        Failure::Connection(format!("{} stopped before the answer was complete", self.endpoint.address()))
    }

    /// LiteLLM makes a proper end of a failure behind it.
    fn without_a_word(&self) -> Failure {
        Failure::Connection(format!("{} finished without a word", self.endpoint.address()))
    }

    fn stalled(&self, deadline: Deadline) -> Failure {
        if self.first.is_some() || deadline.is_final {
            return self.endpoint.silence(deadline);
        }
        let (address, idle) = (self.endpoint.address(), self.limits.idle);
        Failure::Silence(format!("{address} went silent in the middle of the answer for {idle:?}"))
    }

    /// Reads what follows the answer, which nobody needs, for the sake of the connection.
    fn release(self) {
        let Self { mut frames, permit, .. } = self;
        let rest = async move {
            let _ = timeout(TAIL, async { while let Ok(Some(_)) = frames.next().await {} }).await;
            // Until here its connection is in use.
            drop((frames, permit));
        };
        let mut rest = Box::pin(rest);
        // Mostly it has come with the last word, and needs no task.
        if rest.as_mut().now_or_never().is_none() {
            tokio::spawn(rest);
        }
    }
}
