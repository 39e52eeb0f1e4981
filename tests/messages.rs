//! What people and programs are told when something is wrong: the command line's sentences, hints and exit codes, the
//! server's problem details.
//!
//! `INSTA_UPDATE=always QANDA_BIN=… cargo test --release -p qanda-tests --test messages` takes over what has changed.

use std::fmt::Write;
use std::net::TcpListener;

use qanda_tests::Server;
use qanda_tests::binary::{Process, command};
use qanda_tests::data::{argument, folder, ingest, write};
use reqwest::blocking::RequestBuilder;
use serde_json::Value;

/// Runs commands and writes down what they say, with the words that differ from run to run replaced.
struct Transcript {
    text: String,
    replaced: Vec<(String, &'static str)>,
}

impl Transcript {
    fn run(&mut self, arguments: &[&str]) {
        self.run_with(arguments, &[]);
    }

    fn run_with(&mut self, arguments: &[&str], variables: &[(&str, &str)]) {
        let mut command = command(arguments);
        command.envs(variables.iter().copied());
        let finished = Process::start(command).finish();
        let mut said = format!("$ qanda {}\n{}{}", arguments.join(" "), finished.stdout, finished.stderr);
        for (from, to) in &self.replaced {
            said = said.replace(from, to);
        }
        let said: Vec<String> = said.lines().map(without_time).collect();
        let code = finished.code.expect("an exit code");
        let _ = writeln!(self.text, "{}\n[exit code {code}]\n", said.join("\n").trim_end());
    }
}

/// `… in 0.3 s` says how long something took.
fn without_time(line: &str) -> String {
    match line.rsplit_once(" in ") {
        Some((what, time)) if time.ends_with(" s") => format!("{what} in TIME"),
        _ => line.to_owned(),
    }
}

#[test]
fn errors_have_a_sentence_a_hint_and_an_exit_code() {
    let work = folder();
    let at = |name: &str| argument(&work.path().join(name)).to_owned();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let next = format!("{}:{}", address.ip(), address.port() + 1);
    let replaced = vec![
        (argument(work.path()).to_owned(), "WORK"),
        (address.to_string(), "127.0.0.1:PORT"),
        (next, "127.0.0.1:NEXT"),
    ];
    let mut transcript = Transcript { text: String::new(), replaced };
    let data = at("data");

    // Wrong usage.
    transcript.run(&["serf"]);
    transcript.run(&["serve", "--lisen", "127.0.0.1:0"]);
    transcript.run(&["ask", "Why?", "--n-results", "51"]);
    transcript.run(&["serve", "--llm-slots", "-1"]);
    transcript.run(&["eval", "retrieval", "--mode", "words"]);

    // Settings.
    transcript.run(&["serve", "--relevance-floor", "-2", "--data-dir", &data]);
    transcript.run(&["serve", "--listen", "0.0.0.0:0", "--data-dir", &data]);
    transcript.run(&["serve", "--listen", &address.to_string(), "--data-dir", &data]);
    write(work.path(), "wrong.toml", "lisen = 1\n");
    write(work.path(), "broken.toml", "openai_api_key = sk-secret\n");
    transcript.run_with(&["status", "--config", &at("broken.toml")], &[]);
    transcript.run_with(&["ask", "Why?"], &[("QANDA_MODELS_DIR", "/nowhere")]);

    // Files.
    transcript.run(&["ingest", &at("nowhere"), "--data-dir", &data]);
    write(work.path(), "pairs.txt", "");
    transcript.run(&["qa", "import", &at("pairs.txt"), "--data-dir", &data]);

    // A store that another embedder made.
    write(work.path(), "one.md", "# One\n\nOne sentence about lighthouses at sea.\n");
    ingest(&work.path().join("store"), &work.path().join("one.md"));
    let model = Process::start(command(&["mock-llm", "--listen", "127.0.0.1:0", "--dimension", "8"]));
    let line = model.line();
    let url = line.split_whitespace().last().expect("an address").to_owned() + "/v1";
    transcript.replaced.push((url.clone(), "ENDPOINT"));
    let endpoint = ["--embedder", "openai", "--openai-base-url", &url];
    transcript.run(&[&["ask", "Why?", "--data-dir", &at("store")], &endpoint[..]].concat());

    insta::assert_snapshot!("errors", transcript.text);
}

#[test]
fn problem_details_are_as_they_were() {
    let server = Server::shared();
    let mut transcript = String::new();
    let mut record = |name: &str, request: RequestBuilder| {
        let response = request.send().expect("the server responds");
        let status = response.status();
        let mut problem: Value = response.json().expect("problem details are JSON");
        // What differs from request to request.
        for name in ["instance", "request_id"] {
            problem.as_object_mut().expect("an object").remove(name);
        }
        let _ = writeln!(transcript, "{name}: {status}\n{problem:#}\n");
    };
    let ask = |body: &str| server.post("/apis/q-and-a/q").body(body.to_owned());
    record("no JSON", ask("{\"content\":"));
    record("no object", ask("[]"));
    record("nothing asked", ask("{}"));
    let wrong =
        r#"{"content": "", "n_results": 0, "source": "web", "filter": {"a": []}, "history": [{"role": "king"}]}"#;
    record("every field wrong", ask(wrong));
    record("too large", ask(&"x".repeat(2 << 20)));
    record("no such route", server.get("/nowhere"));
    record("wrong method", server.get("/apis/q-and-a/q"));
    insta::assert_snapshot!("problems", transcript);
}
