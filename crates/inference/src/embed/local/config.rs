//! What the files of a sentence-transformers directory say about a model.

use std::path::Path;

use qanda_core::ModelError;
use serde::Deserialize;

use crate::bert::read_optional;

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

/// What makes an embedder of an encoder.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) pooling: Pooling,
    /// Most tokens of a text, with the two special ones.
    pub(super) max_tokens: usize,
    pub(super) prompts: Prompts,
}

impl Config {
    /// Reads the configuration of the model in `directory`, whose encoder takes `positions` tokens.
    ///
    /// # Errors
    /// When a file has another form than sentence-transformers gives it.
    pub(super) fn read(directory: &Path, positions: usize) -> Result<Self, ModelError> {
        let pooling: PoolingConfig = read_optional(&directory.join("1_Pooling/config.json"))?;
        let sentence: SentenceConfig = read_optional(&directory.join("sentence_bert_config.json"))?;
        let transformers: TransformersConfig = read_optional(&directory.join("config_sentence_transformers.json"))?;
        Ok(Self {
            pooling: if pooling.pooling_mode_cls_token && !pooling.pooling_mode_mean_tokens {
                Pooling::Cls
            } else {
                Pooling::Mean
            },
            max_tokens: sentence.max_seq_length.unwrap_or(usize::MAX).min(positions),
            prompts: transformers.prompts,
        })
    }
}
