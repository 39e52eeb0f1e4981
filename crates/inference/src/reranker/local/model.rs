//! The forward pass of a cross-encoder.

use std::path::Path;

use qanda_core::ModelError;

use crate::bert::{Checkpoint, Linear, Sequence, Weights, read_weights};

/// A cross-encoder with its weights.
pub(super) struct Model {
    /// Name of the model, with the first digits of its hash.
    pub(super) name: String,
    checkpoint: Checkpoint,
    pooler: Linear,
    head: Linear,
    /// `[CLS]` and `[SEP]`.
    special: (u32, u32),
    /// Most tokens of a pair.
    window: usize,
}

/// Tensor of the layer that goes before the head.
const POOLER: &str = "pooler.dense";

/// Tensor of the head.
const HEAD: &str = "classifier";

/// Most tokens of a pair, where the encoder takes more: what cross-encoders are trained with.
const USUAL_WINDOW: usize = 512;

/// Pairs that are shorter than this hold no question and passage.
const SHORTEST_WINDOW: usize = 16;

impl Model {
    /// Loads a BERT checkpoint with a classification head of one output.
    ///
    /// # Errors
    /// When a file is missing, or is not what it should be.
    pub(super) fn load(directory: &Path) -> Result<Self, ModelError> {
        let refuse = |what: String| ModelError::failed(format!("reading {}", directory.display()), what);
        if !directory.join("config.json").exists() {
            return Err(refuse("it has no config.json, so it is no cross-encoder".to_owned()));
        }
        let checkpoint = Checkpoint::load(directory)?;
        let bytes = read_weights(directory, "model.safetensors")?;
        let weights = Weights::parse(&bytes, "model.safetensors")?;
        for (tensor, what) in [(HEAD, "head"), (POOLER, "pooler")] {
            if !weights.has(&format!("{tensor}.weight")) {
                let why = format!("it has no tensor {tensor}.weight: without a {what} it is no cross-encoder");
                return Err(refuse(why));
            }
        }
        let outputs = weights.length(&format!("{HEAD}.bias"))?;
        if outputs != 1 {
            return Err(refuse(format!(
                "its head has {outputs} outputs (num_labels); a cross-encoder that ranks has one"
            )));
        }
        if checkpoint.encoder.parts() < 2 {
            return Err(refuse("its encoder cannot tell question and text apart (type_vocab_size)".to_owned()));
        }
        let shape = checkpoint.encoder.shape();
        let (hidden, window) = (shape.hidden, shape.positions.min(USUAL_WINDOW));
        if window < SHORTEST_WINDOW {
            return Err(refuse(format!("{window} tokens leave no room for question and text")));
        }
        let id = |name: &str| checkpoint.tokenizer.token_to_id(name);
        let special = id("[CLS]").zip(id("[SEP]"));
        Ok(Self {
            name: checkpoint.identity(),
            pooler: Linear::read(&weights, &[POOLER.to_owned()], hidden, hidden)?,
            head: Linear::read(&weights, &[HEAD.to_owned()], hidden, 1)?,
            special: special.ok_or_else(|| refuse("its tokenizer lacks [CLS] or [SEP]".to_owned()))?,
            window,
            checkpoint,
        })
    }

    /// The model's input: the question with each text. Of a question that takes more than half of the window, and of a
    /// text that takes more than the rest, the start is read.
    ///
    /// # Errors
    /// When the tokenizer's vocabulary is broken.
    pub(super) fn pairs(&self, question: &str, texts: &[String]) -> Result<Vec<Sequence>, ModelError> {
        let (cls, sep) = self.special;
        let mut question = self.ids(question)?;
        question.truncate(self.window / 2);
        let second = question.len() + 2;
        let pair = |text: &String| {
            let mut text = self.ids(text)?;
            text.truncate(self.window - second - 1);
            Ok(Sequence { ids: [&[cls], &*question, &[sep], &*text, &[sep]].concat(), second })
        };
        texts.iter().map(pair).collect()
    }

    /// The score of each pair.
    pub(super) fn scores(&self, pairs: &[Sequence]) -> Vec<f32> {
        let encoder = &self.checkpoint.encoder;
        let mut packed = encoder.look_up(pairs.iter());
        packed.run(encoder.layers());
        let hidden = encoder.shape().hidden;
        let score = |text: &[f32]| {
            let mut pooled = self.pooler.result(&text[..hidden]);
            pooled.iter_mut().for_each(|number| *number = number.tanh());
            self.head.result(&pooled)[0]
        };
        packed.texts().map(score).collect()
    }

    fn ids(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoding = self.checkpoint.tokenizer.encode_fast(text, false);
        Ok(encoding.map_err(|cause| ModelError::failed("tokenising a text", cause))?.get_ids().to_vec())
    }
}
