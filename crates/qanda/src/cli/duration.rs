use std::time::Duration;

/// Units and their length in seconds. Those that end like a shorter one come before it.
const UNITS: [(&str, f64); 5] = [("ms", 1e-3), ("us", 1e-6), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// A time as people write it: `1s`, `250ms`, `1.5s`, `2m`, `0`.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a number with a unit, such as 250ms, 1.5s or 2m".to_owned();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (number, unit) =
        UNITS.iter().find_map(|(name, unit)| text.strip_suffix(name).map(|number| (number, unit))).ok_or_else(wrong)?;
    let number: f64 = number.trim_end().parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * unit).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, micros) in
            [("0", 0), ("0s", 0), ("1s", 1_000_000), ("250ms", 250_000), ("1.5s", 1_500_000), ("2m", 120_000_000)]
        {
            assert_eq!(parse(text), Ok(Duration::from_micros(micros)), "{text}");
        }
        for wrong in ["", "1", "s", "ms", "-1s", "1x", "1 second", "NaNs", "infs", "1e300h"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
