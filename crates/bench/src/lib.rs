//! A load tester: a black box over HTTP that knows nothing of how answers are made.

#![forbid(unsafe_code)]

mod load;
mod summary;

pub use load::{Load, run};
pub use summary::{Spread, Summary};
