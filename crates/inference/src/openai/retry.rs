//! When to try again, and when to leave an endpoint alone.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// What a request adds to the budget: one retry in ten requests.
const DEPOSIT: f64 = 0.1;
/// The budget never holds more than this many times its reserve.
const MOST: f64 = 10.0;
/// An empty budget is back at its reserve after this long even without requests.
const RECOVERY: f64 = 60.0;
/// Longest pause of one's own between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Retries that all requests to an endpoint share, so that a dead one gets at most a tenth more requests than
/// callers make instead of several times as many (the "retry budget" of Finagle and of the SRE book).
pub(super) struct Budget {
    reserve: f64,
    state: Mutex<(f64, Instant)>,
}

impl Budget {
    pub(super) fn new(reserve: u32) -> Self {
        let reserve = f64::from(reserve);
        Self { reserve, state: Mutex::new((reserve, Instant::now())) }
    }

    /// Counts a request.
    pub(super) fn deposit(&self) {
        self.change(|balance| *balance = (*balance + DEPOSIT).min(self.reserve * MOST));
    }

    /// Takes a retry, if there is one.
    pub(super) fn withdraw(&self) -> bool {
        self.change(|balance| {
            let enough = *balance >= 1.0;
            if enough {
                *balance -= 1.0;
            }
            enough
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut f64) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (balance, since) = &mut *state;
        let now = Instant::now();
        if *balance < self.reserve {
            let recovered = now.duration_since(*since).as_secs_f64() * self.reserve / RECOVERY;
            *balance = (*balance + recovered).min(self.reserve);
        }
        *since = now;
        change(balance)
    }
}

/// Exponential back-off with full jitter: callers that failed together do not come back together.
pub(super) fn pause(first: Duration, retries: u32) -> Duration {
    let most = first.saturating_mul(2_u32.saturating_pow(retries)).min(LONGEST_PAUSE);
    most.mul_f64(fastrand::f64())
}

/// Reads `Retry-After`: seconds, or an HTTP date.
pub(super) fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        // Some endpoints send fractions. A day is as good as never here, and larger numbers must not overflow.
        return seconds.is_finite().then(|| Duration::from_secs_f64(seconds.clamp(0.0, 86_400.0)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{Budget, LONGEST_PAUSE, pause, retry_after};

    #[test]
    fn a_budget_allows_its_reserve_and_then_one_in_ten() {
        let budget = Budget::new(2);
        assert!(budget.withdraw() && budget.withdraw() && !budget.withdraw());
        for _ in 0..11 {
            budget.deposit();
        }
        assert!(budget.withdraw() && !budget.withdraw());
    }

    #[test]
    fn a_budget_of_nothing_allows_nothing() {
        let budget = Budget::new(0);
        budget.deposit();
        assert!(!budget.withdraw());
    }

    #[test]
    fn pauses_grow_and_stay_bounded() {
        for retries in 0..40 {
            let most = Duration::from_millis(100).saturating_mul(1 << retries.min(20)).min(LONGEST_PAUSE);
            assert!(pause(Duration::from_millis(100), retries) <= most);
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(retry_after("-1"), Some(Duration::ZERO));
        assert_eq!(retry_after("1e300"), Some(Duration::from_secs(86_400)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(retry_after("soon"), None);
        let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(90));
        let pause = retry_after(&later).expect("a date").as_secs();
        assert!((85..=90).contains(&pause), "{pause}");
    }
}
