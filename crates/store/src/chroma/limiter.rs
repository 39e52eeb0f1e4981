//! Requests to Chroma wait here for their turn.
//!
//! Chroma takes whatever comes, all at once, and then everybody waits for everybody: two hundred questions at the same
//! moment made each of them late. So a few are asked at a time and the others stand in line, first come, first served.
//! Standing in line does not count against the deadline as long as the line moves. When Chroma has said nothing to
//! anybody for that long, all who have waited as long learn that it is away, whether it was their turn or not. Who gives
//! up gives its turn back, although Chroma may go on with the request.

use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

pub(super) struct Limiter {
    free: Semaphore,
    timeout: Duration,
    /// When anybody was last answered, be it with an error.
    answered: Mutex<Option<Instant>>,
}

/// There was no answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimedOut;

impl std::fmt::Display for TimedOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Part of the sentence that it is the cause of, so that nothing says it twice.
        f.write_str("did not answer within")
    }
}

impl std::error::Error for TimedOut {}

impl Limiter {
    pub(super) fn new(at_once: usize, timeout: Duration) -> Self {
        // A semaphore takes no more than this.
        let at_once = at_once.clamp(1, Semaphore::MAX_PERMITS);
        Self { free: Semaphore::new(at_once), timeout, answered: Mutex::new(None) }
    }

    /// Waits for a turn, then works.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, TimedOut> {
        let began = Instant::now();
        let sent = OnceLock::new();
        let mut turn = pin!(async {
            // It is never closed, so there is always a turn.
            let _turn = self.free.acquire().await;
            let _ = sent.set(Instant::now());
            work.await
        });
        loop {
            let deadline = self.deadline(began, sent.get());
            match timeout_at(deadline, &mut turn).await {
                Ok(done) => return Ok(self.answered(done)),
                // Somebody was answered in between.
                Err(_) if self.deadline(began, sent.get()) > deadline => {}
                Err(_) => return Err(TimedOut),
            }
        }
    }

    /// Works at once, past the line: whoever asks how Chroma is must not wait for those who ask it something.
    pub(super) async fn run_at_once<T>(&self, work: impl Future<Output = T>) -> Result<T, TimedOut> {
        // No sign of life for the others: a server may tell how it is and still not search.
        tokio::time::timeout(self.timeout, work).await.map_err(|_| TimedOut)
    }

    fn answered<T>(&self, done: T) -> T {
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        done
    }

    /// Until when one that began at a time has to be answered: so long after it was sent, or after the last sign of
    /// life if that is longer ago.
    fn deadline(&self, began: Instant, sent: Option<&Instant>) -> Instant {
        let answered = *self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let alive = answered.map_or(began, |answered| answered.max(began));
        sent.map_or(alive, |sent| alive.min(*sent)) + self.timeout
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future::{join_all, pending};
    use tokio::time::{Instant, sleep};

    use super::{Limiter, TimedOut};

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_line_that_moves_may_be_longer_than_the_deadline() {
        let limiter = Limiter::new(2, 5 * SECOND);
        let began = Instant::now();
        let done = join_all((0..20).map(|_| limiter.run(async { sleep(SECOND).await }))).await;
        assert!(done.iter().all(Result::is_ok), "{done:?}");
        assert_eq!(began.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_told_to_all_in_line_after_the_deadline() {
        let limiter = Limiter::new(2, 5 * SECOND);
        assert_eq!(limiter.run(async { 7 }).await, Ok(7));
        sleep(10 * SECOND).await;
        let began = Instant::now();
        let silent = join_all((0..4).map(|late| {
            let limiter = &limiter;
            async move {
                sleep(late * SECOND).await;
                (limiter.run(pending::<()>()).await, began.elapsed().as_secs())
            }
        }));
        let expected: Vec<_> = (5..9).map(|second| (Err(TimedOut), second)).collect();
        assert_eq!(silent.await, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_hangs_while_others_are_answered_has_the_deadline_from_its_own_turn() {
        let limiter = Limiter::new(2, 5 * SECOND);
        let began = Instant::now();
        let others = join_all((0..8).map(|_| limiter.run(async { sleep(SECOND).await })));
        let hangs = async {
            sleep(SECOND / 2).await;
            // Its turn comes after four seconds, behind eight others at two a second.
            (limiter.run(pending::<()>()).await, began.elapsed().as_secs())
        };
        let (others, hangs) = tokio::join!(others, hangs);
        assert!(others.iter().all(Result::is_ok), "{others:?}");
        assert_eq!(hangs, (Err(TimedOut), 9));
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_leaves_gives_its_turn_back() {
        let limiter = Limiter::new(1, 5 * SECOND);
        drop(tokio::time::timeout(SECOND, limiter.run(pending::<()>())).await);
        assert_eq!(limiter.run(async { 7 }).await, Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_does_not_stand_in_line_and_is_no_sign_of_life() {
        let limiter = Limiter::new(1, 5 * SECOND);
        let began = Instant::now();
        let hangs = async { (limiter.run(pending::<()>()).await, began.elapsed()) };
        let waits = async { (limiter.run(pending::<()>()).await, began.elapsed()) };
        let probe = async {
            sleep(4 * SECOND).await;
            (limiter.run_at_once(async { 7 }).await, began.elapsed())
        };
        let (hangs, waits, probe) = tokio::join!(hangs, waits, probe);
        assert_eq!(probe, (Ok(7), 4 * SECOND));
        assert_eq!((hangs, waits), ((Err(TimedOut), 5 * SECOND), (Err(TimedOut), 5 * SECOND)), "it is no sign of life");
    }
}
