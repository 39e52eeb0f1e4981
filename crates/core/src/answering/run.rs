//! Common ground of the pipelines: their resources, the search, and the bookkeeping of one answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::prompt::Generation;
use super::{AnswerEvent, AnswerSink, PipelineName, Prompts, Step};
use crate::compute::compute;
use crate::ports::{Finish, Hit, Mode, SearchQuery};
use crate::retrieval::copies::without_copies;
use crate::retrieval::relevance::relevant;
use crate::{
    Answer, AnswerError, Citation, Embedder, LanguageModel, Question, Reader, RequestContext, Search, StoreError,
    Timings,
};

/// Resources of a pipeline.
#[derive(Clone)]
pub struct Resources {
    /// Finds passages.
    pub search: Arc<dyn Search>,
    /// Embeds the question; the model that embedded the passages.
    pub embedder: Arc<dyn Embedder>,
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

/// Relevant passages, and the vector of the words with which they were searched.
pub(super) struct Found {
    pub(super) hits: Vec<Hit>,
    pub(super) vector: Vec<f32>,
}

/// Most hits that are looked at for as many different ones as are wanted.
const MOST_LOOKED_AT: usize = 256;

/// Hits that say different things; more are asked for only where copies took their places.
async fn different(
    search: &dyn Search,
    context: &RequestContext,
    mut query: SearchQuery,
) -> Result<Vec<Hit>, StoreError> {
    let wanted = query.limit;
    loop {
        let found = search.search(context, query.clone()).await?;
        let is_all = found.len() < query.limit || query.limit >= MOST_LOOKED_AT;
        let mut hits = without_copies(found);
        if is_all || hits.len() >= wanted {
            hits.truncate(wanted);
            return Ok(hits);
        }
        query.limit = (query.limit * 4).min(MOST_LOOKED_AT);
    }
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

    /// Embeds a text, searches with it where the question says, and keeps what is relevant to it.
    pub(super) async fn search(&self, text: &str) -> Result<Found, AnswerError> {
        let Resources { search, embedder, .. } = self.with;
        let vector = self.step(Step::Embed, embedder.embed_query(self.context, text)).await?;
        let query = SearchQuery {
            text: text.to_owned(),
            vector: vector.clone(),
            mode: Mode::Hybrid,
            source: self.question.source,
            filter: self.question.filter.clone(),
            limit: self.question.n_results,
        };
        let hits = self.step(Step::Search, different(&**search, self.context, query)).await?;
        let (text, floor) = (text.to_owned(), embedder.relevance_floor());
        let hits = with_text(hits)?;
        let hits = compute(move || relevant(&text, hits, floor)).await;
        Ok(Found { hits, vector })
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
    pub(super) fn finish(self, (text, citations): (String, Vec<Citation>)) -> Result<Answer, AnswerError> {
        let total = self.started.elapsed();
        let Book { mut timings, calls, prompt_tokens, tokens, finish } =
            self.book.into_inner().unwrap_or_else(PoisonError::into_inner);
        timings.record("total", total);
        let finish = finish.unwrap_or(Finish::Stop);
        if text.trim().is_empty() {
            return Err(AnswerError::NoAnswer { finish });
        }
        Ok(Answer {
            text,
            reasoning: None,
            citations,
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
