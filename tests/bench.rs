//! The load tester as a process: against the real server, and against servers that do what they should not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use qanda_tests::binary::{Process, command};
use qanda_tests::data::{argument, folder, write};
use qanda_tests::{Finished, Server, qanda};
use serde_json::{Value, json};

/// Serves on a free port: gives each request's number and body to `behave`, which answers or does not.
fn scripted(behave: impl Fn(usize, Value, &mut TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (behave, count) = (Arc::new(behave), Arc::new(AtomicUsize::new(0)));
    thread::spawn(move || {
        for caller in listener.incoming() {
            let (behave, count) = (Arc::clone(&behave), Arc::clone(&count));
            let mut caller = caller.expect("a connection");
            thread::spawn(move || {
                if let Some(body) = read_body(&caller) {
                    behave(count.fetch_add(1, Ordering::SeqCst), body, &mut caller);
                }
            });
        }
    });
    url
}

/// The body of a request; none where the caller went away.
fn read_body(caller: &TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(caller);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// Answers and closes the connection. A caller that has gone is no fault.
fn reply(caller: &mut TcpStream, status: &str, kind: &str, length: usize, body: &str) {
    let head =
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
    let _ = caller.write_all(format!("{head}{body}").as_bytes());
}

fn answer(caller: &mut TcpStream) {
    let body = r#"{"answer": "Yes.", "tokens": 2}"#;
    reply(caller, "200 OK", "application/json", body.len(), body);
}

fn bench(url: &str, arguments: &[&str]) -> Finished {
    qanda(&[&["bench", "--url", url], arguments].concat())
}

fn json_of(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).expect("the file is there")).expect("it is JSON")
}

/// A server over an empty store: enough for `mock-q`.
fn mock_server() -> (Server, tempfile::TempDir) {
    let data = folder();
    (Server::start(data.path(), &[]), data)
}

#[test]
fn tasks_go_out_at_an_interval_and_are_logged() {
    let (server, files) = mock_server();
    let (json, svg) = (files.path().join("run.json"), files.path().join("run.svg"));
    let url = format!("http://{}", server.address());
    let arguments = ["--mock", "--tasks", "4", "--interval", "0.2", "--json", argument(&json), "--svg", argument(&svg)];
    let said = bench(&url, &arguments).ok().stdout;
    for number in 0..4 {
        let start = format!("task {number} started at ");
        let line = said.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("{start}: {said}"));
        let at = line[start.len()..].split(' ').next().expect("a time").parse::<f64>().expect("a number");
        assert!(at >= 0.2 * f64::from(number), "{line}");
        assert!(line.contains(" in process ") && line.contains("ThreadId("), "{line}");
        assert!(said.contains(&format!("task {number}: status 200 after ")), "{said}");
        assert!(said.contains(&format!("tasks completed: {} / 4", number + 1)), "{said}");
    }
    let run = json_of(&json);
    assert_eq!((&run["version"], &run["load"]["model"]), (&json!(1), &json!("open")));
    assert_eq!((&run["figures"]["completed"], &run["figures"]["failed"]), (&json!(4), &json!(0)));
    for (number, request) in run["requests"].as_array().expect("requests").iter().enumerate() {
        let seconds = |name: &str| request[name].as_f64().expect("seconds");
        assert!((seconds("offset") - 0.2 * number as f64).abs() < 1e-6, "{request}");
        // mock-q takes a second; a busy machine adds to it.
        assert!(seconds("wait") >= 0.0 && seconds("seconds") - seconds("wait") >= 1.0, "{request}");
        // mock-q sends events too.
        assert!(seconds("first_token") >= 1.0 && request["status"] == 200, "{request}");
    }
    let svg = std::fs::read_to_string(&svg).expect("a picture");
    assert!(svg.starts_with("<svg ") && svg.contains("4 questions, one every 200 ms"), "{svg}");
}

#[test]
fn two_thousand_at_once_are_under_way_together() {
    let (server, files) = mock_server();
    let json = files.path().join("run.json");
    let url = format!("http://{}", server.address());
    // One after the other would be half an hour.
    let goals = ["--fail-if", "errors>0", "--fail-if", "max>60s"];
    let load = ["--mock", "--tasks", "2000", "--stream=false", "--json", argument(&json)];
    let done = bench(&url, &[&load[..], &goals].concat()).ok();
    assert!(done.stdout.starts_with("tasks completed: 2000 / 2000"), "so many are not logged: {done:?}");
    let figures = &json_of(&json)["figures"];
    // All 2,000, where the machine is not so busy that sending them takes as long as the answers.
    assert!(figures["most_in_flight"].as_u64().is_some_and(|most| most > 1_500), "{figures}");
    assert_eq!(figures["first_token"], Value::Null);
}

#[test]
fn errors_are_told_apart() {
    let url = scripted(|number, _, caller| match number % 5 {
        0 => answer(caller),
        1 => reply(caller, "503 Service Unavailable", "text/plain", 4, "busy"),
        2 => reply(caller, "200 OK", "text/event-stream", 90, "event: token\ndata: {\"text\": \"Y\"}\n\n"),
        3 => {}
        // Longer than anyone waits.
        _ => thread::sleep(Duration::from_secs(20)),
    });
    let files = folder();
    let json = files.path().join("run.json");
    let done = bench(&url, &["--tasks", "15", "--interval", "0.02", "--timeout", "1s", "--json", argument(&json)]);
    assert_eq!(done.code, Some(1), "{done:?}");
    let run = json_of(&json);
    let errors = run["figures"]["errors"].as_array().expect("errors");
    let mut kinds: Vec<_> =
        errors.iter().map(|error| (error["kind"].as_str().expect("a kind"), &error["count"])).collect();
    kinds.sort_by_key(|(kind, _)| *kind);
    let names: Vec<_> = kinds.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(names, ["connection closed", "cut stream", "status 503", "timeout"], "{errors:?}");
    assert!(kinds.iter().all(|(_, count)| **count == 3), "{errors:?}");
    assert!(done.stderr.contains("failed 3 x status 503: busy"), "{done:?}");
    assert_eq!((&run["figures"]["completed"], &run["figures"]["tokens"]), (&json!(3), &json!(6)));
}

#[test]
fn a_server_that_is_not_there_is_an_error_of_its_own() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let done = bench(&format!("http://{nobody}"), &["--tasks", "2"]);
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains("failed 2 x connect: ") && done.stdout.contains("tasks completed: 0 / 2"), "{done:?}");
    assert!(bench("no address", &["--tasks", "2"]).failure().contains("is no address"));
    assert!(bench("http://nowhere.invalid", &["--tasks", "2"]).failure().contains("cannot find"));
}

/// Answers one at a time, and stalls for a second in between.
fn stalling() -> String {
    let one = Mutex::new(());
    scripted(move |number, _, caller| {
        let _held = one.lock().expect("a lock");
        if number == 30 {
            thread::sleep(Duration::from_secs(1));
        }
        answer(caller);
    })
}

#[test]
fn a_stall_fails_a_goal_of_the_open_model() {
    let done =
        bench(&stalling(), &["--rate", "50", "--duration", "3", "--fail-if", "p90>400ms", "--fail-if", "rate<1"]);
    assert_eq!(done.code, Some(4), "{done:?}");
    assert!(done.stderr.contains("missed p90 is ") && done.stderr.contains("p90>400ms is a failure"), "{done:?}");
    assert!(done.stderr.contains("reached") && done.stderr.contains("not rate<1"), "{done:?}");
    // One caller who waits for its answers meets the same stall once.
    let one = ["--concurrency", "1", "--tasks", "150", "--fail-if", "p90>400ms"];
    let _ = bench(&stalling(), &[&one[..], &["--fail-if", "max<1s"]].concat()).ok();
    // What happens in the warm-up does not count.
    let _ = bench(&stalling(), &[&one[..], &["--warm-up", "1.5", "--fail-if", "max>500ms"]].concat()).ok();
}

#[test]
fn questions_of_a_file_take_turns() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let url = scripted(move |_, body, caller| {
        heard.lock().expect("a lock").push(body);
        answer(caller);
    });
    let files = folder();
    let path = write(files.path(), "questions.jsonl", "Why?\n\n{\"question\": \"When?\"}\n{\"content\": \"Who?\"}\n");
    let load = ["--tasks", "4", "--concurrency", "1", "--questions", argument(&path)];
    let _ = bench(&url, &[&load[..], &["--source", "QA", "--pipeline", "classic", "--stream=false"]].concat()).ok();
    let asked = asked.lock().expect("a lock");
    let contents: Vec<_> = asked.iter().map(|body| body["content"].as_str().expect("a question")).collect();
    assert_eq!(contents, ["Why?", "When?", "Who?", "Why?"]);
    let question =
        json!({"content": "Why?", "query_option": true, "stream": false, "source": "QA", "pipeline": "classic"});
    assert_eq!(asked[0], question);
    let wrong = write(files.path(), "wrong.jsonl", "{\"text\": 1}");
    assert!(bench(&url, &["--questions", argument(&wrong)]).failure().contains("line 1"));
}

#[test]
fn two_runs_are_compared() {
    let files = folder();
    let run = |name: &str, milliseconds: u64| {
        let url = scripted(move |_, _, caller| {
            thread::sleep(Duration::from_millis(milliseconds));
            answer(caller);
        });
        let file = files.path().join(name);
        let _ = bench(&url, &["--tasks", "5", "--concurrency", "1", "--json", argument(&file)]).ok();
        file
    };
    let (slow, fast) = (run("slow.json", 400), run("fast.json", 20));
    let said = qanda(&["bench", "compare", argument(&slow), argument(&fast)]).ok().stdout;
    let line = said.lines().find(|line| line.starts_with("from sending p50")).expect("a line of p50");
    let ratio: f64 = line.split_whitespace().last().expect("a ratio").parse().expect("a number");
    assert!(ratio > 0.0 && ratio < 0.9, "{said}");
    assert!(said.contains("the loads differ in url"), "{said}");
    let other = write(files.path(), "other.json", "{\"version\": 99}");
    let refused = qanda(&["bench", "compare", argument(&slow), argument(&other)]);
    assert!(refused.failure().contains("version 99"), "{refused:?}");
    let both = qanda(&["bench", "--tasks", "3", "compare", argument(&slow), argument(&fast)]);
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[test]
fn an_interrupt_ends_a_run_with_its_figures() {
    let url = scripted(|number, _, caller| {
        if number >= 5 {
            thread::sleep(Duration::from_secs(20));
        }
        answer(caller);
    });
    let files = folder();
    let json = files.path().join("run.json");
    let arguments = ["bench", "--url", &url, "--rate", "20", "--duration", "60", "--log", "each", "--json"];
    let process = Process::start(command(&[&arguments[..], &[argument(&json)]].concat()));
    while !process.line().starts_with("task 8 started") {}
    process.signal("INT");
    let began = Instant::now();
    let done = process.finish().ok();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(done.stderr.contains("these are the figures so far"), "{done:?}");
    let figures = &json_of(&json)["figures"];
    assert!(figures["completed"] == 5 && figures["stopped"] == true, "{figures}");
    assert!(figures["unfinished"].as_u64().is_some_and(|unfinished| unfinished >= 4), "{figures}");
}

#[test]
fn loads_that_make_no_sense_are_refused() {
    let usage = [&["--rate", "1", "--interval", "1"][..], &["--fail-if", "p98>2s"], &["--duration", "soon"]];
    for wrong in usage {
        let done = bench("http://127.0.0.1:9", wrong);
        assert_eq!(done.code, Some(2), "{done:?}");
    }
    assert_eq!(qanda(&["bench", "--tasks", "1"]).code, Some(2), "--url is missing");
    let refused = [
        (["--rate", "0"], "the rate is 0"),
        (["--rate", "-1"], "the rate is -1"),
        (["--duration", "5"], "a duration needs a pace"),
        (["--tasks", "0"], "the number of tasks must be at least 1"),
        (["--json", "/nowhere/x.json"], "cannot write /nowhere/x.json"),
    ];
    for (wrong, words) in refused {
        let done = bench("http://127.0.0.1:9", &wrong);
        assert!(done.failure().contains(words), "{done:?}");
    }
}
