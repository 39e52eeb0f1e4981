//! Pauses before the next try, and the number of tries that an endpoint is troubled with.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::HeaderMap;

/// Share of a retry that each request adds to the budget: one retry in ten requests.
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

/// The pause that the headers of an answer ask for.
pub(super) fn asked_by(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    // Azure's is in milliseconds, and more exact than the other.
    let milliseconds = text("retry-after-ms").and_then(|value| value.trim().parse::<f64>().ok());
    milliseconds
        .and_then(|milliseconds| seconds(milliseconds / 1000.0))
        .or_else(|| text("retry-after").and_then(retry_after))
}

/// Reads `Retry-After`: seconds, or an HTTP date.
fn retry_after(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(number) = value.parse::<f64>() {
        return seconds(number);
    }
    if let Some(pause) = spelt(value) {
        return Some(pause);
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

/// The pause that a message asks for: "Please try again in 1m2.5s".
pub(super) fn asked_pause(message: &str) -> Option<Duration> {
    let message = message.to_ascii_lowercase();
    let (_, rest) =
        ["try again in ", "retry after ", "retry in "].iter().find_map(|words| message.split_once(words))?;
    let mut words = rest.split_whitespace();
    let first = words.next()?.trim_end_matches(['.', ',', ')', ';']);
    match words.next() {
        Some(unit) if first.parse::<f64>().is_ok() => spelt(&format!("{first}{}", unit.get(..1)?)),
        _ => spelt(first),
    }
}

/// A time such as `20s`, `350ms` or `6m0s`.
fn spelt(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !(character.is_ascii_digit() || character == '.'))?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let units = [("ms", 0.001), ("h", 3600.0), ("m", 60.0), ("s", 1.0)];
        let (unit, factor) = units.into_iter().find(|(unit, _)| rest.starts_with(unit))?;
        total = total.saturating_add(seconds(number * factor)?);
        rest = &rest[unit.len()..];
    }
    (!text.is_empty()).then_some(total)
}

/// A day is as good as never here, and larger numbers must not overflow.
fn seconds(number: f64) -> Option<Duration> {
    number.is_finite().then(|| Duration::from_secs_f64(number.clamp(0.0, 86_400.0)))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use reqwest::header::{HeaderMap, HeaderValue};

    use super::{Budget, LONGEST_PAUSE, asked_by, asked_pause, pause, retry_after};

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

    #[test]
    fn headers_and_messages_ask_for_pauses_in_their_own_units() {
        let mut headers = HeaderMap::new();
        assert_eq!(asked_by(&headers), None);
        headers.insert("retry-after", HeaderValue::from_static("2"));
        assert_eq!(asked_by(&headers), Some(Duration::from_secs(2)));
        headers.insert("retry-after-ms", HeaderValue::from_static("1500"));
        assert_eq!(asked_by(&headers), Some(Duration::from_millis(1500)));
        assert_eq!(retry_after("6m0s"), Some(Duration::from_secs(360)));
        for (message, milliseconds) in [
            ("Rate limit reached. Please try again in 1m2.5s. Visit", Some(62_500)),
            ("Please try again in 350ms.", Some(350)),
            ("Please retry after 20 seconds.", Some(20_000)),
            ("Quota exceeded (try again in 34s)", Some(34_000)),
            ("Please try again later.", None),
            ("Slow down", None),
        ] {
            assert_eq!(asked_pause(message), milliseconds.map(Duration::from_millis), "{message}");
        }
    }
}
