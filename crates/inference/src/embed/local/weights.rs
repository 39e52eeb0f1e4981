//! Tensors of a safetensors file as `f32`.

use std::path::Path;

use qanda_core::ModelError;
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};

/// The tensors of a file.
pub(super) struct Weights<'a> {
    tensors: SafeTensors<'a>,
    /// `bert.` where a checkpoint was saved with a head on top of the encoder.
    prefix: &'static str,
}

/// The bytes of `model.safetensors` in `directory`.
///
/// # Errors
/// When there is no such file, with a hint where only other formats are there.
pub(super) fn read(directory: &Path) -> Result<Vec<u8>, ModelError> {
    let path = directory.join("model.safetensors");
    std::fs::read(&path).map_err(|cause| {
        let hint = if directory.join("pytorch_model.bin").exists() { " (convert pytorch_model.bin first)" } else { "" };
        ModelError::failed(format!("reading {}{hint}", path.display()), cause)
    })
}

/// First eight hexadecimal digits of the SHA-256 of the weights: tells two models of one name apart.
pub(super) fn fingerprint(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

impl<'a> Weights<'a> {
    /// Finds the tensors in a file's bytes.
    ///
    /// # Errors
    /// When they are no safetensors file.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, ModelError> {
        let tensors =
            SafeTensors::deserialize(bytes).map_err(|cause| ModelError::failed("reading model.safetensors", cause))?;
        let prefix = if tensors.names().iter().any(|name| name.starts_with("bert.")) { "bert." } else { "" };
        Ok(Self { tensors, prefix })
    }

    /// A vector of the given length.
    pub(super) fn vector(&self, name: &str, length: usize) -> Result<Vec<f32>, ModelError> {
        self.of_shape(name, |shape| shape == [length])
    }

    /// A matrix with rows of the given width, row by row.
    pub(super) fn matrix(&self, name: &str, columns: usize) -> Result<Vec<f32>, ModelError> {
        self.of_shape(name, |shape| shape.len() == 2 && shape[1] == columns)
    }

    /// A matrix of the given shape, row by row.
    pub(super) fn matrix_of(&self, name: &str, rows: usize, columns: usize) -> Result<Vec<f32>, ModelError> {
        self.of_shape(name, |shape| shape == [rows, columns])
    }

    fn of_shape(&self, name: &str, fits: impl Fn(&[usize]) -> bool) -> Result<Vec<f32>, ModelError> {
        let name = format!("{}{name}", self.prefix);
        let refuse = |what: String| ModelError::failed("reading model.safetensors", what);
        let tensor = self.tensors.tensor(&name).map_err(|_| refuse(format!("it has no tensor {name}")))?;
        if !fits(tensor.shape()) {
            return Err(refuse(format!("{name} has the unexpected shape {:?}", tensor.shape())));
        }
        let bytes = tensor.data();
        match tensor.dtype() {
            Dtype::F32 => Ok(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
            Dtype::BF16 => Ok(bytes.as_chunks().0.iter().map(|b| bf16(u16::from_le_bytes(*b))).collect()),
            Dtype::F16 => Ok(bytes.as_chunks().0.iter().map(|b| f16(u16::from_le_bytes(*b))).collect()),
            other => Err(refuse(format!("{name} is of type {other:?}; F32, F16 and BF16 can be read"))),
        }
    }
}

/// A bfloat16 is the upper half of an f32.
fn bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// IEEE 754 half precision.
fn f16(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from((bits >> 10) & 0x1f), f32::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read_as_ieee_says() {
        for (bits, value) in [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333_251_95), (0x0001, 5.960_464_5e-8), (0, 0.0)]
        {
            assert_eq!(f16(bits), value);
        }
        assert_eq!(bf16(0x3f80), 1.0);
    }
}
