//! Moments, as people write them in documents.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

/// A moment, to the second, from the year 0 to the year 9999. Its text form is UTC, `2026-01-31T23:59:59Z`, so two of
/// them are in the order of their texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

/// A text that is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no date like 2026-01-31, 2026-01-31T09:30:00Z or 2026-01-31T09:30+02:00")]
pub struct NoDate;

impl Moment {
    /// This moment.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// The first second of a day, or the very moment where a time is given. UTC where no zone is.
    ///
    /// # Errors
    /// When it is no ISO 8601 date, with or without a time.
    pub fn first_of(date: &str) -> Result<Self, NoDate> {
        Written::read(date).map(|written| Self(written.seconds)).ok_or(NoDate)
    }

    /// The last second of a day, or the very moment where a time is given. UTC where no zone is.
    ///
    /// # Errors
    /// As [`Moment::first_of`].
    pub fn last_of(date: &str) -> Result<Self, NoDate> {
        let last = |written: Written| Self(written.seconds + if written.is_day { DAY - 1 } else { 0 });
        Written::read(date).map(last).ok_or(NoDate)
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self(i64::try_from(seconds).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl FromStr for Moment {
    type Err = NoDate;

    fn from_str(text: &str) -> Result<Self, NoDate> {
        Self::first_of(text)
    }
}

/// A date as it was written.
struct Written {
    /// Of the moment, or of the day's beginning.
    seconds: i64,
    /// Whether no time was given.
    is_day: bool,
}

impl Written {
    /// `YYYY-MM-DD`, then perhaps a time after `T` or a space, then perhaps a zone: `Z`, `+02:00`, `+0200` or `+02`.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (date, rest) = text.split_at_checked(10)?;
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let day_number = days(year, month, day);
        // A day that there is not comes back as another one.
        if civil(day_number) != (year, month, day) {
            return None;
        }
        let zone_at = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
        let (time, zone) = rest.split_at(zone_at);
        let (time, zone) = (time.trim_end(), zone.trim());
        let is_day = time.is_empty();
        let seconds = if is_day { 0 } else { clock(time.strip_prefix(['T', 't', ' '])?)? };
        Some(Self { seconds: day_number * DAY + seconds - offset(zone)?, is_day })
    }
}

/// Seconds of `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fff`; the fraction is left out.
fn clock(time: &str) -> Option<i64> {
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let [hour, minute, second] = match time.len() {
        5 => {
            let [hour, minute] = numbers(time, ':', [2, 2])?;
            [hour, minute, 0]
        }
        _ => numbers(time, ':', [2, 2, 2])?,
    };
    (hour < 24 && minute < 60 && second < 61).then_some(hour * 3600 + minute * 60 + second)
}

/// Seconds by which a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first() {
        None => return Some(0),
        Some(b'Z' | b'z') => return (zone.len() == 1).then_some(0),
        Some(b'-') => -1,
        Some(_) => 1,
    };
    let digits = zone[1..].replace(':', "");
    let [hours, minutes] = match digits.len() {
        2 => [&digits[..], "0"],
        4 => [digits.get(..2)?, digits.get(2..)?],
        _ => return None,
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Numbers of exactly so many digits between separators.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut found = [0; N];
    for (found, digits) in found.iter_mut().zip(digits) {
        *found = number(parts.next().filter(|part| part.len() == digits)?)?;
    }
    parts.next().is_none().then_some(found)
}

fn number(digits: &str) -> Option<i64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years are counted from March, so that the day that not
/// every year has is the last one: <https://howardhinnant.github.io/date_algorithms.html>.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days`]: year, month and day.
const fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_they_are_written() {
        for (written, first, last) in [
            ("2026-01-31", "2026-01-31T00:00:00Z", "2026-01-31T23:59:59Z"),
            (" 2024-02-29 ", "2024-02-29T00:00:00Z", "2024-02-29T23:59:59Z"),
            ("2026-03-01+02:00", "2026-02-28T22:00:00Z", "2026-03-01T21:59:59Z"),
            ("2026-01-31T09:30", "2026-01-31T09:30:00Z", "2026-01-31T09:30:00Z"),
            ("2026-01-31 09:30:05Z", "2026-01-31T09:30:05Z", "2026-01-31T09:30:05Z"),
            ("2026-01-01T00:30:00.25+0100", "2025-12-31T23:30:00Z", "2025-12-31T23:30:00Z"),
            ("1969-12-31t23:00-05", "1970-01-01T04:00:00Z", "1970-01-01T04:00:00Z"),
            ("0000-03-01", "0000-03-01T00:00:00Z", "0000-03-01T23:59:59Z"),
        ] {
            assert_eq!(Moment::first_of(written).unwrap().to_string(), first, "{written}");
            assert_eq!(Moment::last_of(written).unwrap().to_string(), last, "{written}");
            assert_eq!(first.parse::<Moment>().unwrap().to_string(), first);
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2026",
            "2026-1-1",
            "31.01.2026",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "2026-01-31T",
            "2026-01-31T25:00",
            "2026-01-31T9:30",
            "2026-01-31X",
            "2026-01-31+25",
            "2026-01-31Zx",
            "2026-01-31T09:30:00.",
            "tomorrow",
            "2026-01-3é",
            "2026-01-31T09:30+1é",
        ] {
            assert_eq!(Moment::first_of(text), Err(NoDate), "{text}");
        }
    }

    #[test]
    fn every_day_comes_back() {
        for day in (-719_528..2_932_897).step_by(7) {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
        assert_eq!(civil(0), (1970, 1, 1));
    }
}
