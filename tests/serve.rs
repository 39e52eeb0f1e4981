//! The HTTP service: what it answers, and in which forms.

use std::time::{Duration, Instant};

use qanda_tests::Server;
use qanda_tests::answer::{assert_holds, assert_nothing_found, citations, documents, problem, text};
use qanda_tests::events::Events;
use serde_json::{Value, json};

const HBA1C: &str = "What HbA1c target suits most adults with type 2 diabetes?";

#[test]
fn health_readiness_and_the_front_page_are_there() {
    let server = Server::shared();
    let json = |path: &str| server.get(path).send().expect("responds").json::<Value>().expect("is JSON");
    assert_eq!(json("/healthz")["status"], "ok");
    assert_eq!(json("/readyz")["status"], "ready");
    let front = server.get("/").send().expect("responds");
    assert_eq!(front.status(), 200);
    assert!(front.text().expect("a text").contains("qanda"));
}

#[test]
fn an_answer_comes_as_json() {
    let server = Server::shared();
    let response = server.ask(&json!({"content": HBA1C}));
    assert_eq!(response.headers()["content-type"], "application/json");
    let answer: Value = response.json().expect("is JSON");
    assert_holds(&answer);
    assert!(documents(&answer).contains(&"examples/type-2-diabetes.md"), "{answer:#}");
    assert!(text(&answer).contains("below 7%"), "{answer:#}");
    assert_eq!((&answer["pipeline"], &answer["cached"]), (&"direct".into(), &false.into()));
    assert!(["stop", "length", "cancelled"].iter().any(|finish| answer["finish"] == *finish), "{answer}");
    assert!(answer["model"].as_str().is_some_and(|name| !name.is_empty()), "{answer:#}");
    let timings = answer["timings_ms"].as_object().expect("timings are an object");
    assert!(timings.values().all(Value::is_number), "{answer:#}");
    let total = timings["total"].as_f64().expect("a total");
    assert!(timings.values().all(|ms| ms.as_f64().is_some_and(|ms| (0.0..=total).contains(&ms))), "{answer:#}");
}

#[test]
fn an_answer_comes_as_plain_text() {
    let server = Server::shared();
    let request = server.post("/apis/q-and-a/q").header("accept", "text/plain").json(&json!({"content": HBA1C}));
    let response = request.send().expect("responds");
    assert!(response.headers()["content-type"].to_str().expect("a name").starts_with("text/plain"));
    let text = response.text().expect("a text");
    assert!(text.contains("below 7%") && text.contains("[1]") && !text.starts_with('{'), "{text}");
    let cut_off = server.post("/apis/q-and-a/q").header("accept", "text/plain");
    let cut_off = cut_off.json(&json!({"content": "Write a very long story", "query_option": false}));
    assert_eq!(cut_off.send().expect("responds").headers()["x-finish"], "length");
}

/// Tokens, then the citations, then the whole answer, which is made of just these.
fn assert_streams(events: Events) -> Value {
    let events: Vec<(String, Value)> = events.collect();
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    let [tokens @ .., "citations", "done"] = names.as_slice() else { panic!("unexpected order: {names:?}") };
    assert!(!tokens.is_empty() && tokens.iter().all(|name| *name == "token"), "{names:?}");
    let told: String = events[..tokens.len()].iter().map(|(_, data)| data["text"].as_str().expect("a text")).collect();
    let (cited, done) = (&events[tokens.len()].1, &events[tokens.len() + 1].1);
    assert_eq!(told, text(done));
    assert_eq!(cited, &done["citations"]);
    assert_holds(done);
    done.clone()
}

#[test]
fn an_answer_comes_as_a_stream_of_events() {
    let server = Server::shared();
    let question = json!({"content": HBA1C, "stream": true});
    let answer = assert_streams(Events::of(server.ask(&question)));
    assert!(documents(&answer).contains(&"examples/type-2-diabetes.md"), "{answer:#}");
    let accept = server.post("/apis/q-and-a/q").header("accept", "text/event-stream");
    let answer = assert_streams(Events::of(accept.json(&json!({"content": HBA1C})).send().expect("responds")));
    assert!(documents(&answer).contains(&"examples/type-2-diabetes.md"), "{answer:#}");
    assert_nothing_found(&assert_streams(server.stream("What is the capital of France?", true)));
}

#[test]
fn a_stream_comes_as_it_is_written_and_not_at_the_end() {
    let server = Server::shared();
    let mut events = server.stream("Write a very long story", false);
    assert!(events.next().is_some());
    let first = Instant::now();
    let more = events.take_while(|(name, _)| name == "token").count();
    // Thirty tokens take a few hundred milliseconds; what was held back until the end comes all at once.
    assert!(more > 10 && first.elapsed() > Duration::from_millis(50), "{more} more in {:?}", first.elapsed());
}

#[test]
fn with_query_option_false_nothing_is_searched() {
    let answer = Server::shared().answer(&json!({"content": "What is the capital of France?", "query_option": false}));
    assert!(text(&answer).contains("Paris"), "{answer:#}");
    assert!(citations(&answer).is_empty() && answer["timings_ms"]["search"].is_null(), "{answer:#}");
}

#[test]
fn a_source_that_has_nothing_says_so() {
    let server = Server::shared();
    assert_nothing_found(&server.answer(&json!({"content": HBA1C, "source": "QA"})));
    let answer = server.answer(&json!({"content": HBA1C, "source": "all"}));
    assert!(documents(&answer).contains(&"examples/type-2-diabetes.md"), "{answer:#}");
}

#[test]
fn no_more_passages_are_cited_than_were_asked_for() {
    let server = Server::shared();
    for n_results in [1, 2, 50] {
        let answer = server.answer(&json!({"content": HBA1C, "n_results": n_results}));
        let markers = citations(&answer).iter().map(|citation| citation["marker"].as_u64().expect("a number"));
        assert!(markers.max().is_some_and(|highest| highest <= n_results), "{answer:#}");
    }
}

#[test]
fn a_filter_limits_what_is_found() {
    let server = Server::shared();
    let ask = |filter: Value| server.answer(&json!({"content": HBA1C, "filter": filter}));
    assert!(documents(&ask(json!({"topic": "diabetes", "year": 2025}))).contains(&"examples/type-2-diabetes.md"));
    assert_nothing_found(&ask(json!({"topic": "diabetes", "year": 1925})));
}

#[test]
fn a_conversation_can_be_sent_along() {
    let history = json!([
        {"role": "user", "content": "My name is Ada. Remember it."},
        {"role": "assistant", "content": "Yes, your name is Ada."},
    ]);
    let answer =
        Server::shared().answer(&json!({"content": "What is my name?", "history": history, "query_option": false}));
    assert!(text(&answer).contains("Ada"), "{answer:#}");
}

#[test]
fn the_mock_waits_one_second_and_answers_a_fixed_text_to_many_at_once() {
    let server = Server::shared();
    let began = Instant::now();
    let ask = || {
        let response = server.post("/apis/q-and-a/mock-q").json(&json!({"content": "Anything"})).send();
        response.expect("responds").json::<Value>().expect("is JSON")
    };
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..20).map(|_| scope.spawn(ask)).collect();
        callers.into_iter().map(|caller| caller.join().expect("is answered")).collect()
    });
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert!(took < Duration::from_secs(8), "twenty at once took {took:?}, one after the other they take 20 s");
    for answer in answers {
        assert!(!text(&answer).is_empty() && text(&answer) == "This is a mock answer.", "{answer:#}");
        assert!(answer["timings_ms"]["total"].as_f64().is_some_and(|ms| ms >= 1000.0), "{answer:#}");
    }
    let bad = server.post("/apis/q-and-a/mock-q").json(&json!({"n_results": 5})).send().expect("responds");
    assert!(problem(bad, 422)["detail"].as_str().is_some_and(|detail| detail.contains("content")));
}
