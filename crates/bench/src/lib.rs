//! A load tester and a mock model: black boxes over HTTP that know nothing of how answers are made.

#![forbid(unsafe_code)]

mod ask;
mod compare;
mod condition;
mod events;
mod failure;
mod figures;
mod goal;
mod histogram;
mod load;
mod measure;
pub mod mock_llm;
mod plan;
mod questions;
mod report;
mod request;
mod run;
mod svg;
pub mod time;

pub use compare::{Ratio, compare, differences};
pub use condition::Comparison;
pub use failure::FailureKind;
pub use figures::{ErrorCount, Figures, Spread};
pub use goal::{Goal, Verdict};
pub use load::Load;
pub use measure::run;
pub use plan::{Pace, Plan};
pub use questions::read as read_questions;
pub use report::{Entry, LoadInfo, Report};
pub use request::Request;
pub use run::{Progress, Watch};
pub use svg::picture;
