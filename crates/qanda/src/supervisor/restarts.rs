use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A worker that does not live longer may have died of something that will kill the next one, too.
const EARLY: Duration = Duration::from_secs(10);
/// So many early deaths within [`WINDOW`] are no accident.
const LIMIT: usize = 6;
const WINDOW: Duration = Duration::from_secs(60);
/// Before the first replacement after an early death; twice as long after each further one.
const DELAY: Duration = Duration::from_millis(100);

/// When the dead are replaced: at once, after a while, or never.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    early: VecDeque<Instant>,
    next: Option<Instant>,
}

impl Restarts {
    /// A worker died at some time, having lived so long.
    ///
    /// # Errors
    /// When too many have died too early.
    pub(super) fn died(&mut self, now: Instant, lived: Duration) -> anyhow::Result<()> {
        if lived > EARLY {
            return Ok(());
        }
        self.early.push_back(now);
        while self.early.front().is_some_and(|death| now.saturating_duration_since(*death) > WINDOW) {
            self.early.pop_front();
        }
        let deaths = self.early.len();
        anyhow::ensure!(
            deaths < LIMIT,
            "{deaths} workers died within {} seconds of their start in a minute; this does not get better by \
             starting more",
            EARLY.as_secs()
        );
        let doublings = u32::try_from(deaths - 1).unwrap_or_default();
        self.next = Some(now + DELAY * 2_u32.saturating_pow(doublings));
        Ok(())
    }

    /// Whether the next one may be started.
    pub(super) fn may_start(&self, now: Instant) -> bool {
        self.next.is_none_or(|next| now >= next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_deaths_are_replaced_later_and_later_and_then_no_more() {
        let mut restarts = Restarts::default();
        let start = Instant::now();
        assert!(restarts.may_start(start));
        for death in 0..5 {
            restarts.died(start, Duration::from_secs(1)).expect("is replaced");
            let delay = Duration::from_millis(100 << death);
            assert!(!restarts.may_start(start + delay - Duration::from_millis(1)), "{death}");
            assert!(restarts.may_start(start + delay), "{death}");
        }
        assert!(
            restarts.died(start, Duration::from_secs(1)).expect_err("is too much").to_string().contains("6 workers")
        );
    }

    #[test]
    fn deaths_after_a_long_life_or_long_ago_do_not_count() {
        let mut restarts = Restarts::default();
        let start = Instant::now();
        for minute in 0..20 {
            let now = start + Duration::from_secs(61 * minute);
            restarts.died(now, Duration::from_secs(3600)).expect("is replaced");
            restarts.died(now, Duration::from_secs(1)).expect("is replaced");
            assert!(restarts.may_start(now + DELAY));
        }
    }
}
