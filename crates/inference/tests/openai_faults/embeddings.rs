//! The embedder.

use std::time::{Duration, Instant};

use crate::scripted::{Act, Reply, Scripted, answer, error};
use qanda_core::ports::TokenCounter;
use qanda_core::{Embedder, ModelError, RequestContext};
use qanda_inference::embed::openai::{OpenAiEmbedder, OpenAiEmbedderSettings};
use qanda_inference::openai::{OpenAiSettings, SettingNames};
use serde_json::{Value, json};

fn settings(base_url: &str) -> OpenAiEmbedderSettings {
    OpenAiEmbedderSettings::new(OpenAiSettings {
        first_token_timeout: Duration::from_secs(5),
        retry_pause: Duration::from_millis(5),
        names: SettingNames { model: "EMBEDDING_MODEL", ..SettingNames::default() },
        ..OpenAiSettings::new(base_url, "text-embedding-3-small")
    })
}

fn vectors(data: Value) -> Reply {
    answer("200 OK", "", &json!({ "object": "list", "data": data }).to_string())
}

fn probe() -> Reply {
    vectors(json!([{"index": 0, "embedding": [3.0, 4.0]}]))
}

async fn embedder(replies: Vec<Reply>) -> (Scripted, OpenAiEmbedder) {
    let endpoint = Scripted::start(std::iter::once(probe()).chain(replies).collect()).await;
    let embedder = OpenAiEmbedder::connect(settings(&endpoint.base_url)).await.expect("connects");
    (endpoint, embedder)
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn vectors_have_unit_length_and_the_order_of_the_texts() {
    let mixed = json!([{"index": 1, "embedding": [0.0, 2.0]}, {"index": 0, "embedding": [5.0, 0.0]}]);
    let (endpoint, embedder) = embedder(vec![vectors(mixed), probe()]).await;
    assert_eq!((embedder.identity().name.as_str(), embedder.identity().dimension), ("text-embedding-3-small", 2));
    assert!((embedder.relevance_floor() - 0.2).abs() < 1e-6);
    assert_eq!(embedder.token_counter().max_tokens(), 8191);
    let embedded = embedder.embed_passages(&RequestContext::local(), texts(&["one", ""])).await.expect("embeds");
    assert_eq!(embedded, [[1.0, 0.0], [0.0, 1.0]]);
    assert_eq!(endpoint.body(1), json!({"model": "text-embedding-3-small", "input": ["one", "."]}));
    assert_eq!(embedder.embed_query(&RequestContext::local(), "one").await.expect("embeds"), [0.6, 0.8]);
    assert!(embedder.embed_passages(&RequestContext::local(), vec![]).await.expect("embeds").is_empty());
    assert_eq!(endpoint.requests().len(), 3);
}

#[tokio::test]
async fn answers_that_do_not_fit_the_question_are_errors() {
    let one = json!({"index": 0, "embedding": [1.0, 0.0]});
    for (data, says) in [
        (json!([one]), "1 embeddings for 2 texts"),
        (json!([one, one]), "two vectors"),
        (json!([one, {"index": 2, "embedding": [1.0, 0.0]}]), "text 2"),
        (json!([one, {"index": 1, "embedding": [1.0, 0.0, 0.0]}]), "3 numbers now, before they had 2"),
        (json!([one, {"index": 1, "embedding": [0.0, 0.0]}]), "no direction"),
        (json!([one, {"index": 1, "embedding": null}]), "no vector"),
        (json!("nothing"), "no embeddings"),
    ] {
        let (endpoint, embedder) = embedder(vec![vectors(data)]).await;
        let error =
            embedder.embed_passages(&RequestContext::local(), texts(&["one", "two"])).await.expect_err("an error");
        assert!(matches!(error, ModelError::Unreadable { .. }) && error.to_string().contains(says), "{error}");
        assert_eq!(endpoint.requests().len(), 2, "it is not asked again");
    }
}

#[tokio::test]
async fn failures_that_pass_are_tried_again_and_others_name_the_setting() {
    let busy = answer("429 Too Many Requests", "retry-after: 0\r\n", "{}");
    let refused = error("404 Not Found", "No such model.");
    let (endpoint, embedder) = embedder(vec![busy, probe(), refused]).await;
    assert_eq!(embedder.embed_query(&RequestContext::local(), "one").await.expect("embeds"), [0.6, 0.8]);
    let error = embedder.embed_query(&RequestContext::local(), "one").await.expect_err("is refused");
    assert!(matches!(error, ModelError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("EMBEDDING_MODEL"), "{error}");
    assert_eq!(endpoint.requests().len(), 4);
}

#[tokio::test]
async fn all_texts_of_a_question_are_embedded_in_one_request() {
    let (endpoint, embedder) = embedder(vec![many(3)]).await;
    let wordings = texts(&["its filter?", "its filter? pump Sarvok", "a page"]);
    assert_eq!(embedder.embed_queries(&RequestContext::local(), &wordings).await.expect("embeds").len(), 3);
    assert_eq!(endpoint.body(1)["input"], json!(wordings));
    assert_eq!(endpoint.requests().len(), 2);
}

#[tokio::test]
async fn texts_longer_than_the_model_reads_are_cut() {
    let endpoint = Scripted::start(vec![probe()]).await;
    let settings = OpenAiEmbedderSettings { max_tokens: 100, ..settings(&endpoint.base_url) };
    let embedder = OpenAiEmbedder::connect(settings).await.expect("connects");
    embedder.embed_query(&RequestContext::local(), &"word ".repeat(1000)).await.expect("embeds");
    let sent = endpoint.body(1)["input"][0].as_str().expect("a text").len();
    assert!((300..=400).contains(&sent), "{sent}");
}

/// Vectors for so many texts, each of its own direction.
fn many(count: usize) -> Reply {
    let embedding = |index: usize| json!({"index": index, "embedding": [1.0, index]});
    vectors((0..count).map(embedding).collect())
}

fn inputs(endpoint: &Scripted) -> Vec<usize> {
    let count = |number| endpoint.body(number)["input"].as_array().map_or(0, Vec::len);
    (0..endpoint.requests().len()).map(count).collect()
}

#[tokio::test]
async fn a_limit_on_the_number_of_texts_is_kept() {
    let named = "batch size is invalid, it should not be larger than 3.: input.contents";
    let (endpoint, embedder) =
        embedder(vec![error("400 Bad Request", named), many(3), many(2), many(3), many(1)]).await;
    let context = RequestContext::local();
    let five: Vec<String> = (0..5).map(|n| n.to_string()).collect();
    assert_eq!(embedder.embed_passages(&context, five.clone()).await.expect("embeds").len(), 5);
    assert_eq!(inputs(&endpoint), [1, 5, 3, 2]);
    let sent = |number: usize| endpoint.body(number)["input"].clone();
    assert_eq!((sent(2), sent(3)), (json!(["0", "1", "2"]), json!(["3", "4"])), "in order");
    embedder.embed_passages(&context, five[..4].to_vec()).await.expect("embeds");
    assert_eq!(inputs(&endpoint)[4..].iter().sum::<usize>(), 4, "it is known then");
    assert!(inputs(&endpoint)[4..].iter().all(|count| *count <= 3));
}

#[tokio::test]
async fn a_limit_without_a_number_is_found_by_halves() {
    let refused = || answer("413 Payload Too Large", "", "Request Entity Too Large");
    let (endpoint, embedder) = embedder(vec![refused(), refused(), many(2), many(2), many(2), many(2)]).await;
    let eight = (0..8).map(|n| n.to_string()).collect();
    assert_eq!(embedder.embed_passages(&RequestContext::local(), eight).await.expect("embeds").len(), 8);
    assert_eq!(inputs(&endpoint), [1, 8, 4, 2, 2, 2, 2]);
}

#[tokio::test]
async fn a_text_that_is_too_long_is_cut_to_the_limit() {
    let message = "`inputs` must have less than 50 tokens. Given: 200";
    let (endpoint, embedder) = embedder(vec![error("413 Payload Too Large", message), probe()]).await;
    embedder.embed_query(&RequestContext::local(), &"word ".repeat(200)).await.expect("embeds");
    embedder.embed_query(&RequestContext::local(), &"word ".repeat(200)).await.expect("embeds");
    let lengths = [1, 2, 3].map(|number| endpoint.body(number)["input"][0].as_str().map_or(0, str::len));
    assert!(lengths[0] == 1000 && (100..=250).contains(&lengths[1]) && lengths[2] == lengths[1], "{lengths:?}");
}

#[tokio::test]
async fn errors_of_status_200_are_errors() {
    let refused = answer("200 OK", "", r#"{"error": {"message": "No such model", "code": 404}}"#);
    let (_endpoint, embedder) = embedder(vec![refused]).await;
    let error = embedder.embed_query(&RequestContext::local(), "one").await.expect_err("is refused");
    assert!(matches!(error, ModelError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn the_requests_deadline_bounds_a_call() {
    let (endpoint, embedder) = embedder(vec![vec![Act::Wait(Duration::from_secs(20))]]).await;
    let deadline = Some(Instant::now() + Duration::from_millis(300));
    let context = RequestContext { deadline, ..RequestContext::local() };
    let error = embedder.embed_query(&context, "one").await.expect_err("is late");
    assert!(matches!(error, ModelError::DeadlineExceeded), "{error:?}");
    endpoint.wait_for_a_closed_connection().await;
}
