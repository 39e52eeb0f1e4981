//! Language models.

pub mod local;
pub mod openai;
