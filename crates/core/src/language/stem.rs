//! Forms of a word reduced to one stem.

/// Cuts common English endings. It only has to treat two forms of a word alike, not to find its root.
pub(super) fn stem(word: &str) -> &str {
    if word.len() < 5 || !word.is_ascii() || word.starts_with(|c: char| c.is_ascii_digit()) {
        return word.strip_suffix('s').filter(|rest| rest.len() > 2).unwrap_or(word);
    }
    let cut = endings(word).iter().find_map(|ending| word.strip_suffix(ending).filter(|rest| rest.len() >= 3));
    cut.unwrap_or(word)
}

/// The endings that a word may have, the longest first: only those with its last letter, for speed.
fn endings(word: &str) -> &'static [&'static str] {
    match word.as_bytes().last() {
        Some(b's') => &["ations", "ments", "ings", "ies", "es", "s"],
        Some(b'n') => &["ation"],
        Some(b't') => &["ment"],
        Some(b'g') => &["ing"],
        Some(b'd') => &["ied", "ed"],
        Some(b'y') => &["ly", "y"],
        Some(b'e') => &["e"],
        _ => &[],
    }
}
