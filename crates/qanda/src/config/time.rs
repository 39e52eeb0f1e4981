use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use std::time::Duration;

/// A length of time as people write it in settings: `30s`, `500ms`, `2m`; a number alone is seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(Duration);

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(86_400);

impl Time {
    /// The time as it is.
    pub(crate) const fn duration(self) -> Duration {
        self.0
    }

    /// A time that can be waited for: more than none.
    ///
    /// # Errors
    /// Names the flag and what it may be.
    pub(crate) fn to_wait(self, flag: &str) -> anyhow::Result<Duration> {
        anyhow::ensure!((SHORTEST..=LONGEST).contains(&self.0), "--{flag} is {self}; it must be from 1ms to 24h");
        Ok(self.0)
    }

    /// A time that may be none.
    ///
    /// # Errors
    /// Names the flag and what it may be.
    pub(crate) fn at_most_a_day(self, flag: &str) -> anyhow::Result<Duration> {
        anyhow::ensure!(self.0 <= LONGEST, "--{flag} is {self}; it must be from 0s to 24h");
        Ok(self.0)
    }
}

impl From<Duration> for Time {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        qanda_bench::time::parse(text).map(Self)
    }
}

impl Display for Time {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            time if !time.is_zero() && time < Duration::from_secs(1) => {
                write!(formatter, "{}ms", time.as_secs_f64() * 1e3)
            }
            time => write!(formatter, "{}s", time.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_they_can_be_read() {
        for (text, shown) in [
            ("30", "30s"),
            ("30s", "30s"),
            ("500ms", "500ms"),
            ("0.25", "250ms"),
            ("2m", "120s"),
            ("1.5s", "1.5s"),
            ("0", "0s"),
        ] {
            let time: Time = text.parse().expect("is a time");
            assert_eq!(time.to_string(), shown);
            assert_eq!(shown.parse(), Ok(time));
        }
        assert!("soon".parse::<Time>().is_err());
    }

    #[test]
    fn times_out_of_range_are_named() {
        let refused = |text: &str| text.parse::<Time>().expect("is a time").to_wait("timeout").expect_err("is refused");
        assert_eq!(refused("0").to_string(), "--timeout is 0s; it must be from 1ms to 24h");
        assert_eq!(refused("25h").to_string(), "--timeout is 90000s; it must be from 1ms to 24h");
    }
}
