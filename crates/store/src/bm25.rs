//! The formulas of BM25, with the constants of tantivy, so that every store weighs words alike.

/// Saturation of repeated terms.
const K1: f32 = 1.2;
/// Correction for length.
const B: f32 = 0.75;

/// Weight of a term that `with` of so many `entries` have.
pub(crate) fn idf(entries: f32, with: f32) -> f32 {
    (1.0 + (entries - with + 0.5).max(0.0) / (with + 0.5)).ln()
}

/// Score that a term which occurs `count` times in an entry of `length` terms adds, before its weight.
pub(crate) fn saturation(count: u32, length: u32, average_length: f32) -> f32 {
    let count = count as f32;
    count * (1.0 + K1) / (count + K1 * (1.0 - B + B * length as f32 / average_length))
}
