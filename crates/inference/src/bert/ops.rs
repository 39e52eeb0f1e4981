//! Element-wise parts of a transformer, written so that the compiler vectorises them: `f32::exp` and `erf` are
//! calls into libm, one number at a time.

use super::shape::Activation;

/// e^x for x <= ~88, within 2 units in the last place for the range that softmax and GELU need.
///
/// x = n ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor polynomial of degree 6, 2^n by the exponent's bits.
#[inline]
fn exp(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let n = (x * std::f32::consts::LOG2_E).round_ties_even();
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let p = 1.0 / 720.0;
    let p = p * r + 1.0 / 120.0;
    let p = p * r + 1.0 / 24.0;
    let p = p * r + 1.0 / 6.0;
    let p = p * r + 0.5;
    let p = p * r + 1.0;
    let p = p * r + 1.0;
    p * f32::from_bits(((n as i32 + 127) << 23) as u32)
}

/// The error function within 1.5e-7 (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26).
#[inline]
fn erf(x: f32) -> f32 {
    let a = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * a);
    let p = 1.061_405_4;
    let p = p * t - 1.453_152_1;
    let p = p * t + 1.421_413_8;
    let p = p * t - 0.284_496_72;
    let p = p * t + 0.254_829_6;
    (1.0 - p * t * exp(-a * a)).copysign(x)
}

/// Applies the activation of the feed-forward layer.
pub(crate) fn activate(values: &mut [f32], activation: Activation) {
    match activation {
        Activation::Gelu => {
            for v in values {
                *v = 0.5 * *v * (1.0 + erf(*v * std::f32::consts::FRAC_1_SQRT_2));
            }
        }
        Activation::GeluTanh => {
            for v in values {
                let inner = 0.797_884_6 * (*v + 0.044_715 * *v * *v * *v);
                let e = exp((2.0 * inner).clamp(-80.0, 80.0));
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

/// Turns a row of scores into weights that sum to 1.
pub(crate) fn softmax(row: &mut [f32]) {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for v in &mut *row {
        *v = exp(*v - top);
    }
    let scale = 1.0 / row.iter().sum::<f32>();
    for v in row {
        *v *= scale;
    }
}

/// Brings every row of `width` numbers to mean 0 and variance 1, then scales and shifts it.
pub(crate) fn layer_norm(rows: &mut [f32], width: usize, weight: &[f32], bias: &[f32], epsilon: f32) {
    for row in rows.chunks_exact_mut(width) {
        let mean = row.iter().sum::<f32>() / width as f32;
        let variance = row.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / width as f32;
        let scale = 1.0 / (variance + epsilon).sqrt();
        for ((v, w), b) in row.iter_mut().zip(weight).zip(bias) {
            *v = (*v - mean) * scale * w + b;
        }
    }
}

/// Adds `other` to `rows`, number by number.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_close_to_libm() {
        for step in -8_000..=800 {
            let x = step as f32 / 100.0;
            let exact = f64::from(x).exp();
            assert!(((f64::from(exp(x)) - exact) / exact).abs() < 3e-7, "exp({x})");
        }
        assert!(exp(-1000.0) < 1e-37);
    }

    #[test]
    fn gelu_has_the_values_of_its_definition() {
        // x * Phi(x), from tables of the normal distribution.
        for (x, expected) in [(0.0, 0.0), (1.0, 0.841_344_7), (-1.0, -0.158_655_3), (2.0, 1.954_499_7), (-6.0, 0.0)] {
            let mut v = [x];
            activate(&mut v, Activation::Gelu);
            assert!((v[0] - expected).abs() < 1e-6, "gelu({x}) = {}", v[0]);
        }
    }

    #[test]
    fn softmax_sums_to_one_and_survives_large_scores() {
        let mut row = [1000.0, 1001.0, 0.0];
        softmax(&mut row);
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((row[1] / row[0] - std::f32::consts::E).abs() < 1e-5);
    }

    #[test]
    fn layer_norm_centres_and_scales() {
        let mut row = [1.0, 3.0];
        layer_norm(&mut row, 2, &[2.0, 2.0], &[1.0, 1.0], 0.0);
        assert_eq!(row, [-1.0, 3.0]);
    }
}
