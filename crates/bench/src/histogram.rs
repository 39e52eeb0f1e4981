//! Times in buckets, from which percentiles are read.

use std::time::Duration;

use hdrhistogram::Histogram;

/// A histogram of microseconds, exact to a thousandth, that grows as it must.
pub(crate) fn histogram() -> Histogram<u64> {
    const SIGNIFICANT_DIGITS: u8 = 3;
    // It refuses more than five digits only.
    Histogram::new(SIGNIFICANT_DIGITS).expect("three digits are allowed")
}

/// Counts a time. It fails only beyond what memory can hold: thousands of years.
pub(crate) fn record(histogram: &mut Histogram<u64>, time: Duration) {
    let _ = histogram.record(micros(time));
}

/// A time in the unit of the buckets.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
