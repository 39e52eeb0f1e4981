//! The forward pass as the papers write it, in plain loops.

use super::{EPSILON, HEADS, HIDDEN, LAYERS, Tiny, WIDE};

type Rows = Vec<Vec<f64>>;

impl Tiny {
    /// Score of a pair: tokens with the special ones, of which those from `second` on are the second part.
    pub(crate) fn score(&self, tokens: &[usize], second: usize) -> f64 {
        let vector = self.hidden(tokens, second).remove(0);
        let pooled = self.linear("pooler.dense", &[vector], HIDDEN).remove(0).into_iter().map(f64::tanh).collect();
        self.linear("classifier", &[pooled], 1)[0][0]
    }

    /// The last layer's vector of each token.
    fn hidden(&self, tokens: &[usize], second: usize) -> Rows {
        let row = |name: &str, at: usize| {
            self.tensor(&format!("embeddings.{name}_embeddings.weight"))[at * HIDDEN..][..HIDDEN].to_vec()
        };
        let look_up = |(position, token): (usize, &usize)| {
            let parts =
                [row("word", *token), row("position", position), row("token_type", usize::from(position >= second))];
            (0..HIDDEN).map(|n| parts.iter().map(|part| f64::from(part[n])).sum()).collect()
        };
        let mut state = self.norm("embeddings.LayerNorm", tokens.iter().enumerate().map(look_up).collect());
        for layer in 0..LAYERS {
            let name = |part: &str| format!("encoder.layer.{layer}.{part}");
            let [query, key, value] = ["query", "key", "value"]
                .map(|part| self.linear(&name(&format!("attention.self.{part}")), &state, HIDDEN));
            let attended = self.linear(&name("attention.output.dense"), &attend(&query, &key, &value), HIDDEN);
            state = self.norm(&name("attention.output.LayerNorm"), sum(&state, &attended));
            let mut wide = self.linear(&name("intermediate.dense"), &state, WIDE);
            wide.iter_mut().flatten().for_each(|x| *x *= 0.5 * (1.0 + erf(*x / std::f64::consts::SQRT_2)));
            let narrow = self.linear(&name("output.dense"), &wide, HIDDEN);
            state = self.norm(&name("output.LayerNorm"), sum(&state, &narrow));
        }
        state
    }

    fn linear(&self, name: &str, inputs: &[Vec<f64>], outputs: usize) -> Rows {
        let (weight, bias) = (self.tensor(&format!("{name}.weight")), self.tensor(&format!("{name}.bias")));
        let output = |input: &Vec<f64>, n: usize| {
            let row = &weight[n * input.len()..][..input.len()];
            f64::from(bias[n]) + row.iter().zip(input).map(|(w, x)| f64::from(*w) * x).sum::<f64>()
        };
        inputs.iter().map(|input| (0..outputs).map(|n| output(input, n)).collect()).collect()
    }

    fn norm(&self, name: &str, rows: Rows) -> Rows {
        let (weight, bias) = (self.tensor(&format!("{name}.weight")), self.tensor(&format!("{name}.bias")));
        let normed = |row: Vec<f64>| {
            let mean = row.iter().sum::<f64>() / row.len() as f64;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / row.len() as f64;
            let scale = 1.0 / (variance + f64::from(EPSILON)).sqrt();
            let scaled = row.iter().zip(weight).zip(bias);
            scaled.map(|((x, w), b)| (x - mean) * scale * f64::from(*w) + f64::from(*b)).collect()
        };
        rows.into_iter().map(normed).collect()
    }
}

fn sum(a: &Rows, b: &Rows) -> Rows {
    a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(x, y)| x + y).collect()).collect()
}

fn attend(query: &Rows, key: &Rows, value: &Rows) -> Rows {
    let width = HIDDEN / HEADS;
    let of_head = |row: &[f64], head: usize| -> Vec<f64> {
        let part = head * width..(head + 1) * width;
        let scores: Vec<f64> = key
            .iter()
            .map(|key| row[part.clone()].iter().zip(&key[part.clone()]).map(|(x, y)| x * y).sum::<f64>())
            .map(|dot| (dot / (width as f64).sqrt()).exp())
            .collect();
        let total: f64 = scores.iter().sum();
        part.map(|n| scores.iter().zip(value).map(|(score, value)| score / total * value[n]).sum()).collect()
    };
    query.iter().map(|row| (0..HEADS).flat_map(|head| of_head(row, head)).collect()).collect()
}

/// Abramowitz and Stegun, formula 7.1.26: off by at most 1.5e-7.
fn erf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let factors = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let polynomial = factors.iter().fold(0.0, |sum, factor| (sum + factor) * t);
    (1.0 - polynomial * (-x * x).exp()).copysign(x)
}
