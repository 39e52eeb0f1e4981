//! Several processes behind one address: how many requests each class of worker takes, and what is said about them.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use qanda_tests::data::{argument, folder};
use qanda_tests::{Mock, Server, qanda, wait_until};
use serde_json::{Value, json};
use tempfile::TempDir;

const MOCK: &str = "/apis/q-and-a/mock-q";

/// A server over an empty store whose models are remote and free: nothing is loaded.
fn start(arguments: &[&str]) -> (Server, (TempDir, Arc<Mock>)) {
    let (data, model) = (folder(), Mock::shared());
    let server = Server::start(data.path(), &[&model.arguments()[..], &["--log-format", "json"], arguments].concat());
    (server, (data, model))
}

/// Asks so many mock questions at once. All of them are answered.
fn at_once(server: &Server, requests: usize) {
    thread::scope(|scope| {
        let ask = || server.post(MOCK).json(&json!({"content": "Anything"})).send().expect("responds").status();
        let callers: Vec<_> = (0..requests).map(|_| scope.spawn(ask)).collect();
        callers.into_iter().for_each(|caller| assert_eq!(caller.join().expect("is answered"), 200));
    });
}

/// The log's events for mock questions, once there are so many.
fn events(server: &Server, number: usize) -> Vec<Value> {
    let events = || -> Vec<Value> {
        let said = server.said();
        let events = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.filter(|event| event["route"] == MOCK).collect()
    };
    wait_until("each question is logged", || events().len() >= number);
    events()
}

/// How many different values a field has.
fn different(events: &[Value], field: &str) -> usize {
    events.iter().map(|event| event[field].to_string()).collect::<BTreeSet<_>>().len()
}

/// The most requests that were being answered at the same moment, by the clock that all processes share.
fn most_at_once(events: &[Value]) -> usize {
    let number = |event: &Value, field: &str| event[field].as_f64().expect("a number");
    let spans = || events.iter().map(|event| (number(event, "arrived_ms"), number(event, "milliseconds")));
    let running_at =
        |moment: f64| spans().filter(|(arrived, took)| (*arrived..arrived + took).contains(&moment)).count();
    spans().map(|(arrived, _)| running_at(arrived)).max().unwrap_or_default()
}

#[test]
fn one_sync_worker_takes_one_request_at_a_time() {
    let (server, _parts) = start(&["--worker-class", "sync"]);
    assert_eq!(server.workers().len(), 1);
    at_once(&server, 3);
    let events = events(&server, 3);
    assert_eq!((different(&events, "process"), different(&events, "thread")), (1, 1), "{events:#?}");
    // A request arrives when it is accepted, not when its caller connects.
    assert_eq!(most_at_once(&events), 1, "{events:#?}");
    assert!(events.iter().all(|event| event["class"] == "sync"), "{events:#?}");
}

#[test]
fn three_sync_workers_take_three_at_once() {
    let (server, _parts) = start(&["--worker-class", "sync", "--workers", "3"]);
    wait_for_workers(&server, 3);
    at_once(&server, 4);
    let events = events(&server, 4);
    assert_eq!((different(&events, "process"), most_at_once(&events)), (3, 3), "{events:#?}");
}

#[test]
fn three_workers_with_two_threads_take_six_at_once() {
    let (server, _parts) = start(&["--worker-class", "gthread", "--workers", "3", "--threads", "2"]);
    wait_for_workers(&server, 3);
    at_once(&server, 7);
    let events = events(&server, 7);
    assert_eq!((different(&events, "process"), different(&events, "thread")), (3, 6), "{events:#?}");
    assert_eq!(most_at_once(&events), 6, "{events:#?}");
}

#[test]
fn one_async_worker_is_one_process_and_takes_all() {
    let (server, _parts) = start(&[]);
    assert!(server.workers().is_empty());
    at_once(&server, 30);
    let events = events(&server, 30);
    assert_eq!(most_at_once(&events), 30, "{events:#?}");
    let event = &events[0];
    for field in ["arrived_ms", "milliseconds", "process", "thread"] {
        assert!(event[field].is_number(), "{field}: {event:#}");
    }
    assert!(event["arrived"].as_str().is_some_and(|time| time.contains('T') && time.ends_with('Z')), "{event:#}");
    assert_eq!((&event["class"], &event["method"], &event["status"]), (&"async".into(), &"POST".into(), &200.into()));
}

#[test]
fn a_caller_that_does_not_read_is_left_after_the_write_timeout() {
    let (server, _parts) = start(&["--write-timeout", "500ms"]);
    let mut caller = TcpStream::connect(server.address()).expect("connects");
    caller.set_write_timeout(Some(Duration::from_secs(30))).expect("is set");
    // Questions without end, and no answer is read: neither side can write any more in the end.
    let refused = loop {
        if let Err(error) = caller.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") {
            break error.kind();
        }
    };
    assert!(matches!(refused, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{refused:?}");
    wait_until("it is said", || server.said().contains("a caller does not read its answer"));
    server.assert_healthy();
}

#[test]
fn any_worker_tells_the_figures_of_all() {
    let (server, _parts) = start(&["--workers", "3"]);
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
        (["--timeout", "1"], "--timeout is 1s; it must be at least 2s"),
        (["--write-timeout", "0"], "--write-timeout is 0s; it must be from 1ms to 24h"),
        (["--graceful-timeout", "25h"], "--graceful-timeout is 90000s; it must be from 0s to 24h"),
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
