//! The language model.

use std::time::{Duration, Instant};

use crate::scripted::{Act, END, Reply, Scripted, answer, error, good, stream, stream_head, token};
use futures::StreamExt;
use qanda_core::ports::{Generated, Message, Prompt, Shape, read_to_end};
use qanda_core::question::Role;
use qanda_core::{LanguageModel, ModelError, RequestContext};
use qanda_inference::llm::openai::OpenAiModel;
use qanda_inference::openai::OpenAiSettings;

const KEY: &str = "sk-never-to-be-shown";

fn settings(base_url: &str) -> OpenAiSettings {
    OpenAiSettings {
        api_key: Some(KEY.to_owned().into()),
        first_token_timeout: Duration::from_secs(5),
        idle_timeout: Duration::from_millis(300),
        retry_pause: Duration::from_millis(5),
        ..OpenAiSettings::new(base_url, "small")
    }
}

fn prompt(shape: Option<Shape>) -> Prompt {
    let messages = vec![Message::new(Role::System, "Be brief."), Message::new(Role::User, "Why?")];
    Prompt { messages, max_tokens: 20, temperature: 0.5, shape }
}

fn a_shape() -> Option<Shape> {
    Some(Shape::Object(vec![("answer", Shape::Text)]))
}

async fn model(replies: Vec<Reply>) -> (Scripted, OpenAiModel) {
    let endpoint = Scripted::start(replies).await;
    let model = OpenAiModel::new(&settings(&endpoint.base_url)).expect("settings that work");
    (endpoint, model)
}

/// The text of an answer, and what broke it off.
async fn ask_for(model: &OpenAiModel, shape: Option<Shape>) -> (String, Option<ModelError>) {
    let mut text = String::new();
    let mut stream = match model.generate(&RequestContext::local(), prompt(shape)).await {
        Ok(stream) => stream,
        Err(error) => return (text, Some(error)),
    };
    while let Some(event) = stream.next().await {
        match event {
            Ok(Generated::Text(piece)) => text += &piece,
            Ok(Generated::End(_)) => {
                assert!(stream.next().await.is_none(), "nothing follows the end");
                return (text, None);
            }
            Err(error) => {
                assert!(stream.next().await.is_none(), "nothing follows an error");
                return (text, Some(error));
            }
        }
    }
    panic!("a stream without an end after {text:?}");
}

async fn ask(model: &OpenAiModel) -> (String, Option<ModelError>) {
    ask_for(model, None).await
}

async fn good_answer(model: &OpenAiModel) -> String {
    let (text, error) = ask(model).await;
    assert!(error.is_none(), "{error:?} after {text:?}");
    text
}

/// The error of a reply, with the text before it.
async fn failure(reply: Reply) -> (String, ModelError) {
    let (_endpoint, model) = model(vec![reply]).await;
    let (text, error) = ask(&model).await;
    let error = error.expect("an error");
    assert!(!format!("{error} {error:?}").contains(KEY), "{error}");
    (text, error)
}

#[tokio::test]
async fn an_answer_is_streamed_and_the_request_is_as_it_should_be() {
    let (endpoint, model) = model(vec![stream(&(token("Because ") + &token("it is.") + END))]).await;
    assert_eq!(good_answer(&model).await, "Because it is.");
    let head = endpoint.requests().remove(0).to_lowercase();
    assert!(head.starts_with("post /v1/chat/completions "), "{head}");
    assert!(head.contains(&format!("authorization: bearer {KEY}")), "{head}");
    let expected = serde_json::json!({
        "model": "small", "stream": true, "max_tokens": 20, "temperature": 0.5,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
    });
    assert_eq!(endpoint.body(0), expected);
}

#[tokio::test]
async fn crlf_comments_and_characters_cut_in_two_are_read() {
    let body = (": waiting\n\n".to_owned() + &token("größer 漢字 🦀") + &token("\n") + END).replace('\n', "\r\n");
    let bytes = body.into_bytes();
    let mut reply = vec![stream_head()];
    for piece in bytes.chunks(5) {
        reply.extend([Act::Send(piece.to_vec()), Act::Wait(Duration::from_micros(500))]);
    }
    let (_endpoint, model) = model(vec![reply]).await;
    assert_eq!(good_answer(&model).await, "größer 漢字 🦀\n");
}

#[tokio::test]
async fn an_answer_is_complete_with_a_reason_even_without_done() {
    let last = r#"data: {"choices":[{"delta":{"content":"all"},"finish_reason":"length"}]}"#;
    for end in [format!("{last}\n\n"), format!("{last}\n\ndata: [DONE]\n\n"), token("all") + END] {
        let (_endpoint, model) = model(vec![stream(&end)]).await;
        assert_eq!(good_answer(&model).await, "all", "{end}");
    }
}

#[tokio::test]
async fn refusals_that_pass_are_tried_again() {
    let busy = answer("429 Too Many Requests", "retry-after: 1\r\n", "{}");
    let (endpoint, model_) = model(vec![busy, good("yes")]).await;
    let began = Instant::now();
    assert_eq!(good_answer(&model_).await, "yes");
    assert!(began.elapsed() >= Duration::from_secs(1), "Retry-After is kept");
    assert_eq!(endpoint.requests().len(), 2);

    let broken = error("500 Internal Server Error", "oops");
    let (endpoint, model_) = model(vec![broken.clone(), broken, good("yes")]).await;
    assert_eq!(good_answer(&model_).await, "yes");
    assert_eq!(endpoint.requests().len(), 3);

    // The connection is lost before anything came, and before the first token.
    let (endpoint, model_) = model(vec![vec![], vec![stream_head()], good("yes")]).await;
    assert_eq!(good_answer(&model_).await, "yes");
    assert_eq!(endpoint.requests().len(), 3);
}

#[tokio::test]
async fn what_does_not_pass_is_said_with_when_to_come_back() {
    let (_, busy) = failure(answer("429 Too Many Requests", "retry-after: 90\r\n", "{}")).await;
    assert!(matches!(busy, ModelError::Unavailable { retry_after: Some(90), .. }), "{busy:?}");
    let (_, down) = failure(error("503 Service Unavailable", "The model is loading.")).await;
    let said = down.to_string();
    assert!(matches!(down, ModelError::Unavailable { .. }) && said.contains("The model is loading"), "{down:?}");
    assert!(said.contains("http://127.0.0.1:"), "{said}");
}

#[tokio::test]
async fn refusals_for_good_are_not_repeated_and_say_what_to_look_at() {
    for (status, message, look_at) in [
        ("401 Unauthorized", "Incorrect API key provided: sk-never-to-be-shown.", "OPENAI_API_KEY"),
        ("403 Forbidden", "No access.", "OPENAI_API_KEY"),
        ("404 Not Found", "No such model.", "OPENAI_MODEL"),
        ("404 Not Found", "", "OPENAI_BASE_URL"),
        ("308 Permanent Redirect", "", "OPENAI_BASE_URL"),
        ("400 Bad Request", "Unknown model.", "OPENAI_MODEL"),
        ("429 Too Many Requests", "You exceeded your quota; see billing.", "OPENAI_API_KEY"),
    ] {
        let (endpoint, model) = model(vec![error(status, message)]).await;
        let refused = ask(&model).await.1.expect("an error");
        let said = refused.to_string();
        assert!(matches!(refused, ModelError::Refused { .. }) && said.contains(look_at), "{status}: {refused:?}");
        assert!(!said.contains(KEY) && !format!("{refused:?}").contains(KEY), "{said}");
        assert_eq!(endpoint.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_recognised() {
    let message = "This model's maximum context length is 4097 tokens. However, you requested 5218 tokens.";
    let (_, long) = failure(error("400 Bad Request", message)).await;
    assert!(matches!(long, ModelError::PromptTooLong { tokens: 5218, limit: 4097 }), "{long:?}");
}

#[tokio::test]
async fn a_shape_is_asked_for_in_plainer_ways_as_they_are_refused() {
    let refused = error("400 Bad Request", "No such field");
    // llama-cpp-python's way of saying it.
    let invalid =
        error("500 Internal Server Error", "1 validation error: {'loc': ('body', 'response_format', 'type')}");
    let (endpoint, model) = model(vec![invalid, refused.clone(), refused, good("{}"), good("{}")]).await;
    for _ in 0..2 {
        let (text, error) = ask_for(&model, a_shape()).await;
        assert!(error.is_none() && text == "{}", "{error:?}");
    }
    let forms: Vec<_> = (0..5).map(|n| endpoint.body(n)["response_format"].clone()).collect();
    let kinds: Vec<_> = forms.iter().map(|form| form["type"].as_str().unwrap_or("none")).collect();
    assert_eq!(kinds, ["json_schema", "json_object", "json_object", "none", "none"]);
    let schema = &forms[0]["json_schema"]["schema"];
    assert!(schema.is_object() && forms[1]["schema"] == *schema && forms[2].get("schema").is_none(), "{forms:?}");
}

#[tokio::test]
async fn fields_that_a_model_does_not_take_are_left_out_from_then_on() {
    let tokens = error("400 Bad Request", "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.");
    let temperature = error("400 Bad Request", "Unsupported value: 'temperature' does not support 0.5.");
    let (endpoint, model) = model(vec![tokens, temperature, good("yes")]).await;
    assert_eq!(good_answer(&model).await, "yes");
    assert_eq!(good_answer(&model).await, "yes");
    for number in [2, 3] {
        let body = endpoint.body(number);
        assert_eq!(body["max_completion_tokens"], 20);
        assert!(body.get("max_tokens").is_none() && body.get("temperature").is_none(), "{body}");
    }
    assert_eq!(endpoint.requests().len(), 4);
}

#[tokio::test]
async fn a_cut_stream_is_never_an_end() {
    let chunked = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let event = token("half an");
    let piece = format!("{:x}\r\n{event}\r\n", event.len());
    let done = stream(&(event.clone() + "data: [DONE]\n\n"));
    for reply in
        [stream(&event), stream(&event[..event.len() - 1]), done, vec![Act::Send(chunked), Act::Send(piece.into())]]
    {
        let (_endpoint, model) = model(vec![reply]).await;
        let error = ask(&model).await.1.expect("an error");
        assert!(matches!(error, ModelError::Unavailable { .. }), "{error:?}");
    }
    let (text, _) = failure(stream(&event)).await;
    assert_eq!(text, "half an", "what came is passed on");
}

#[tokio::test]
async fn an_answer_without_a_word_is_none() {
    let (endpoint, model_) = model(vec![stream(END), good("yes")]).await;
    assert_eq!(good_answer(&model_).await, "yes");
    assert_eq!(endpoint.requests().len(), 2);
    let reasons = r#"data: {"choices":[{"delta":{"reasoning_content":"Well"},"finish_reason":null}]}"#;
    let (text, error) = failure(stream(&format!("{reasons}\n\n{END}"))).await;
    assert!(text.is_empty() && error.to_string().contains("without a word"), "{error:?}");
}

#[tokio::test]
async fn silence_is_noticed_before_and_between_tokens() {
    let silent = Duration::from_secs(20);
    let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n";
    for reply in [vec![Act::Wait(silent)], vec![stream_head(), Act::Send(role.into()), Act::Wait(silent)]] {
        let endpoint = Scripted::start(vec![reply]).await;
        let settings =
            OpenAiSettings { first_token_timeout: Duration::from_millis(400), ..settings(&endpoint.base_url) };
        let began = Instant::now();
        let error = ask(&OpenAiModel::new(&settings).expect("works")).await.1.expect("an error");
        assert!(matches!(error, ModelError::Unavailable { .. }), "{error:?}");
        assert!(error.to_string().contains("in time") && began.elapsed() < silent / 2, "{error}");
        assert_eq!(endpoint.requests().len(), 1, "silence is not retried");
    }
    let began = Instant::now();
    let (text, error) = failure(vec![stream_head(), Act::Send(token("half").into()), Act::Wait(silent)]).await;
    assert!(text == "half" && matches!(error, ModelError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("silent") && began.elapsed() < silent / 2, "{error}");
}

#[tokio::test]
async fn errors_and_nonsense_in_a_stream_are_errors() {
    let gone = r#"{"error":{"message":"CUDA is out of memory","code":500}}"#;
    for (bad, says) in [
        ("data: {\"choices\": [\n\n".to_owned(), "cannot be read"),
        ("data: hello\n\n".to_owned(), "cannot be read"),
        (format!("data: {gone}\n\n"), "out of memory"),
        (format!("event: error\ndata: {gone}\n\n"), "out of memory"),
        ("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n".to_owned(), "filter"),
    ] {
        for before in ["", "half"] {
            let start = if before.is_empty() { String::new() } else { token(before) };
            let (text, error) = failure(stream(&(start + &bad + END))).await;
            assert!(text == before && error.to_string().contains(says), "{error:?}");
        }
    }
}

#[tokio::test]
async fn what_is_no_stream_of_events_is_said() {
    let (_, error) = failure(answer("200 OK", "", "<html>Welcome!</html>")).await;
    assert!(error.to_string().contains("OPENAI_BASE_URL"), "{error}");
    let flood = vec![stream_head(), Act::Send(vec![b'x'; 2 << 20])];
    let (_, error) = failure(flood).await;
    assert!(matches!(error, ModelError::Failed { .. }), "{error:?}");
}

#[tokio::test]
async fn an_endpoint_that_dies_of_a_long_prompt_is_understood() {
    let endpoint = Scripted::start(vec![vec![stream_head()]]).await;
    let short = OpenAiSettings { context_window: 3, ..settings(&endpoint.base_url) };
    let error = ask(&OpenAiModel::new(&short).expect("works")).await.1.expect("an error");
    assert!(matches!(error, ModelError::PromptTooLong { limit: 3, .. }), "{error:?}");
}

#[tokio::test]
async fn nobody_listening_is_said_with_the_address() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    drop(listener);
    let error = ask(&OpenAiModel::new(&settings(&base_url)).expect("works")).await.1.expect("an error");
    let said = error.to_string();
    assert!(matches!(error, ModelError::Unavailable { .. }), "{error:?}");
    assert!(said.contains(&base_url) && said.contains("refused"), "{said}");
}

#[tokio::test]
async fn a_dead_endpoint_is_not_hammered() {
    let endpoint = Scripted::start(vec![error("503 Service Unavailable", "down")]).await;
    let settings = OpenAiSettings { retry_reserve: 3, ..settings(&endpoint.base_url) };
    let model = OpenAiModel::new(&settings).expect("works");
    for _ in 0..10 {
        assert!(ask(&model).await.1.is_some());
    }
    // Ten requests, the reserve, and a tenth of a retry for each request.
    assert!((13..=14).contains(&endpoint.requests().len()), "{}", endpoint.requests().len());
}

#[tokio::test]
async fn dropping_a_stream_closes_its_connection() {
    let endless = vec![stream_head(), Act::Send(token("and").into()), Act::Wait(Duration::from_secs(20))];
    let (endpoint, model) = model(vec![endless]).await;
    let mut stream = model.generate(&RequestContext::local(), prompt(None)).await.expect("starts");
    assert!(stream.next().await.is_some());
    drop(stream);
    for _ in 0..200 {
        if endpoint.closed_early() == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the connection is still open");
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    for base_url in ["", "localhost:8000", "ftp://host/v1", "http://"] {
        assert!(OpenAiModel::new(&settings(base_url)).is_err(), "{base_url}");
    }
    let key = OpenAiSettings { api_key: Some("two\nlines".to_owned().into()), ..settings("http://localhost/v1") };
    let error = OpenAiModel::new(&key).err().expect("is refused").to_string();
    assert!(error.contains("OPENAI_API_KEY") && !error.contains("lines"), "{error}");
}

#[tokio::test]
async fn requests_beyond_the_connections_wait_for_their_turn() {
    let send = |text: &str| Act::Send(text.as_bytes().to_vec());
    let pause = || Act::Wait(Duration::from_millis(200));
    // It keeps its connection open for a while after the end of the answer.
    let slow = vec![stream_head(), send(&token("Yes")), pause(), send(END), pause()];
    let never = vec![stream_head(), send(&token("Well")), Act::Wait(Duration::from_secs(20))];
    let endpoint = Scripted::start(vec![slow.clone(), slow, never]).await;
    let one = OpenAiSettings { max_connections: 1, ..settings(&endpoint.base_url) };
    let model = OpenAiModel::new(&one).expect("works");
    let first = model.generate(&RequestContext::local(), prompt(None)).await.expect("its first token");
    let second =
        tokio::time::timeout(Duration::from_millis(100), model.generate(&RequestContext::local(), prompt(None))).await;
    assert!(second.is_err() && endpoint.requests().len() == 1, "there is one connection, and it is in use");
    assert_eq!(read_to_end(first).await.expect("answers").tokens, ["Yes"]);
    let second =
        tokio::time::timeout(Duration::from_millis(100), model.generate(&RequestContext::local(), prompt(None))).await;
    assert!(second.is_err() && endpoint.requests().len() == 1, "it is still in use");
    assert_eq!(ask(&model).await.0, "Yes");

    let impatient = OpenAiSettings { first_token_timeout: Duration::from_secs(1), ..one };
    let model = OpenAiModel::new(&impatient).expect("works");
    let held = model.generate(&RequestContext::local(), prompt(None)).await.expect("its first token");
    let error = ask(&model).await.1.expect("no turn in time").to_string();
    assert!(error.contains("more questions than connections"), "{error}");
    drop(held);
}
