//! Self-attention within one text.

use super::machine::Machine;
use super::ops::weigh;
use super::tile::{COLUMNS, ROWS, multiply};

/// Buffers for one head after the other.
#[derive(Default)]
pub(crate) struct Attention {
    /// `[panels of keys][head][COLUMNS]`.
    keys: Vec<[f32; COLUMNS]>,
    /// `[panels of the head][keys][COLUMNS]`.
    values: Vec<[f32; COLUMNS]>,
    /// `[ROWS][keys, filled up to whole panels]`.
    scores: Vec<f32>,
}

impl Attention {
    /// `out = softmax(query * key^T / sqrt(head)) * value` for each head. A token has a row of `3 * hidden` numbers in `text`,
    /// the queries, keys and values of all heads, and one of `hidden` in `out`, the heads side by side.
    pub(crate) fn attend(&mut self, machine: Machine, text: &[f32], hidden: usize, heads: usize, out: &mut [f32]) {
        let head = hidden / heads;
        let length = text.len() / (3 * hidden);
        let row = |token: usize, part: usize| &text[token * 3 * hidden + part..][..head];
        let scale = 1.0 / (head as f32).sqrt();
        let filled = length.next_multiple_of(COLUMNS);
        self.scores.resize(ROWS * filled, 0.0);
        let mut sums = [[0.0; COLUMNS]; ROWS];
        for at in (0..hidden).step_by(head) {
            self.pack(length, head, |token| row(token, hidden + at), |token| row(token, 2 * hidden + at));
            for first in (0..length).step_by(ROWS) {
                let queries = std::array::from_fn(|r| row((first + r).min(length - 1), at));
                for (number, keys) in self.keys.chunks_exact(head).enumerate() {
                    multiply(machine, &queries, keys, &mut sums);
                    for (scores, sums) in self.scores.chunks_exact_mut(filled).zip(&sums) {
                        scores[number * COLUMNS..][..COLUMNS].copy_from_slice(sums);
                    }
                }
                let mut inverses = [0.0; ROWS];
                weigh(machine, &mut self.scores, length, scale, &mut inverses);
                let weights = std::array::from_fn(|r| &self.scores[r * filled..][..length]);
                for (number, values) in self.values.chunks_exact(length).enumerate() {
                    multiply(machine, &weights, values, &mut sums);
                    let columns = COLUMNS.min(head - number * COLUMNS);
                    for ((token, sums), inverse) in (first..length).zip(&sums).zip(inverses) {
                        let out = &mut out[token * hidden + at + number * COLUMNS..][..columns];
                        out.iter_mut().zip(sums).for_each(|(out, sum)| *out = sum * inverse);
                    }
                }
            }
        }
    }

    /// Lays out the keys and values of a head for products. What fills up their last panels is never read.
    fn pack<'t>(
        &mut self,
        length: usize,
        head: usize,
        key: impl Fn(usize) -> &'t [f32],
        value: impl Fn(usize) -> &'t [f32],
    ) {
        self.keys.resize(length.div_ceil(COLUMNS) * head, [0.0; COLUMNS]);
        self.values.resize(head.div_ceil(COLUMNS) * length, [0.0; COLUMNS]);
        for token in 0..length {
            let panel = &mut self.keys[token / COLUMNS * head..][..head];
            for (line, number) in panel.iter_mut().zip(key(token)) {
                line[token % COLUMNS] = *number;
            }
            for (number, part) in value(token).chunks(COLUMNS).enumerate() {
                self.values[number * length + token][..part.len()].copy_from_slice(part);
            }
        }
    }
}
