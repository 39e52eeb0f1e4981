//! A load tester and a mock model: black boxes over HTTP that know nothing of how answers are made.

#![forbid(unsafe_code)]

mod load;
pub mod mock_llm;
mod summary;

pub use load::{Load, run};
pub use summary::{Spread, Summary};
