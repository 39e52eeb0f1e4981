//! Clients of the Model Context Protocol that are not ours against the service.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use qanda_tests::{Server, binary, cache, data, skip};
use reqwest::blocking::RequestBuilder;
use serde_json::{Value, json};

/// A file that a script installs; `None`, said aloud, where it is not there.
fn installed(file: &str, script: &str) -> Option<PathBuf> {
    let file = cache()?.join(file);
    if !file.is_file() {
        skip(&format!("there is no {}; {script} installs it", file.display()));
        return None;
    }
    Some(file)
}

/// Runs tests/mcp_client.py, with the settings that the binary gets in tests.
fn run_client(arguments: &[&str]) {
    let Some(python) = installed("clients/bin/python", "scripts/clients.sh") else { return };
    let script = data::workspace().join("tests/mcp_client.py");
    let mut command = binary::prepared(Command::new(python), &[&[data::argument(&script)], arguments].concat());
    let output = command.stdin(Stdio::null()).output().expect("Python starts");
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said == "all is well\n", "{said}{errors}");
}

#[test]
fn the_official_client_asks_searches_and_reads_over_http() {
    let server = Server::shared();
    run_client(&["http", &format!("http://{}/mcp", server.address())]);
}

#[test]
fn the_official_client_asks_searches_and_reads_over_standard_input_and_output() {
    let samples = data::samples();
    run_client(&["stdio", data::argument(&binary::path()), data::argument(samples.path())]);
}

#[test]
fn the_inspector_calls_a_tool() {
    let Some(inspector) = installed("inspector/node_modules/.bin/mcp-inspector", "scripts/clients.sh") else { return };
    let server = Server::shared();
    let url = format!("http://{}/mcp", server.address());
    let call = ["--method", "tools/call", "--tool-name", "ask", "--tool-arg"];
    let mut command = Command::new(inspector);
    command
        .args(["--cli", &url, "--transport", "http"])
        .args(call)
        .arg("question=At what eGFR must metformin be stopped?");
    let output = command.stdin(Stdio::null()).output().expect("Node starts");
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let result: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{errors}"));
    assert_eq!(result["structuredContent"]["answered"], true, "{result:#}");
}

fn message(server: &Server, method: &str) -> RequestBuilder {
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": method});
    server.post("/mcp").header("accept", "application/json, text/event-stream").json(&message)
}

#[test]
fn pages_of_other_sites_and_names_that_point_here_are_turned_away() {
    let server = Server::shared();
    let status = |request: RequestBuilder| request.send().expect("responds").status();
    assert_eq!(status(message(&server, "tools/list")), 200);
    assert_eq!(status(message(&server, "tools/list").header("origin", "http://evil.example")), 403);
    assert_eq!(status(message(&server, "tools/list").header("host", "evil.example")), 421);
    assert_eq!(status(server.get("/mcp").header("accept", "text/event-stream")), 405);
    let large = "x".repeat(2 << 20);
    assert_eq!(status(message(&server, &large)), 413);
}

#[test]
fn a_client_that_says_nothing_ends_the_command_and_nothing_is_printed() {
    let samples = data::samples();
    let silent = qanda_tests::qanda(&["mcp", "--data-dir", data::argument(samples.path())]);
    assert_eq!((silent.code, silent.stdout.as_str()), (Some(0), ""), "{}", silent.stderr);
}
