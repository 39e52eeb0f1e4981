//! Sizes of an encoder, as `config.json` gives them.

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

/// Activation of the feed-forward layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// x Phi(x).
    Gelu,
    /// Its approximation by tanh.
    GeluTanh,
    /// max(x, 0).
    Relu,
}

/// Everything that the forward pass needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// Numbers in a token's vector.
    pub(crate) hidden: usize,
    /// The same in the middle of the feed-forward layers.
    pub(crate) intermediate: usize,
    pub(crate) heads: usize,
    pub(crate) layers: usize,
    /// Most tokens of a text.
    pub(crate) positions: usize,
    pub(crate) epsilon: f32,
    pub(crate) activation: Activation,
}

impl Shape {
    /// Reads `config.json` of the model in `directory`.
    ///
    /// # Errors
    /// When it is missing or describes something other than a BERT encoder.
    pub(crate) fn read(directory: &Path) -> Result<Self, ModelError> {
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
        Ok(Self {
            hidden: bert.hidden_size,
            intermediate: bert.intermediate_size,
            heads: bert.num_attention_heads,
            layers: bert.num_hidden_layers,
            positions: bert.max_position_embeddings,
            epsilon: bert.layer_norm_eps as f32,
            activation,
        })
    }
}

/// Reads a file of JSON.
///
/// # Errors
/// When it is missing or has another form.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ModelError> {
    let doing = || format!("reading {}", path.display());
    let bytes = std::fs::read(path).map_err(|cause| ModelError::failed(doing(), cause))?;
    serde_json::from_slice(&bytes).map_err(|cause| ModelError::failed(doing(), cause))
}

/// The same for a file that need not be there.
pub(crate) fn read_optional<T: DeserializeOwned + Default>(path: &Path) -> Result<T, ModelError> {
    if path.exists() { read_json(path) } else { Ok(T::default()) }
}
