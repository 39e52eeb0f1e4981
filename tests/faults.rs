//! Faults of a model's endpoint and of callers, seen from outside: statuses, the `error` event, the log, and that the
//! service goes on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use qanda_tests::answer::{citations, problem, text};
use qanda_tests::data::folder;
use qanda_tests::events::Events;
use qanda_tests::{Chroma, Mock, Server, qanda};
use reqwest::blocking::Response;
use serde_json::{Value, json};

const HBA1C: &str = "What HbA1c target suits most adults with type 2 diabetes?";

/// The arguments with which a server asks the model at this address, once for each call.
fn asking(url: &str) -> Vec<&str> {
    let once = ["--llm", "openai", "--openai-base-url", url, "--openai-api-key", "none", "--endpoint-retries", "0"];
    // A model that does not reason: nothing of its first answer has to be held until it is known for one.
    [&once[..], &["--reasoning-tokens", "0"]].concat()
}

/// A server over the sample documents that asks a model's endpoint.
fn server(model: &Mock, more: &[&str]) -> Server {
    Server::over_samples(&[&asking(model.base_url())[..], more].concat())
}

/// What a model says at length that the samples say as well: its sentences are sent one by one, each after its
/// verification.
fn at_length() -> String {
    "Most adults aim for an HbA1c below 7% [1]. ".repeat(20)
}

fn ask(server: &Server, pipeline: &str, stream: bool) -> Response {
    server.ask(&json!({"content": HBA1C, "pipeline": pipeline, "stream": stream}))
}

/// Waits until no request is being answered but the one for the figures.
fn until_idle(server: &Server) -> String {
    let began = Instant::now();
    loop {
        let figures = server.get("/metrics").send().expect("responds").text().expect("a text");
        if figures.contains("qanda_requests_in_flight 1\n") {
            return figures;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "something is still being answered: {figures}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Requests counted under a status.
fn counted(figures: &str, status: u16) -> u64 {
    let name = format!("qanda_requests_total{{route=\"/apis/q-and-a/q\",status=\"{status}\"}} ");
    figures.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.parse().expect("a number"))
}

/// Nothing that a caller reads tells where the model is.
fn assert_discreet(said: &Value) {
    assert!(!said.to_string().contains("127.0.0.1"), "{said:#}");
}

#[test]
fn a_model_that_hangs_ends_at_the_deadline_in_every_form() {
    let model = Mock::start(&["--hang", "1"]);
    let server = server(&model, &["--request-timeout", "1"]);
    for pipeline in ["direct", "classic"] {
        for stream in [false, true] {
            let began = Instant::now();
            let late = problem(ask(&server, pipeline, stream), 504);
            assert_eq!(late["type"], "urn:qanda:problem:too-late");
            assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
        }
    }
    assert_eq!(counted(&until_idle(&server), 504), 4);
}

#[test]
fn a_model_that_slows_down_ends_at_the_deadline_with_an_error_event() {
    let model = Mock::start(&["--latency", "0", "--text", &at_length(), "--tokens", "160", "--token-rate", "20"]);
    let server = server(&model, &["--request-timeout", "2", "--grounding", "marked"]);
    let events: Vec<(String, Value)> = Events::of(ask(&server, "direct", true)).collect();
    let [tokens @ .., (name, problem)] = &events[..] else { panic!("no event at all") };
    assert!(!tokens.is_empty() && tokens.iter().all(|(name, _)| name == "token"), "{events:?}");
    assert_eq!((name.as_str(), &problem["status"]), ("error", &json!(504)), "{problem}");
    let id = problem["request_id"].as_str().expect("an id");
    let figures = until_idle(&server);
    assert_eq!((counted(&figures, 504), counted(&figures, 200)), (1, 0), "{figures}");
    let logged = server.said();
    assert!(logged.lines().any(|line| line.contains(id) && line.contains("status=504")), "{logged}");
}

#[test]
fn the_slot_of_a_late_answer_is_free_again() {
    // One slot, and a question that the local model needs far longer for than there is time.
    let arguments = ["--llm-slots", "1", "--max-tokens", "1500", "--request-timeout", "2", "--grounding", "marked"];
    let server = Server::over_samples(&arguments);
    let story = json!({"content": "Write a very long story about a ship.", "query_option": false, "stream": true});
    for _ in 0..2 {
        // The second one would wait behind the first for its whole time if that still held the slot.
        let events: Vec<(String, Value)> = Events::of(server.ask(&story)).collect();
        let (name, problem) = events.last().expect("an event");
        assert!(events.len() > 1 && name == "error" && problem["status"] == 504, "{events:?}");
    }
}

#[test]
fn an_endpoint_that_fails_has_a_status_and_tells_callers_nothing_of_itself() {
    for (fault, status) in [("--fail-429", 503), ("--fail-500", 503)] {
        let model = Mock::start(&[fault, "1", "--latency", "0"]);
        let server = server(&model, &[]);
        for (pipeline, stream) in [("direct", false), ("classic", false), ("direct", true), ("classic", true)] {
            let response = ask(&server, pipeline, stream);
            let retry_after = response.headers().get("retry-after").cloned();
            let failed = problem(response, status);
            assert!(retry_after.is_some(), "{fault}: {failed:#}");
            assert_discreet(&failed);
            let id = failed["request_id"].as_str().expect("an id");
            let logged = server.said();
            assert!(logged.lines().any(|line| line.contains(id) && line.contains("127.0.0.1")), "{logged}");
        }
        server.assert_healthy();
    }
}

#[test]
fn an_endpoint_that_refuses_or_says_nothing_is_a_bad_gateway() {
    let model = Mock::start(&["--latency", "0"]);
    let server = Server::over_samples(&asking(&format!("{}/elsewhere", model.base_url())));
    let refused = problem(ask(&server, "direct", false), 502);
    assert_eq!(refused["type"], "urn:qanda:problem:model-refuses");
    assert_discreet(&refused);
}

#[test]
fn an_answer_that_is_cut_off_on_its_way_is_no_answer() {
    let model = Mock::start(&["--cut", "1", "--latency", "0", "--text", &at_length()]);
    let server = server(&model, &["--grounding", "marked"]);
    for pipeline in ["direct", "classic"] {
        let cut = ask(&server, pipeline, false);
        assert!(cut.status().is_server_error(), "{pipeline}: {}", cut.status());
        let status = cut.status().as_u16();
        assert_discreet(&problem(cut, status));
    }
    let events: Vec<(String, Value)> = Events::of(ask(&server, "direct", true)).collect();
    let [tokens @ .., (name, problem)] = &events[..] else { panic!("no event at all") };
    assert!(!tokens.is_empty() && tokens.iter().all(|(name, _)| name == "token"), "{events:?}");
    assert!(name == "error" && problem["status"].as_u64().is_some_and(|status| status >= 500), "{problem}");
    assert_discreet(problem);
    let figures = until_idle(&server);
    assert_eq!(counted(&figures, 200), 0, "{figures}");
}

#[test]
fn callers_who_leave_or_dawdle_are_logged_as_such() {
    let model = Mock::start(&["--hang", "1"]);
    let server = server(&model, &["--request-timeout", "3"]);
    let mut leaving = TcpStream::connect(server.address()).expect("connects");
    let body = json!({"content": HBA1C}).to_string();
    let head = format!("POST /apis/q-and-a/q HTTP/1.1\r\nhost: {}\r\n", server.address());
    write!(leaving, "{head}content-length: {}\r\n\r\n{body}", body.len()).expect("is sent");
    let began = Instant::now();
    while !server.get("/metrics").send().expect("responds").text().expect("a text").contains("in_flight 2\n") {
        assert!(began.elapsed() < Duration::from_secs(3), "the question does not arrive");
    }
    drop(leaving);
    assert_eq!(counted(&until_idle(&server), 499), 1);
    let mut dawdling = TcpStream::connect(server.address()).expect("connects");
    dawdling.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    write!(dawdling, "{head}content-length: 100\r\nconnection: close\r\n\r\n{{\"content\":").expect("is sent");
    let mut answer = String::new();
    dawdling.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("body-too-slow"), "{answer}");
}

#[test]
fn chroma_an_endpoint_and_the_classic_chain_answer_together_and_fail_with_the_endpoint() {
    let Some(chroma) = Chroma::shared() else { return };
    let port = chroma.port().to_string();
    let store = ["--store", "chroma", "--chroma-host", "127.0.0.1", "--chroma-port", &port];
    let store = [&store[..], &["--chroma-collection", "classic-over-an-endpoint"]].concat();
    let _ = qanda(&[&["ingest", "examples"], &store[..]].concat()).ok();
    let data = folder();
    let start = |model: &Mock| {
        let more = ["--pipeline", "classic", "--request-timeout", "3"];
        Server::start(data.path(), &[&store[..], &more, &asking(model.base_url())].concat())
    };
    let sound = Mock::start(&["--latency", "0", "--text", "Most adults aim for an HbA1c below 7% [1]."]);
    let server = start(&sound);
    let answer = server.answer(&json!({"content": HBA1C}));
    assert_eq!((&answer["pipeline"], &answer["calls"]), (&json!("classic"), &json!(3)), "{answer:#}");
    assert!(text(&answer).contains("below 7%") && !citations(&answer).is_empty(), "{answer:#}");
    drop(server);
    for (fault, status) in [("--fail-429", 503), ("--fail-500", 503), ("--cut", 503), ("--hang", 504)] {
        let faulty = Mock::start(&[fault, "1", "--latency", "0"]);
        let server = start(&faulty);
        for stream in [false, true] {
            let failed = problem(server.ask(&json!({"content": HBA1C, "stream": stream})), status);
            assert_discreet(&failed);
        }
        assert_eq!(counted(&until_idle(&server), status), 2, "{fault}");
    }
}
