//! Language models.

pub mod local;
pub mod openai;
mod thoughts;
