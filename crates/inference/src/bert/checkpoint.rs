//! A directory with a BERT encoder, loaded.

use std::path::Path;
use std::sync::Arc;

use qanda_core::ModelError;
use tokenizers::Tokenizer;

use super::{Encoder, Shape, Weights, read_weights, sha256};

/// An encoder with its tokenizer. Clones share both.
#[derive(Clone)]
pub struct Checkpoint {
    name: Arc<str>,
    sha256: Arc<str>,
    pub(crate) encoder: Arc<Encoder>,
    /// Neither cuts nor pads.
    pub(crate) tokenizer: Arc<Tokenizer>,
}

impl Checkpoint {
    /// Loads the encoder in `directory`: `config.json`, `model.safetensors` and `tokenizer.json`.
    ///
    /// # Errors
    /// When a file is missing or does not describe a BERT encoder.
    pub fn load(directory: &Path) -> Result<Self, ModelError> {
        Self::load_lower(directory, usize::MAX)
    }

    /// The same with no more than the first `layers` layers.
    ///
    /// # Errors
    /// When a file is missing or does not describe a BERT encoder.
    pub fn load_lower(directory: &Path, layers: usize) -> Result<Self, ModelError> {
        let shape = Shape::read(directory)?;
        let bytes = read_weights(directory, "model.safetensors")?;
        let layers = shape.layers.min(layers);
        let encoder = Encoder::new(shape, &Weights::parse(&bytes, "model.safetensors")?, layers)?;
        let name = directory.file_name().map_or_else(|| "model".into(), |name| name.to_string_lossy());
        Ok(Self {
            name: name.into(),
            sha256: sha256(&bytes).into(),
            encoder: Arc::new(encoder),
            tokenizer: Arc::new(tokenizer(directory)?),
        })
    }

    /// SHA-256 of the weights, in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Name of the directory, with the first digits of the hash, which tell two models of one name apart.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{}@{}", self.name, &self.sha256[..8])
    }
}

/// The tokenizer in `directory`, without a limit and without padding: batches are packed.
fn tokenizer(directory: &Path) -> Result<Tokenizer, ModelError> {
    let path = directory.join("tokenizer.json");
    let failed = |cause| ModelError::failed(format!("reading {}", path.display()), cause);
    let mut tokenizer = Tokenizer::from_file(&path).map_err(failed)?;
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).map_err(failed)?;
    Ok(tokenizer)
}
