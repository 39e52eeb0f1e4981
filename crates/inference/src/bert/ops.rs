//! Element-wise parts of a transformer, written so that the compiler vectorises them, and compiled for each machine:
//! `f32::exp` and `erf` are calls into libm, one number at a time, and a sum in order is one addition at a time.

use super::machine::compiled_for_each_machine;
use super::shape::Activation;
use super::tile::{ROWS, fused};

/// Numbers that are added up side by side.
const LANES: usize = 16;

/// Added to a number between -2^22 and 2^22, it leaves the nearest whole number in the lowest bits of the sum.
const TO_WHOLE: f32 = 12_582_912.0;

/// e^x for x <= ~88, within 2 units in the last place for the range that softmax and GELU need.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor polynomial of degree 6, 2^n by the exponent's bits.
#[inline(always)]
fn exp<const FUSED: bool>(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let whole = fused::<FUSED>(x, std::f32::consts::LOG2_E, TO_WHOLE);
    let n = whole - TO_WHOLE;
    let r = fused::<FUSED>(-n, LN_2_LOW, fused::<FUSED>(-n, LN_2_HIGH, x));
    let p = 1.0 / 720.0;
    let p = fused::<FUSED>(p, r, 1.0 / 120.0);
    let p = fused::<FUSED>(p, r, 1.0 / 24.0);
    let p = fused::<FUSED>(p, r, 1.0 / 6.0);
    let p = fused::<FUSED>(p, r, 0.5);
    let p = fused::<FUSED>(p, r, 1.0);
    let p = fused::<FUSED>(p, r, 1.0);
    p * f32::from_bits(whole.to_bits().wrapping_add(127) << 23)
}

/// The error function within 1.5e-7 (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26).
#[inline(always)]
fn erf<const FUSED: bool>(x: f32) -> f32 {
    let a = x.abs();
    let t = 1.0 / fused::<FUSED>(0.327_591_1, a, 1.0);
    let p = 1.061_405_4;
    let p = fused::<FUSED>(p, t, -1.453_152_1);
    let p = fused::<FUSED>(p, t, 1.421_413_8);
    let p = fused::<FUSED>(p, t, -0.284_496_72);
    let p = fused::<FUSED>(p, t, 0.254_829_6);
    (1.0 - p * t * exp::<FUSED>(-a * a)).copysign(x)
}

compiled_for_each_machine! {
    /// Applies the activation of the feed-forward layer.
    fn activate(values: &mut [f32], activation: Activation) = activate_here
}

#[inline(always)]
fn activate_here<const FUSED: bool>(values: &mut [f32], activation: Activation) {
    match activation {
        Activation::Gelu => {
            for v in values {
                *v = 0.5 * *v * (1.0 + erf::<FUSED>(*v * std::f32::consts::FRAC_1_SQRT_2));
            }
        }
        Activation::GeluTanh => {
            for v in values {
                let inner = 0.797_884_6 * (*v + 0.044_715 * *v * *v * *v);
                let e = exp::<FUSED>((2.0 * inner).clamp(-80.0, 80.0));
                *v = 0.5 * *v * (1.0 + (e - 1.0) / (e + 1.0));
            }
        }
        Activation::Relu => {
            for v in values {
                *v = v.max(0.0);
            }
        }
    }
}

compiled_for_each_machine! {
    /// Turns the first `length` of each of `ROWS` rows of scores into weights, and finds what makes these sum to 1.
    fn weigh(rows: &mut [f32], length: usize, scale: f32, inverses: &mut [f32; ROWS]) = weigh_here
}

#[inline(always)]
fn weigh_here<const FUSED: bool>(rows: &mut [f32], length: usize, scale: f32, inverses: &mut [f32; ROWS]) {
    let width = rows.len() / ROWS;
    for (row, inverse) in rows.chunks_exact_mut(width).zip(inverses) {
        let row = &mut row[..length];
        let top = fold(row, f32::NEG_INFINITY, |v| v, larger);
        for v in &mut *row {
            *v = exp::<FUSED>((*v - top) * scale);
        }
        *inverse = 1.0 / fold(row, 0.0, |v| v, |a, b| a + b);
    }
}

compiled_for_each_machine! {
    /// Adds `other` to rows of numbers as many as there are weights, brings every row to mean 0 and variance 1, then
    /// scales and shifts it.
    fn add_and_norm(rows: &mut [f32], other: &[f32], weight: &[f32], bias: &[f32], epsilon: f32) = add_and_norm_here
}

#[inline(always)]
fn add_and_norm_here<const FUSED: bool>(rows: &mut [f32], other: &[f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    let width = weight.len();
    for (row, other) in rows.chunks_exact_mut(width).zip(other.chunks_exact(width)) {
        add(row, other);
        norm_here::<FUSED>(row, weight, bias, epsilon);
    }
}

compiled_for_each_machine! {
    /// The same without an addition.
    fn layer_norm(rows: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) = norm_here
}

#[inline(always)]
fn norm_here<const FUSED: bool>(rows: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    let width = weight.len();
    for row in rows.chunks_exact_mut(width) {
        let mean = fold(row, 0.0, |v| v, |a, b| a + b) / width as f32;
        let variance = fold(row, 0.0, |v| (v - mean) * (v - mean), |a, b| a + b) / width as f32;
        let scale = 1.0 / (variance + epsilon).sqrt();
        for ((v, w), b) in row.iter_mut().zip(weight).zip(bias) {
            *v = fused::<FUSED>((*v - mean) * scale, *w, *b);
        }
    }
}

/// Adds `other` to `rows`, number by number.
#[inline(always)]
pub(crate) fn add(rows: &mut [f32], other: &[f32]) {
    for (v, o) in rows.iter_mut().zip(other) {
        *v += o;
    }
}

/// Brings a vector to length 1; a zero vector stays zero.
pub(crate) fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
    if length > 0.0 {
        for v in vector {
            *v /= length;
        }
    }
}

/// Joins all numbers, several side by side, in an order of its own.
#[inline(always)]
fn fold(values: &[f32], start: f32, map: impl Fn(f32) -> f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [start; LANES];
    for chunk in chunks {
        for (lane, v) in lanes.iter_mut().zip(chunk) {
            *lane = join(*lane, map(*v));
        }
    }
    let joined = lanes.into_iter().fold(start, &join);
    rest.iter().fold(joined, |joined, v| join(joined, map(*v)))
}

/// The larger of two numbers: an instruction, unlike `f32::max`, which looks for NaN.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bert::machine::Machine;

    #[test]
    fn exp_is_close_to_libm() {
        for step in -8_000..=800 {
            let x = step as f32 / 100.0;
            let exact = f64::from(x).exp();
            for found in [exp::<false>(x), exp::<true>(x)] {
                assert!(((f64::from(found) - exact) / exact).abs() < 3e-7, "exp({x})");
            }
        }
        assert!(exp::<false>(-1000.0) < 1e-37);
    }

    #[test]
    fn gelu_has_the_values_of_its_definition() {
        // x * Phi(x), from tables of the normal distribution.
        let (xs, expected) = ([0.0, 1.0, -1.0, 2.0, -6.0], [0.0, 0.841_344_7, -0.158_655_3, 1.954_499_7, 0.0]);
        for machine in Machine::all() {
            let mut values = xs;
            activate(machine, &mut values, Activation::Gelu);
            for ((x, found), expected) in xs.iter().zip(values).zip(expected) {
                assert!((found - expected).abs() < 1e-6, "gelu({x}) = {found} on {machine:?}");
            }
        }
    }

    #[test]
    fn weights_sum_to_one_and_survive_large_scores() {
        for machine in Machine::all() {
            let mut rows = [[1000.0, 1001.0, 0.0, f32::NAN]; ROWS];
            let mut inverses = [0.0; ROWS];
            weigh(machine, rows.as_flattened_mut(), 3, 0.5, &mut inverses);
            for (row, inverse) in rows.iter().zip(inverses) {
                assert!((row[..3].iter().sum::<f32>() * inverse - 1.0).abs() < 1e-6);
                assert!((row[1] / row[0] - 0.5_f32.exp()).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn norms_add_centre_and_scale() {
        for machine in Machine::all() {
            let mut row = [0.5, 1.0];
            add_and_norm(machine, &mut row, &[0.5, 2.0], &[2.0, 2.0], &[1.0, 1.0], 0.0);
            assert_eq!(row, [-1.0, 3.0]);
            // Longer than the numbers that are added up side by side.
            let mut row: [f32; 37] = std::array::from_fn(|n| n as f32);
            layer_norm(machine, &mut row, &[1.0; 37], &[0.0; 37], 0.0);
            assert!(row.iter().sum::<f32>().abs() < 1e-4);
            assert!((row.iter().map(|v| v * v).sum::<f32>() / 37.0 - 1.0).abs() < 1e-4);
        }
    }
}
