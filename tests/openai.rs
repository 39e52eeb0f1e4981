//! OpenAI's own Python client against the service.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use qanda_tests::{Mock, Recorder, Server, cache, data, skip};
use serde_json::json;

/// The Python that has the client, which scripts/clients.sh installs; `None`, said aloud, where it is not there.
fn python() -> Option<PathBuf> {
    let python = cache()?.join("clients/bin/python");
    if !python.is_file() {
        skip(&format!("there is no {}; scripts/clients.sh installs it", python.display()));
        return None;
    }
    Some(python)
}

/// Runs a part of tests/openai_client.py against a server.
fn run(server: &Server, part: &str) {
    let Some(python) = python() else { return };
    let url = format!("http://{}/v1", server.address());
    let mut command = Command::new(python);
    command.arg(data::workspace().join("tests/openai_client.py")).args([part, &url]);
    let output = command.stdin(Stdio::null()).env_clear().output().expect("Python starts");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.ends_with("all is well\n"), "{part}: {said}");
}

#[test]
fn the_client_gets_answers_with_citations_whole_and_streamed() {
    run(&Server::shared(), "chat");
}

#[test]
fn the_client_gets_responses_whole_and_streamed() {
    run(&Server::shared(), "responses");
}

#[test]
fn the_client_lists_models_embeds_and_understands_errors() {
    run(&Server::shared(), "rest");
}

#[test]
fn a_model_that_dies_in_the_middle_is_an_error_to_the_client() {
    // The first request is answered, from which the service learns how the endpoint answers; those behind it break off.
    let faults = ["--cut", "0.5", "--seed", "7"];
    let model =
        Mock::start(&[&["--latency", "0", "--text", "It is half said.", "--tokens", "40"], &faults[..]].concat());
    let url = model.base_url();
    let more = ["--llm", "openai", "--openai-base-url", url, "--openai-model", "mock", "--grounding", "marked"];
    let server = Server::over_samples(&more);
    assert_eq!(server.ask(&json!({"content": "Hello?", "query_option": false})).status(), 200);
    run(&server, "broken");
}

#[test]
fn a_system_message_stands_below_the_services_own_instructions() {
    let recorder = Recorder::start();
    let url = recorder.base_url();
    let server = Server::over_samples(&[
        "--llm",
        "openai",
        "--openai-base-url",
        url,
        "--openai-model",
        "m",
        "--grounding",
        "marked",
    ]);
    let question = json!({"model": "qanda-direct", "messages": [
        {"role": "system", "content": "Answer in French."}, {"role": "user", "content": "At what eGFR must metformin be stopped?"}
    ]});
    let answered = server.post("/v1/chat/completions").json(&question).send().expect("responds");
    assert_eq!(answered.status(), 200);
    let asked = recorder.requests().pop().expect("the model was asked");
    let system = asked["messages"][0]["content"].as_str().expect("a text").to_owned();
    assert!(system.ends_with("\n\nAnswer in French.") && system.len() > 100, "{system}");
}
