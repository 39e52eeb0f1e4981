//! Whether a passage has anything to do with a question.

use crate::language::content_words;
use crate::ports::Hit;

/// Keeps the hits that are about the question: near it in meaning, or containing all of its content words.
///
/// A search always returns something; handing a model passages about something else is how it comes to invent.
pub(crate) fn relevant(question: &str, hits: Vec<Hit>, floor: f32) -> Vec<Hit> {
    let asked = content_words(question);
    let says_it = |hit: &Hit| {
        let words = content_words(&hit.passage.with_context());
        asked.len() >= 2 && asked.iter().all(|word| words.contains(word))
    };
    hits.into_iter().filter(|hit| hit.cosine.is_some_and(|cosine| cosine >= floor) || says_it(hit)).collect()
}
