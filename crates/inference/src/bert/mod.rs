//! BERT encoders: what embedder, reader and reranker have in common.

mod attention;
mod checkpoint;
mod encoder;
mod linear;
mod machine;
mod ops;
mod shape;
mod tile;
mod weights;

pub use self::checkpoint::Checkpoint;
pub(crate) use self::encoder::{Encoder, Layer, Sequence};
pub(crate) use self::linear::Linear;
pub(crate) use self::ops::{add, normalise};
pub(crate) use self::shape::{Shape, read_optional};
pub(crate) use self::weights::{Weights, read_weights, sha256};
