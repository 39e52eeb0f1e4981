//! Refusals in a model's own words: that the passages do not say.

use crate::language::sentences;

/// What the model was given to answer from.
const SOURCES: &[&str] = &[
    "passages",
    "passage",
    "documents",
    "provided text",
    "given text",
    "context",
    "sources",
    "provided information",
    "given information",
    "information provided",
    "information given",
    "excerpts",
];
/// What it says of them.
const SAY_NOTHING: &[&str] = &[
    "do not say",
    "does not say",
    "do not mention",
    "does not mention",
    "do not contain",
    "does not contain",
    "do not provide",
    "does not provide",
    "do not specify",
    "does not specify",
    "do not state",
    "does not state",
    "do not include",
    "does not include",
    "do not answer",
    "does not answer",
    "do not address",
    "does not address",
    "do not give",
    "does not give",
    "not mentioned in",
    "not stated in",
    "not specified in",
    "not found in",
    "not provided in",
    "not given in",
    "no information in",
    "no mention in",
    "have no information",
    "has no information",
    "contain no",
    "contains no",
];
/// Beginnings of sentences that refuse whatever follows.
const BEGINNINGS: &[&str] = &[
    "i don't know",
    "i do not know",
    "there is no information",
    "no information is",
    "no information about",
    "no information on",
    "i cannot answer",
    "i can't answer",
    "i am unable to answer",
    "i could not find",
    "i couldn't find",
    "not enough information",
];

/// Whether a text says that the passages do not hold the answer, and little else: its first sentence does so.
#[must_use]
pub fn is_refusal(text: &str) -> bool {
    let Some(first) = sentences(text).into_iter().next() else { return false };
    let plain = text[first.start..first.end].to_lowercase().replace('\u{2019}', "'").replace("n't ", " not ");
    let plain = plain.trim_start_matches(['*', '>', '-', ' ']);
    let plain = ["i'm sorry, but ", "sorry, but ", "unfortunately, ", "sorry, "]
        .iter()
        .find_map(|politely| plain.strip_prefix(politely))
        .unwrap_or(plain);
    let begins = |beginning: &&str| plain.starts_with(&beginning.replace("n't ", " not "));
    let speaks_of_sources = SOURCES.iter().any(|source| plain.contains(source));
    BEGINNINGS.iter().any(begins) || (speaks_of_sources && SAY_NOTHING.iter().any(|words| plain.contains(words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_known_in_many_words() {
        for text in [
            "The passages do not say at what age screening begins.",
            "The provided text doesn't mention statins.",
            "I don't know.",
            "Unfortunately, the context does not provide information about that.",
            "There is no information about this in the documents.",
            "The dose is not stated in the passages.",
        ] {
            assert!(is_refusal(text), "{text}");
        }
    }

    #[test]
    fn answers_that_deny_something_are_answers() {
        for text in [
            "The leaflet does not mention alcohol as a contraindication.",
            "Do not stop metformin without asking.",
            "No, it is not needed.",
            "The tablet does not contain lactose.",
            "Patients who do not know their dose should ask.",
            "",
        ] {
            assert!(!is_refusal(text), "{text}");
        }
    }
}
