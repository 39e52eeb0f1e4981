//! Tests that cannot run where they are.

use std::io::Write;

/// Says that a test is skipped, and why; on CI, where `CI` is set, that is a failure.
///
/// Written past the harness, which keeps to itself what a test that passes prints.
///
/// # Panics
/// On CI.
pub fn skip(reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {reason}");
    let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    assert!(!is_ci, "nothing may be skipped on CI: {reason}");
}
