//! Comparators: which side of a bound a statement speaks of.

use super::tokens::{Kind, Token};

/// Above a bound, before its number.
pub(super) const UP: &[&str] = &[
    "no less than",
    "not less than",
    "no fewer than",
    "no earlier than",
    "no sooner than",
    "at least",
    "more than",
    "greater than",
    "higher than",
    "larger than",
    "longer than",
    "older than",
    "later than",
    "bigger than",
    "in excess of",
    "a minimum of",
    "minimum of",
    "starting from",
    "above",
    "exceeds",
    "exceed",
    "exceeding",
    "minimum",
    "after",
    "following",
];
/// Below a bound, before its number.
pub(super) const DOWN: &[&str] = &[
    "no more than",
    "not more than",
    "no later than",
    "no longer than",
    "no higher than",
    "no older than",
    "at most",
    "less than",
    "fewer than",
    "lower than",
    "smaller than",
    "shorter than",
    "younger than",
    "earlier than",
    "a maximum of",
    "maximum of",
    "falls below",
    "up to",
    "below",
    "maximum",
    "within",
    "prior to",
    "before",
    "until",
];
/// Above a bound, behind its number.
pub(super) const UP_BEHIND: &[&str] = &[
    "or more",
    "or older",
    "and older",
    "and over",
    "or over",
    "or above",
    "and above",
    "or higher",
    "or greater",
    "or longer",
    "and more",
    "upwards",
    "onwards",
];
/// Below a bound, behind its number.
pub(super) const DOWN_BEHIND: &[&str] = &[
    "or less",
    "or fewer",
    "or younger",
    "and younger",
    "and under",
    "or under",
    "or below",
    "and below",
    "or lower",
    "or shorter",
    "and less",
];
/// Comparators only where a number follows: "over 40", "over the counter".
pub(super) const WITH_NUMBERS: &[(&str, bool)] = &[("over", true), ("under", false), ("from", true)];

/// Farthest number that belongs to a comparator, in words that count.
const FARTHEST: usize = 3;

/// What a comparator compares with: a number, or the next word.
fn bounds(tokens: &[Token]) -> Vec<(&Token, bool)> {
    let number = |token: &&Token| matches!(token.kind, Kind::Number(_));
    let bound = |(at, token): (usize, &Token)| {
        let Kind::Comparator { up, behind } = token.kind else { return None };
        let (before, after) = (&tokens[..at], &tokens[at + 1..]);
        let found = if behind {
            tokens[..at].iter().rev().take(FARTHEST).find(number)
        } else {
            after.iter().take(FARTHEST).find(number).or_else(|| after.iter().find(|token| token.kind == Kind::Word))
        };
        // "Aged 40 and over": the number stands before it all the same.
        let found = found.or_else(|| before.iter().rev().take(FARTHEST).find(number))?;
        Some((tokens.iter().find(|token| std::ptr::eq(*token, found))?, up))
    };
    tokens.iter().enumerate().filter_map(bound).collect()
}

/// Whether a statement and the words that should back it differ in a bound.
pub(super) fn differ(claim: &[Token], evidence: &[Token]) -> bool {
    let (said, known) = (bounds(claim), bounds(evidence));
    let agrees = |(bound, up): &(&Token, bool), others: &[(&Token, bool)], all: &[Token]| {
        let mut same = others.iter().filter(|(other, _)| other.is_same(bound)).peekable();
        if same.peek().is_some() {
            return same.any(|(_, other)| other == up);
        }
        // A bound on the one side, the bare number on the other.
        !matches!(bound.kind, Kind::Number(_)) || !all.iter().any(|token| token.is_same(bound))
    };
    !said.iter().all(|bound| agrees(bound, &known, evidence)) || !known.iter().all(|bound| agrees(bound, &said, claim))
}
