//! Readers.

pub mod local;
