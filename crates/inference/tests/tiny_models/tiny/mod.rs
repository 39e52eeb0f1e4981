//! A BERT cross-encoder with two small layers and random weights, as a directory and as a GGUF file.

pub(crate) mod gguf;
mod reference;

use std::path::Path;

use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use serde_json::json;

/// Words that the model knows; `##` goes on with a word.
pub(crate) const VOCABULARY: [&str; 24] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "how", "long", "is", "the", "warranty", "of", "pump", "##s", "five",
    "years", "zebra", "graze", "in", "herds", "water", "runs", "down", "?", ".",
];
const HIDDEN: usize = 32;
const HEADS: usize = 4;
const WIDE: usize = 64;
const LAYERS: usize = 2;
/// Most tokens of a text or a pair.
pub(crate) const POSITIONS: usize = 48;
const EPSILON: f32 = 1e-12;

/// A model.
pub(crate) struct Tiny {
    /// By name as transformers has it, with the shape, row by row.
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
}

impl Tiny {
    /// The model of a seed, with `outputs` numbers in its head. llama.cpp knows one token type only: it computes the same
    /// where the two are alike.
    pub(crate) fn new(seed: u64, outputs: usize, types_alike: bool) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut numbers = |count: usize, spread: f32| -> Vec<f32> {
            (0..count).map(|_| spread * (2.0 * random.f32() - 1.0)).collect()
        };
        let mut tensors = Vec::new();
        let mut add = |name: &str, shape: Vec<usize>, values| tensors.push((name.to_owned(), shape, values));
        let embeddings = [("word", VOCABULARY.len()), ("position", POSITIONS), ("token_type", 2)];
        for (kind, rows) in embeddings {
            let mut values = numbers(rows * HIDDEN, 1.0);
            if kind == "token_type" && types_alike {
                values.copy_within(..HIDDEN, HIDDEN);
            }
            add(&format!("bert.embeddings.{kind}_embeddings.weight"), vec![rows, HIDDEN], values);
        }
        let norm = |name: &str, numbers: &mut dyn FnMut(usize, f32) -> Vec<f32>| {
            let weight = numbers(HIDDEN, 0.2).iter().map(|number| 1.0 + number).collect();
            [(format!("{name}.weight"), weight), (format!("{name}.bias"), numbers(HIDDEN, 0.1))]
        };
        let mut norms = vec!["bert.embeddings.LayerNorm".to_owned()];
        let mut linears =
            vec![("bert.pooler.dense".to_owned(), HIDDEN, HIDDEN), ("classifier".to_owned(), outputs, HIDDEN)];
        for layer in 0..LAYERS {
            let name = |part: &str| format!("bert.encoder.layer.{layer}.{part}");
            norms.extend([name("attention.output.LayerNorm"), name("output.LayerNorm")]);
            let square =
                ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"];
            linears.extend(square.map(|part| (name(part), HIDDEN, HIDDEN)));
            linears.extend([(name("intermediate.dense"), WIDE, HIDDEN), (name("output.dense"), HIDDEN, WIDE)]);
        }
        for name in norms {
            norm(&name, &mut numbers).into_iter().for_each(|(name, values)| add(&name, vec![HIDDEN], values));
        }
        for (name, rows, columns) in linears {
            add(&format!("{name}.weight"), vec![rows, columns], numbers(rows * columns, 0.3));
            add(&format!("{name}.bias"), vec![rows], numbers(rows, 0.1));
        }
        Self { tensors }
    }

    /// The same without the tensors whose names begin so.
    pub(crate) fn without(mut self, start: &str) -> Self {
        self.tensors.retain(|(name, ..)| !name.starts_with(start));
        self
    }

    /// Writes it as transformers does.
    pub(crate) fn save(&self, directory: &Path) {
        let config = json!({"model_type": "bert", "hidden_size": HIDDEN, "intermediate_size": WIDE,
            "num_attention_heads": HEADS, "max_position_embeddings": POSITIONS, "num_hidden_layers": LAYERS,
            "layer_norm_eps": EPSILON, "hidden_act": "gelu"});
        let vocabulary: serde_json::Map<_, _> =
            VOCABULARY.iter().enumerate().map(|(id, word)| ((*word).to_owned(), json!(id))).collect();
        let special = |token: &str, id: usize| json!({token: {"id": token, "ids": [id], "tokens": [token]}});
        let (mut specials, sep) = (special("[CLS]", 2), special("[SEP]", 3));
        specials["[SEP]"] = sep["[SEP]"].clone();
        let part = |token: &str| json!({"SpecialToken": {"id": token, "type_id": 0}});
        let single = json!([part("[CLS]"), {"Sequence": {"id": "A", "type_id": 0}}, part("[SEP]")]);
        let tokenizer = json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
            "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                "strip_accents": null, "lowercase": true},
            "pre_tokenizer": {"type": "BertPreTokenizer"}, "decoder": null,
            "post_processor": {"type": "TemplateProcessing", "single": single, "pair": single,
                "special_tokens": specials},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": vocabulary}});
        for (name, json) in [("config.json", config), ("tokenizer.json", tokenizer)] {
            std::fs::write(directory.join(name), json.to_string()).expect("is written");
        }
        let bytes: Vec<Vec<u8>> = self.tensors.iter().map(|(.., values)| bytes(values)).collect();
        let views = self.tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
            (name, TensorView::new(Dtype::F32, shape.clone(), bytes).expect("shape and values fit"))
        });
        serialize_to_file(views, None, &directory.join("model.safetensors")).expect("is written");
    }

    fn tensor(&self, name: &str) -> &[f32] {
        let found = self.tensors.iter().find(|(other, ..)| other.strip_prefix("bert.").unwrap_or(other) == name);
        &found.unwrap_or_else(|| panic!("there is {name}")).2
    }
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Tokens of words that the vocabulary holds, one a word.
pub(crate) fn ids(text: &str) -> Vec<usize> {
    let id = |word: &str| VOCABULARY.iter().position(|known| *known == word).expect("a word of the vocabulary");
    text.split_whitespace().map(id).collect()
}
