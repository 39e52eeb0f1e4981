//! A reader with weights by hand: one number for each of six words, no layers.

use std::path::Path;

use qanda_core::Span;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use serde_json::json;
use tempfile::TempDir;

use super::*;

const VOCABULARY: [&str; 11] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "for", "day", "##s", "4", "5", ".", "é"];
const HIDDEN: usize = 4;
const POSITIONS: usize = 64;

fn write(directory: &Path, name: &str, json: &serde_json::Value) {
    std::fs::write(directory.join(name), json.to_string()).expect("is written");
}

fn tensors(path: &Path, tensors: &[(&str, Vec<usize>, Vec<f32>)]) {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(.., values)| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        (*name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("shape and values fit"))
    });
    serialize_to_file(views, None, path).expect("is written");
}

/// A BERT checkpoint for question answering whose only wisdom is that answers begin with "4" and end with "day".
fn checkpoint() -> TempDir {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path();
    let config = json!({"model_type": "bert", "hidden_size": HIDDEN, "intermediate_size": 8, "num_attention_heads": 2,
        "max_position_embeddings": POSITIONS, "num_hidden_layers": 0, "layer_norm_eps": 1e-12, "hidden_act": "gelu"});
    write(path, "config.json", &config);
    let vocabulary: serde_json::Map<_, _> =
        VOCABULARY.iter().enumerate().map(|(id, word)| ((*word).to_owned(), json!(id))).collect();
    let tokenizer = json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": false, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary}});
    write(path, "tokenizer.json", &tokenizer);
    let word = |word: &str| match word {
        "4" => [1.0, -1.0, 0.0, 0.0],
        "day" => [0.0, 0.0, 1.0, -1.0],
        _ => [0.0; HIDDEN],
    };
    let head = vec![2.0, -2.0, 0.0, 0.0, 0.0, 0.0, 2.0, -2.0];
    tensors(
        &path.join("model.safetensors"),
        &[
            ("bert.embeddings.word_embeddings.weight", vec![11, HIDDEN], VOCABULARY.map(word).concat()),
            ("bert.embeddings.position_embeddings.weight", vec![POSITIONS, HIDDEN], vec![0.0; POSITIONS * HIDDEN]),
            ("bert.embeddings.token_type_embeddings.weight", vec![2, HIDDEN], vec![0.0; 2 * HIDDEN]),
            ("bert.embeddings.LayerNorm.weight", vec![HIDDEN], vec![1.0; HIDDEN]),
            ("bert.embeddings.LayerNorm.bias", vec![HIDDEN], vec![0.0; HIDDEN]),
            ("qa_outputs.weight", vec![2, HIDDEN], head),
            // On [CLS] the embeddings are all 0, so "not here" scores the biases alone.
            ("qa_outputs.bias", vec![2], vec![0.0, 0.5]),
        ],
    );
    directory
}

async fn read(passages: &[(&str, &str)]) -> Vec<Reading> {
    let directory = checkpoint();
    let reader = LocalReader::load(directory.path(), Bases::default(), 2).expect("loads");
    let passages = passages
        .iter()
        .map(|(heading, text)| Readable { heading: (*heading).to_owned(), text: (*text).to_owned() })
        .collect();
    reader.read(&RequestContext::local(), "for 4 days", passages).await.expect("reads")
}

fn words<'t>(text: &'t str, reading: &Reading) -> Vec<&'t str> {
    reading.spans.iter().map(|found| &text[found.span.start..found.span.end]).collect()
}

#[tokio::test]
async fn answers_are_whole_words_and_whole_numbers() {
    let text = "é é for 4.5 days for";
    let readings = read(&[("", text), ("4", "for")]).await;
    assert_eq!(words(text, &readings[0])[0], "4.5 days");
    // The heading is read, but no answer stands there.
    assert_eq!(words("for", &readings[1]), ["for"]);
    assert!(readings[0].confidence > 0.9 && readings[1].confidence < 0.6, "{readings:?}");
    let score = readings[0].spans[0].score;
    assert!((readings[0].confidence - 1.0 / (1.0 + (-score).exp())).abs() < 1e-6, "the logistic function of {score}");
}

#[tokio::test]
async fn answers_share_no_word_and_the_best_come_first() {
    let text = "4 day é 4 days é 4 for é 4 é day é day 4 é 4 day";
    let reading = read(&[("", text)]).await.remove(0);
    assert_eq!(reading.spans.len(), 5);
    assert!(reading.spans.is_sorted_by(|a, b| a.score >= b.score), "{reading:?}");
    assert!(words(text, &reading)[..2].iter().all(|words| words.starts_with('4') && words.contains("day")));
    let mut spans: Vec<Span> = reading.spans.iter().map(|found| found.span).collect();
    spans.sort_by_key(|span| span.start);
    assert!(spans.is_sorted_by(|a, b| a.end <= b.start), "{spans:?}");
}

#[tokio::test]
async fn a_long_passage_is_read_to_its_end_and_places_are_bytes() {
    let filler = "é ".repeat(500);
    let text = format!("{filler}for 4 days {filler}");
    let reading = read(&[("for é", &text)]).await.remove(0);
    assert_eq!(words(&text, &reading)[0], "4 days");
    assert_eq!(reading.spans[0].span.start, filler.len() + "for ".len());
}

#[tokio::test]
async fn a_passage_without_words_has_no_answer() {
    let readings = read(&[("", ""), ("for", " \n")]).await;
    for reading in readings {
        assert!(reading.spans.is_empty() && reading.confidence == 0.0, "{reading:?}");
    }
    assert!(read(&[]).await.is_empty());
}

#[test]
fn directories_that_hold_no_reader_are_refused_by_what_they_lack() {
    let refused =
        |directory: &Path| LocalReader::load(directory, Bases::default(), 1).err().expect("is refused").to_string();
    let empty = TempDir::new().expect("a directory");
    assert!(refused(empty.path()).ends_with("it has neither reader.json nor config.json, so it is no reader"));

    let without_head = checkpoint();
    tensors(&without_head.path().join("model.safetensors"), &[]);
    assert!(refused(without_head.path()).contains("it has no tensor embeddings.word_embeddings.weight"));

    let other = checkpoint();
    write(
        other.path(),
        "config.json",
        &json!({"model_type": "roberta", "hidden_size": 4, "intermediate_size": 8,
        "num_attention_heads": 2, "max_position_embeddings": 8, "num_hidden_layers": 0, "layer_norm_eps": 1e-5,
        "hidden_act": "gelu"}),
    );
    assert!(refused(other.path()).contains("only \"bert\" encoders can be used"));
}

#[test]
fn upper_layers_are_refused_without_their_encoder() {
    let directory = TempDir::new().expect("a directory");
    let weights = directory.path().join("reader.safetensors");
    tensors(&weights, &[]);
    let hash = crate::bert::sha256(&std::fs::read(&weights).expect("is there"));
    let description = |format: &str, sha256: &str| {
        json!({"format": format, "base": "some-encoder", "base_sha256": "00", "frozen_layers": "0", "sha256": sha256,
            "max_tokens": 64, "max_question_tokens": 16, "stride": 8, "longest_answer_tokens": 30,
            "confidence": {"span_score": 1.0, "here": 1.0, "bias": 0.0}})
    };
    let base = checkpoint();
    let refused = |description: serde_json::Value, directory_of_base: Option<&Path>| {
        write(directory.path(), "reader.json", &description);
        let bases = Bases { loaded: None, directory: directory_of_base };
        LocalReader::load(directory.path(), bases, 1).err().expect("is refused").to_string()
    };
    let ours = description("qanda-reader-1", &hash);
    assert!(refused(ours.clone(), None).contains("some-encoder failed: it is not installed"));
    assert!(refused(ours, Some(base.path())).contains("are others than those whose SHA-256 begins 00"));
    assert!(refused(description("qanda-reader-9", &hash), None).contains("its format is \"qanda-reader-9\""));
    assert!(refused(description("qanda-reader-1", "0"), None).contains("describes other weights"));
}
