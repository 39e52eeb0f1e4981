//! The routes over pipelines of the tests' own: statuses, deadlines, callers that leave, and what is logged.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use futures::StreamExt;
use qanda_core::answering::{AnswerEvent, AnswerSink, Pipeline, PipelineName, Step};
use qanda_core::ports::{EmbedderIdentity, Finish, GenerationStream, Prompt, StoreStatus};
use qanda_core::{
    Answer, AnswerError, LanguageModel, ModelError, Question, RequestContext, StoreError, Timings, Upkeep,
};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;

/// Something that nobody outside may read.
const SECRET: &str = "/srv/secret/qanda.sqlite at 10.1.2.3: key sk-123";

type Fails = fn() -> AnswerError;

/// End of a pipeline after its texts.
#[derive(Clone, Copy)]
enum Then {
    Answer,
    Hang,
    Panic,
    Fail(Fails),
    /// Says more without end.
    GoOn,
}

struct Fake {
    texts: &'static [&'static str],
    then: Then,
    /// Held while an answer is under way.
    alive: Arc<()>,
    told: AtomicUsize,
}

impl Fake {
    fn new(texts: &'static [&'static str], then: Then) -> Arc<Self> {
        Arc::new(Self { texts, then, alive: Arc::default(), told: AtomicUsize::new(0) })
    }

    fn is_answering(&self) -> bool {
        Arc::strong_count(&self.alive) > 1
    }

    async fn until_idle(&self) {
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
struct Away;

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

/// A language model whose engine runs or has ended.
struct Engine {
    runs: bool,
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

struct App {
    router: Router,
    telemetry: Telemetry,
}

impl App {
    fn over(pipeline: Arc<Fake>, timeout: Duration) -> Self {
        Self::with(Engine { runs: true }, pipeline, timeout)
    }

    fn with(model: Engine, pipeline: Arc<Fake>, timeout: Duration) -> Self {
        let service = Service::default();
        let pipelines = [(PipelineName::Direct, pipeline as Arc<dyn Pipeline>)].into();
        let (store, model) = (Arc::new(Away), Arc::new(model));
        service.start(BackEnds { pipelines, default_pipeline: PipelineName::Direct, store, model });
        let telemetry = Telemetry::alone();
        let settings = HttpSettings { request_timeout: timeout, is_loopback: true, public_hosts: Arc::default() };
        Self { router: router(service, telemetry.clone(), settings), telemetry }
    }

    async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.expect("a router does not fail")
    }

    async fn ask(&self, question: &Value) -> Response {
        self.send(post(question.to_string())).await
    }

    /// Whether one answer was counted under this status.
    fn counted(&self, status: u16) -> bool {
        let figure = format!("qanda_requests_total{{route=\"/apis/q-and-a/q\",status=\"{status}\"}} 1");
        self.telemetry.exposition().contains(&figure)
    }
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

fn post(body: impl Into<Body>) -> Request<Body> {
    Request::post("/apis/q-and-a/q").body(body.into()).expect("a request")
}

async fn text(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    String::from_utf8(bytes.to_vec()).expect("a text")
}

async fn problem(response: Response, status: u16) -> Value {
    let got = response.status().as_u16();
    let problem: Value = serde_json::from_str(&text(response).await).expect("JSON");
    assert_eq!((got, &problem["status"]), (status, &json!(status)), "{problem}");
    assert!(!problem.to_string().contains("secret"), "{problem}");
    problem
}

/// The last event of a stream: its name and data.
fn last_event(stream: &str) -> (String, Value) {
    let event = stream.trim_end().rsplit("\n\n").next().expect("an event");
    let (name, data) = event.split_once('\n').expect("two lines");
    let data = data.strip_prefix("data: ").expect("data");
    (name.trim_start_matches("event: ").to_owned(), serde_json::from_str(data).expect("JSON"))
}

/// Every error with its status and kind.
const ERRORS: [(Fails, u16, &str); 22] = [
    (|| StoreError::Unavailable { message: SECRET.into(), cause: None }.into(), 503, "unavailable"),
    (|| StoreError::DiskFull { place: SECRET.into() }.into(), 507, "disk-full"),
    (|| StoreError::failed(SECRET, SECRET).into(), 500, "internal"),
    (|| ModelError::Overloaded { waiting: 9 }.into(), 503, "overloaded"),
    (|| ModelError::PromptTooLong { tokens: 9, limit: Some(8) }.into(), 422, "prompt-too-long"),
    (|| ModelError::Unavailable { message: SECRET.into(), retry_after: Some(7) }.into(), 503, "unavailable"),
    (|| ModelError::Refused { message: SECRET.into() }.into(), 502, "model-refuses"),
    (|| ModelError::Stopped.into(), 503, "unavailable"),
    (|| ModelError::failed(SECRET, SECRET).into(), 500, "internal"),
    (|| ModelError::DeadlineExceeded.into(), 504, "too-late"),
    (|| ModelError::RateLimited { message: SECRET.into(), retry_after: Some(7) }.into(), 503, "unavailable"),
    (|| ModelError::Interrupted { message: SECRET.into() }.into(), 503, "unavailable"),
    (|| ModelError::Filtered { message: SECRET.into() }.into(), 502, "no-answer"),
    (|| ModelError::Unreadable { message: SECRET.into() }.into(), 502, "no-answer"),
    (|| ModelError::OnlyReasoning { truncated: true }.into(), 502, "no-answer"),
    (|| AnswerError::QuestionTooLong { tokens: 9, limit: 8 }, 422, "invalid-fields"),
    (|| AnswerError::HistoryTooLong { tokens: 9, limit: 8 }, 422, "invalid-fields"),
    (|| AnswerError::NoRoom { window: 9, instructions: 8, answer: 4 }, 500, "no-room"),
    (|| AnswerError::EmptyPassages { found: 5 }, 502, "empty-passages"),
    (|| AnswerError::NoAnswer { finish: Finish::Length }, 502, "no-answer"),
    (|| AnswerError::NoAnswer { finish: Finish::Stop }, 502, "no-answer"),
    (
        || {
            StoreError::OtherEmbedder {
                place: SECRET.into(),
                stored: SECRET.into(),
                stored_dimension: 1,
                given: SECRET.into(),
                given_dimension: 2,
            }
            .into()
        },
        500,
        "internal",
    ),
];

#[tokio::test]
async fn every_error_has_its_status_and_tells_no_secret() {
    for (fails, status, kind) in ERRORS {
        for stream in [false, true] {
            let app = App::over(Fake::new(&[], Then::Fail(fails)), LONG);
            let response = app.ask(&json!({"content": "Why?", "stream": stream})).await;
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            let problem = problem(response, status).await;
            assert_eq!(problem["type"], format!("urn:qanda:problem:{kind}"));
            assert!(app.counted(status), "{kind}");
        }
        // Once there are words, the failure is an event, and the answer is not counted as one.
        let app = App::over(Fake::new(&["It "], Then::Fail(fails)), LONG);
        let response = app.ask(&json!({"content": "Why?", "stream": true})).await;
        assert_eq!(response.status(), 200);
        let stream = text(response).await;
        let (name, problem) = last_event(&stream);
        assert_eq!((name.as_str(), &problem["status"]), ("error", &json!(status)), "{stream}");
        assert!(!stream.contains("secret"), "{stream}");
        assert!(app.counted(status) && !app.counted(200), "{kind}");
    }
}

#[tokio::test]
async fn the_fields_that_are_too_long_are_named() {
    let cases: [(Fails, &str); 2] = [
        (|| AnswerError::QuestionTooLong { tokens: 9, limit: 8 }, "content"),
        (|| AnswerError::HistoryTooLong { tokens: 9, limit: 8 }, "history"),
    ];
    for (fails, field) in cases {
        let app = App::over(Fake::new(&[], Then::Fail(fails)), LONG);
        let problem = problem(app.ask(&json!({"content": "Why?"})).await, 422).await;
        assert_eq!(problem["errors"][0]["field"], field);
    }
}

#[tokio::test]
async fn an_answer_ends_at_its_deadline() {
    for stream in [false, true] {
        let fake = Fake::new(&[], Then::Hang);
        let app = App::over(Arc::clone(&fake), SHORT);
        let late = problem(app.ask(&json!({"content": "Why?", "stream": stream})).await, 504).await;
        assert_eq!(late["type"], "urn:qanda:problem:too-late");
        fake.until_idle().await;
    }
    let fake = Fake::new(&["It "], Then::Hang);
    let app = App::over(Arc::clone(&fake), SHORT);
    let stream = text(app.ask(&json!({"content": "Why?", "stream": true})).await).await;
    assert!(stream.starts_with("event: token\ndata: {\"text\":\"It \"}\n\n"), "{stream}");
    let (name, problem) = last_event(&stream);
    assert_eq!((name.as_str(), &problem["status"]), ("error", &json!(504)));
    fake.until_idle().await;
    assert!(app.counted(504));
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up_at_the_deadline() {
    let app = App::over(Fake::new(&[], Then::Answer), SHORT);
    let body = Body::from_stream(futures::stream::pending::<Result<String, std::io::Error>>());
    let slow = problem(app.send(post(body)).await, 408).await;
    assert_eq!(slow["type"], "urn:qanda:problem:body-too-slow");
}

#[tokio::test]
async fn a_panic_is_a_failure() {
    let app = App::over(Fake::new(&[], Then::Panic), LONG);
    let _ = problem(app.ask(&json!({"content": "Why?"})).await, 500).await;
    let app = App::over(Fake::new(&["It "], Then::Panic), LONG);
    let stream = text(app.ask(&json!({"content": "Why?", "stream": true})).await).await;
    assert_eq!(last_event(&stream).0, "error");
}

#[tokio::test]
async fn an_answer_ends_when_its_caller_leaves() {
    let fake = Fake::new(&["It "], Then::Hang);
    let app = App::over(Arc::clone(&fake), LONG);
    let mut body = app.ask(&json!({"content": "Why?", "stream": true})).await.into_body().into_data_stream();
    let first = body.next().await.expect("an event").expect("no error");
    assert!(first.starts_with(b"event: token"));
    assert!(fake.is_answering());
    drop(body);
    fake.until_idle().await;
    assert!(app.counted(499));
    // Before there is a response.
    let router = app.router.clone();
    let asked = tokio::spawn(router.oneshot(post(json!({"content": "Why?"}).to_string())));
    while !fake.is_answering() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    asked.abort();
    fake.until_idle().await;
}

#[tokio::test]
async fn a_caller_who_does_not_read_holds_the_answer_up() {
    let fake = Fake::new(&["It "], Then::GoOn);
    let app = App::over(Arc::clone(&fake), LONG);
    let response = app.ask(&json!({"content": "Why?", "stream": true})).await;
    let mut before = usize::MAX;
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let told = fake.told.load(Ordering::SeqCst);
        if told == before {
            break;
        }
        before = told;
    }
    assert!(before <= 64, "{before} events wait for somebody");
    drop(response);
    fake.until_idle().await;
}

#[tokio::test]
async fn a_cut_off_answer_says_so_in_every_form() {
    let app = App::over(Fake::new(&["It ", "is so"], Then::Answer), LONG);
    let question = json!({"content": "Why?"});
    let json: Value = serde_json::from_str(&text(app.ask(&question).await).await).expect("JSON");
    assert_eq!((&json["answer"], &json["finish"]), (&json!("It is so"), &json!("length")));
    let mut request = post(question.to_string());
    request.headers_mut().insert("accept", "text/plain".parse().expect("a header"));
    let plain = app.send(request).await;
    assert_eq!(plain.headers()["x-finish"], "length");
    assert_eq!(text(plain).await, "It is so");
    let stream = text(app.ask(&json!({"content": "Why?", "stream": true})).await).await;
    let (name, done) = last_event(&stream);
    assert_eq!((name.as_str(), &done["finish"]), ("done", &json!("length")));
}

#[tokio::test]
async fn a_request_has_an_id_that_its_problems_name() {
    let app = App::over(Fake::new(&[], Then::Fail(|| ModelError::Stopped.into())), LONG);
    let mut request = post(json!({"content": "Why?"}).to_string());
    request.headers_mut().insert("x-request-id", "proxy-7/1".parse().expect("a header"));
    let response = app.send(request).await;
    assert_eq!(response.headers()["x-request-id"], "proxy-7/1");
    assert_eq!(problem(response, 503).await["request_id"], "proxy-7/1");
    let response = app.ask(&json!({"content": ""})).await;
    let id = response.headers()["x-request-id"].clone();
    assert_eq!(problem(response, 422).await["request_id"], id.to_str().expect("a text"));
}

#[tokio::test]
async fn other_sites_pages_are_turned_away() {
    let app = App::over(Fake::new(&["It is so"], Then::Answer), LONG);
    let asked = |headers: &[(&'static str, &str)]| {
        let mut request = post(json!({"content": "Why?"}).to_string());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        app.send(request)
    };
    let own = [("host", "localhost:8000"), ("origin", "http://localhost:8000")];
    assert_eq!(asked(&own).await.status(), StatusCode::OK);
    assert_eq!(asked(&own[..1]).await.status(), StatusCode::OK);
    let foreign = asked(&[("host", "localhost:8000"), ("origin", "http://evil.example")]).await;
    assert_eq!(problem(foreign, 403).await["type"], "urn:qanda:problem:foreign-origin");
    let rebound = asked(&[("host", "evil.example:8000"), ("origin", "http://evil.example:8000")]).await;
    assert_eq!(problem(rebound, 421).await["type"], "urn:qanda:problem:misdirected");
}

#[tokio::test]
async fn readiness_tells_no_secret_and_a_service_that_loads_says_so() {
    let app = App::over(Fake::new(&[], Then::Answer), LONG);
    let get = |path: &str| Request::get(path).body(Body::empty()).expect("a request");
    let _ = problem(app.send(get("/readyz")).await, 503).await;
    let settings = HttpSettings { request_timeout: LONG, is_loopback: true, public_hosts: Arc::default() };
    let loading = App { router: router(Service::default(), app.telemetry.clone(), settings), ..app };
    assert_eq!(problem(loading.send(get("/readyz")).await, 503).await["type"], "urn:qanda:problem:starting");
    assert_eq!(
        problem(loading.ask(&json!({"content": "Why?"})).await, 503).await["type"],
        "urn:qanda:problem:starting"
    );
    // A wrong question is told from the start.
    let _ = problem(loading.ask(&json!({"content": 1})).await, 422).await;
}

#[tokio::test]
async fn an_engine_that_has_ended_is_not_ready_and_says_that_it_is_the_model() {
    let detail = async |runs| {
        let app = App::with(Engine { runs }, Fake::new(&[], Then::Answer), LONG);
        let get = Request::get("/readyz").body(Body::empty()).expect("a request");
        problem(app.send(get).await, 503).await["detail"].as_str().expect("a detail").to_owned()
    };
    // The store of these tests is away, so the other one is not ready either.
    let (dead, alive) = (detail(false).await, detail(true).await);
    assert!(dead.contains("model") && !alive.contains("model"), "{dead}; {alive}");
}
