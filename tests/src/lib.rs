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
pub mod hub;
pub mod mock;
pub mod pdf;
pub mod recorder;
pub mod server;
mod skip;

use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::Client;

pub use binary::{Finished, Process, qanda};
pub use chroma::Chroma;
pub use hub::Hub;
pub use mock::Mock;
pub use recorder::Recorder;
pub use server::Server;
pub use skip::skip;

/// An HTTP client whose requests end after so long.
#[must_use]
pub fn client(timeout: Duration) -> Client {
    // reqwest has no cryptography of its own. It fails only if another test was here before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().timeout(timeout).build().expect("a client")
}

/// Waits until something holds.
///
/// # Panics
/// When it does not within a time in which everything comes true that ever will.
pub fn wait_until(event: &str, mut holds: impl FnMut() -> bool) {
    const LIMIT: Duration = Duration::from_secs(60);
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LIMIT, "not within {LIMIT:?}: {event}");
        thread::sleep(Duration::from_millis(20));
    }
}
