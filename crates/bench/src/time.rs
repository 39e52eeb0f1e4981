//! Times as people write them.

use std::time::Duration;

/// Units and their length in seconds. Those that end like a shorter one come before it.
const UNITS: [(&str, f64); 5] = [("ms", 1e-3), ("us", 1e-6), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// A time: `1s`, `250ms`, `1.5s`, `2m`. A number alone is seconds.
///
/// # Errors
/// Says what a time looks like.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a time, such as 250ms, 1.5s or 2m; a number alone is seconds".to_owned();
    let unit = UNITS.iter().find_map(|(name, unit)| text.strip_suffix(name).map(|number| (number, *unit)));
    let (number, unit) = unit.unwrap_or((text, 1.0));
    let number: f64 = number.trim_end().parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * unit).map_err(|_| wrong())
}

/// Seconds, with as many digits as one wants to read.
#[must_use]
pub fn show(seconds: f64) -> String {
    match seconds {
        s if s >= 100.0 => format!("{s:.1} s"),
        s if s >= 10.0 => format!("{s:.2} s"),
        s if s >= 1.0 => format!("{s:.3} s"),
        s if s >= 0.1 => format!("{:.0} ms", s * 1e3),
        s if s >= 0.01 => format!("{:.1} ms", s * 1e3),
        s if s > 0.0 => format!("{:.2} ms", s * 1e3),
        _ => "0 ms".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, micros) in [
            ("0", 0),
            ("0.25", 250_000),
            ("30", 30_000_000),
            ("0s", 0),
            ("1s", 1_000_000),
            ("250ms", 250_000),
            ("1.5s", 1_500_000),
            ("2m", 120_000_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_micros(micros)), "{text}");
        }
        for wrong in ["", "s", "ms", "-1", "-1s", "1x", "1 second", "nan", "inf", "NaNs", "infs", "1e300h", "x"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn seconds_are_shown_with_the_digits_that_matter() {
        let shown = [0.0, 0.00123, 0.0123, 0.123, 1.234, 12.34, 123.4].map(show);
        assert_eq!(shown, ["0 ms", "1.23 ms", "12.3 ms", "123 ms", "1.234 s", "12.34 s", "123.4 s"]);
    }
}
