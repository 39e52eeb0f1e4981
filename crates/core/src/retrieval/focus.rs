//! What of the passages the model reads.
//!
//! A prompt is paid for by the token, most of all on a local model, and small models lose the thread in long
//! ones. So the sentences of the passages are compared with the question, and the best ones that fit a budget are
//! kept, in the order of the text. (Extractive compression: Xu et al., "RECOMP", 2023.)

use std::collections::HashSet;

use crate::document::Span;
use crate::language::{Words, content_words, sentences};
use crate::ports::{Hit, LanguageModel};
use crate::{Embedder, ModelError, RequestContext};

/// A sentence of a passage with its worth for the question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sentence {
    /// Which hit it belongs to.
    pub(crate) hit: usize,
    /// Where it stands in the passage's text, in bytes.
    pub(crate) span: Span,
    /// Cosine with the question, plus up to 0.3 for containing its words, plus up to 0.4 for answering a question
    /// like it.
    pub(crate) score: f32,
}

/// Weight of the question's words beside its meaning.
const WORDS: f32 = 0.3;

/// The sentences of all hits, scored against the question.
pub(crate) async fn score(
    question: &str,
    vector: &[f32],
    hits: &[Hit],
    context: &RequestContext,
    embedder: &dyn Embedder,
) -> Result<Vec<Sentence>, ModelError> {
    let spans: Vec<(usize, Span)> = hits
        .iter()
        .enumerate()
        .flat_map(|(hit, found)| sentences(&found.passage.text).into_iter().map(move |span| (hit, span)))
        .collect();
    let text = |(hit, span): &(usize, Span)| &hits[*hit].passage.text[span.start..span.end];
    let words: Vec<Words> = spans.iter().map(|place| content_words(text(place))).collect();
    let weights = weights(&content_words(question), &words);
    let shared = |words: &Words| -> f32 {
        weights.iter().filter(|(word, _)| words.contains(word)).map(|(_, weight)| weight).sum()
    };
    let shared: Vec<f32> = words.iter().map(shared).collect();
    let embedded = worth_embedding(&shared);
    let texts = embedded.iter().map(|index| text(&spans[*index]).to_owned()).collect();
    let mut cosines = vec![0.0; spans.len()];
    for (index, sentence) in embedded.into_iter().zip(embedder.embed_passages(context, texts).await?) {
        cosines[index] = vector.iter().zip(&sentence).map(|(a, b)| a * b).sum::<f32>();
    }
    let all = weights.iter().map(|(_, weight)| weight).sum::<f32>().max(f32::MIN_POSITIVE);
    let scored = spans.iter().zip(cosines).zip(shared).map(|((place, cosine), shared)| {
        let score = cosine + WORDS * shared / all + asked_before(&hits[place.0]);
        Sentence { hit: place.0, span: place.1, score }
    });
    Ok(scored.collect())
}

/// Most sentences that are embedded for a question. Five passages have about 40; a collection of others may have
/// passages of any length.
const MOST_EMBEDDED: usize = 64;

/// The sentences to embed: all of them, or those that share most with the question, the first of equals.
fn worth_embedding(shared: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..shared.len()).collect();
    if order.len() > MOST_EMBEDDED {
        order.sort_by(|a, b| shared[*b].total_cmp(&shared[*a]));
        order.truncate(MOST_EMBEDDED);
    }
    order
}

/// The sentence of the hits that is nearest to the question: which hit, and bytes of its passage's text.
pub(crate) async fn nearest(
    question: &str,
    vector: &[f32],
    hits: &[Hit],
    context: &RequestContext,
    embedder: &dyn Embedder,
) -> Result<Option<(usize, Span)>, ModelError> {
    let sentences = score(question, vector, hits, context, embedder).await?;
    Ok(best(hits, &sentences).map(|sentence| (sentence.hit, sentence.span)))
}

/// What it is worth to stand in the answer to a question like the one asked. Such an answer need not share a word
/// with the question; its own question does.
fn asked_before(hit: &Hit) -> f32 {
    let alike = hit.pair.as_ref().and(hit.cosine).unwrap_or_default();
    2.0 * (alike - 0.8).clamp(0.0, 0.2)
}

/// The question's words, the rarer among the sentences the weightier: what all or none of them say tells none
/// apart.
fn weights(asked: &Words, sentences: &[Words]) -> Vec<(String, f32)> {
    let weight = |word: &String| {
        let with = sentences.iter().filter(|words| words.contains(word)).count();
        let rarity = (1.0 + sentences.len() as f32 / (with as f32 + 1.0)).ln();
        (with > 0).then(|| (word.clone(), rarity))
    };
    let mut weights: Vec<_> = asked.iter().filter_map(weight).collect();
    // A set has no order, and sums of floats depend on theirs.
    weights.sort_by(|a, b| a.0.cmp(&b.0));
    weights
}

/// Longest list that is quoted, in bytes with the sentence that announces it.
const LONGEST_LIST: usize = 600;

/// A sentence that announces a list says nothing without it: the span with as many items as fit.
fn with_list(text: &str, sentence: Span) -> Span {
    if !text[sentence.start..sentence.end].ends_with(':') {
        return sentence;
    }
    let item = |span: &Span| text[span.start..].starts_with(|c: char| "-*+•".contains(c) || c.is_ascii_digit());
    let items = sentences(text).into_iter().filter(|span| span.start >= sentence.end).take_while(item);
    items.take_while(|span| span.end - sentence.start <= LONGEST_LIST).fold(sentence, Span::cover)
}

/// The best sentence that can stand for itself, with its list if it announces one; the first of equals. Headings,
/// questions and fragments cannot, as long as there is anything else.
pub(crate) fn best(hits: &[Hit], sentences: &[Sentence]) -> Option<Sentence> {
    let stands = |sentence: &&Sentence| {
        let words = &hits[sentence.hit].passage.text[sentence.span.start..sentence.span.end];
        let complete = words.ends_with(['.', '!', ':', ')']) || words.starts_with(['-', '*', '+', '•']);
        complete && words.split_whitespace().count() >= 5 && words.chars().any(char::is_lowercase)
    };
    let better = |best: Sentence, next: Sentence| if next.score > best.score { next } else { best };
    let standing = sentences.iter().filter(stands).copied().reduce(better);
    let best = standing.or_else(|| sentences.iter().copied().reduce(better))?;
    Some(Sentence { span: with_list(&hits[best.hit].passage.text, best.span), ..best })
}

/// The text of each hit that goes into the prompt: the best sentences of all, each with the one after it, until
/// `budget` tokens are used. Hits of which nothing is left have an empty text.
pub(crate) fn excerpts(hits: &[Hit], sentences: &[Sentence], budget: usize, model: &dyn LanguageModel) -> Vec<String> {
    let words = |sentence: &Sentence| &hits[sentence.hit].passage.text[sentence.span.start..sentence.span.end];
    let mut by_score: Vec<usize> = (0..sentences.len()).collect();
    by_score.sort_by(|a, b| sentences[*b].score.total_cmp(&sentences[*a].score));
    let (mut kept, mut left) = (HashSet::new(), budget);
    for index in by_score {
        let next =
            (index + 1 < sentences.len() && sentences[index + 1].hit == sentences[index].hit).then_some(index + 1);
        for index in [Some(index), next].into_iter().flatten() {
            let tokens = model.count_tokens(words(&sentences[index]));
            // The best one is kept however long it is.
            if (tokens <= left || kept.is_empty()) && kept.insert(index) {
                left = left.saturating_sub(tokens);
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
pub(crate) fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_quoted_with_the_sentence_that_announces_it() {
        let text = "Do it when:\n\n- hands are dirty\n- hands are wet\n\nThen dry them.\n- later item";
        let found = sentences(text);
        let span = with_list(text, found[0]);
        assert_eq!(&text[span.start..span.end], "Do it when:\n\n- hands are dirty\n- hands are wet");
        assert_eq!(with_list(text, found[3]), found[3]);
    }

    #[test]
    fn rare_words_of_a_question_weigh_more() {
        let sentences = ["diabetes target", "diabetes diet", "diabetes drugs"].map(content_words);
        let weights = weights(&content_words("diabetes target unheard"), &sentences);
        assert!(weights.len() == 2 && weights[1].1 > weights[0].1, "{weights:?}");
    }
}
