//! A BERT encoder over packed texts.
//!
//! Texts of a batch are laid one after the other without padding: the matrix products see one tall matrix of all
//! tokens, and only attention looks at one text at a time. Devlin et al., "BERT", 2019; Reimers and Gurevych,
//! "Sentence-BERT", 2019.

use super::config::{Config, Pooling};
use super::matmul::{View, multiply};
use super::ops::{activate, add, layer_norm, normalise, softmax};
use super::weights::Weights;
use qanda_core::ModelError;

/// A matrix `[inputs][outputs]` and a bias `[outputs]`.
struct Linear {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

struct Layer {
    /// Query, key and value side by side: `[hidden][3 * hidden]`.
    attention_in: Linear,
    attention_out: Linear,
    attention_norm: Norm,
    up: Linear,
    down: Linear,
    output_norm: Norm,
}

/// The encoder with its weights.
pub(super) struct Bert {
    config: Config,
    words: Vec<f32>,
    positions: Vec<f32>,
    token_type: Vec<f32>,
    embedding_norm: Norm,
    layers: Vec<Layer>,
}

impl Bert {
    /// Takes the weights apart by the names that BERT checkpoints use.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape than the configuration says.
    pub(super) fn new(config: Config, weights: &Weights) -> Result<Self, ModelError> {
        let hidden = config.hidden;
        let norm = |name: &str| -> Result<Norm, ModelError> {
            Ok(Norm {
                weight: weights.vector(&format!("{name}.weight"), hidden)?,
                bias: weights.vector(&format!("{name}.bias"), hidden)?,
            })
        };
        let layers = (0..config.layers)
            .map(|layer| {
                let linear = |names: &[&str], inputs, outputs| {
                    let names: Vec<_> = names.iter().map(|name| format!("encoder.layer.{layer}.{name}")).collect();
                    linear(weights, &names, inputs, outputs)
                };
                let (attention, wide) = (["query", "key", "value"], config.intermediate);
                let attention = attention.map(|part| format!("attention.self.{part}"));
                Ok(Layer {
                    attention_in: linear(&attention.each_ref().map(String::as_str), hidden, hidden)?,
                    attention_out: linear(&["attention.output.dense"], hidden, hidden)?,
                    attention_norm: norm(&format!("encoder.layer.{layer}.attention.output.LayerNorm"))?,
                    up: linear(&["intermediate.dense"], hidden, wide)?,
                    down: linear(&["output.dense"], wide, hidden)?,
                    output_norm: norm(&format!("encoder.layer.{layer}.output.LayerNorm"))?,
                })
            })
            .collect::<Result<_, ModelError>>()?;
        let mut token_type = weights.matrix("embeddings.token_type_embeddings.weight", hidden)?;
        token_type.truncate(hidden);
        Ok(Self {
            words: weights.matrix("embeddings.word_embeddings.weight", hidden)?,
            positions: weights.matrix("embeddings.position_embeddings.weight", hidden)?,
            token_type,
            embedding_norm: norm("embeddings.LayerNorm")?,
            layers,
            config,
        })
    }

    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    /// Embeds tokenised texts. Shape of the result: `[texts.len()][hidden]`, each of length 1.
    pub(super) fn embed(&self, texts: &[Vec<u32>]) -> Vec<Vec<f32>> {
        let hidden = self.config.hidden;
        let lengths: Vec<usize> = texts.iter().map(Vec::len).collect();
        let tokens: usize = lengths.iter().sum();
        let mut state = self.look_up(texts);
        let mut scratch = Scratch::new(tokens, &self.config);
        for layer in &self.layers {
            self.attend(layer, &lengths, &mut state, &mut scratch);
            apply(&layer.up, &state, tokens, &mut scratch.wide);
            activate(&mut scratch.wide, self.config.activation);
            apply(&layer.down, &scratch.wide, tokens, &mut scratch.mixed);
            add(&mut state, &scratch.mixed);
            self.normalise_rows(&mut state, &layer.output_norm);
        }
        let mut rest = state.as_slice();
        lengths
            .iter()
            .map(|length| {
                let (text, after) = rest.split_at(length * hidden);
                rest = after;
                self.pool(text)
            })
            .collect()
    }

    /// Word, position and type embeddings, summed.
    fn look_up(&self, texts: &[Vec<u32>]) -> Vec<f32> {
        let hidden = self.config.hidden;
        let mut state = Vec::with_capacity(texts.iter().map(Vec::len).sum::<usize>() * hidden);
        for text in texts {
            for (position, token) in text.iter().enumerate() {
                let word = &self.words[*token as usize * hidden..][..hidden];
                let position = &self.positions[position * hidden..][..hidden];
                let sum = word.iter().zip(position).zip(&self.token_type).map(|((w, p), t)| w + p + t);
                state.extend(sum);
            }
        }
        self.normalise_rows(&mut state, &self.embedding_norm);
        state
    }

    /// Self-attention within each text, its projection, residual and norm.
    fn attend(&self, layer: &Layer, lengths: &[usize], state: &mut [f32], scratch: &mut Scratch) {
        let (hidden, heads) = (self.config.hidden, self.config.heads);
        let (head, row) = (hidden / heads, 3 * hidden);
        let tokens = lengths.iter().sum();
        apply(&layer.attention_in, state, tokens, &mut scratch.qkv);
        let scale = 1.0 / (head as f32).sqrt();
        let mut first = 0;
        for &length in lengths {
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
        apply(&layer.attention_out, &scratch.attended, tokens, &mut scratch.mixed);
        add(state, &scratch.mixed);
        self.normalise_rows(state, &layer.attention_norm);
    }

    fn normalise_rows(&self, rows: &mut [f32], norm: &Norm) {
        layer_norm(rows, self.config.hidden, &norm.weight, &norm.bias, self.config.epsilon);
    }

    /// One vector of length 1 from the token vectors of a text.
    fn pool(&self, text: &[f32]) -> Vec<f32> {
        let hidden = self.config.hidden;
        let mut vector = vec![0.0; hidden];
        match self.config.pooling {
            Pooling::Mean => text.chunks_exact(hidden).for_each(|token| add(&mut vector, token)),
            Pooling::Cls => vector.copy_from_slice(&text[..hidden]),
        }
        // The mean's division is undone by bringing it to length 1.
        normalise(&mut vector);
        vector
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
    fn new(tokens: usize, config: &Config) -> Self {
        Self {
            qkv: vec![0.0; tokens * 3 * config.hidden],
            scores: vec![0.0; config.max_tokens * config.max_tokens],
            attended: vec![0.0; tokens * config.hidden],
            mixed: vec![0.0; tokens * config.hidden],
            wide: vec![0.0; tokens * config.intermediate],
        }
    }
}

/// Linear layers of the same input, side by side in one matrix.
fn linear(weights: &Weights, names: &[String], inputs: usize, outputs: usize) -> Result<Linear, ModelError> {
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
    Ok(Linear { weight, bias })
}

/// `out = input * weight + bias`, row by row.
fn apply(linear: &Linear, input: &[f32], rows: usize, out: &mut [f32]) {
    let outputs = linear.bias.len();
    let inputs = linear.weight.len() / outputs;
    for row in out.chunks_exact_mut(outputs) {
        row.copy_from_slice(&linear.bias);
    }
    let (input, weight) =
        (View::rows(input, rows, inputs, inputs), View::rows(&linear.weight, inputs, outputs, outputs));
    multiply(out, outputs, input, weight, 1.0, true);
}
