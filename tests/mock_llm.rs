//! The mock model as a process: forms of answers, latencies, faults, many at once.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use qanda_tests::Mock;
use reqwest::blocking::Response;
use serde_json::{Value, json};

fn chat(mock: &Mock, extra: &Value) -> Response {
    mock.post("/v1/chat/completions", &chat_request(extra))
}

fn chat_request(extra: &Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "What is high blood pressure?"}]});
    for (name, value) in extra.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

fn json_of(response: Response) -> Value {
    assert_eq!(response.status(), 200);
    response.json().expect("JSON")
}

#[test]
fn answers_come_plain_and_as_a_stream_after_the_latency() {
    let mock = Mock::start(&["--latency", "200ms", "--tokens", "10", "--token-rate", "50"]);
    let began = Instant::now();
    let plain = json_of(chat(&mock, &json!({})));
    assert!(began.elapsed() >= Duration::from_millis(380), "{:?}", began.elapsed());
    let words = plain["choices"][0]["message"]["content"].as_str().expect("a text");
    assert_eq!(words.split(' ').count(), 10);
    assert_eq!(plain["usage"], json!({"prompt_tokens": 5, "completion_tokens": 10, "total_tokens": 15}));

    let began = Instant::now();
    let mut stream = chat(&mock, &json!({"stream": true, "stream_options": {"include_usage": true}}));
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let first = began.elapsed();
    let mut events = String::new();
    stream.read_to_string(&mut events).expect("a whole stream");
    let total = began.elapsed();
    assert!(first >= Duration::from_millis(200) && total - first >= Duration::from_millis(150), "{first:?} {total:?}");
    let mut data: Vec<&str> = events.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    assert_eq!(data.pop(), Some("[DONE]"));
    let chunks: Vec<Value> = data.iter().map(|chunk| serde_json::from_str(chunk).expect("JSON")).collect();
    let streamed: String = chunks.iter().filter_map(|c| c["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(streamed, words);
    assert_eq!(chunks.last().expect("a chunk")["usage"], plain["usage"]);
}

#[test]
fn answers_take_the_form_that_is_asked_for() {
    let mock = Mock::start(&["--latency", "0"]);
    let schema = json!({"type": "object", "required": ["answer", "reasoning"], "additionalProperties": false,
        "properties": {"answer": {"type": "string"}, "reasoning": {"type": "string"}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": schema}});
    let answer = json_of(chat(&mock, &json!({"response_format": format})));
    let content: Value =
        serde_json::from_str(answer["choices"][0]["message"]["content"].as_str().expect("text")).expect("JSON");
    assert!(content["answer"].is_string() && content["reasoning"].is_string(), "{content}");
}

#[test]
fn embeddings_are_unit_vectors_that_depend_on_the_text_alone() {
    let mock = Mock::start(&["--dimension", "48", "--embedding-latency", "20ms"]);
    let began = Instant::now();
    let answer = json_of(mock.post("/v1/embeddings", &json!({"model": "e", "input": ["one", "two", "one"]})));
    assert!(began.elapsed() >= Duration::from_millis(20));
    let vectors: Vec<Vec<f64>> =
        (0..3).map(|n| serde_json::from_value(answer["data"][n]["embedding"].clone()).expect("numbers")).collect();
    assert!(vectors.iter().all(|v| v.len() == 48 && (v.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-5));
    assert!(vectors[0] == vectors[2] && vectors[0] != vectors[1]);
    let packed =
        json_of(mock.post("/v1/embeddings", &json!({"model": "e", "input": "one", "encoding_format": "base64"})));
    // 48 floats of four bytes, of which three take four letters.
    assert_eq!(packed["data"][0]["embedding"].as_str().expect("base64").len(), 48 * 4 / 3 * 4);
}

#[test]
fn bad_requests_get_errors_in_openais_form() {
    let mock = Mock::start(&["--latency", "0"]);
    let malformed = mock.client.post(format!("{}/v1/chat/completions", mock.url)).body("{\"model\":").send();
    let others = [
        mock.post("/v1/chat/completions", &json!({"model": "m"})),
        mock.post("/v1/embeddings", &json!({"model": "m", "input": []})),
        mock.post("/v1/embeddings", &json!({"input": "no model"})),
    ];
    for response in others.into_iter().chain([malformed.expect("it responds")]) {
        assert_eq!(response.status(), 400);
        let body: Value = response.json().expect("JSON");
        assert!(body["error"]["message"].is_string() && body["error"]["type"] == "invalid_request_error", "{body}");
    }
    let models = json_of(mock.client.get(format!("{}/v1/models", mock.url)).send().expect("it responds"));
    assert_eq!(models["data"][0]["id"], "mock");
    assert_eq!(mock.client.get(format!("{}/healthz", mock.url)).send().expect("it responds").status(), 200);
    assert_eq!(mock.post("/v1/unknown", &json!({})).status(), 404);
}

#[test]
fn faults_repeat_under_a_seed() {
    let outcomes = |seed: &str| -> String {
        let shares = ["--fail-429", "0.2", "--fail-500", "0.2", "--cut", "0.2"];
        let mock = Mock::start(&[&["--latency", "0", "--seed", seed], &shares[..]].concat());
        let outcome = |_| {
            let response = chat(&mock, &json!({"stream": true}));
            match (response.status().as_u16(), response.text()) {
                (200, Ok(text)) if text.ends_with("[DONE]\n\n") => '.',
                (200, Err(_)) => 'c',
                (429, _) => '4',
                (500, _) => '5',
                other => panic!("unexpected: {other:?}"),
            }
        };
        (0..60).map(outcome).collect()
    };
    let first = outcomes("1");
    assert_eq!(first, outcomes("1"));
    assert_ne!(first, outcomes("2"));
    assert!(['.', 'c', '4', '5'].iter().all(|kind| first.contains(*kind)), "{first}");
}

#[test]
fn a_request_that_hangs_is_not_answered() {
    let mock = Mock::start(&["--latency", "0", "--hang", "1"]);
    let request = mock.client.post(format!("{}/v1/chat/completions", mock.url)).json(&chat_request(&json!({})));
    assert!(request.timeout(Duration::from_millis(300)).send().expect_err("no answer").is_timeout());
    assert_eq!(mock.client.get(format!("{}/healthz", mock.url)).send().expect("it responds").status(), 200);
}

#[test]
fn two_thousand_at_once_take_about_one_latency() {
    raise_file_limit();
    let mock = Mock::start(&["--latency", "1s"]);
    let address = mock.url.trim_start_matches("http://");
    let body = chat_request(&json!({})).to_string();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: mock\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut callers: Vec<TcpStream> =
        (0..2_000).map(|_| TcpStream::connect(address).expect("it accepts callers")).collect();
    let began = Instant::now();
    callers.iter_mut().for_each(|caller| caller.write_all(request.as_bytes()).expect("it reads"));
    for caller in &mut callers {
        let mut answer = String::new();
        caller.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let took = began.elapsed();
    // One after the other would be more than half an hour.
    assert!((Duration::from_secs(1)..Duration::from_secs(60)).contains(&took), "{took:?}");
}

/// Two thousand connections are more open files than the usual limit.
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the limit of open files can be raised");
}
