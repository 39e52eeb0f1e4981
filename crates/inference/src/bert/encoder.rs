//! A BERT encoder over packed texts.
//!
//! Texts of a batch are laid one after the other without padding: the matrix products see one tall matrix of all
//! tokens, and only attention looks at one text at a time. Devlin et al., "BERT", 2019; Reimers and Gurevych,
//! "Sentence-BERT", 2019.

use qanda_core::ModelError;

use super::matmul::{View, multiply};
use super::ops::{activate, add, layer_norm, softmax};
use super::{Shape, Weights};

/// A matrix `[inputs][outputs]` and a bias `[outputs]`.
pub(crate) struct Linear {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

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
        self.embedding_norm.apply(&mut state, &self.shape);
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
            let (state, scratch) = (&mut self.state, &mut self.scratch);
            layer.up.apply(state, &mut scratch.wide);
            activate(&mut scratch.wide, self.shape.activation);
            layer.down.apply(&scratch.wide, &mut scratch.mixed);
            add(state, &scratch.mixed);
            layer.output_norm.apply(state, self.shape);
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
        let (head, row) = (hidden / heads, 3 * hidden);
        let (state, scratch) = (&mut self.state, &mut self.scratch);
        layer.attention_in.apply(state, &mut scratch.qkv);
        let scale = 1.0 / (head as f32).sqrt();
        let mut first = 0;
        for &length in &self.lengths {
            let text = &scratch.qkv[first * row..(first + length) * row];
            for h in 0..heads {
                let part = |which: usize| View::rows(&text[which * hidden + h * head..], length, head, row);
                let scores = &mut scratch.scores[..length * length];
                multiply(scores, length, part(0), part(1).transposed(), scale, false);
                scores.chunks_exact_mut(length).for_each(softmax);
                let out = &mut scratch.attended[first * hidden + h * head..];
                multiply(out, hidden, View::rows(scores, length, length, length), part(2), 1.0, false);
            }
            first += length;
        }
        layer.attention_out.apply(&scratch.attended, &mut scratch.mixed);
        add(state, &scratch.mixed);
        layer.attention_norm.apply(state, self.shape);
    }
}

/// Buffers of one forward pass, used by all layers in turn.
struct Scratch {
    qkv: Vec<f32>,
    scores: Vec<f32>,
    attended: Vec<f32>,
    mixed: Vec<f32>,
    wide: Vec<f32>,
}

impl Scratch {
    fn new(lengths: &[usize], shape: &Shape) -> Self {
        let (tokens, longest) = (lengths.iter().sum::<usize>(), lengths.iter().max().copied().unwrap_or_default());
        Self {
            qkv: vec![0.0; tokens * 3 * shape.hidden],
            scores: vec![0.0; longest * longest],
            attended: vec![0.0; tokens * shape.hidden],
            mixed: vec![0.0; tokens * shape.hidden],
            wide: vec![0.0; tokens * shape.intermediate],
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

    fn apply(&self, rows: &mut [f32], shape: &Shape) {
        layer_norm(rows, shape.hidden, &self.weight, &self.bias, shape.epsilon);
    }
}

impl Linear {
    /// Linear layers of the same input, side by side in one matrix.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape.
    pub(crate) fn read(
        weights: &Weights<'_>,
        names: &[String],
        inputs: usize,
        outputs: usize,
    ) -> Result<Self, ModelError> {
        let width = names.len() * outputs;
        let mut weight = vec![0.0; inputs * width];
        let mut bias = Vec::with_capacity(width);
        for (part, name) in names.iter().enumerate() {
            // Checkpoints hold [outputs][inputs]; turned around once here, the kernel reads it without packing.
            let stored = weights.matrix_of(&format!("{name}.weight"), outputs, inputs)?;
            for (output, row) in stored.chunks_exact(inputs).enumerate() {
                for (input, value) in row.iter().enumerate() {
                    weight[input * width + part * outputs + output] = *value;
                }
            }
            bias.extend(weights.vector(&format!("{name}.bias"), outputs)?);
        }
        Ok(Self { weight, bias })
    }

    /// `out = input * weight + bias`, row by row.
    pub(crate) fn apply(&self, input: &[f32], out: &mut [f32]) {
        let outputs = self.bias.len();
        let inputs = self.weight.len() / outputs;
        let rows = out.len() / outputs;
        for row in out.chunks_exact_mut(outputs) {
            row.copy_from_slice(&self.bias);
        }
        let (input, weight) =
            (View::rows(input, rows, inputs, inputs), View::rows(&self.weight, inputs, outputs, outputs));
        multiply(out, outputs, input, weight, 1.0, true);
    }
}
