//! Patience of llama.cpp's threads: the time for which they look for each other before they sleep.
//!
//! They meet some hundred times for each token, and one that is there first waits for the others. Its own threads never
//! stop looking: where another program has the core of the last one, they keep theirs busy for nothing until the system
//! takes it from them. OpenMP's sleep after a while, by default after milliseconds, which is as bad. Sleeping at once
//! costs a wake-up each time and makes an idle machine half as fast. docs/benchmarks.md has the figures.

/// Looks for the others before a thread sleeps: more than it takes to meet when every thread has a core, and far less
/// than another program keeps one.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LOOKS: u64 = 5_000;

/// Sets the bound. To be called before the first evaluation in the process.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
pub(super) fn bound() {
    use std::ffi::c_ulonglong;
    use std::sync::Once;

    unsafe extern "C" {
        /// GNU's OpenMP runtime, which is linked statically, takes this from GOMP_SPINCOUNT when a process starts. There
        /// is no function to set it, and a library must not depend on the environment of its program.
        static mut gomp_spin_count_var: c_ulonglong;
    }
    /// The value where nobody has set another one.
    const DEFAULT: c_ulonglong = 300_000;
    static SET: Once = Once::new();
    // SAFETY: plain numbers that the runtime reads when its threads wait for each other. It has none yet: they come with
    // the first evaluation, which comes after this.
    SET.call_once(|| unsafe {
        if gomp_spin_count_var == DEFAULT {
            gomp_spin_count_var = LOOKS;
        }
    });
}

/// Elsewhere llama.cpp is built without OpenMP.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) const fn bound() {}
