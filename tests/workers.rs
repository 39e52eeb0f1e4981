//! Several processes behind one address: how many requests each class of worker takes, and what is said about them.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use qanda_tests::data::{argument, folder};
use qanda_tests::{Server, qanda};
use serde_json::{Value, json};
use tempfile::TempDir;

const MOCK: &str = "/apis/q-and-a/mock-q";

/// A server over an empty store, with a remote model that is never asked: nothing large is loaded.
fn start(arguments: &[&str]) -> (Server, TempDir) {
    let data = folder();
    let model = ["--llm", "openai", "--openai-base-url", "http://127.0.0.1:9/v1", "--log-format", "json"];
    (Server::start(data.path(), &[&model, arguments].concat()), data)
}

/// Seconds that so many mock questions at once take until the last is answered.
fn at_once(server: &Server, requests: usize) -> f64 {
    let began = Instant::now();
    thread::scope(|scope| {
        let ask = || server.post(MOCK).json(&json!({"content": "Anything"})).send().expect("responds").status();
        let callers: Vec<_> = (0..requests).map(|_| scope.spawn(ask)).collect();
        callers.into_iter().for_each(|caller| assert_eq!(caller.join().expect("is answered"), 200));
    });
    began.elapsed().as_secs_f64()
}

/// The log's events for mock questions, once there are so many.
fn events(server: &Server, number: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let said = server.said();
        let events = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let events: Vec<Value> = events.filter(|event| event["route"] == MOCK).collect();
        if events.len() >= number {
            return events;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{} of {number} events: {said}", events.len());
        thread::sleep(Duration::from_millis(20));
    }
}

fn different(events: &[Value], field: &str) -> usize {
    events.iter().map(|event| event[field].to_string()).collect::<BTreeSet<_>>().len()
}

#[test]
fn one_sync_worker_takes_one_request_at_a_time() {
    let (server, _data) = start(&["--worker-class", "sync"]);
    assert_eq!(server.workers().len(), 1);
    let took = at_once(&server, 3);
    assert!((3.0..6.0).contains(&took), "{took} s");
    let events = events(&server, 3);
    assert_eq!((different(&events, "process"), different(&events, "thread")), (1, 1), "{events:#?}");
    // It arrives when it is accepted, not when its caller connects.
    assert!(events.iter().all(|event| event["class"] == "sync" && event["milliseconds"].as_f64() < Some(1500.0)));
}

#[test]
fn three_sync_workers_take_three_at_once() {
    let (server, _data) = start(&["--worker-class", "sync", "--workers", "3"]);
    wait_for_workers(&server, 3);
    let took = at_once(&server, 3);
    assert!(took < 1.9, "{took} s");
    assert_eq!(different(&events(&server, 3), "process"), 3);
}

#[test]
fn three_workers_with_two_threads_take_six_at_once() {
    let (server, _data) = start(&["--worker-class", "gthread", "--workers", "3", "--threads", "2"]);
    wait_for_workers(&server, 3);
    let took = at_once(&server, 6);
    assert!(took < 1.9, "{took} s");
    let events = events(&server, 6);
    assert_eq!((different(&events, "process"), different(&events, "thread")), (3, 6), "{events:#?}");
}

#[test]
fn one_async_worker_is_one_process_and_takes_all() {
    let (server, _data) = start(&[]);
    assert!(server.workers().is_empty());
    let took = at_once(&server, 30);
    assert!(took < 1.9, "{took} s");
    let events = events(&server, 30);
    let event = &events[0];
    for field in ["arrived_ms", "milliseconds", "process", "thread"] {
        assert!(event[field].is_number(), "{field}: {event:#}");
    }
    assert!(event["arrived"].as_str().is_some_and(|time| time.contains('T') && time.ends_with('Z')), "{event:#}");
    assert_eq!((&event["class"], &event["method"], &event["status"]), (&"async".into(), &"POST".into(), &200.into()));
}

#[test]
fn any_worker_tells_the_figures_of_all() {
    let (server, _data) = start(&["--workers", "3"]);
    wait_for_workers(&server, 3);
    for _ in 0..3 {
        at_once(&server, 10);
    }
    let counted = |name: &str| figure(&server, name);
    let total = format!("qanda_requests_total{{route=\"{MOCK}\",status=\"200\"}}");
    let fast = format!("qanda_request_seconds_bucket{{route=\"{MOCK}\",le=\"0.5\"}}");
    let expected = [(&*total, 30.0), (&*fast, 0.0), ("qanda_workers", 3.0), ("qanda_requests_in_flight", 1.0)];
    // Each time another worker may answer, and what it knows of the others is up to a second old.
    wait_until("ten answers in turn tell the same of all workers", || {
        (0..10).all(|_| expected.iter().all(|(name, value)| counted(name) == Some(*value)))
    });
    // What a worker has counted outlives it.
    qanda_tests::binary::signal(server.workers()[0], "KILL");
    wait_until("it is replaced", || counted("qanda_workers") == Some(3.0) && server.workers().len() == 3);
    assert_eq!(counted(&total), Some(30.0));
}

/// A figure of `/metrics`, asked on a connection of its own.
fn figure(server: &Server, name: &str) -> Option<f64> {
    let text = server.get("/metrics").header("connection", "close").send().expect("responds").text().expect("a text");
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let data = folder();
    for (arguments, words) in [
        (["--workers", "0"], "--workers is 0; it must be at least 1"),
        (["--threads", "2"], "--threads 2 needs --worker-class gthread"),
        (["--timeout", "1"], "--timeout is 1; it must be at least 2"),
    ] {
        let fixed = ["serve", "--listen", "127.0.0.1:0", "--data-dir", argument(data.path())];
        let refused = qanda(&[&fixed[..], &arguments].concat());
        assert!(refused.failure().contains(words), "{refused:?}");
    }
}

#[test]
fn a_worker_that_cannot_start_ends_all_with_one_sentence() {
    let fixed = ["serve", "--listen", "127.0.0.1:0", "--data-dir", "/dev/null/store", "--workers", "3"];
    let refused = qanda(&[&fixed[..], &["--llm", "openai"]].concat());
    assert!(refused.failure().contains("/dev/null/store"), "{refused:?}");
}

fn wait_for_workers(server: &Server, number: usize) {
    wait_until("all workers are ready", || server.said().matches("worker ready").count() >= number);
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "not within 30 seconds: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
