//! A pipeline, a store and a model of the tests' own, and what is asked of the service over them.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::response::Response;
use qanda_core::answering::{AnswerEvent, AnswerSink, Pipeline, PipelineName, Step};
use qanda_core::document::{Relocation, StoredDocument, StoredVersion};
use qanda_core::ports::{
    DocumentQuery, EmbedderIdentity, Finish, GenerationStream, Hit, IntakeError, JobId, JobState, JobStatus,
    NoOriginal, Page, Prompt, SearchQuery, StoreStatus, Submission,
};
use qanda_core::retrieval::Finder;
use qanda_core::{
    Answer, AnswerError, DocumentId, Documents, Embedder, EntryId, Intake, LanguageModel, ModelError, Moment,
    NewDocument, Pair, Passage, Question, RequestContext, Search, StoreError, Timings, Upkeep,
};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::*;

/// Something that nobody outside may read.
pub(super) const SECRET: &str = "/srv/secret/qanda.sqlite at 10.1.2.3: key sk-123";

pub(super) type Fails = fn() -> AnswerError;

/// End of a pipeline after its texts.
#[derive(Clone, Copy)]
pub(super) enum Then {
    Answer,
    Hang,
    Panic,
    Fail(Fails),
    /// Says more without end.
    GoOn,
}

pub(super) struct Fake {
    pub(super) texts: &'static [&'static str],
    pub(super) then: Then,
    /// Held while an answer is under way.
    pub(super) alive: Arc<()>,
    pub(super) told: AtomicUsize,
}

impl Fake {
    pub(super) fn new(texts: &'static [&'static str], then: Then) -> Arc<Self> {
        Arc::new(Self { texts, then, alive: Arc::default(), told: AtomicUsize::new(0) })
    }

    pub(super) fn is_answering(&self) -> bool {
        Arc::strong_count(&self.alive) > 1
    }

    pub(super) async fn until_idle(&self) {
        while self.is_answering() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[async_trait]
impl Pipeline for Fake {
    async fn answer(&self, _: &RequestContext, _: Question, events: &dyn AnswerSink) -> Result<Answer, AnswerError> {
        let _alive = Arc::clone(&self.alive);
        events.tell(AnswerEvent::StepBegun(Step::Search)).await;
        for text in self.texts {
            events.tell(AnswerEvent::Text((*text).to_owned())).await;
        }
        match self.then {
            Then::Answer => Ok(Answer {
                text: self.texts.concat(),
                answered: true,
                confidence: None,
                related: Vec::new(),
                reasoning: None,
                citations: Vec::new(),
                unsupported: Vec::new(),
                timings: Timings::default(),
                calls: 1,
                prompt_tokens: 1,
                tokens: 1,
                model: "fake".to_owned(),
                pipeline: "direct",
                finish: Finish::Length,
                cached: false,
            }),
            Then::Hang => std::future::pending().await,
            Then::Panic => panic!("a fault of the pipeline"),
            Then::Fail(fails) => Err(fails()),
            Then::GoOn => loop {
                events.tell(AnswerEvent::Text("more ".to_owned())).await;
                self.told.fetch_add(1, Ordering::SeqCst);
            },
        }
    }
}

/// A store that cannot be reached.
pub(super) struct Away;

#[async_trait]
impl Upkeep for Away {
    async fn claim(&self, _: EmbedderIdentity) -> Result<(), StoreError> {
        Ok(())
    }
    async fn check(&self) -> Result<(), StoreError> {
        Err(StoreError::Unavailable { message: SECRET.to_owned(), cause: None })
    }
    async fn optimise(&self) -> Result<(), StoreError> {
        Ok(())
    }
    async fn status(&self) -> Result<StoreStatus, StoreError> {
        self.check().await?;
        Ok(StoreStatus { documents: 0, passages: 0, pairs: 0, embedder: None, indexes: Vec::new() })
    }

    async fn version(&self) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }
}

#[async_trait]
impl Search for Away {
    async fn search(&self, _: &RequestContext, _: SearchQuery) -> Result<Vec<Hit>, StoreError> {
        Err(self.check().await.err().unwrap_or_else(|| StoreError::failed(SECRET, SECRET)))
    }
    async fn passages(&self, _: &RequestContext, _: Vec<EntryId>) -> Result<Vec<Passage>, StoreError> {
        Ok(Vec::new())
    }
    async fn pairs_for(
        &self,
        _: &RequestContext,
        _: Vec<EntryId>,
        _: Vec<f32>,
        _: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        Ok(Vec::new())
    }
}

fn away<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable { message: SECRET.to_owned(), cause: None })
}

#[async_trait]
impl Documents for Away {
    async fn put(&self, _: &RequestContext, _: Vec<NewDocument>) -> Result<(), StoreError> {
        away()
    }
    async fn remove(&self, _: &RequestContext, _: Vec<String>) -> Result<usize, StoreError> {
        away()
    }
    async fn relocate(&self, _: &RequestContext, _: Vec<Relocation>) -> Result<usize, StoreError> {
        away()
    }
    async fn base_folder(&self, _: &RequestContext, _: String) -> Result<String, StoreError> {
        away()
    }
    async fn versions(&self, _: &RequestContext) -> Result<HashMap<String, StoredVersion>, StoreError> {
        away()
    }
    async fn get(&self, _: &RequestContext, _: &DocumentId) -> Result<Option<StoredDocument>, StoreError> {
        away()
    }
    async fn list(&self, _: &RequestContext, _: DocumentQuery) -> Result<Page<StoredDocument>, StoreError> {
        away()
    }
    async fn passages_of(
        &self,
        _: &RequestContext,
        _: &DocumentId,
        _: Option<String>,
        _: usize,
    ) -> Result<Page<Passage>, StoreError> {
        away()
    }
    async fn list_passages(&self, _: &RequestContext, _: Option<String>) -> Result<Page<Passage>, StoreError> {
        away()
    }
}

#[async_trait]
impl Intake for Away {
    async fn submit(
        &self,
        _: &RequestContext,
        documents: Vec<Submission>,
        _: Option<String>,
    ) -> Result<JobStatus, IntakeError> {
        // Tells what it was given, so that tests of reading uploads need no store.
        let given = |document: &Submission| {
            let Submission { name, media_type, bytes, metadata } = document;
            format!("{name} {media_type:?} {} {metadata:?}", bytes.len())
        };
        Ok(JobStatus {
            id: JobId::from("1".to_owned()),
            state: JobState::Queued,
            done: 0,
            documents: documents.iter().map(given).collect(),
            failures: Vec::new(),
            created: Moment::now(),
            ended: None,
        })
    }
    async fn job(&self, _: &RequestContext, _: &JobId) -> Result<Option<JobStatus>, StoreError> {
        Ok(None)
    }
    async fn jobs(&self, _: &RequestContext) -> Result<Vec<JobStatus>, StoreError> {
        away()
    }
    fn uploaded_as<'a>(&self, _: &'a StoredDocument) -> Option<&'a str> {
        None
    }
    async fn remove(&self, _: &RequestContext, _: &StoredDocument) -> Result<(), StoreError> {
        away()
    }
    async fn original(&self, _: &RequestContext, _: &StoredDocument) -> Result<File, NoOriginal> {
        Err(NoOriginal::Gone)
    }
}

/// An embedder for which all texts are the same.
struct Alike(EmbedderIdentity);

#[async_trait]
impl Embedder for Alike {
    fn identity(&self) -> &EmbedderIdentity {
        &self.0
    }
    fn relevance_floor(&self) -> f32 {
        0.0
    }
    async fn embed_queries(&self, _: &RequestContext, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        Ok(vec![vec![1.0]; texts.len()])
    }
    async fn embed_passages(&self, _: &RequestContext, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        Ok(vec![vec![1.0]; texts.len()])
    }
}

/// A language model whose engine runs or has ended.
pub(super) struct Engine {
    pub(super) runs: bool,
}

#[async_trait]
impl LanguageModel for Engine {
    fn name(&self) -> &str {
        "engine"
    }
    fn context_window(&self) -> usize {
        1
    }
    fn count_tokens(&self, text: &str) -> usize {
        text.len()
    }
    async fn generate(&self, _: &RequestContext, _: Prompt) -> Result<GenerationStream, ModelError> {
        Err(ModelError::Stopped)
    }
    fn check(&self) -> Result<(), ModelError> {
        if self.runs { Ok(()) } else { Err(ModelError::Stopped) }
    }
}

pub(super) struct App {
    pub(super) router: Router,
    pub(super) telemetry: Telemetry,
}

impl App {
    pub(super) fn over(pipeline: Arc<Fake>, timeout: Duration) -> Self {
        Self::with(Engine { runs: true }, pipeline, timeout)
    }

    pub(super) fn with(model: Engine, pipeline: Arc<Fake>, timeout: Duration) -> Self {
        let service = Service::default();
        let pipelines = [(PipelineName::Direct, pipeline as Arc<dyn Pipeline>)].into();
        let (store, model) = (Arc::new(Away), Arc::new(model));
        let embedder = Arc::new(Alike(EmbedderIdentity { name: "alike".to_owned(), dimension: 1 }));
        let finder = Finder { search: Arc::new(Away), embedder, reranker: None };
        let default_pipeline = PipelineName::Direct;
        let (documents, intake) = (Arc::new(Away), Arc::new(Away));
        service.start(BackEnds { pipelines, default_pipeline, finder, documents, intake: Some(intake), store, model });
        let telemetry = Telemetry::alone();
        let settings = HttpSettings { request_timeout: timeout, is_loopback: true, public_hosts: Arc::default() };
        Self { router: router(service, telemetry.clone(), settings), telemetry }
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.expect("a router does not fail")
    }

    pub(super) async fn ask(&self, question: &Value) -> Response {
        self.send(post(question.to_string())).await
    }

    /// Whether one answer was counted under this status.
    pub(super) fn counted(&self, status: u16) -> bool {
        let figure = format!("qanda_requests_total{{route=\"/apis/q-and-a/q\",status=\"{status}\"}} 1");
        self.telemetry.exposition().contains(&figure)
    }
}

pub(super) const LONG: Duration = Duration::from_secs(60);
pub(super) const SHORT: Duration = Duration::from_millis(50);

pub(super) fn post(body: impl Into<Body>) -> Request<Body> {
    Request::post("/apis/q-and-a/q").body(body.into()).expect("a request")
}

pub(super) async fn text(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    String::from_utf8(bytes.to_vec()).expect("a text")
}

pub(super) async fn problem(response: Response, status: u16) -> Value {
    let got = response.status().as_u16();
    let problem: Value = serde_json::from_str(&text(response).await).expect("JSON");
    assert_eq!((got, &problem["status"]), (status, &json!(status)), "{problem}");
    assert!(!problem.to_string().contains("secret"), "{problem}");
    problem
}

/// The last event of a stream: its name and data.
pub(super) fn last_event(stream: &str) -> (String, Value) {
    let event = stream.trim_end().rsplit("\n\n").next().expect("an event");
    let (name, data) = event.split_once('\n').expect("two lines");
    let data = data.strip_prefix("data: ").expect("data");
    (name.trim_start_matches("event: ").to_owned(), serde_json::from_str(data).expect("JSON"))
}
