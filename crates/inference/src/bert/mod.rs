//! BERT encoders: what embedder, reader and reranker have in common.

mod checkpoint;
mod encoder;
mod matmul;
mod ops;
mod shape;
mod weights;

pub use self::checkpoint::Checkpoint;
pub(crate) use self::encoder::{Encoder, Layer, Linear, Sequence};
pub(crate) use self::ops::{add, normalise};
pub(crate) use self::shape::{Shape, read_optional};
pub(crate) use self::weights::{Weights, read_weights, sha256};
