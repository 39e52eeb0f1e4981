//! Markers as models write them: `[1]`, `[1, 3]`, `[1-3]`.

/// Longest bracket that is still waited for, in bytes: `[1, 2, 3, 4, 5]` fits.
pub(super) const LONGEST_MARKER: usize = 24;

/// Whether a character may stand between the brackets of a marker.
pub(super) const fn is_inside_marker(c: char) -> bool {
    matches!(c, '0'..='9' | ',' | ';' | ' ' | '-' | '–')
}

/// Whether a closing bracket would make a marker of text that was let through as text: `[1[9]]` without its inner
/// marker.
pub(super) fn would_become_marker(text: &str) -> bool {
    let inside = text.rsplit_once('[').map(|(_, inside)| inside);
    inside.is_some_and(|inside| inside.chars().all(is_inside_marker) && inside.contains(|c: char| c.is_ascii_digit()))
}

/// The numbers in a bracket: `1`, `1, 3`, `1-3`. None where it holds anything else.
pub(super) fn markers_in(inside: &str) -> Vec<usize> {
    let mut markers = Vec::new();
    for part in inside.split([',', ';', ' ']).filter(|part| !part.is_empty()) {
        let mut ends = part.split(['-', '–']).map(|end| end.parse::<usize>().unwrap_or(usize::MAX));
        match (ends.next(), ends.next()) {
            (Some(from), Some(to)) if from <= to && to - from < 10 => markers.extend(from..=to),
            (Some(one), None) => markers.push(one),
            _ => {}
        }
    }
    markers
}
