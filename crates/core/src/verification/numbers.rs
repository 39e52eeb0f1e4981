//! Numbers: whether each is there, and belongs to the same.

use super::opposites;
use super::tokens::{Kind, Quantity, Token};

/// Words around a token that say what it belongs to.
const NEIGHBOURS: usize = 5;
/// Distance that the end of a clause adds, in words.
const CLAUSE: usize = 2;

/// The quantity of a number.
pub(super) fn quantity(token: &Token) -> Option<Quantity> {
    if let Kind::Number(quantity) = token.kind { Some(quantity) } else { None }
}

/// Whether a number or one of two opposites belongs to something else in the evidence: another one that counts the same
/// stands nearer to what stands around it in the statement.
pub(super) fn are_exchanged(claim: &[Token], evidence: &[Token]) -> bool {
    claim.iter().enumerate().any(|(at, token)| {
        let is_rival: Box<dyn Fn(&Token) -> bool> = match quantity(token) {
            Some(own) => Box::new(move |other: &Token| {
                quantity(other).is_some_and(|other| !other.is_same(own) && other.is_alike(own))
            }),
            None if token.kind == Kind::Word => {
                let opposites = opposites::of(&token.word);
                if opposites.is_empty() {
                    return false;
                }
                Box::new(move |other: &Token| opposites.contains(&other.word))
            }
            None => return false,
        };
        let here = around(claim, at);
        let likeness = |wanted: &dyn Fn(&Token) -> bool| {
            let places = evidence.iter().enumerate().filter(|(_, other)| wanted(other));
            places.map(|(place, _)| shared(&here, &around(evidence, place))).reduce(f64::max)
        };
        let own = likeness(&|other: &Token| other.is_same(token));
        let rival = likeness(&*is_rival);
        matches!((own, rival), (Some(own), Some(rival)) if rival > own + 1e-9)
    })
}

/// Tokens around a place with their nearness, 1 for a neighbour.
fn around(tokens: &[Token], at: usize) -> Vec<(&Token, f64)> {
    let near = |(place, token): (usize, &Token)| {
        let distance = place.abs_diff(at);
        let clauses = token.clause.abs_diff(tokens[at].clause);
        let is_near = (1..=NEIGHBOURS).contains(&distance) && token.says();
        is_near.then(|| (place, 1.0 / (distance + CLAUSE * clauses) as f64))
    };
    let start = at.saturating_sub(NEIGHBOURS);
    let places = tokens.iter().enumerate().skip(start).take(2 * NEIGHBOURS + 1).filter_map(near);
    places.map(|(place, nearness)| (&tokens[place], nearness)).collect()
}

/// Nearness that two surroundings share.
fn shared(one: &[(&Token, f64)], other: &[(&Token, f64)]) -> f64 {
    let of = |(token, nearness): &(&Token, f64)| {
        let known = other.iter().filter(|(known, _)| known.is_same(token)).map(|(_, there)| *there);
        known.reduce(f64::max).map_or(0.0, |there| there.min(*nearness))
    };
    one.iter().map(of).sum()
}
