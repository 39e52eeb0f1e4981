//! The time of a request.

use std::time::{Duration, Instant};

use qanda_core::{LanguageModel, ModelError, RequestContext};
use qanda_inference::llm::openai::OpenAiModel;
use qanda_inference::openai::OpenAiSettings;

use crate::asking::{ask_with, error as ask_in_vain, good_answer, model, prompt, settings};
use crate::scripted::{Act, Reply, Scripted, good, stream_head, token};

const LONG: Duration = Duration::from_secs(20);

fn until(time: Duration) -> RequestContext {
    RequestContext { deadline: Some(Instant::now() + time), ..RequestContext::local() }
}

fn silent() -> Vec<Reply> {
    let role = r#"data: {"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#;
    let start = vec![stream_head(), Act::Send(format!("{role}\n\n").into()), Act::Wait(LONG)];
    vec![vec![Act::Wait(LONG)], start]
}

#[tokio::test]
async fn silence_before_the_first_token_is_noticed() {
    for reply in silent() {
        let endpoint = Scripted::start(vec![reply]).await;
        let first_token_timeout = Duration::from_millis(400);
        let model = OpenAiModel::new(&OpenAiSettings { first_token_timeout, ..settings(&endpoint.base_url) });
        let began = Instant::now();
        let error = ask_in_vain(&model.expect("works")).await;
        assert!(matches!(error, ModelError::Unavailable { .. }), "{error:?}");
        assert!(error.to_string().contains("in time") && began.elapsed() < LONG / 2, "{error}");
        assert_eq!(endpoint.requests().len(), 1, "silence is not retried");
    }
}

#[tokio::test]
async fn the_requests_deadline_comes_first() {
    let talks = |pieces: usize| {
        let mut reply = vec![stream_head()];
        for _ in 0..pieces {
            reply.extend([Act::Send(token("on ").into()), Act::Wait(Duration::from_millis(50))]);
        }
        reply
    };
    for reply in silent().into_iter().chain([talks(400)]) {
        let (endpoint, model) = model(vec![good("Yes."), reply]).await;
        good_answer(&model).await;
        let began = Instant::now();
        let (_, end) = ask_with(&model, &until(Duration::from_millis(500)), prompt(None)).await;
        assert!(matches!(end, Err(ModelError::DeadlineExceeded)), "{end:?}");
        assert!(began.elapsed() < LONG / 2);
        endpoint.wait_for_a_closed_connection().await;
    }
}

#[tokio::test]
async fn dropping_the_call_closes_its_connection() {
    let (endpoint, model) = model(vec![vec![Act::Wait(LONG)]]).await;
    let context = RequestContext::local();
    let call = tokio::time::timeout(Duration::from_millis(300), model.generate(&context, prompt(None))).await;
    assert!(call.is_err(), "it waits");
    endpoint.wait_for_a_closed_connection().await;
}
