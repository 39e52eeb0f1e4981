//! Places where tests let a process die, to see what it leaves behind.

/// Variable that names the place, in a process that a test started to die there.
#[cfg(test)]
pub(super) const VARIABLE: &str = "QANDA_TEST_CRASH_AT";

/// Ends the process at once, without cleaning up, if this is the place where a test wants it to die.
#[cfg(test)]
pub(super) fn crash_point(name: &str) {
    if std::env::var(VARIABLE).is_ok_and(|wanted| wanted == name) {
        std::process::abort();
    }
}

/// Outside of tests nothing happens.
#[cfg(not(test))]
pub(super) const fn crash_point(_: &str) {}
