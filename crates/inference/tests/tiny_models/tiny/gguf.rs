//! The model in llama.cpp's format (github.com/ggml-org/ggml, docs/gguf.md).

use std::path::Path;

use super::{EPSILON, HEADS, HIDDEN, LAYERS, POSITIONS, Tiny, VOCABULARY, WIDE, bytes};

/// A way to pool, by llama.cpp's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GgufPooling {
    Mean = 1,
    Cls = 2,
    Rank = 4,
}

/// Places of data are multiples of this.
const ALIGNMENT: usize = 32;

impl Tiny {
    /// Writes it as a GGUF file; without a pooling, as one that says nothing about that.
    pub(crate) fn save_gguf(&self, path: &Path, pooling: Option<GgufPooling>) {
        self.save_gguf_with(path, pooling, &[]);
    }

    /// The same with more texts in its metadata.
    pub(crate) fn save_gguf_with(&self, path: &Path, pooling: Option<GgufPooling>, texts: &[(&str, &str)]) {
        let tensors: Vec<_> = self.tensors.iter().map(|(name, shape, values)| (renamed(name), shape, values)).collect();
        let mut facts = facts(pooling);
        facts.extend(texts.iter().map(|(key, text)| fact(key, 8, &string(text))));
        let mut file = b"GGUF".to_vec();
        file.extend(3_u32.to_le_bytes());
        file.extend((tensors.len() as u64).to_le_bytes());
        file.extend((facts.len() as u64).to_le_bytes());
        file.extend(facts.concat());
        let mut data = Vec::new();
        for (name, shape, values) in tensors {
            file.extend(string(&name));
            file.extend((shape.len() as u32).to_le_bytes());
            // The row's length comes first.
            shape.iter().rev().for_each(|size| file.extend((*size as u64).to_le_bytes()));
            file.extend(0_u32.to_le_bytes());
            file.extend((data.len() as u64).to_le_bytes());
            data.extend(bytes(values));
            data.resize(data.len().next_multiple_of(ALIGNMENT), 0);
        }
        file.resize(file.len().next_multiple_of(ALIGNMENT), 0);
        file.extend(data);
        std::fs::write(path, file).expect("is written");
    }
}

/// Name of a tensor in llama.cpp.
fn renamed(name: &str) -> String {
    let name = name.strip_prefix("bert.").unwrap_or(name);
    let parts = [
        ("embeddings.word_embeddings", "token_embd"),
        ("embeddings.position_embeddings", "position_embd"),
        ("embeddings.token_type_embeddings", "token_types"),
        ("embeddings.LayerNorm", "token_embd_norm"),
        ("encoder.layer", "blk"),
        ("attention.self.query", "attn_q"),
        ("attention.self.key", "attn_k"),
        ("attention.self.value", "attn_v"),
        ("attention.output.dense", "attn_output"),
        ("attention.output.LayerNorm", "attn_output_norm"),
        ("intermediate.dense", "ffn_up"),
        ("output.dense", "ffn_down"),
        ("output.LayerNorm", "layer_output_norm"),
        ("pooler.dense", "cls"),
        ("classifier", "cls.output"),
    ];
    parts.iter().fold(name.to_owned(), |name, (theirs, ours)| name.replace(theirs, ours))
}

fn facts(pooling: Option<GgufPooling>) -> Vec<Vec<u8>> {
    let number = |key: &str, value: usize| fact(key, 4, &(value as u32).to_le_bytes());
    let words: Vec<u8> = VOCABULARY.iter().flat_map(|word| string(&as_llama(word))).collect();
    // `llama_token_type`: normal, control.
    let types: Vec<u8> =
        VOCABULARY.iter().flat_map(|word| (if word.starts_with('[') { 3_i32 } else { 1 }).to_le_bytes()).collect();
    let mut facts = vec![
        fact("general.architecture", 8, &string("bert")),
        fact("general.name", 8, &string("tiny")),
        number("bert.context_length", POSITIONS),
        number("bert.embedding_length", HIDDEN),
        number("bert.feed_forward_length", WIDE),
        number("bert.block_count", LAYERS),
        number("bert.attention.head_count", HEADS),
        fact("bert.attention.layer_norm_epsilon", 6, &EPSILON.to_le_bytes()),
        fact("bert.attention.causal", 7, &[0]),
        fact("tokenizer.ggml.model", 8, &string("bert")),
        number("tokenizer.ggml.token_type_count", 2),
        fact("tokenizer.ggml.token_type", 9, &list(5, VOCABULARY.len(), &types)),
        fact("tokenizer.ggml.tokens", 9, &list(8, VOCABULARY.len(), &words)),
    ];
    let special = ["padding", "unknown", "bos", "seperator", "mask"];
    facts.extend(special.iter().enumerate().map(|(id, name)| number(&format!("tokenizer.ggml.{name}_token_id"), id)));
    facts.extend(pooling.map(|pooling| number("bert.pooling_type", pooling as usize)));
    facts
}

/// Beginnings of words carry a mark there, what goes on does not.
fn as_llama(word: &str) -> String {
    match word.strip_prefix("##") {
        Some(rest) => rest.to_owned(),
        None if word.starts_with('[') => word.to_owned(),
        None => format!("\u{2581}{word}"),
    }
}

fn fact(key: &str, kind: u32, value: &[u8]) -> Vec<u8> {
    [&*string(key), &kind.to_le_bytes(), value].concat()
}

fn list(kind: u32, length: usize, values: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(length as u64).to_le_bytes(), values].concat()
}

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}
