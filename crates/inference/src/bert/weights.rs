//! Tensors of a safetensors file as `f32`.

use std::path::Path;

use qanda_core::ModelError;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};

/// The tensors of a file.
pub(crate) struct Weights<'a> {
    tensors: SafeTensors<'a>,
    /// `bert.` where a checkpoint was saved with a head on top of the encoder.
    prefix: &'static str,
    /// Name of the file, for errors.
    file: &'a str,
}

/// The bytes of the file `name` in `directory`.
///
/// # Errors
/// When there is no such file, with a hint where only other formats are there.
pub(crate) fn read_weights(directory: &Path, name: &str) -> Result<Vec<u8>, ModelError> {
    let path = directory.join(name);
    std::fs::read(&path).map_err(|cause| {
        let hint = if directory.join("pytorch_model.bin").exists() { " (convert pytorch_model.bin first)" } else { "" };
        ModelError::failed(format!("reading {}{hint}", path.display()), cause)
    })
}

/// SHA-256 of a file's bytes, in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl<'a> Weights<'a> {
    /// Finds the tensors in a file's bytes.
    ///
    /// # Errors
    /// When they are no safetensors file.
    pub(crate) fn parse(bytes: &'a [u8], file: &'a str) -> Result<Self, ModelError> {
        let tensors =
            SafeTensors::deserialize(bytes).map_err(|cause| ModelError::failed(format!("reading {file}"), cause))?;
        let prefix = if tensors.names().iter().any(|name| name.starts_with("bert.")) { "bert." } else { "" };
        Ok(Self { tensors, prefix, file })
    }

    /// Whether there is a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensor(name).is_some()
    }

    /// Length of a vector.
    ///
    /// # Errors
    /// When there is no such tensor.
    pub(crate) fn length(&self, name: &str) -> Result<usize, ModelError> {
        let tensor = self.tensor(name);
        let missing = || ModelError::failed(format!("reading {}", self.file), format!("it has no tensor {name}"));
        Ok(tensor.ok_or_else(missing)?.shape().iter().product())
    }

    /// A vector of the given length.
    pub(crate) fn vector(&self, name: &str, length: usize) -> Result<Vec<f32>, ModelError> {
        self.of_shape(name, |shape| shape == [length])
    }

    /// A matrix with rows of the given width, row by row.
    pub(crate) fn matrix(&self, name: &str, columns: usize) -> Result<Vec<f32>, ModelError> {
        self.of_shape(name, |shape| shape.len() == 2 && shape[1] == columns)
    }

    /// A matrix of the given shape, row by row.
    pub(crate) fn matrix_of(&self, name: &str, rows: usize, columns: usize) -> Result<Vec<f32>, ModelError> {
        self.of_shape(name, |shape| shape == [rows, columns])
    }

    fn of_shape(&self, name: &str, fits: impl Fn(&[usize]) -> bool) -> Result<Vec<f32>, ModelError> {
        let refuse = |what: String| ModelError::failed(format!("reading {}", self.file), what);
        let tensor = self.tensor(name).ok_or_else(|| refuse(format!("it has no tensor {name}")))?;
        if !fits(tensor.shape()) {
            return Err(refuse(format!("{name} has the unexpected shape {:?}", tensor.shape())));
        }
        let bytes = tensor.data();
        match tensor.dtype() {
            Dtype::F32 => Ok(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
            Dtype::BF16 => Ok(bytes.as_chunks().0.iter().map(|b| bf16(u16::from_le_bytes(*b))).collect()),
            Dtype::F16 => Ok(bytes.as_chunks().0.iter().map(|b| f16(u16::from_le_bytes(*b))).collect()),
            Dtype::I8 if tensor.shape().len() == 2 => {
                let scales = self.vector(&format!("{name}.scale"), tensor.shape()[0])?;
                Ok(scaled(bytes, tensor.shape()[1], &scales))
            }
            other => Err(refuse(format!("{name} is of type {other:?}, which cannot be read"))),
        }
    }

    /// A part of the encoder, or of what stands on top of it.
    fn tensor(&self, name: &str) -> Option<TensorView<'a>> {
        let of_encoder = self.tensors.tensor(&format!("{}{name}", self.prefix));
        of_encoder.or_else(|_| self.tensors.tensor(name)).ok()
    }
}

/// Whole numbers from -127 to 127 times the scale of their row.
fn scaled(bytes: &[u8], columns: usize, scales: &[f32]) -> Vec<f32> {
    let rows = bytes.chunks_exact(columns).zip(scales);
    rows.flat_map(|(row, scale)| row.iter().map(move |byte| f32::from(byte.cast_signed()) * scale)).collect()
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

    #[test]
    fn whole_numbers_are_scaled_row_by_row() {
        assert_eq!(scaled(&[1, 0xff, 127, 0x81], 2, &[0.5, 2.0]), [0.5, -0.5, 254.0, -254.0]);
    }
}
