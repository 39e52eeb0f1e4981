//! What of the passages the model reads.
//!
//! A prompt is paid for by the token, most of all on a local model, and small models lose the thread in long
//! ones. So the sentences of the passages are compared with the question, and the best ones that fit a budget are
//! kept, in the order of the text. (Extractive compression: Xu et al., "RECOMP", 2023.)

use std::collections::HashSet;

use crate::document::Span;
use crate::ports::{Hit, LanguageModel};
use crate::text::{content_words, sentences};
use crate::{Embedder, ModelError};

/// A sentence of a passage with its worth for the question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sentence {
    /// Which hit it belongs to.
    pub(super) hit: usize,
    /// Where it stands in the passage's text, in bytes.
    pub(super) span: Span,
    /// Cosine with the question, plus up to 0.3 for containing its words.
    pub(super) score: f32,
}

/// Weight of the question's words beside its meaning.
const WORDS: f32 = 0.3;

/// The sentences of all hits, scored against the question.
pub(super) async fn score(
    question: &str,
    vector: &[f32],
    hits: &[Hit],
    embedder: &dyn Embedder,
) -> Result<Vec<Sentence>, ModelError> {
    let spans: Vec<(usize, Span)> = hits
        .iter()
        .enumerate()
        .flat_map(|(hit, found)| units(&found.passage.text).into_iter().map(move |span| (hit, span)))
        .collect();
    let text = |(hit, span): &(usize, Span)| hits[*hit].passage.text[span.start..span.end].to_owned();
    let vectors = embedder.embed_passages(spans.iter().map(text).collect()).await?;
    let asked = content_words(question);
    let scored = spans.iter().zip(vectors).map(|(place, sentence)| {
        let cosine: f32 = vector.iter().zip(&sentence).map(|(a, b)| a * b).sum();
        let words = content_words(&text(place));
        let shared = asked.iter().filter(|word| words.contains(*word)).count() as f32 / asked.len().max(1) as f32;
        Sentence { hit: place.0, span: place.1, score: cosine + WORDS * shared }
    });
    Ok(scored.collect())
}

/// Longest list that is kept in one piece, in bytes.
const LONGEST_LIST: usize = 600;

/// Sentences, but with a list in one piece with the sentence that announces it: neither says much alone.
fn units(text: &str) -> Vec<Span> {
    let mut units: Vec<Span> = Vec::new();
    let mut announced = false;
    for span in sentences(text) {
        let words = &text[span.start..span.end];
        let item = words.starts_with(['-', '*', '+', '•']) || words.starts_with(|c: char| c.is_ascii_digit());
        match units.last_mut() {
            Some(unit) if announced && item && span.end - unit.start <= LONGEST_LIST => *unit = unit.cover(span),
            _ => {
                announced = words.ends_with(':');
                units.push(span);
            }
        }
    }
    units
}

/// The best sentence that can stand for itself; the first of equals. Headings and fragments cannot.
pub(super) fn best(hits: &[Hit], sentences: &[Sentence]) -> Option<Sentence> {
    let stands = |sentence: &&Sentence| {
        let words = &hits[sentence.hit].passage.text[sentence.span.start..sentence.span.end];
        words.split_whitespace().count() >= 4 && words.chars().any(char::is_lowercase)
    };
    let sentences = sentences.iter().filter(stands).copied();
    sentences.reduce(|best, next| if next.score > best.score { next } else { best })
}

/// The text of each hit that goes into the prompt: the best sentences of all, each with the one after it, until
/// `budget` tokens are used. Hits of which nothing is left have an empty text.
pub(super) fn excerpts(hits: &[Hit], sentences: &[Sentence], budget: usize, model: &dyn LanguageModel) -> Vec<String> {
    let words = |sentence: &Sentence| &hits[sentence.hit].passage.text[sentence.span.start..sentence.span.end];
    let mut by_score: Vec<usize> = (0..sentences.len()).collect();
    by_score.sort_by(|a, b| sentences[*b].score.total_cmp(&sentences[*a].score));
    let (mut kept, mut left) = (HashSet::new(), budget);
    for index in by_score {
        let next =
            (index + 1 < sentences.len() && sentences[index + 1].hit == sentences[index].hit).then_some(index + 1);
        for index in [Some(index), next].into_iter().flatten() {
            let tokens = model.count_tokens(words(&sentences[index]));
            if tokens <= left && kept.insert(index) {
                left -= tokens;
            }
        }
    }
    (0..hits.len())
        .map(|hit| {
            let all = sentences.iter().enumerate().filter(|(_, sentence)| sentence.hit == hit);
            let kept = all.filter(|(index, _)| kept.contains(index)).map(|(_, sentence)| flat(words(sentence)));
            kept.collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// Text without the line breaks of its file, which a model would imitate.
pub(super) fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::units;

    #[test]
    fn a_list_stays_with_the_sentence_that_announces_it() {
        let text = "Wash.\n\nDo it when:\n\n- hands are dirty\n- hands are wet\n\nThen dry them.\n- later item";
        let units: Vec<&str> = units(text).into_iter().map(|span| &text[span.start..span.end]).collect();
        let list = "Do it when:\n\n- hands are dirty\n- hands are wet";
        assert_eq!(units, ["Wash.", list, "Then dry them.", "- later item"]);
    }
}
