//! Waiting before a worker that has died is replaced.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A worker that does not live longer may have died of something that will kill the next one, too.
const EARLY: Duration = Duration::from_secs(10);
/// So many early deaths within [`WINDOW`] are no accident.
const MOST_EARLY_DEATHS: usize = 6;
const WINDOW: Duration = Duration::from_secs(60);
/// Before the first replacement after a failure; twice as long after each further one.
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// Between two attempts to start a process that the system refuses.
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// Too many failures to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany {
    /// So many.
    pub(super) failures: usize,
}

/// Decides when a worker may be started: at once, after a while, or never.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    /// Deaths soon after a start, within the window.
    early_deaths: VecDeque<Instant>,
    /// Processes in a row that could not be started at all.
    refusals: usize,
    /// No worker is started before this.
    next_start: Option<Instant>,
}

impl Backoff {
    /// A worker has died that had lived so long.
    ///
    /// # Errors
    /// When too many have died too early.
    pub(super) fn died(&mut self, now: Instant, lived: Duration) -> Result<(), TooMany> {
        if lived > EARLY {
            return Ok(());
        }
        self.early_deaths.push_back(now);
        while self.early_deaths.front().is_some_and(|death| now.saturating_duration_since(*death) > WINDOW) {
            self.early_deaths.pop_front();
        }
        let failures = self.early_deaths.len();
        if failures >= MOST_EARLY_DEATHS {
            return Err(TooMany { failures });
        }
        self.next_start = Some(now + delay(failures));
        Ok(())
    }

    /// The system has refused to start a process.
    ///
    /// # Errors
    /// When it has done so too many times in a row. Another attempt may still be made.
    pub(super) fn refused(&mut self, now: Instant) -> Result<(), TooMany> {
        self.refusals += 1;
        self.next_start = Some(now + delay(self.refusals));
        if self.refusals >= MOST_EARLY_DEATHS { Err(TooMany { failures: self.refusals }) } else { Ok(()) }
    }

    /// A process was started.
    pub(super) fn started(&mut self) {
        self.refusals = 0;
    }

    /// Whether a worker may be started.
    pub(super) fn may_start(&self, now: Instant) -> bool {
        self.next_start.is_none_or(|next| now >= next)
    }

    /// Whether the last attempt to start a process was refused, so that the next one is a trial.
    pub(super) fn is_on_trial(&self) -> bool {
        self.refusals > 0
    }
}

/// The time to wait after so many failures.
fn delay(failures: usize) -> Duration {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_DELAY.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_DELAY)
}

impl TooMany {
    /// The reason to give up after deaths.
    pub(super) fn of_deaths(self) -> String {
        format!(
            "{} workers died within {} seconds of their start in a minute; this does not get better by starting more",
            self.failures,
            EARLY.as_secs()
        )
    }

    /// The reason to give up after processes that could not be started.
    pub(super) fn of_refusals(self) -> String {
        format!("no worker is left, and {} times in a row none could be started", self.failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_deaths_are_replaced_later_and_later_and_then_no_more() {
        let mut backoff = Backoff::default();
        let start = Instant::now();
        assert!(backoff.may_start(start));
        for death in 0..5 {
            backoff.died(start, Duration::from_secs(1)).expect("is replaced");
            let delay = Duration::from_millis(100 << death);
            assert!(!backoff.may_start(start + delay - Duration::from_millis(1)), "{death}");
            assert!(backoff.may_start(start + delay), "{death}");
        }
        let too_many = backoff.died(start, Duration::from_secs(1)).expect_err("is too much");
        assert!(too_many.of_deaths().contains("6 workers"), "{too_many:?}");
    }

    #[test]
    fn deaths_after_a_long_life_or_long_ago_do_not_count() {
        let mut backoff = Backoff::default();
        let start = Instant::now();
        for minute in 0..20 {
            let now = start + Duration::from_secs(61 * minute);
            backoff.died(now, Duration::from_secs(3600)).expect("is replaced");
            backoff.died(now, Duration::from_secs(1)).expect("is replaced");
            assert!(backoff.may_start(now + FIRST_DELAY));
        }
    }

    #[test]
    fn attempts_that_are_refused_become_rarer_but_never_end() {
        let mut backoff = Backoff::default();
        let mut now = Instant::now();
        for attempt in 1..=100 {
            assert_eq!(backoff.refused(now).is_err(), attempt >= MOST_EARLY_DEATHS);
            assert!(!backoff.may_start(now));
            now += LONGEST_DELAY;
            assert!(backoff.may_start(now));
        }
        backoff.started();
        backoff.refused(now).expect("counts from the start again");
        assert!(backoff.may_start(now + FIRST_DELAY));
    }
}
