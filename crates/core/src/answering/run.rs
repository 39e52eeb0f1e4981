//! Common ground of the pipelines: their resources, the search, and the bookkeeping of one answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::prompt::Generation;
use super::{AnswerEvent, AnswerSink, PipelineName, Prompts, Step};
use crate::answer::Place;
use crate::compute::compute;
use crate::ports::{Finish, Hit};
use crate::retrieval::asked::Asked;
use crate::retrieval::judgement::{Judgement, judge};
use crate::retrieval::orders::without_orders;
use crate::retrieval::relevance::relevant;
use crate::retrieval::rerank::{candidates, rerank};
use crate::retrieval::search::{Scope, Sought, search};
use crate::verification::Written;
use crate::{
    Answer, AnswerError, Embedder, LanguageModel, ModelError, Question, Reader, RequestContext, Reranker, Search,
    Timings,
};

/// Resources of a pipeline.
#[derive(Clone)]
pub struct Resources {
    /// Finds passages.
    pub search: Arc<dyn Search>,
    /// Embeds the question; the model that embedded the passages.
    pub embedder: Arc<dyn Embedder>,
    /// Puts the passages that were found into a better order, if there is one.
    pub reranker: Option<Arc<dyn Reranker>>,
    /// Says which words of the passages answer, if there is one.
    pub reader: Option<Arc<dyn Reader>>,
    /// Writes the answer.
    pub model: Arc<dyn LanguageModel>,
    /// Limits and manner of its writing.
    pub generation: Generation,
    /// Its instructions.
    pub prompts: Arc<Prompts>,
}

/// One answer under way.
pub(super) struct Run<'a> {
    pub(super) with: &'a Resources,
    pub(super) context: &'a RequestContext,
    pub(super) question: Arc<Question>,
    pipeline: PipelineName,
    events: &'a dyn AnswerSink,
    started: Instant,
    book: Mutex<Book>,
}

/// Cost of an answer so far.
#[derive(Default)]
struct Book {
    timings: Timings,
    calls: usize,
    prompt_tokens: usize,
    tokens: usize,
    /// End of the last call of the model.
    finish: Option<Finish>,
}

/// Passages that were found for a question.
pub(super) struct Found {
    /// The relevant ones, best first.
    pub(super) hits: Vec<Hit>,
    /// The best ones, whether relevant or not.
    pub(super) nearest: Vec<Hit>,
    /// The words that they were searched for with.
    pub(super) sought: Sought,
}

/// Outcome of looking into the documents.
pub(super) enum Verdict {
    /// They were not asked.
    Unsearched,
    /// They answer.
    Answered {
        /// Probability of that.
        confidence: f32,
    },
    /// They do not.
    Refused {
        /// Probability that they do all the same.
        confidence: f32,
        /// Places to look.
        related: Vec<Place>,
    },
}

impl<'a> Run<'a> {
    pub(super) fn start(
        with: &'a Resources,
        pipeline: PipelineName,
        context: &'a RequestContext,
        question: Question,
        events: &'a dyn AnswerSink,
    ) -> Self {
        let (question, started, book) = (Arc::new(question), Instant::now(), Mutex::default());
        Self { with, context, question, pipeline, events, started, book }
    }

    /// Searches for the question where it says, and with a search term where there is one; keeps what is relevant.
    pub(super) async fn search(&self, term: Option<&str>) -> Result<Found, AnswerError> {
        let Resources { search: store, embedder, reranker, .. } = self.with;
        let question = Arc::clone(&self.question);
        let asked = compute(move || Asked::of(&question.content, &question.history)).await;
        let asked = term.into_iter().fold(asked, Asked::with_term);
        let vectors = self.step(Step::Embed, embedder.embed_queries(self.context, &asked.to_embed())).await?;
        let mut scope = Scope::of(&self.question);
        let wanted = scope.limit;
        if reranker.is_some() {
            scope.limit = candidates(wanted);
        }
        let hits = self.step(Step::Search, search(&**store, self.context, &asked, &vectors, scope)).await?;
        let mut nearest = with_text(hits)?;
        let sought = Sought { vector: asked.mean(&vectors), text: asked.standalone.into() };
        if let Some(reranker) = reranker {
            let reranked = rerank(&**reranker, self.context, &sought.text, nearest, wanted);
            nearest = self.step(Step::Rerank, reranked).await?;
        }
        let hits = nearest.clone();
        let (text, floor) = (Arc::clone(&sought.text), embedder.relevance_floor());
        let hits = compute(move || relevant(&text, hits, floor)).await;
        Ok(Found { hits, nearest, sought })
    }

    /// Reads what was found: whether it answers the question, and with which words.
    pub(super) async fn judge(&self, sought: &Sought, hits: &Arc<[Hit]>) -> Result<Judgement, ModelError> {
        let reader = self.with.reader.as_deref();
        let judged = judge(&sought.text, hits, self.with.embedder.relevance_floor(), self.context, reader);
        let judgement = match reader {
            Some(_) => self.step(Step::Read, judged).await?,
            None => judged.await?,
        };
        let (question, hits) = (Arc::clone(&sought.text), Arc::clone(hits));
        Ok(compute(move || without_orders(&question, &hits, judgement)).await)
    }

    /// Prepares a prompt on a thread that may compute.
    pub(super) async fn draft<T: Send + 'static>(
        &self,
        prepare: impl FnOnce(&Resources, &Question) -> Result<T, AnswerError> + Send + 'static,
    ) -> Result<T, AnswerError> {
        let (with, question) = (self.with.clone(), Arc::clone(&self.question));
        compute(move || prepare(&with, &question)).await
    }

    /// Closes the book.
    ///
    /// # Errors
    /// When nothing was written: a model that only thought aloud has not answered.
    pub(super) fn finish(self, written: Written, verdict: Verdict) -> Result<Answer, AnswerError> {
        let total = self.started.elapsed();
        let Book { mut timings, calls, prompt_tokens, tokens, finish } =
            self.book.into_inner().unwrap_or_else(PoisonError::into_inner);
        timings.record("total", total);
        let finish = finish.unwrap_or(Finish::Stop);
        let Written { text, citations, unsupported } = written;
        if text.trim().is_empty() {
            return Err(AnswerError::NoAnswer { finish });
        }
        let (answered, confidence, related) = match verdict {
            Verdict::Unsearched => (true, None, Vec::new()),
            Verdict::Answered { confidence } => (true, Some(confidence), Vec::new()),
            Verdict::Refused { confidence, related } => (false, Some(confidence), related),
        };
        Ok(Answer {
            text,
            answered,
            confidence,
            related,
            reasoning: None,
            citations,
            unsupported,
            timings,
            calls,
            prompt_tokens,
            tokens,
            model: self.with.model.name().to_owned(),
            pipeline: self.pipeline.as_str(),
            finish,
            cached: false,
        })
    }

    /// Runs a step, and tells and records it.
    pub(super) async fn step<T, E>(&self, step: Step, work: impl Future<Output = Result<T, E>> + Send) -> Result<T, E> {
        self.begin(step).await;
        let began = Instant::now();
        let done = work.await?;
        self.end(step, began.elapsed()).await;
        Ok(done)
    }

    pub(super) async fn begin(&self, step: Step) {
        self.tell(AnswerEvent::StepBegun(step)).await;
    }

    pub(super) async fn end(&self, step: Step, took: Duration) {
        self.record(step.as_str(), took);
        self.tell(AnswerEvent::StepEnded { step, took }).await;
    }

    pub(super) async fn tell(&self, event: AnswerEvent) {
        self.events.tell(event).await;
    }

    /// Records how long something took.
    pub(super) fn record(&self, what: &'static str, took: Duration) {
        self.book().timings.record(what, took);
    }

    /// Records how long it took from the question until now.
    pub(super) fn record_since_start(&self, what: &'static str) {
        self.record(what, self.started.elapsed());
    }

    pub(super) fn count_call(&self, prompt_tokens: usize) {
        let mut book = self.book();
        book.calls += 1;
        book.prompt_tokens += prompt_tokens;
    }

    pub(super) fn count_token(&self) {
        self.book().tokens += 1;
    }

    pub(super) fn finished(&self, finish: Finish) {
        self.book().finish = Some(finish);
    }

    /// Nothing panics while the book is open.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves out hits without text, of which nothing can be read or cited.
///
/// # Errors
/// When nothing else was found: the documents may well have an answer, but not in this store.
fn with_text(hits: Vec<Hit>) -> Result<Vec<Hit>, AnswerError> {
    let found = hits.len();
    let hits: Vec<Hit> = hits.into_iter().filter(|hit| !hit.passage.text.trim().is_empty()).collect();
    if hits.is_empty() && found > 0 { Err(AnswerError::EmptyPassages { found }) } else { Ok(hits) }
}
