//! Forms of request that endpoints refuse, and the ones that they are asked in then.

use qanda_core::ports::{Finish, Message, Prompt, Shape};
use qanda_core::question::Role;
use qanda_core::{ModelError, RequestContext};
use serde_json::{Value, json};

use crate::asking::{ask_with, error as ask_in_vain, good_answer, model, prompt};
use crate::scripted::{answer, error, good, stream};

fn a_shape() -> Option<Shape> {
    Some(Shape::Object(vec![("answer", Shape::Text)]))
}

#[tokio::test]
async fn a_shape_is_asked_for_in_plainer_ways_as_they_are_refused() {
    let refused = error("400 Bad Request", "No such field");
    // llama-cpp-python's way of saying it.
    let invalid =
        error("500 Internal Server Error", "1 validation error: {'loc': ('body', 'response_format', 'type')}");
    let (endpoint, model) = model(vec![invalid, refused.clone(), refused, good("{}"), good("{}")]).await;
    for _ in 0..2 {
        let (text, end) = ask_with(&model, &RequestContext::local(), prompt(a_shape())).await;
        assert_eq!((text.as_str(), end.ok()), ("{}", Some(Finish::Stop)));
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
async fn a_limit_on_tokens_is_kept() {
    let tokens =
        error("400 Bad Request", "max_tokens is too large: 20. This model supports at most 8 completion tokens");
    let (endpoint, model) = model(vec![tokens, good("yes")]).await;
    assert_eq!(good_answer(&model).await, "yes");
    assert_eq!(good_answer(&model).await, "yes");
    assert_eq!([0, 1, 2].map(|number| endpoint.body(number)["max_tokens"].clone()), [20, 8, 8].map(Value::from));
}

/// The messages of a request as (role, content).
fn messages(body: &Value) -> Vec<(String, String)> {
    let text = |message: &Value, name: &str| message[name].as_str().unwrap_or_default().to_owned();
    let list = body["messages"].as_array().expect("messages");
    list.iter().map(|message| (text(message, "role"), text(message, "content"))).collect()
}

#[tokio::test]
async fn instructions_go_into_the_users_message_where_there_is_no_system_role() {
    let jinja =
        r#"{"error": {"code": 500, "message": "Jinja Exception: System role not supported", "type": "server_error"}}"#;
    let gemini = r#"[{"error": {"code": 400, "message": "Developer instruction is not enabled for models/gemma-3-27b-it",
        "status": "INVALID_ARGUMENT"}}]"#;
    let vllm = r#"{"object": "error", "message": "System role not supported", "type": "BadRequestError", "code": 400}"#;
    for refusal in [
        answer("400 Bad Request", "", vllm),
        answer("500 Internal Server Error", "", jinja),
        answer("400 Bad Request", "", gemini),
        answer(
            "422 Unprocessable Entity",
            "",
            r#"{"detail": [{"loc": ["body", "messages", 0, "role"],
            "msg": "Input should be 'user' or 'assistant'"}]}"#,
        ),
        stream("data: {\"error\":{\"message\":\"Only user and assistant roles are supported!\",\"code\":400}}\n\n"),
    ] {
        let (endpoint, model) = model(vec![refusal, good("yes")]).await;
        assert_eq!(good_answer(&model).await, "yes");
        assert_eq!(good_answer(&model).await, "yes");
        let asked: Vec<_> = (0..3).map(|number| messages(&endpoint.body(number))).collect();
        assert_eq!(asked[0], [("system".into(), "Be brief.".into()), ("user".into(), "Why?".into())]);
        assert_eq!(asked[1], [("user".to_owned(), "Be brief.\n\nWhy?".to_owned())]);
        assert_eq!(asked[2], asked[1], "it is known then");
        assert_eq!(endpoint.requests().len(), 3);
    }
}

#[tokio::test]
async fn neighbours_of_one_role_are_merged_where_roles_must_alternate() {
    let refusal = error("400 Bad Request", "Conversation roles must alternate user/assistant/user/assistant/...");
    let history = |roles: &[Role]| {
        let messages = roles.iter().map(|role| Message::new(*role, role.as_str())).collect();
        Prompt { messages, ..prompt(None) }
    };
    let (endpoint, model) = model(vec![refusal.clone(), good("yes"), good("yes"), refusal, good("yes")]).await;
    let two = history(&[Role::System, Role::User, Role::User]);
    for _ in 0..2 {
        let (text, _) = ask_with(&model, &RequestContext::local(), two.clone()).await;
        assert_eq!(text, "yes");
    }
    let roles = |number: usize| messages(&endpoint.body(number)).into_iter().map(|(role, _)| role).collect::<Vec<_>>();
    assert_eq!(roles(0), ["system", "user", "user"]);
    assert_eq!((roles(1), roles(2)), (vec!["system".to_owned(), "user".into()], roles(1)));
    // The same words, where the service's instructions are what does not alternate.
    let (text, _) = ask_with(&model, &RequestContext::local(), history(&[Role::System, Role::User])).await;
    assert_eq!((text.as_str(), roles(3), roles(4)), ("yes", roles(1), vec!["user".to_owned()]));
}

#[tokio::test]
async fn an_endpoint_that_does_not_stream_is_asked_for_whole_answers() {
    let whole = json!({"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}).to_string();
    let refusal = error("400 Bad Request", "stream is not supported by this model");
    let (endpoint, model) = model(vec![refusal, answer("200 OK", "", &whole)]).await;
    assert_eq!(good_answer(&model).await, "yes");
    assert_eq!(good_answer(&model).await, "yes");
    assert_eq!([0, 1, 2].map(|number| endpoint.body(number)["stream"].clone()), [true, false, false].map(Value::from));
}

#[tokio::test]
async fn a_refusal_that_stays_is_reported_once_nothing_plainer_is_left() {
    let (endpoint, model) = model(vec![error("400 Bad Request", "System role not supported")]).await;
    let refused = ask_in_vain(&model).await;
    assert!(matches!(refused, ModelError::Refused { .. }), "{refused:?}");
    assert_eq!(endpoint.requests().len(), 2);
}
