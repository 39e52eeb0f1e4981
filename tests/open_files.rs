//! More questions at once than the process may have open files.

use std::time::Duration;

use qanda_tests::binary::{Process, command};
use qanda_tests::data::{argument, folder};
use qanda_tests::{Server, qanda};

const LIMIT: u32 = 200;

#[test]
fn more_questions_than_open_files_wait_and_none_fails() {
    let model = Process::start(command(&["mock-llm", "--listen", "127.0.0.1:0", "--latency", "200ms"]));
    let line = model.line();
    let address = line.strip_prefix("mock model listening on ").unwrap_or_else(|| panic!("unexpected: {line}"));
    let base_url = format!("{address}/v1");
    let data = folder();
    let endpoint = ["--llm", "openai", "--openai-base-url", &base_url];
    let server = Server::start_with_open_files(LIMIT, data.path(), &endpoint);

    let url = format!("http://{}", server.address());
    let result = data.path().join("result.json");
    let tasks = (3 * LIMIT).to_string();
    let load = ["bench", "--url", &url, "--tasks", &tasks, "--interval", "0", "--model-alone", "--stream=false"];
    let output = ["--log", "none", "--json", argument(&result)];
    let asked = qanda(&[&load[..], &output].concat());
    let said = asked.ok().stdout;
    assert!(said.contains(&format!("tasks completed: {tasks} / {tasks}")), "{said}");
    assert!(!server.said().contains("Too many open files"), "{}", server.said());

    // All connections are given back.
    let health = server.get("/healthz").timeout(Duration::from_secs(5)).send().expect("responds");
    assert_eq!(health.status(), 200);
}
