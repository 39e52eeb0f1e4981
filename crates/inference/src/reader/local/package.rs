//! Our own form of a reader: upper layers and heads, to be put on an encoder that is there already.

use std::borrow::Cow;
use std::path::Path;

use qanda_core::ModelError;
use serde::Deserialize;

use super::model::{Model, ReaderWeights};
use super::spans::Calibration;
use super::windows::{Cutter, Limits};
use crate::bert::{Checkpoint, Layer, Linear, Weights, read_weights, sha256};

/// Form of `reader.json` and `reader.safetensors` that is understood.
const FORMAT: &str = "qanda-reader-1";

/// Name of the weights.
const WEIGHTS: &str = "reader.safetensors";

/// Marks that a token may have.
const MARKS: usize = 4;

/// Encoders that a reader may stand on.
#[derive(Clone, Copy, Default)]
pub struct Bases<'a> {
    /// One that is loaded already, for the embedder.
    pub loaded: Option<&'a Checkpoint>,
    /// Directory of another one.
    pub directory: Option<&'a Path>,
}

/// `reader.json`, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Description {
    format: String,
    /// Name of the encoder.
    base: String,
    base_sha256: String,
    /// Layers of the encoder that stay as they are.
    frozen_layers: String,
    sha256: String,
    max_tokens: usize,
    max_question_tokens: usize,
    /// Tokens that a window shares with the next one.
    stride: usize,
    longest_answer_tokens: usize,
    confidence: Calibration,
}

/// A reader whose encoder is not there yet.
pub(super) struct Package<'a> {
    name: String,
    description: Description,
    weights: Cow<'a, [u8]>,
}

impl<'a> Package<'a> {
    /// The package in `directory`; none where there is no `reader.json`.
    ///
    /// # Errors
    /// When a file cannot be read, or they do not belong together.
    pub(super) fn open(directory: &Path) -> Result<Option<Self>, ModelError> {
        let path = directory.join("reader.json");
        if !path.exists() {
            return Ok(None);
        }
        let failed = |cause| ModelError::failed(format!("reading {}", path.display()), cause);
        let description = std::fs::read(&path).map_err(failed)?;
        let name = directory.file_name().map_or_else(|| "reader".into(), |name| name.to_string_lossy());
        Self::new(&name, &description, read_weights(directory, WEIGHTS)?.into()).map(Some)
    }

    /// A package of the bytes of both files.
    ///
    /// # Errors
    /// When they are not what they should be, or do not belong together.
    pub(super) fn new(name: &str, description: &[u8], weights: Cow<'a, [u8]>) -> Result<Self, ModelError> {
        let refuse = |what: String| ModelError::failed("reading reader.json", what);
        let description: Description =
            serde_json::from_slice(description).map_err(|cause| refuse(cause.to_string()))?;
        if description.format != FORMAT {
            return Err(refuse(format!("its format is \"{}\"; only \"{FORMAT}\" is known", description.format)));
        }
        let hash = sha256(&weights);
        if hash != description.sha256 {
            return Err(refuse(format!("it describes other weights than those in {WEIGHTS}")));
        }
        Ok(Self { name: format!("{name}@{}", &hash[..8]), description, weights })
    }

    /// Puts it on its encoder.
    ///
    /// # Errors
    /// When the encoder is not among `bases`, or the weights do not fit it.
    pub(super) fn unpack(self, bases: Bases<'_>) -> Result<Model, ModelError> {
        let Self { name, description, weights } = self;
        let refuse = |what: String| ModelError::failed("reading reader.json", what);
        let lower = description.frozen_layers.parse().map_err(|_| refuse("frozen_layers is no number".to_owned()))?;
        let base = bases.find(&description, lower)?;
        let limits = Limits {
            window: description.max_tokens.min(base.encoder.shape().positions),
            question: description.max_question_tokens,
            overlap: description.stride,
        };
        let weights = Weights::parse(&weights, WEIGHTS)?;
        Ok(Model {
            name,
            cutter: Cutter::new(base.tokenizer.clone(), limits)?,
            calibration: description.confidence,
            longest: description.longest_answer_tokens,
            weights: ReaderWeights::read(&weights, base, lower)?,
        })
    }
}

impl ReaderWeights {
    /// The upper layers and the heads.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape than the encoder's.
    fn read(weights: &Weights<'_>, base: Checkpoint, lower: usize) -> Result<Self, ModelError> {
        let shape = base.encoder.shape();
        let layers = lower..shape.layers;
        let head = |name: &str, outputs| Linear::read(weights, &[format!("reader.{name}")], shape.hidden, outputs);
        Ok(Self {
            marks: weights.matrix_of("reader.marks.weight", MARKS, shape.hidden)?,
            upper: layers.map(|index| Layer::read(weights, shape, index)).collect::<Result<_, _>>()?,
            span: head("span", 2)?,
            here: Some(head("here", 1)?),
            lower,
            base,
        })
    }
}

impl Bases<'_> {
    /// The encoder that a reader is made for, with at least its lower layers.
    fn find(&self, wanted: &Description, layers: usize) -> Result<Checkpoint, ModelError> {
        let fits = |base: &Checkpoint| base.sha256() == wanted.base_sha256 && base.encoder.layers().len() >= layers;
        if let Some(loaded) = self.loaded.filter(|base| fits(base)) {
            return Ok(loaded.clone());
        }
        let doing = || format!("loading the reader's encoder, {}", wanted.base);
        let Some(directory) = self.directory else { return Err(ModelError::failed(doing(), "it is not installed")) };
        let base = Checkpoint::load_lower(directory, layers)?;
        if !fits(&base) {
            let hash = &wanted.base_sha256[..8.min(wanted.base_sha256.len())];
            let what =
                format!("the weights in {} are others than those whose SHA-256 begins {hash}", directory.display());
            return Err(ModelError::failed(doing(), what));
        }
        Ok(base)
    }
}
