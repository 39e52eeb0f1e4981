//! What the end-to-end tests share: the release binary as a process, a running server, sample data, and checks
//! that every answer must pass.
//!
//! Tests see the product only from outside: command line, HTTP, files. Every wait has a limit.

#![allow(clippy::expect_used)]

pub mod answer;
pub mod binary;
pub mod chroma;
pub mod data;
pub mod disk;
pub mod events;
pub mod server;

pub use binary::{Finished, Process, qanda};
pub use chroma::Chroma;
pub use server::Server;
