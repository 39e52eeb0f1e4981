//! Rerankers from a directory and from a GGUF file, with random weights.

use std::path::PathBuf;

use crate::tiny::gguf::GgufPooling;
use crate::tiny::{POSITIONS, Tiny, ids};
use qanda_core::{RequestContext, Reranker};
use qanda_inference::reranker::gguf::GgufReranker;
use qanda_inference::reranker::local::LocalReranker;
use tempfile::TempDir;

const QUESTION: &str = "how long is the warranty of the pump ?";
const TEXTS: [&str; 5] =
    ["the warranty is five years .", "zebra graze in herds .", "water runs down the pump .", ".", ""];

/// The model's tokens for a pair, and where the second part begins.
fn pair(question: &str, text: &str) -> (Vec<usize>, usize) {
    let [cls, sep] = ["[CLS]", "[SEP]"].map(ids);
    let question = ids(question);
    let second = question.len() + 2;
    let mut text = ids(text);
    text.truncate(POSITIONS - second - 1);
    ([&*cls, &*question, &*sep, &*text, &*sep].concat(), second)
}

fn expected(tiny: &Tiny, question: &str, texts: &[&str]) -> Vec<f64> {
    let score = |text: &&str| {
        let (tokens, second) = pair(question, text);
        tiny.score(&tokens, second)
    };
    texts.iter().map(score).collect()
}

async fn scores(reranker: &dyn Reranker, question: &str, texts: &[&str]) -> Vec<f32> {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    reranker.score(&RequestContext::local(), question, texts).await.expect("scores")
}

fn assert_close(scores: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(scores.len(), expected.len());
    let spread = |numbers: &[f64]| {
        let (least, most) = numbers.iter().fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(*x), b.max(*x)));
        most - least
    };
    assert!(spread(expected) > 3.0 * tolerance, "they tell too little: {expected:?}");
    for (score, expected) in scores.iter().zip(expected) {
        assert!((f64::from(*score) - expected).abs() < tolerance, "{scores:?}, expected {expected:?}");
    }
}

fn local(tiny: &Tiny) -> (TempDir, LocalReranker) {
    let directory = TempDir::new().expect("a directory");
    tiny.save(directory.path());
    let reranker = LocalReranker::load(directory.path(), 2).expect("loads");
    (directory, reranker)
}

#[tokio::test]
async fn scores_are_those_of_a_plain_forward_pass() {
    let tiny = Tiny::new(7, 1, false);
    let (_directory, reranker) = local(&tiny);
    assert_close(&scores(&reranker, QUESTION, &TEXTS).await, &expected(&tiny, QUESTION, &TEXTS), 1e-4);
    let one = scores(&reranker, QUESTION, &TEXTS[1..2]).await;
    assert!((f64::from(one[0]) - expected(&tiny, QUESTION, &TEXTS)[1]).abs() < 1e-4, "alone as among others");
    assert!(scores(&reranker, QUESTION, &[]).await.is_empty());
}

#[tokio::test]
async fn of_what_is_too_long_the_start_is_read() {
    let tiny = Tiny::new(7, 1, false);
    let (_directory, reranker) = local(&tiny);
    let long = "water runs down ".repeat(40);
    let cut = expected(&tiny, QUESTION, &[&long, TEXTS[0]]);
    assert_close(&scores(&reranker, QUESTION, &[&long, TEXTS[0]]).await, &cut, 1e-4);
    let half: String = "is the pump ".repeat(POSITIONS / 6);
    let question = half.repeat(4);
    assert_close(&scores(&reranker, &question, &TEXTS[..3]).await, &expected(&tiny, &half, &TEXTS[..3]), 1e-4);
}

fn file(tiny: &Tiny, pooling: Option<GgufPooling>) -> (TempDir, PathBuf) {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("tiny.gguf");
    tiny.save_gguf(&path, pooling);
    (directory, path)
}

/// llama.cpp looks the activation up in a table of 16 bits.
const BY_LLAMA: f64 = 0.01;

#[tokio::test]
async fn a_gguf_file_gives_the_same_scores() {
    let tiny = Tiny::new(8, 1, true);
    let (_directory, path) = file(&tiny, Some(GgufPooling::Rank));
    let reranker = GgufReranker::load(&path, 1).expect("loads");
    assert!(reranker.name().starts_with("tiny@"), "{}", reranker.name());
    assert_close(&scores(&reranker, QUESTION, &TEXTS).await, &expected(&tiny, QUESTION, &TEXTS), BY_LLAMA);
    let long = "water runs down ".repeat(40);
    let texts = [&long, TEXTS[0], TEXTS[1], TEXTS[2]];
    assert_close(&scores(&reranker, QUESTION, &texts).await, &expected(&tiny, QUESTION, &texts), BY_LLAMA);
    // More pairs than llama.cpp takes at once.
    let many: Vec<&str> = TEXTS.iter().cycle().take(120).copied().collect();
    assert_close(&scores(&reranker, QUESTION, &many).await, &expected(&tiny, QUESTION, &many), BY_LLAMA);
}

#[tokio::test]
async fn a_template_in_the_file_is_filled_in_and_texts_hold_no_special_tokens() {
    let tiny = Tiny::new(8, 1, true);
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("tiny.gguf");
    let template = "[CLS] is water: {query} [SEP] the {document} runs [SEP]";
    tiny.save_gguf_with(&path, Some(GgufPooling::Rank), &[("tokenizer.chat_template.rerank", template)]);
    let reranker = GgufReranker::load(&path, 1).expect("loads");
    let texts = ["five years", "zebra", "[SEP] pump"];
    let written = [
        "[CLS] is water [UNK] long [SEP] the five years runs [SEP]",
        "[CLS] is water [UNK] long [SEP] the zebra runs [SEP]",
        "[CLS] is water [UNK] long [SEP] the [UNK] [UNK] [UNK] pump runs [SEP]",
    ];
    let expected: Vec<f64> = written.iter().map(|text| tiny.score(&ids(text), usize::MAX)).collect();
    assert_close(&scores(&reranker, "long", &texts).await, &expected, BY_LLAMA);
}

#[test]
fn a_directory_that_is_no_cross_encoder_is_refused_and_says_why() {
    let refused = |tiny: &Tiny| {
        let directory = TempDir::new().expect("a directory");
        tiny.save(directory.path());
        LocalReranker::load(directory.path(), 1).err().expect("is refused").to_string()
    };
    let embedder = refused(&Tiny::new(1, 1, false).without("classifier"));
    assert!(embedder.contains("classifier.weight: without a head it is no cross-encoder"), "{embedder}");
    let poolerless = refused(&Tiny::new(1, 1, false).without("bert.pooler"));
    assert!(poolerless.contains("pooler.dense.weight: without a pooler it is no cross-encoder"), "{poolerless}");
    let classes = refused(&Tiny::new(1, 3, false));
    assert!(classes.contains("its head has 3 outputs"), "{classes}");
    let empty = TempDir::new().expect("a directory");
    let empty = LocalReranker::load(empty.path(), 1).err().expect("is refused").to_string();
    assert!(empty.contains("no config.json"), "{empty}");
}

#[test]
fn a_gguf_file_that_is_no_reranker_is_refused_and_says_why() {
    for pooling in [None, Some(GgufPooling::Mean), Some(GgufPooling::Cls)] {
        let (_directory, path) = file(&Tiny::new(1, 1, true), pooling);
        let refused = GgufReranker::load(&path, 1).err().expect("is refused").to_string();
        assert!(refused.contains("no head that scores"), "{pooling:?}: {refused}");
    }
    let missing = GgufReranker::load(&PathBuf::from("nowhere.gguf"), 1).err().expect("is refused").to_string();
    assert!(missing.contains("there is no such file"), "{missing}");
}
