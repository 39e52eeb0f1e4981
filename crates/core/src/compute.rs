//! Work that computes, kept off the threads on which requests wait.

use std::panic::resume_unwind;

use tokio::task::spawn_blocking;

/// Runs `work` on a thread that may be kept busy. A panic in it goes on here.
pub(crate) async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is ending and runs nothing any more; whoever waits for this is being dropped as well.
            Err(_) => std::future::pending().await,
        },
    }
}
