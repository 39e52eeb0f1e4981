//! The routes over pipelines of the tests' own: statuses, deadlines, callers that leave, and what is logged.

mod documents;
mod fakes;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures::StreamExt;
use qanda_core::ports::Finish;
use qanda_core::{AnswerError, ModelError, StoreError};
use serde_json::{Value, json};
use tower::ServiceExt;

use self::fakes::{App, Engine, Fails, Fake, LONG, SECRET, SHORT, Then, last_event, post, problem, text};
use super::*;

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
        503,
        "other-embedder",
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
async fn a_search_that_fails_and_one_that_asks_nothing_are_problems() {
    let app = App::over(Fake::new(&[], Then::Answer), LONG);
    let search = |body: &str| Request::post("/apis/search").body(Body::from(body.to_owned())).expect("a request");
    let problem_of = async |body: &str, status| problem(app.send(search(body)).await, status).await;
    assert_eq!(problem_of("{\"content\": \"Why?\"}", 503).await["type"], "urn:qanda:problem:unavailable");
    assert_eq!(problem_of("{\"content\": \"\"}", 422).await["errors"][0]["field"], "content");
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
