//! What the files of a sentence-transformers directory say about a model.

use std::path::Path;

use qanda_core::ModelError;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// `config.json` of a BERT encoder.
#[derive(Debug, Deserialize)]
struct BertConfig {
    #[serde(default)]
    model_type: String,
    hidden_size: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    num_attention_heads: usize,
    num_hidden_layers: usize,
    layer_norm_eps: f64,
    hidden_act: String,
}

/// `1_Pooling/config.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PoolingConfig {
    pooling_mode_cls_token: bool,
    pooling_mode_mean_tokens: bool,
}

/// `sentence_bert_config.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SentenceConfig {
    max_seq_length: Option<usize>,
}

/// `config_sentence_transformers.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TransformersConfig {
    prompts: Prompts,
}

/// Texts that a model wants before what it embeds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Prompts {
    /// Before a question.
    pub(super) query: String,
    /// Before a passage; models call it either way.
    #[serde(alias = "document")]
    pub(super) passage: String,
}

/// Ways in which the vectors of a text's tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    /// Their mean.
    Mean,
    /// The first one.
    Cls,
}

/// Activation of the feed-forward layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    /// x Phi(x).
    Gelu,
    /// Its approximation by tanh.
    GeluTanh,
    /// max(x, 0).
    Relu,
}

/// Everything the encoder needs to know.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) hidden: usize,
    pub(super) intermediate: usize,
    pub(super) heads: usize,
    pub(super) layers: usize,
    pub(super) epsilon: f32,
    pub(super) activation: Activation,
    pub(super) pooling: Pooling,
    /// Most tokens of a text, with the two special ones.
    pub(super) max_tokens: usize,
    pub(super) prompts: Prompts,
}

impl Config {
    /// Reads the configuration of the model in `directory`.
    ///
    /// # Errors
    /// When `config.json` is missing or describes something other than a BERT encoder.
    pub(super) fn read(directory: &Path) -> Result<Self, ModelError> {
        let bert: BertConfig = read_json(&directory.join("config.json"))?;
        let refuse = |what: String| Err(ModelError::failed(format!("reading {}", directory.display()), what));
        if bert.model_type != "bert" {
            return refuse(format!("its model_type is \"{}\"; only \"bert\" encoders can be used", bert.model_type));
        }
        if bert.num_attention_heads == 0 || !bert.hidden_size.is_multiple_of(bert.num_attention_heads) {
            return refuse("hidden_size is not a multiple of num_attention_heads".to_owned());
        }
        let activation = match bert.hidden_act.as_str() {
            "gelu" => Activation::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" => Activation::GeluTanh,
            "relu" => Activation::Relu,
            other => return refuse(format!("its activation \"{other}\" is not known")),
        };
        let pooling: PoolingConfig = read_optional(&directory.join("1_Pooling/config.json"))?;
        let sentence: SentenceConfig = read_optional(&directory.join("sentence_bert_config.json"))?;
        let transformers: TransformersConfig = read_optional(&directory.join("config_sentence_transformers.json"))?;
        let max_tokens = sentence.max_seq_length.unwrap_or(usize::MAX).min(bert.max_position_embeddings);
        Ok(Self {
            hidden: bert.hidden_size,
            intermediate: bert.intermediate_size,
            heads: bert.num_attention_heads,
            layers: bert.num_hidden_layers,
            epsilon: bert.layer_norm_eps as f32,
            activation,
            pooling: if pooling.pooling_mode_cls_token && !pooling.pooling_mode_mean_tokens {
                Pooling::Cls
            } else {
                Pooling::Mean
            },
            max_tokens,
            prompts: transformers.prompts,
        })
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ModelError> {
    let doing = || format!("reading {}", path.display());
    let bytes = std::fs::read(path).map_err(|cause| ModelError::failed(doing(), cause))?;
    serde_json::from_slice(&bytes).map_err(|cause| ModelError::failed(doing(), cause))
}

fn read_optional<T: DeserializeOwned + Default>(path: &Path) -> Result<T, ModelError> {
    if path.exists() { read_json(path) } else { Ok(T::default()) }
}
