//! Embedders in GGUF files, with random weights.

use std::path::{Path, PathBuf};

use crate::tiny::gguf::GgufPooling;
use crate::tiny::{POSITIONS, Tiny};
use qanda_core::{Embedder, RequestContext};
use qanda_inference::embed::gguf::{GgufEmbedder, GivenPrefixes};
use qanda_inference::embed::local::LocalEmbedder;
use tempfile::TempDir;

const TEXTS: [&str; 5] = ["How long is the warranty?", "Zebras graze in herds.", "water", "", "日本 water"];

fn tiny() -> Tiny {
    Tiny::new(5, 1, true).without("classifier").without("bert.pooler")
}

fn file(pooling: Option<GgufPooling>) -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("tiny.gguf");
    tiny().save_gguf(&path, pooling);
    (directory, path)
}

fn load(path: &Path, given: GivenPrefixes) -> GgufEmbedder {
    GgufEmbedder::load(path, given, 1).expect("loads")
}

async fn passages(embedder: &dyn Embedder, texts: &[&str]) -> Vec<Vec<f32>> {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    embedder.embed_passages(&RequestContext::local(), texts).await.expect("embeds")
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn vectors_are_those_of_the_same_model_in_a_directory() {
    for (pooling, mode) in [(GgufPooling::Mean, "mean_tokens"), (GgufPooling::Cls, "cls_token")] {
        let directory = TempDir::new().expect("a directory");
        tiny().save(directory.path());
        let modules = r#"[{"path": "", "type": "sentence_transformers.models.Transformer"},
            {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]"#;
        std::fs::write(directory.path().join("modules.json"), modules).expect("is written");
        std::fs::create_dir(directory.path().join("1_Pooling")).expect("is made");
        let config = format!(r#"{{"pooling_mode_{mode}": true}}"#);
        std::fs::write(directory.path().join("1_Pooling/config.json"), config).expect("is written");
        let ours = LocalEmbedder::load(directory.path(), 1).expect("loads");
        let (_directory, path) = file(Some(pooling));
        let theirs = load(&path, GivenPrefixes::default());
        assert_eq!(theirs.identity().dimension, ours.identity().dimension);
        let long = "the pump runs ".repeat(POSITIONS);
        let texts: Vec<&str> = TEXTS.into_iter().chain([long.as_str()]).collect();
        for ((ours, theirs), text) in
            passages(&ours, &texts).await.iter().zip(passages(&theirs, &texts).await).zip(&texts)
        {
            assert!((dot(&theirs, &theirs) - 1.0).abs() < 1e-4, "{text:?} has length 1");
            assert!(dot(ours, &theirs) > 0.999, "{pooling:?}, {text:?}: cosine {}", dot(ours, &theirs));
        }
        assert!((ours.relevance_floor() - theirs.relevance_floor()).abs() < 0.02);
        let vectors = passages(&theirs, &TEXTS[..2]).await;
        assert!(dot(&vectors[0], &vectors[1]) < 0.99, "different texts have different vectors");
    }
}

#[tokio::test]
async fn a_text_embeds_alike_alone_and_among_more_than_a_batch() {
    let (_directory, path) = file(Some(GgufPooling::Mean));
    let embedder = load(&path, GivenPrefixes::default());
    let many: Vec<&str> = TEXTS.iter().cycle().take(200).copied().collect();
    let together = passages(&embedder, &many).await;
    assert_eq!(together.len(), many.len());
    for (text, among_others) in TEXTS.iter().zip(&together[190..]) {
        let alone = passages(&embedder, &[text]).await.remove(0);
        assert!(dot(&alone, among_others) > 0.9999, "{text:?}");
    }
}

#[tokio::test]
async fn prefixes_go_before_texts_and_that_of_passages_makes_another_embedder() {
    let (_directory, path) = file(Some(GgufPooling::Mean));
    let plain = load(&path, GivenPrefixes::default());
    let given = GivenPrefixes { query: Some("how ".to_owned()), passage: Some("water ".to_owned()) };
    let prefixed = load(&path, given);
    let context = RequestContext::local();
    assert_eq!(
        prefixed.embed_query(&context, "long is the pump").await.expect("embeds"),
        plain.embed_query(&context, "how long is the pump").await.expect("embeds")
    );
    assert_eq!(passages(&prefixed, &["runs down"]).await, passages(&plain, &["water runs down"]).await);
    assert_ne!(prefixed.identity().name, plain.identity().name);
    assert!(plain.identity().name.starts_with("tiny@"));
    let questions_only = load(&path, GivenPrefixes { query: Some("how ".to_owned()), passage: None });
    assert_eq!(questions_only.identity(), plain.identity(), "what is stored stays what it is");
    assert_eq!(prefixed.token_counter().max_tokens(), POSITIONS - 3);
}

#[test]
fn tokens_are_counted_as_the_model_reads_them() {
    let (_directory, path) = file(Some(GgufPooling::Mean));
    let counter = load(&path, GivenPrefixes::default()).token_counter();
    assert_eq!(counter.max_tokens(), POSITIONS - 2);
    assert_eq!(counter.count_tokens("How long do pumps run?"), 7, "how, long, two unknown words, pump, s, and a mark");
    assert_eq!(counter.count_tokens(""), 0);
    assert_eq!(counter.count_tokens(&format!("water {}", "ก".repeat(1_000))), 501);
}

#[test]
fn what_is_no_embedder_is_refused_and_says_why() {
    let refused = |path: &Path| GgufEmbedder::load(path, GivenPrefixes::default(), 1).err().expect("no").to_string();
    let (_directory, path) = file(None);
    assert!(refused(&path).contains("does not say how to make one vector"), "{}", refused(&path));
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("reranker.gguf");
    Tiny::new(5, 1, true).save_gguf(&path, Some(GgufPooling::Rank));
    assert!(refused(&path).contains("it is a reranker"), "{}", refused(&path));
    let llm = crate::models::model("SmolLM2-135M-Instruct.Q4_1.gguf");
    assert!(refused(&llm).contains("no embedder"), "{}", refused(&llm));
    std::fs::write(&path, "no model").expect("is written");
    assert!(refused(&path).contains("llama.cpp says"), "{}", refused(&path));
}
