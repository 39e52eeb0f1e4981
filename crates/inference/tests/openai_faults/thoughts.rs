//! Models that reason.

use std::time::Duration;

use futures::StreamExt;
use qanda_core::ports::{Finish, Generated};
use qanda_core::{LanguageModel, ModelError, RequestContext};
use qanda_inference::llm::openai::OpenAiModel;
use qanda_inference::openai::OpenAiSettings;
use serde_json::json;

use crate::asking::{ask, error as ask_in_vain, good_answer, model, prompt, settings};
use crate::scripted::{Act, END, Reply, Scripted, answer, chunk, error, good, stream, stream_head, token};

/// An answer whose pieces are these.
fn pieces(texts: &[&str]) -> Reply {
    stream(&(texts.iter().map(|text| token(text)).collect::<String>() + END))
}

#[tokio::test]
async fn thoughts_are_no_answer_however_they_come() {
    let apart = |delta: serde_json::Value| stream(&(chunk(&delta, None) + &token("Yes [1].") + END));
    let message = json!({"content": "<think>Is it [2]?</think>Yes [1].", "reasoning_content": null});
    let whole = json!({"choices": [{"message": message, "finish_reason": "stop"}]});
    for (name, reply) in [
        ("markers", pieces(&["<think>Is it ", "[2]?</think>", "\n\nYes [1]."])),
        ("cut markers", pieces(&["<th", "ink>Is it [2]?</", "think", ">Yes [1]."])),
        ("the closing marker alone", pieces(&["Is it [2]?\n", "</think>", "\n\nYes [1]."])),
        ("a field", apart(json!({"content": null, "reasoning_content": "Is it [2]?"}))),
        ("another field", apart(json!({"content": "", "reasoning": "Is it [2]?"}))),
        (
            "a part",
            apart(json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Is it [2]?"}]}]})),
        ),
        ("a whole answer", answer("200 OK", "", &whole.to_string())),
    ] {
        let (endpoint, model) = model(vec![reply]).await;
        for _ in 0..2 {
            assert_eq!(good_answer(&model).await, "Yes [1].", "{name}");
        }
        assert_eq!(endpoint.requests().len(), 2, "{name}");
    }
}

#[tokio::test]
async fn a_model_that_reasons_gets_tokens_for_it() {
    let cut = || token("<think>Let me see") + &chunk(&json!({}), Some("length"));
    let apart = chunk(&json!({"reasoning_content": "Let me see"}), None) + &chunk(&json!({}), Some("length"));
    // Thoughts that the endpoint keeps to itself.
    let hidden = chunk(&json!({"content": ""}), Some("length"));
    for first in [cut(), apart, hidden] {
        let (endpoint, model) = model(vec![stream(&first), good("Yes.")]).await;
        assert_eq!(good_answer(&model).await, "Yes.");
        assert_eq!(good_answer(&model).await, "Yes.");
        let tokens = [0, 1, 2].map(|number| endpoint.body(number)["max_tokens"].as_u64());
        assert_eq!(tokens, [Some(20), Some(4116), Some(4116)], "it is known then");
    }
}

#[tokio::test]
async fn room_for_thoughts_ends_where_the_window_does() {
    let cut = stream(&(token("<think>Let me see") + &chunk(&json!({}), Some("length"))));
    let named = "This model's maximum context length is 200 tokens. However, you requested 4125 tokens.";
    for (message, tokens) in [(named, 100..200), ("too large for the context window", 20..21)] {
        let refusal = error("400 Bad Request", message);
        let (endpoint, model) = model(vec![cut.clone(), refusal, good("Yes.")]).await;
        assert_eq!(good_answer(&model).await, "Yes.");
        let asked = [0, 1, 2].map(|number| endpoint.body(number)["max_tokens"].as_u64().unwrap_or_default());
        assert!(asked[..2] == [20, 4116] && tokens.contains(&asked[2]), "{message}: {asked:?}");
    }
}

#[tokio::test]
async fn a_model_that_only_reasons_says_so() {
    let cut = stream(&(token("<think>Let me see") + &chunk(&json!({}), Some("length"))));
    let (endpoint, model_) = model(vec![cut]).await;
    let error = ask_in_vain(&model_).await;
    assert!(matches!(error, ModelError::OnlyReasoning { truncated: true }), "{error:?}");
    assert_eq!(endpoint.requests().len(), 2, "it is asked again with more tokens, once");
    for reply in [
        pieces(&["<think>Let me see"]),
        pieces(&["<think>Let me see</think>", "\n"]),
        stream(&(chunk(&json!({"reasoning_content": "Well"}), None) + END)),
    ] {
        let (_endpoint, model) = model(vec![reply]).await;
        let error = ask_in_vain(&model).await;
        assert!(matches!(error, ModelError::OnlyReasoning { truncated: false }), "{error:?}");
        assert!(error.to_string().contains("only reasoned"), "{error}");
    }
}

#[tokio::test]
async fn a_thought_that_was_taken_for_an_answer_is_an_error_and_learnt_from() {
    let thinks = pieces(&["Is it [2]?", "</think>", "Yes [1]."]);
    let (_endpoint, model) = model(vec![good("Plain."), thinks]).await;
    assert_eq!(good_answer(&model).await, "Plain.");
    let (_, end) = ask(&model).await;
    assert!(matches!(end, Err(ModelError::Interrupted { .. })), "{end:?}");
    assert_eq!(good_answer(&model).await, "Yes [1].");
}

#[tokio::test]
async fn an_answer_that_was_cut_stays_an_answer() {
    let cut = stream(&(token("<think>Hm</think>Yes, but") + &chunk(&json!({}), Some("length"))));
    let (_endpoint, model) = model(vec![cut]).await;
    let (text, end) = ask(&model).await;
    assert_eq!((text.as_str(), end.ok()), ("Yes, but", Some(Finish::Length)));
}

#[tokio::test]
async fn the_first_answer_is_held_unless_the_model_is_known_not_to_reason() {
    let endless = vec![stream_head(), Act::Send(token("Yes").into()), Act::Wait(Duration::from_secs(60))];
    let endpoint = Scripted::start(vec![endless]).await;
    for (reasoning_tokens, streams) in [(4096, false), (0, true)] {
        let idle_timeout = if streams { Duration::from_secs(30) } else { Duration::from_millis(500) };
        let settings = OpenAiSettings { reasoning_tokens, idle_timeout, ..settings(&endpoint.base_url) };
        let model = OpenAiModel::new(&settings).expect("works");
        let answer = model.generate(&RequestContext::local(), prompt(None)).await;
        assert_eq!(answer.is_ok(), streams, "the end never comes");
        if let Ok(mut answer) = answer {
            let first = answer.next().await.expect("an event").expect("no error");
            assert_eq!(first, Generated::Text("Yes".to_owned()));
        }
    }
}
