//! Requests, refusals, retries and connections of the language model.

use std::time::{Duration, Instant};

use futures::StreamExt;
use qanda_core::ports::read_to_end;
use qanda_core::{LanguageModel, ModelError, RequestContext};
use qanda_inference::llm::openai::OpenAiModel;
use qanda_inference::openai::OpenAiSettings;

use crate::asking::{KEY, ask, error as ask_in_vain, good_answer, later_failure, model, prompt, settings};
use crate::scripted::{Act, END, Scripted, answer, error, good, stream, stream_head, token};

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
async fn refusals_that_stay_are_said_with_the_time_to_come_back() {
    for (status, headers, body, seconds) in [
        ("429 Too Many Requests", "retry-after: 90\r\n", "{}", 90),
        ("429 Too Many Requests", "retry-after-ms: 89500\r\n", "{}", 90),
        ("429 Too Many Requests", "", r#"{"error": {"message": "Please try again in 1m30s."}}"#, 90),
        (
            "429 Too Many Requests",
            "",
            r#"[{"error": {"code": 429, "message": "Quota", "details": [{"retryDelay": "34s"}]}}]"#,
            34,
        ),
    ] {
        let (_, busy) = later_failure(answer(status, headers, body)).await;
        assert!(matches!(busy, ModelError::RateLimited { retry_after: Some(n), .. } if n == seconds), "{busy:?}");
    }
    let loading = r#"{"error": "Model is currently loading", "estimated_time": 30.0}"#;
    let (_, down) = later_failure(answer("503 Service Unavailable", "", loading)).await;
    let said = down.to_string();
    assert!(matches!(down, ModelError::Unavailable { .. }) && said.contains("currently loading"), "{down:?}");
    assert!(said.contains("http://127.0.0.1:"), "{said}");
}

#[tokio::test]
async fn refusals_for_good_are_not_repeated_and_say_what_to_look_at() {
    for (status, message, look_at) in [
        ("401 Unauthorized", "Incorrect API key provided: sk-never-to-be-shown.", "API_KEY"),
        ("403 Forbidden", "No access.", "API_KEY"),
        ("402 Payment Required", "", "API_KEY"),
        ("404 Not Found", "No such model.", "MODEL"),
        ("308 Permanent Redirect", "", "BASE_URL"),
        ("400 Bad Request", "Unknown model.", "MODEL"),
        ("429 Too Many Requests", "You exceeded your quota; see billing.", "API_KEY"),
    ] {
        let (endpoint, model) = model(vec![error(status, message)]).await;
        let refused = ask_in_vain(&model).await;
        let said = refused.to_string();
        assert!(matches!(refused, ModelError::Refused { .. }) && said.contains(look_at), "{status}: {refused:?}");
        assert!(!said.contains(KEY) && !format!("{refused:?}").contains(KEY), "{said}");
        assert_eq!(endpoint.requests().len(), 1, "{status}");
    }
    let content = error("400 Bad Request", "The prompt triggered Azure OpenAI's content management policy.");
    let (_, filtered) = later_failure(content).await;
    assert!(matches!(filtered, ModelError::Filtered { .. }), "{filtered:?}");
}

#[tokio::test]
async fn a_short_key_does_not_hide_in_other_words() {
    let endpoint = Scripted::start(vec![error("400 Bad Request", "An unexpected field; key: x")]).await;
    let short = OpenAiSettings { api_key: Some("x".to_owned().into()), ..settings(&endpoint.base_url) };
    let said = ask_in_vain(&OpenAiModel::new(&short).expect("works")).await.to_string();
    assert!(said.contains("An unexpected field; key: (key)"), "{said}");
}

#[tokio::test]
async fn an_address_may_lack_its_version() {
    let endpoint = Scripted::start(vec![answer("404 Not Found", "", "404 page not found"), good("yes")]).await;
    let base_url = endpoint.base_url.trim_end_matches("/v1").to_owned();
    let model = OpenAiModel::new(&settings(&base_url)).expect("works");
    assert_eq!(good_answer(&model).await, "yes");
    assert_eq!(good_answer(&model).await, "yes");
    let paths: Vec<String> =
        endpoint.requests().iter().map(|head| head.split(' ').nth(1).unwrap_or_default().to_owned()).collect();
    assert_eq!(paths, ["/chat/completions", "/v1/chat/completions", "/v1/chat/completions"], "it is kept");

    let nowhere = Scripted::start(vec![answer("404 Not Found", "", "404 page not found")]).await;
    let model = OpenAiModel::new(&settings(&nowhere.base_url)).expect("works");
    let refused = ask_in_vain(&model).await;
    assert!(matches!(&refused, ModelError::Refused { message } if message.contains("BASE_URL")), "{refused:?}");
    assert_eq!(nowhere.requests().len(), 2);
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_recognised() {
    let limit = "This model's maximum context length is 4097 tokens. However, you requested 5218 tokens.";
    let unknown = "the request exceeds the available context size";
    let fields = r#"{"error": {"code": 400, "message": "too long", "type": "exceed_context_size_error",
        "n_prompt_tokens": 5218, "n_ctx": 4096}}"#;
    for (reply, tokens, fit) in [
        (error("400 Bad Request", limit), Some(5218), Some(4097)),
        (error("413 Payload Too Large", limit), Some(5218), Some(4097)),
        (error("500 Internal Server Error", limit), Some(5218), Some(4097)),
        (answer("400 Bad Request", "", fields), Some(5218), Some(4096)),
        (answer("200 OK", "", fields), Some(5218), Some(4096)),
        (stream(&format!("data: {}\n\n", fields.replace('\n', ""))), Some(5218), Some(4096)),
        (error("400 Bad Request", unknown), None, None),
    ] {
        let (endpoint, model) = model(vec![reply]).await;
        let long = ask_in_vain(&model).await;
        let ModelError::PromptTooLong { tokens: sent, limit } = long else { panic!("{long:?}") };
        assert_eq!(limit, fit, "{long:?}");
        assert!(tokens.is_none_or(|tokens| tokens == sent) && sent > 0, "{long:?}");
        assert_eq!(endpoint.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_endpoint_that_dies_of_a_long_prompt_is_understood() {
    let endpoint = Scripted::start(vec![vec![stream_head()]]).await;
    let short = OpenAiSettings { context_window: 3, ..settings(&endpoint.base_url) };
    let error = ask_in_vain(&OpenAiModel::new(&short).expect("works")).await;
    assert!(matches!(error, ModelError::PromptTooLong { limit: Some(3), .. }), "{error:?}");
}

#[tokio::test]
async fn nobody_listening_is_said_with_the_address() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    drop(listener);
    let error = ask_in_vain(&OpenAiModel::new(&settings(&base_url)).expect("works")).await;
    let said = error.to_string();
    assert!(matches!(error, ModelError::Unavailable { .. }), "{error:?}");
    assert!(said.contains(&base_url) && said.contains("refused"), "{said}");
    assert!(!error.public().contains("127.0.0.1"), "{}", error.public());
}

#[tokio::test]
async fn a_dead_endpoint_is_not_hammered() {
    let endpoint = Scripted::start(vec![error("503 Service Unavailable", "down")]).await;
    let settings = OpenAiSettings { retry_reserve: 3, ..settings(&endpoint.base_url) };
    let model = OpenAiModel::new(&settings).expect("works");
    for _ in 0..10 {
        ask_in_vain(&model).await;
    }
    // Ten requests, the reserve, and a tenth of a retry for each request.
    assert!((13..=14).contains(&endpoint.requests().len()), "{}", endpoint.requests().len());
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    for base_url in ["", "localhost:8000", "ftp://host/v1", "http://"] {
        assert!(OpenAiModel::new(&settings(base_url)).is_err(), "{base_url}");
    }
    let key = OpenAiSettings { api_key: Some("two\nlines".to_owned().into()), ..settings("http://localhost/v1") };
    let error = OpenAiModel::new(&key).err().expect("is refused").to_string();
    assert!(error.contains("API_KEY") && !error.contains("lines"), "{error}");
}

#[tokio::test]
async fn requests_beyond_the_connections_wait_for_their_turn() {
    let send = |text: &str| Act::Send(text.as_bytes().to_vec());
    let pause = || Act::Wait(Duration::from_millis(200));
    // It keeps its connection open for a while after the end of the answer.
    let slow = vec![stream_head(), send(&token("Yes")), pause(), send(END), pause()];
    let never = vec![stream_head(), send(&token("Well")), Act::Wait(Duration::from_secs(20))];
    let endpoint = Scripted::start(vec![slow.clone(), slow.clone(), slow, never]).await;
    let one = OpenAiSettings { max_connections: 1, ..settings(&endpoint.base_url) };
    let model = OpenAiModel::new(&one).expect("works");
    let context = RequestContext::local();
    good_answer(&model).await;
    let first = model.generate(&context, prompt(None)).await.expect("its first token");
    let second = tokio::time::timeout(Duration::from_millis(100), model.generate(&context, prompt(None))).await;
    assert!(second.is_err() && endpoint.requests().len() == 2, "there is one connection, and it is in use");
    assert_eq!(read_to_end(first).await.expect("answers").tokens, ["Yes"]);
    let second = tokio::time::timeout(Duration::from_millis(100), model.generate(&context, prompt(None))).await;
    assert!(second.is_err() && endpoint.requests().len() == 2, "it is still in use");
    assert_eq!(ask(&model).await.0, "Yes");

    // The last reply never ends, so the turn of its connection does not come back.
    let crowded = Scripted::start(vec![
        good("Yes"),
        vec![stream_head(), send(&token("Well")), Act::Wait(Duration::from_secs(20))],
    ])
    .await;
    let patience = Duration::from_secs(1);
    let impatient = OpenAiSettings { first_token_timeout: patience, max_connections: 1, ..settings(&crowded.base_url) };
    let model = OpenAiModel::new(&impatient).expect("works");
    good_answer(&model).await;
    let held = model.generate(&context, prompt(None)).await.expect("its first token");
    let error = ask_in_vain(&model).await.to_string();
    assert!(error.contains("more questions than connections"), "{error}");
    drop(held);
}

#[tokio::test]
async fn dropping_a_stream_closes_its_connection() {
    let endless = vec![stream_head(), Act::Send(token("and").into()), Act::Wait(Duration::from_secs(20))];
    let (endpoint, model) = model(vec![good("Yes."), endless]).await;
    good_answer(&model).await;
    let mut stream = model.generate(&RequestContext::local(), prompt(None)).await.expect("starts");
    assert!(stream.next().await.is_some());
    drop(stream);
    endpoint.wait_for_a_closed_connection().await;
}
