//! The modules of a sentence-transformers model behind its encoder, as `modules.json` lists them: what makes one vector
//! of the vectors of a text's tokens. What cannot be computed here is refused, since vectors without it would be wrong
//! without a sign.

use std::path::Path;

use qanda_core::ModelError;
use serde::Deserialize;

use super::pooling::Pooling;
use crate::bert::{Weights, normalise, read_optional, read_weights, sha256};

/// An entry of `modules.json`.
#[derive(Debug, Deserialize)]
struct Module {
    #[serde(default)]
    idx: usize,
    /// Folder of the module.
    path: String,
    /// Its class, with the modules of Python that it is in.
    #[serde(rename = "type")]
    class: String,
}

/// `config.json` of a dense layer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DenseConfig {
    in_features: usize,
    out_features: usize,
    bias: Option<bool>,
    /// Its class, with the modules of Python that it is in.
    activation_function: Option<String>,
    use_residual: bool,
}

/// The modules of a model.
#[derive(Debug)]
pub(super) struct Modules {
    pooling: Pooling,
    steps: Vec<Step>,
    /// Numbers in a finished vector.
    pub(super) dimension: usize,
    /// Whether its authors bring vectors to length 1.
    pub(super) normalises: bool,
    /// Beginning of a hash of what these modules change in a vector; none where it is no more than a mean or a first
    /// token, which the encoder's hash has to tell apart by itself.
    pub(super) fingerprint: Option<String>,
}

/// A step from the pooled vector on.
#[derive(Debug)]
enum Step {
    Dense(Dense),
    Normalise,
}

/// A linear layer with an activation.
#[derive(Debug)]
struct Dense {
    /// `[outputs][inputs]`.
    weight: Vec<f32>,
    inputs: usize,
    /// `[outputs]`.
    bias: Vec<f32>,
    activation: fn(f32) -> f32,
}

impl Modules {
    /// Reads the modules of the model in `directory`, whose encoder gives `hidden` numbers a token. Without
    /// `modules.json` it is a bare encoder, whose vectors sentence-transformers averages unless `1_Pooling` says else.
    ///
    /// # Errors
    /// When a module cannot be read or computed here; names it.
    pub(super) fn read(directory: &Path, hidden: usize) -> Result<Self, ModelError> {
        let mut modules: Vec<Module> = read_optional(&directory.join("modules.json"))?;
        if modules.is_empty() {
            let pooling = Pooling::read(&directory.join("1_Pooling"))?;
            return Ok(Self::new(pooling.unwrap_or(Pooling::Mean), hidden));
        }
        modules.sort_by_key(|module| module.idx);
        let refuse =
            |what: String| ModelError::failed(format!("reading {}", directory.join("modules.json").display()), what);
        let mut found: Option<Self> = None;
        for (place, module) in modules.iter().enumerate() {
            let folder = directory.join(&module.path);
            match (place, last_part(&module.class), &mut found) {
                (0, "Transformer", _) if module.path.is_empty() => {}
                (0, "Transformer", _) => {
                    return Err(refuse(format!("its encoder is in {}, not in the directory itself", module.path)));
                }
                (1.., "Pooling", None) => {
                    let pooling = Pooling::read(&folder)?;
                    let pooling = pooling.ok_or_else(|| refuse(format!("there is no {}/config.json", module.path)))?;
                    found = Some(Self::new(pooling, hidden));
                }
                (_, "Dense", Some(modules)) => modules.add_dense(&folder)?,
                (_, "Normalize", Some(modules)) => modules.add_normalise(),
                // It does something in training only.
                (_, "Dropout", Some(_)) => {}
                (_, other, _) => {
                    return Err(refuse(format!("its module {} ({other}) cannot be computed here", place + 1)));
                }
            }
        }
        found.ok_or_else(|| refuse("it has no module that pools".to_owned()))
    }

    fn new(pooling: Pooling, dimension: usize) -> Self {
        let fingerprint = match pooling {
            Pooling::Mean | Pooling::Cls => None,
            other => Some(sha256(format!("{other:?}").as_bytes())),
        };
        Self { pooling, steps: Vec::new(), dimension, normalises: false, fingerprint }
    }

    fn add_normalise(&mut self) {
        self.steps.push(Step::Normalise);
        self.normalises = true;
    }

    fn add_dense(&mut self, folder: &Path) -> Result<(), ModelError> {
        let doing = || format!("reading {}", folder.display());
        let config: DenseConfig = read_optional(&folder.join("config.json"))?;
        if config.in_features != self.dimension || config.out_features == 0 {
            let (inputs, here) = (config.in_features, self.dimension);
            return Err(ModelError::failed(
                doing(),
                format!("it takes vectors of {inputs} numbers, but they have {here}"),
            ));
        }
        if config.use_residual {
            return Err(ModelError::failed(doing(), "a dense layer with a residual cannot be computed here"));
        }
        let activation =
            activation(config.activation_function.as_deref()).map_err(|what| ModelError::failed(doing(), what))?;
        let bytes = read_weights(folder, "model.safetensors")?;
        let weights = Weights::parse(&bytes, "the dense layer's model.safetensors")?;
        let weight = weights.matrix_of("linear.weight", config.out_features, config.in_features)?;
        let bias = if config.bias.unwrap_or(true) {
            weights.vector("linear.bias", config.out_features)?
        } else {
            vec![0.0; config.out_features]
        };
        self.steps.push(Step::Dense(Dense { weight, inputs: config.in_features, bias, activation }));
        self.dimension = config.out_features;
        self.normalises = false;
        let before = self.fingerprint.take().unwrap_or_default();
        self.fingerprint = Some(sha256(format!("{before}{}", sha256(&bytes)).as_bytes()));
        Ok(())
    }

    /// One vector of length 1 from the vectors of a text's tokens, one after the other.
    pub(super) fn vector(&self, tokens: &[f32], hidden: usize) -> Vec<f32> {
        let mut vector = self.pooling.pool(tokens, hidden);
        for step in &self.steps {
            match step {
                Step::Dense(dense) => vector = dense.apply(&vector),
                Step::Normalise => normalise(&mut vector),
            }
        }
        normalise(&mut vector);
        vector
    }
}

impl Dense {
    fn apply(&self, input: &[f32]) -> Vec<f32> {
        let rows = self.weight.chunks_exact(self.inputs).zip(&self.bias);
        rows.map(|(row, bias)| (self.activation)(row.iter().zip(input).map(|(w, x)| w * x).sum::<f32>() + bias))
            .collect()
    }
}

/// An activation by the name of its class in PyTorch. sentence-transformers' default is tanh.
fn activation(class: Option<&str>) -> Result<fn(f32) -> f32, String> {
    match last_part(class.unwrap_or("Tanh")) {
        "Identity" => Ok(|x| x),
        "Tanh" => Ok(f32::tanh),
        "ReLU" => Ok(|x| x.max(0.0)),
        "Sigmoid" => Ok(|x| 1.0 / (1.0 + (-x).exp())),
        other => Err(format!("its activation {other} cannot be computed here")),
    }
}

/// Name of a class without the modules that it is in.
fn last_part(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}
