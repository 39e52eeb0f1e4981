//! Sentences of the passages that the model reads.
//!
//! A prompt is paid for by the token, most of all on a local model, and small models lose the thread in long
//! ones. So the sentences of the passages are compared with the question, and the best ones that fit a budget are
//! kept, in the order of the text. (Extractive compression: Xu et al., "RECOMP", 2023.)

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::judgement::FoundWords;
use super::unit::Layout;
use crate::compute::compute;
use crate::document::{Span, heading_path};
use crate::language::{Words, content_words, ends_sentence, holding, sentences, words as words_of};
use crate::ports::{Hit, LanguageModel};
use crate::{Embedder, ModelError, Passage, RequestContext};

/// A sentence of a passage with its worth for the question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sentence {
    /// Number of the hit that it belongs to.
    pub(crate) hit: usize,
    /// Its place in the passage's text, in bytes.
    pub(crate) span: Span,
    /// Cosine with the question, plus up to 0.3 for containing its words (itself or the headings above it), plus up
    /// to 0.4 for answering a question like it.
    pub(crate) score: f32,
}

/// Weight of the question's words beside its meaning.
const WORDS: f32 = 0.3;

/// The sentences of all hits, scored against the question.
pub(crate) async fn score(
    question: &str,
    vector: &[f32],
    hits: &Arc<[Hit]>,
    context: &RequestContext,
    embedder: &dyn Embedder,
) -> Result<Vec<Sentence>, ModelError> {
    let (question, taken_apart) = (question.to_owned(), Arc::clone(hits));
    let Candidates { places, shares, embedded, texts } = compute(move || Candidates::of(&question, &taken_apart)).await;
    let mut cosines = vec![0.0; places.len()];
    for (index, sentence) in embedded.into_iter().zip(embedder.embed_passages(context, texts).await?) {
        cosines[index] = vector.iter().zip(&sentence).map(|(a, b)| a * b).sum::<f32>();
    }
    let scored = places.iter().zip(cosines).zip(shares).map(|((place, cosine), share)| {
        let score = cosine + WORDS * share + asked_before(&hits[place.0]);
        Sentence { hit: place.0, span: place.1, score }
    });
    Ok(scored.collect())
}

/// The sentences of all hits, scored by the words that a reader found in them: nothing is embedded.
pub(crate) fn score_by_words_found(question: &str, hits: &[Hit], found: &[FoundWords]) -> Vec<Sentence> {
    let Candidates { places, shares, .. } = Candidates::of(question, hits);
    let best = found.first().map_or(0.0, |words| words.score);
    let scored = places.into_iter().zip(shares).map(|((hit, span), share)| {
        let inside =
            |words: &&FoundWords| words.hit == hit && words.span.start < span.end && span.start < words.span.end;
        // A logit less is e times less likely: the best words count 1, others by their chance against them.
        let chance = found.iter().find(inside).map_or(0.0, |words| (words.score - best).exp());
        Sentence { hit, span, score: chance + WORDS * share }
    });
    scored.collect()
}

/// Sentences before they are embedded.
struct Candidates {
    /// Number of the hit that each belongs to, and bytes of its text.
    places: Vec<(usize, Span)>,
    /// Share of the question's words that each contains with the headings above it, by weight.
    shares: Vec<f32>,
    /// The ones that are embedded, and their texts.
    embedded: Vec<usize>,
    texts: Vec<String>,
}

impl Candidates {
    fn of(question: &str, hits: &[Hit]) -> Self {
        let texts: Vec<Cow<'_, str>> = hits.iter().map(|hit| holding(&hit.passage.text)).collect();
        let of_hit = |(hit, text): (usize, &Cow<'_, str>)| {
            sentences(text).into_iter().map(move |span| (hit, span)).collect::<Vec<_>>()
        };
        let places: Vec<(usize, Span)> = texts.iter().enumerate().flat_map(of_hit).collect();
        let text = |(hit, span): &(usize, Span)| &texts[*hit][span.start..span.end];
        // "The filter is cleaned every 5 days" is about the pump that its heading names.
        let above: Vec<Words> = hits.iter().map(|hit| above(&hit.passage)).collect();
        let words: Vec<Words> = places.iter().map(|place| content_words(text(place))).collect();
        let with_headings: Vec<Words> = places.iter().zip(&words).map(|(place, own)| own | &above[place.0]).collect();
        let weights = weights(&content_words(question), &with_headings);
        let all = weights.iter().map(|(_, weight)| weight).sum::<f32>().max(f32::MIN_POSITIVE);
        let sum = |words: &Words| -> f32 {
            let shared = weights.iter().filter(|(word, _)| words.contains(word));
            shared.map(|(_, weight)| weight).sum::<f32>() / all
        };
        // What the headings say alone counts half: it is true of each sentence below them.
        let shares: Vec<f32> = words.iter().zip(&with_headings).map(|(own, all)| (sum(own) + sum(all)) / 2.0).collect();
        let embedded = worth_embedding(&shares);
        let to_embed = embedded.iter().map(|index| text(&places[*index]).to_owned()).collect();
        Self { places, shares, embedded, texts: to_embed }
    }
}

/// Words of the title and the headings that a passage stands under.
fn above(passage: &Passage) -> Words {
    content_words(&heading_path(&passage.title, &passage.headings))
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

/// Worth of standing in the answer to a question like the one asked. Such an answer need not share a word
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

/// The best sentence that can stand for itself; the first of equals. Headings, questions and fragments cannot, as long as
/// there is anything else.
pub(crate) fn best(hits: &[Hit], sentences: &[Sentence]) -> Option<Sentence> {
    let stands = |sentence: &&Sentence| {
        let words = &hits[sentence.hit].passage.text[sentence.span.start..sentence.span.end];
        let complete = ends_statement(words) || words.starts_with(['-', '*', '+', '•']);
        let has_case = words.chars().any(|c| c.is_lowercase() || c.is_uppercase());
        let is_long = words.split_whitespace().count() >= 5 || (!has_case && words_of(words).take(5).count() == 5);
        complete && is_long && (!has_case || words.chars().any(char::is_lowercase))
    };
    let better = |best: Sentence, next: Sentence| if next.score > best.score { next } else { best };
    let standing = sentences.iter().filter(stands).copied().reduce(better);
    standing.or_else(|| sentences.iter().copied().reduce(better))
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
        let needed = needed_by(hits, sentences, index);
        for index in [Some(index), needed, next].into_iter().flatten() {
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
            let kept = all.filter(|(index, _)| kept.contains(index));
            let kept = kept.map(|(_, sentence)| flat(&holding(words(sentence))));
            kept.collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// The sentence that another of the same hit cannot be understood without.
fn needed_by(hits: &[Hit], sentences: &[Sentence], index: usize) -> Option<usize> {
    let sentence = sentences[index];
    let text = &hits[sentence.hit].passage.text;
    let may_need = text[sentence.span.start..].starts_with('|') || text[..sentence.span.start].contains(':');
    if !may_need {
        return None;
    }
    let layout = Layout::of(text);
    let at = layout.sentences().iter().position(|span| *span == sentence.span)?;
    let needed = layout.sentences()[layout.needed_by(at)?];
    sentences.iter().position(|other| other.hit == sentence.hit && other.span == needed)
}

/// Whether words end in a mark that ends statements, in any script, or in a letter of a script that has none.
fn ends_statement(words: &str) -> bool {
    words.ends_with(['.', '!', ':', ')', '：', '）']) || !words.ends_with(['?', '？', '؟']) && ends_sentence(words)
}

/// Text without the line breaks of its file, which a model would imitate.
pub(crate) fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_weighed_with_the_headings_above_it() {
        let hit = |heading: &str| Hit {
            passage: Passage {
                id: 1.into(),
                document: "pumps.md".to_owned(),
                title: "Pumps".to_owned(),
                headings: vec![heading.to_owned()],
                text: "The filter is cleaned every week.".to_owned(),
                span: Span::new(0, 33),
                metadata: crate::Metadata::new(),
                pages: None,
            },
            pair: None,
            score: 0.0,
            cosine: None,
        };
        let hits = ["Drainage pump", "Circulation pump"].map(hit);
        let found = Candidates::of("How often is the filter of the circulation pump cleaned?", &hits);
        assert!(found.shares[1] > found.shares[0], "{:?}", found.shares);
    }

    #[test]
    fn rare_words_of_a_question_weigh_more() {
        let sentences = ["diabetes target", "diabetes diet", "diabetes drugs"].map(content_words);
        let weights = weights(&content_words("diabetes target unheard"), &sentences);
        assert!(weights.len() == 2 && weights[1].1 > weights[0].1, "{weights:?}");
    }
}
