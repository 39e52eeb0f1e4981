//! Language models.

mod arrangement;
pub mod local;
pub mod openai;
mod thoughts;
