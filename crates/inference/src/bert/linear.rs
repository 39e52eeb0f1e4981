//! Linear layers.

use qanda_core::ModelError;

use super::Weights;
use super::machine::Machine;
use super::tile::{COLUMNS, ROWS, multiply};

/// A matrix `[inputs][outputs]` and a bias `[outputs]`.
pub(crate) struct Linear {
    inputs: usize,
    /// Panel after panel, some columns each, the last panel filled up with zeros: `[panels][inputs]`.
    weight: Vec<[f32; COLUMNS]>,
    bias: Vec<f32>,
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
        let (mut rows, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            // Checkpoints hold [outputs][inputs].
            rows.extend(weights.matrix_of(&format!("{name}.weight"), outputs, inputs)?);
            bias.extend(weights.vector(&format!("{name}.bias"), outputs)?);
        }
        Ok(Self { inputs, weight: panels(&rows, inputs), bias })
    }

    /// `out = input * weight + bias`, row by row.
    pub(crate) fn apply(&self, input: &[f32], out: &mut [f32]) {
        multiply_panels(Machine::here(), input, &self.weight, &self.bias, out);
    }

    /// The same in a vector of its own.
    pub(crate) fn result(&self, input: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; input.len() / self.inputs * self.bias.len()];
        self.apply(input, &mut out);
        out
    }
}

/// Lays out a matrix, `[outputs][inputs]`, in panels.
fn panels(rows: &[f32], inputs: usize) -> Vec<[f32; COLUMNS]> {
    let mut panels = vec![[0.0; COLUMNS]; (rows.len() / inputs).div_ceil(COLUMNS) * inputs];
    for (output, row) in rows.chunks_exact(inputs).enumerate() {
        let panel = &mut panels[output / COLUMNS * inputs..][..inputs];
        for (line, weight) in panel.iter_mut().zip(row) {
            line[output % COLUMNS] = *weight;
        }
    }
    panels
}

/// `out = input * panels + bias`.
fn multiply_panels(machine: Machine, input: &[f32], panels: &[[f32; COLUMNS]], bias: &[f32], out: &mut [f32]) {
    let outputs = bias.len();
    let inputs = panels.len() / outputs.div_ceil(COLUMNS);
    let rows = input.len() / inputs;
    let mut sums = [[0.0; COLUMNS]; ROWS];
    for (number, (panel, bias)) in panels.chunks_exact(inputs).zip(bias.chunks(COLUMNS)).enumerate() {
        for first in (0..rows).step_by(ROWS) {
            let tile = std::array::from_fn(|r| &input[(first + r).min(rows - 1) * inputs..][..inputs]);
            multiply(machine, &tile, panel, &mut sums);
            for (row, sums) in (first..rows).zip(&sums) {
                let out = &mut out[row * outputs + number * COLUMNS..][..bias.len()];
                out.iter_mut().zip(sums).zip(bias).for_each(|((out, sum), bias)| *out = sum + bias);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between -1 and 1 that look random.
    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let mut random = fastrand::Rng::with_seed(seed);
        std::iter::repeat_with(|| random.f32() * 2.0 - 1.0).take(count).collect()
    }

    /// The same in plain loops.
    fn expected(input: &[f32], rows: &[f32], inputs: usize, bias: &[f32]) -> Vec<f32> {
        let dot = |x: &[f32], row: &[f32]| x.iter().zip(row).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum::<f64>();
        let of = |x: &[f32]| rows.chunks_exact(inputs).zip(bias).map(|(row, bias)| dot(x, row) as f32 + bias).collect();
        input.chunks_exact(inputs).flat_map(|x| -> Vec<f32> { of(x) }).collect()
    }

    /// Shapes that fill no tile or panel, and some that do.
    const SHAPES: [(usize, usize, usize); 5] = [(1, 1, 1), (7, 130, 65), (9, 384, 33), (13, 259, 128), (6, 128, 64)];

    #[test]
    fn matrices_are_multiplied_as_in_plain_loops_on_every_machine() {
        for (tokens, inputs, outputs) in SHAPES {
            let (input, rows) = (numbers(tokens * inputs, 1), numbers(outputs * inputs, 2));
            let bias = numbers(outputs, 3);
            for machine in Machine::all() {
                let mut out = vec![f32::NAN; tokens * outputs];
                multiply_panels(machine, &input, &panels(&rows, inputs), &bias, &mut out);
                for (found, expected) in out.iter().zip(expected(&input, &rows, inputs, &bias)) {
                    assert!((found - expected).abs() < 1e-4, "{found} for {expected} on {machine:?}");
                }
            }
        }
    }
}
