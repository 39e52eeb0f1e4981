//! Negation: what a statement denies.

use super::tokens::{Kind, Token};

/// Words and phrases that deny what follows; also "don't" and its like.
pub(super) const DENIALS: &[&str] = &[
    "no longer",
    "not",
    "no",
    "never",
    "nobody",
    "none",
    "nothing",
    "neither",
    "nor",
    "cannot",
    "without",
    "hardly",
    "rarely",
    "seldom",
    "fails to",
    "failed to",
    "lack of",
    "lacks",
    "free of",
    "instead of",
    "rather than",
    "except",
    "unlikely",
    "no one",
];
/// Words that hold a denial, and what they deny.
pub(super) const DENIED: &[(&str, &str)] = &[
    ("unnecessary", "necessary"),
    ("unsafe", "safe"),
    ("ineffective", "effective"),
    ("uncommon", "common"),
    ("unable", "able"),
    ("impossible", "possible"),
    ("unknown", "known"),
    ("unclear", "clear"),
    ("uninvolved", "involved"),
    ("unaffected", "affected"),
    ("unrelated", "related"),
    ("incurable", "curable"),
    ("unusual", "usual"),
    ("insufficient", "sufficient"),
    ("inappropriate", "appropriate"),
    ("unsuitable", "suitable"),
];

/// Words that a denial reaches.
const REACH: usize = 2;

/// Tokens that are denied, by place, for each denial. Two on end say nothing.
fn denied(tokens: &[Token]) -> Vec<Vec<usize>> {
    let is_denial = |at: usize| tokens.get(at).is_some_and(|token| token.kind == Kind::Denial);
    let alone = |at: usize| is_denial(at) && !is_denial(at + 1) && (at == 0 || !is_denial(at - 1));
    let words = |places: &mut dyn Iterator<Item = usize>| -> Vec<usize> {
        places.filter(|place| tokens[*place].says()).take(REACH).collect()
    };
    let reached = |at: usize| {
        let behind = words(&mut (at + 1..tokens.len()));
        // "Most people are not": what was said before is denied.
        if behind.is_empty() { words(&mut (0..at).rev()) } else { behind }
    };
    (0..tokens.len()).filter(|at| alone(*at)).map(reached).collect()
}

/// Whether a statement denies what the evidence does not, or the other way round.
pub(super) fn differ(claim: &[Token], evidence: &[Token]) -> bool {
    denies_more(claim, evidence) || denies_more(evidence, claim)
}

/// Whether `one` denies something that `other` says without a denial.
fn denies_more(one: &[Token], other: &[Token]) -> bool {
    let there = denied(other);
    let is_denied = |token: &Token| there.iter().flatten().any(|place| other[*place].is_same(token));
    let is_there = |token: &Token| other.iter().any(|known| known.is_same(token));
    denied(one).iter().any(|places| {
        let shared: Vec<&Token> = places.iter().map(|place| &one[*place]).filter(|token| is_there(token)).collect();
        !shared.is_empty() && !shared.iter().any(|token| is_denied(token))
    })
}
