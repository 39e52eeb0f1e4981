//! A BERT encoder over packed texts.
//!
//! Texts of a batch are laid one after the other without padding: the matrix products see one tall matrix of all
//! tokens, and only attention looks at one text at a time. Devlin et al., "BERT", 2019; Reimers and Gurevych,
//! "Sentence-BERT", 2019.

use qanda_core::ModelError;

use super::attention::Attention;
use super::linear::Linear;
use super::machine::Machine;
use super::ops::{activate, add_and_norm, layer_norm};
use super::{Shape, Weights};

/// Tokens whose feed-forward layer is computed at once: what lies between its halves stays in the second-level cache.
const BLOCK: usize = 96;

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// One transformer layer.
pub(crate) struct Layer {
    /// Query, key and value side by side: `[hidden][3 * hidden]`.
    attention_in: Linear,
    attention_out: Linear,
    attention_norm: Norm,
    up: Linear,
    down: Linear,
    output_norm: Norm,
}

/// An encoder with its weights.
pub(crate) struct Encoder {
    shape: Shape,
    words: Vec<f32>,
    positions: Vec<f32>,
    /// A row for each part that a text may have.
    types: Vec<f32>,
    embedding_norm: Norm,
    layers: Vec<Layer>,
}

/// A text as tokens, with the special ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sequence {
    pub(crate) ids: Vec<u32>,
    /// Token with which the second part begins: the length, where there is only one.
    pub(crate) second: usize,
}

impl Encoder {
    /// Takes the weights apart by the names that BERT checkpoints use, and keeps the first `layers` layers.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape than the configuration says.
    pub(crate) fn new(shape: Shape, weights: &Weights<'_>, layers: usize) -> Result<Self, ModelError> {
        let hidden = shape.hidden;
        Ok(Self {
            words: weights.matrix("embeddings.word_embeddings.weight", hidden)?,
            positions: weights.matrix_of("embeddings.position_embeddings.weight", shape.positions, hidden)?,
            types: weights.matrix("embeddings.token_type_embeddings.weight", hidden)?,
            embedding_norm: Norm::read(weights, "embeddings.LayerNorm", hidden)?,
            layers: (0..layers).map(|index| Layer::read(weights, &shape, index)).collect::<Result<_, _>>()?,
            shape,
        })
    }

    pub(crate) const fn shape(&self) -> &Shape {
        &self.shape
    }

    pub(crate) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Parts that a text may have.
    pub(crate) fn parts(&self) -> usize {
        self.types.len() / self.shape.hidden
    }

    /// Word, position and type embeddings, summed and normalised: the input of the first layer.
    pub(crate) fn look_up<'t>(&self, texts: impl Iterator<Item = &'t Sequence> + Clone) -> Packed<'_> {
        let hidden = self.shape.hidden;
        let lengths: Vec<usize> = texts.clone().map(|text| text.ids.len()).collect();
        let mut state = Vec::with_capacity(lengths.iter().sum::<usize>() * hidden);
        for text in texts {
            for (position, token) in text.ids.iter().enumerate() {
                let word = &self.words[*token as usize * hidden..][..hidden];
                let place = &self.positions[position * hidden..][..hidden];
                let part = &self.types[usize::from(position >= text.second) * hidden..][..hidden];
                state.extend(word.iter().zip(place).zip(part).map(|((w, p), t)| w + p + t));
            }
        }
        let norm = &self.embedding_norm;
        layer_norm(Machine::here(), &mut state, &norm.weight, &norm.bias, self.shape.epsilon);
        let scratch = Scratch::new(&lengths, &self.shape);
        Packed { shape: &self.shape, lengths, state, scratch }
    }
}

/// The tokens of a batch on their way through the layers: `[all tokens][hidden]`.
pub(crate) struct Packed<'a> {
    shape: &'a Shape,
    lengths: Vec<usize>,
    state: Vec<f32>,
    scratch: Scratch,
}

impl Packed<'_> {
    /// Runs layers, one after the other.
    pub(crate) fn run(&mut self, layers: &[Layer]) {
        for layer in layers {
            self.attend(layer);
            self.feed_forward(layer);
        }
    }

    /// The vectors of each text: `[tokens][hidden]`.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &[f32]> {
        let mut rest = self.state.as_slice();
        self.lengths.iter().map(move |length| {
            let (text, after) = rest.split_at(length * self.shape.hidden);
            rest = after;
            text
        })
    }

    /// The vectors of all tokens, in order.
    pub(crate) fn tokens_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.state.chunks_exact_mut(self.shape.hidden)
    }

    /// Self-attention within each text, its projection, residual and norm.
    fn attend(&mut self, layer: &Layer) {
        let (hidden, heads) = (self.shape.hidden, self.shape.heads);
        let (state, scratch) = (&mut self.state, &mut self.scratch);
        layer.attention_in.apply(state, &mut scratch.qkv);
        let (mut text, mut out) = (scratch.qkv.as_slice(), scratch.attended.as_mut_slice());
        for length in &self.lengths {
            let (this, rest) = text.split_at(length * 3 * hidden);
            let (attended, others) = out.split_at_mut(length * hidden);
            scratch.attention.attend(Machine::here(), this, hidden, heads, attended);
            (text, out) = (rest, others);
        }
        layer.attention_out.apply(&scratch.attended, &mut scratch.mixed);
        layer.attention_norm.apply(state, &scratch.mixed, self.shape);
    }

    /// The feed-forward layer, its residual and norm, block after block.
    fn feed_forward(&mut self, layer: &Layer) {
        let Shape { hidden, intermediate, activation, .. } = *self.shape;
        let scratch = &mut self.scratch;
        for state in self.state.chunks_mut(BLOCK * hidden) {
            let tokens = state.len() / hidden;
            let (wide, mixed) = (&mut scratch.wide[..tokens * intermediate], &mut scratch.mixed[..tokens * hidden]);
            layer.up.apply(state, wide);
            activate(Machine::here(), wide, activation);
            layer.down.apply(wide, mixed);
            layer.output_norm.apply(state, mixed, self.shape);
        }
    }
}

/// Buffers of one forward pass, used by all layers in turn.
struct Scratch {
    qkv: Vec<f32>,
    attended: Vec<f32>,
    mixed: Vec<f32>,
    wide: Vec<f32>,
    attention: Attention,
}

impl Scratch {
    fn new(lengths: &[usize], shape: &Shape) -> Self {
        let tokens = lengths.iter().sum::<usize>();
        Self {
            qkv: vec![0.0; tokens * 3 * shape.hidden],
            attended: vec![0.0; tokens * shape.hidden],
            mixed: vec![0.0; tokens * shape.hidden],
            wide: vec![0.0; tokens.min(BLOCK) * shape.intermediate],
            attention: Attention::default(),
        }
    }
}

impl Layer {
    /// The layer with this number.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape than the configuration says.
    pub(crate) fn read(weights: &Weights<'_>, shape: &Shape, index: usize) -> Result<Self, ModelError> {
        let (hidden, wide) = (shape.hidden, shape.intermediate);
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        let linear = |part: &str, inputs, outputs| Linear::read(weights, &[name(part)], inputs, outputs);
        let attention = ["query", "key", "value"].map(|part| name(&format!("attention.self.{part}")));
        Ok(Self {
            attention_in: Linear::read(weights, &attention, hidden, hidden)?,
            attention_out: linear("attention.output.dense", hidden, hidden)?,
            attention_norm: Norm::read(weights, &name("attention.output.LayerNorm"), hidden)?,
            up: linear("intermediate.dense", hidden, wide)?,
            down: linear("output.dense", wide, hidden)?,
            output_norm: Norm::read(weights, &name("output.LayerNorm"), hidden)?,
        })
    }
}

impl Norm {
    fn read(weights: &Weights<'_>, name: &str, width: usize) -> Result<Self, ModelError> {
        Ok(Self {
            weight: weights.vector(&format!("{name}.weight"), width)?,
            bias: weights.vector(&format!("{name}.bias"), width)?,
        })
    }

    /// Adds `other` to `rows` and normalises the sums.
    fn apply(&self, rows: &mut [f32], other: &[f32], shape: &Shape) {
        add_and_norm(Machine::here(), rows, other, &self.weight, &self.bias, shape.epsilon);
    }
}
