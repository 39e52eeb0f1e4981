use numkong::{Dot, f16};

/// A vector of length 1 in half precision: the cosine of two is off by less than 0.001, at half the memory.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Vector(Vec<f16>);

impl Vector {
    pub(super) fn from_f32(numbers: &[f32]) -> Self {
        Self(numbers.iter().map(|number| f16::from_f32(*number)).collect())
    }

    /// As stored: little-endian.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|number| number.0.to_le_bytes()).collect()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        Self(halves(bytes).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn numbers(&self) -> &[f16] {
        &self.0
    }

    pub(super) fn to_f32(&self) -> Vec<f32> {
        self.0.iter().map(|number| number.to_f32()).collect()
    }

    /// Dot product, which is the cosine.
    pub(super) fn dot(&self, other: &Self) -> f32 {
        dot(&self.0, &other.0)
    }
}

/// Half-precision numbers in little-endian bytes.
pub(super) fn halves(bytes: &[u8]) -> impl Iterator<Item = f16> + '_ {
    bytes.as_chunks().0.iter().map(|bytes| f16(u16::from_le_bytes(*bytes)))
}

/// Dot product; vectors of different lengths have nothing in common.
pub(super) fn dot(a: &[f16], b: &[f16]) -> f32 {
    f16::dot(a, b).unwrap_or(0.0)
}
