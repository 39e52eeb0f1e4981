//! What the end-to-end tests share: the release binary as a process, a running server, sample data, and checks
//! that every answer must pass.
//!
//! Tests see the product only from outside: command line, HTTP, files. Every wait has a limit.

#![allow(clippy::expect_used)]

pub mod answer;
pub mod binary;
pub mod browser;
pub mod chroma;
pub mod data;
pub mod disk;
pub mod embeddings;
pub mod events;
pub mod hub;
pub mod mock;
pub mod pdf;
pub mod recorder;
pub mod server;
mod skip;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::Client;

pub use binary::{Finished, Process, qanda};
pub use browser::Browser;
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

/// The folder in which the scripts keep what tests need beside the binary: `QANDA_CACHE`, else the user's cache.
#[must_use]
pub fn cache() -> Option<PathBuf> {
    let given = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let user = || given("XDG_CACHE_HOME").or_else(|| Some(given("HOME")?.join(".cache")));
    given("QANDA_CACHE").or_else(|| Some(user()?.join("qanda")))
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_file_of_tests_is_listed_and_so_is_run() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let listed = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        for entry in fs::read_dir(folder).expect("a folder") {
            let name = entry.expect("an entry").file_name().into_string().expect("a name");
            let is_listed = listed.contains(&format!("path = \"{name}\""));
            assert!(!name.ends_with(".rs") || is_listed, "{name} is no [[test]] of tests/Cargo.toml, so it never runs");
        }
    }
}
