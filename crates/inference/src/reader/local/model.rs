//! The forward pass of a reader, and readers as Hugging Face's transformers saves them.

use std::path::Path;

use qanda_core::ModelError;

use super::spans::{Calibration, Logits, WindowReading};
use super::windows::{Cutter, Limits, Window};
use crate::bert::{Checkpoint, Layer, Linear, Weights, add, read_weights};

/// A reader with its weights.
pub(super) struct Model {
    /// Name of the model, with the first digits of its hash.
    pub(super) name: String,
    pub(super) cutter: Cutter,
    pub(super) calibration: Calibration,
    pub(super) weights: ReaderWeights,
    /// Most tokens of an answer.
    pub(super) longest: usize,
}

/// The layers of a reader.
pub(super) struct ReaderWeights {
    pub(super) base: Checkpoint,
    /// Layers of `base` that are used.
    pub(super) lower: usize,
    /// Vectors that are added to the tokens after the lower layers, one for each mark: `[4][hidden]`; none for a model
    /// that knows no marks.
    pub(super) marks: Vec<f32>,
    /// Layers on top of those.
    pub(super) upper: Vec<Layer>,
    /// Scores for the first and the last token of the answer.
    pub(super) span: Linear,
    /// Score on `[CLS]` of "the answer is here".
    pub(super) here: Option<Linear>,
}

/// The span head of a checkpoint: two scores for each token.
const SPAN_HEAD: &str = "qa_outputs";

/// Limits that models for question answering are trained with: the defaults of transformers' `run_squad.py`.
const USUAL: Limits = Limits { window: 384, question: 64, overlap: 128 };

/// The same for the tokens of an answer.
const LONGEST_ANSWER: usize = 30;

impl Model {
    /// Loads a BERT checkpoint with a span head.
    ///
    /// # Errors
    /// When a file is missing, or is not what it should be.
    pub(super) fn load(directory: &Path) -> Result<Self, ModelError> {
        let refuse = |what: String| ModelError::failed(format!("reading {}", directory.display()), what);
        if !directory.join("config.json").exists() {
            return Err(refuse("it has neither reader.json nor config.json, so it is no reader".to_owned()));
        }
        let base = Checkpoint::load(directory)?;
        let bytes = read_weights(directory, "model.safetensors")?;
        let weights = Weights::parse(&bytes, "model.safetensors")?;
        if !weights.has(&format!("{SPAN_HEAD}.weight")) {
            return Err(refuse(format!("it has no tensor {SPAN_HEAD}.weight, so it points at no answers")));
        }
        if base.encoder.parts() < 2 {
            return Err(refuse("its encoder cannot tell question and passage apart (type_vocab_size)".to_owned()));
        }
        let shape = base.encoder.shape();
        let window = USUAL.window.min(shape.positions);
        let limits = Limits { window, question: USUAL.question.min(window / 4), ..USUAL };
        let span = Linear::read(&weights, &[SPAN_HEAD.to_owned()], shape.hidden, 2)?;
        Ok(Self {
            name: base.identity(),
            cutter: Cutter::new(base.tokenizer.clone(), limits)?,
            calibration: Calibration::NONE,
            weights: ReaderWeights { lower: shape.layers, marks: vec![], upper: vec![], span, here: None, base },
            longest: LONGEST_ANSWER,
        })
    }

    /// Reads windows. It gives a reading for each.
    pub(super) fn read(&self, windows: &[Window]) -> Vec<WindowReading> {
        let logits = self.weights.logits(windows);
        let each = windows.iter().zip(&logits);
        each.map(|(window, logits)| WindowReading::new(window, logits, self.longest)).collect()
    }
}

impl ReaderWeights {
    /// The scores of each window.
    pub(super) fn logits(&self, windows: &[Window]) -> Vec<Logits> {
        let encoder = &self.base.encoder;
        let hidden = encoder.shape().hidden;
        let mut packed = encoder.look_up(windows.iter().map(|window| &window.sequence));
        packed.run(&encoder.layers()[..self.lower]);
        if !self.marks.is_empty() {
            let marks = windows.iter().flat_map(|window| &window.marks);
            for (token, mark) in packed.tokens_mut().zip(marks) {
                add(token, &self.marks[usize::from(*mark) * hidden..][..hidden]);
            }
        }
        packed.run(&self.upper);
        packed.texts().map(|text| self.heads(text, text.len() / hidden)).collect()
    }

    fn heads(&self, text: &[f32], tokens: usize) -> Logits {
        let scores = self.span.result(text);
        let here = self.here.as_ref().map(|head| head.result(&text[..text.len() / tokens])[0]);
        let of = |which: usize| scores.iter().skip(which).step_by(2).copied().collect();
        Logits { start: of(0), end: of(1), here }
    }
}
