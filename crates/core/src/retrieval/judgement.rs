//! Whether the passages that were found answer the question, and with which words.
//!
//! A search always finds something, and questions on the subject that the documents leave open are asked in the words of
//! the documents: no score of the search parts the two. A reader does, which looks at question and passage together;
//! what it says is weighed together with the question's words that stand there.

use std::borrow::Cow;
use std::sync::Arc;

use super::by_words::judge_by_words;
use super::subject::named;
use super::unit::Layout;
use crate::compute::compute;
use crate::document::{Span, heading_path};
use crate::language::{Language, Words, content_words, holding, language_of_question};
use crate::ports::{FoundSpan, Hit, Readable, Reading};
use crate::{ModelError, Reader, RequestContext};

/// Judgement on the hits of a search.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Judgement {
    /// Probability that they answer the question, from 0 to 1.
    pub(crate) confidence: f32,
    /// Words that may answer, best first. None where there is no reader.
    pub(crate) found: Vec<FoundWords>,
}

impl Judgement {
    /// Whether it is likelier that they answer than that they do not: only then their words are quoted where a model
    /// cites nothing.
    pub(crate) const fn is_likely(&self) -> bool {
        self.confidence >= 0.5
    }
}

/// Words of a hit that may answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FoundWords {
    /// Number of the hit.
    pub(crate) hit: usize,
    /// Bytes of its passage's text.
    pub(crate) span: Span,
    /// The reader's score in logits, and what else speaks for these words.
    pub(crate) score: f32,
}

/// Most hits that are read: each takes as long as embedding it.
const MOST_READ: usize = 8;
/// Logits that words gain when their sentence and the headings above it have all of the question's words.
pub(super) const WORDS_AROUND: f32 = 15.0;
/// Logits that words gain for standing in a passage that says the same as the question.
const NEARNESS: f32 = 10.0;
/// Cosine from which on a pair's question asks the same.
const SAME_QUESTION: f32 = 0.9;

/// Logistic model of "it answers".
struct Model {
    /// Weight of the reader's logit.
    read: f32,
    /// Weight of the share of the question's words.
    share: f32,
    /// Weight of the nearness in meaning.
    nearness: f32,
    /// Weight of a name in the question that the passage lacks.
    lacking: f32,
    bias: f32,
}

/// Chosen on the development parts of `own`, `squad2` and `medquad`, its questions also asked without the pages that answer
/// them (docs/quality.md): 0.5 refuses a tenth of what is answered in the documents' words.
const WITH_READER: Model = Model { read: 0.7, share: 1.0, nearness: 2.8, lacking: -1.5, bias: -2.0 };
/// The same without a reader: set to refuse less, since it tells much less.
const WITHOUT_READER: Model = Model { read: 0.0, share: 1.8, nearness: 4.3, lacking: -1.5, bias: -3.0 };

/// Reads the hits and judges them; by their words alone where the question is in another language than the reader's
/// ([`judge_by_words`]). `floor` is the embedder's.
///
/// # Errors
/// When the reader fails.
pub(crate) async fn judge(
    question: &str,
    hits: &Arc<[Hit]>,
    floor: f32,
    context: &RequestContext,
    reader: Option<&dyn Reader>,
) -> Result<Judgement, ModelError> {
    let language = language_of_question(question);
    if language != Language::ENGLISH {
        // The reader was trained on English: what it says of other languages is chance.
        let (question, hits) = (question.to_owned(), Arc::clone(hits));
        return Ok(compute(move || judge_by_words(&question, &hits, language)).await);
    }
    let readings = match reader {
        Some(reader) => {
            let readable = hits.iter().take(MOST_READ).map(readable).collect();
            Some(reader.read(context, question, readable).await?)
        }
        None => None,
    };
    let (question, hits) = (question.to_owned(), Arc::clone(hits));
    Ok(compute(move || weigh(&question, &hits, floor, readings.as_deref())).await)
}

/// A hit as a reader gets it: a passage under its headings, the answer of a pair under its question.
fn readable(hit: &Hit) -> Readable {
    let heading = match &hit.pair {
        Some(pair) => pair.question.clone(),
        None => heading_path(&hit.passage.title, &hit.passage.headings),
    };
    Readable { heading, text: holding(&hit.passage.text).into_owned() }
}

/// Weighs what a reader says of hits together with the question's words that they have.
fn weigh(question: &str, hits: &[Hit], floor: f32, readings: Option<&[Reading]>) -> Judgement {
    let (asked, named) = (content_words(question), named(question));
    let weighed: Vec<Weighed> = hits.iter().map(|hit| Weighed::of(&asked, &named, hit, floor)).collect();
    let evidence = match readings {
        Some(readings) => {
            let read = readings.iter().map(|reading| logit(reading.confidence));
            highest(weighed.iter().zip(read).map(|(hit, read)| hit.evidence(&WITH_READER, read)))
        }
        None => highest(weighed.iter().map(|hit| hit.evidence(&WITHOUT_READER, 0.0))),
    };
    let asked_before = |hit: &Hit| hit.pair.is_some() && hit.cosine.is_some_and(|cosine| cosine >= SAME_QUESTION);
    let confidence = if hits.iter().any(asked_before) { 1.0 } else { chance(evidence) };
    let of_hit = |(hit, reading): (usize, &Reading)| {
        let found = |words: &FoundSpan| FoundWords { hit, span: words.span, score: weighed[hit].score(words) };
        // The name of a column is no answer.
        let tells = |words: &&FoundSpan| !weighed[hit].layout.is_header(words.span);
        reading.spans.iter().filter(tells).map(found).collect::<Vec<_>>()
    };
    let mut found: Vec<FoundWords> = readings.unwrap_or_default().iter().enumerate().flat_map(of_hit).collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    Judgement { confidence, found }
}

fn highest(values: impl Iterator<Item = f32>) -> f32 {
    values.fold(f32::MIN, f32::max)
}

/// Probability by its logit.
fn chance(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// Logit of a probability.
fn logit(chance: f32) -> f32 {
    let chance = chance.clamp(1e-4, 1.0 - 1e-4);
    (chance / (1.0 - chance)).ln()
}

/// A hit, weighed against the words of the question.
struct Weighed<'a> {
    asked: &'a Words,
    layout: Layout<'a>,
    /// Its text without what is struck out.
    text: Cow<'a, str>,
    above: Words,
    /// Share of the question's content words that it has, with title and headings.
    share: f32,
    /// Whether it lacks a name, number or term of the question, with title and headings.
    lacks_named: bool,
    /// Nearness in meaning: 0 for unrelated texts, 1 for the same, whatever the embedder's cosines are.
    nearness: f32,
}

/// Share of the way from unrelated texts to the same text at which embedders put their floor.
const FLOOR_AT: f32 = 0.3;

impl<'a> Weighed<'a> {
    fn of(asked: &'a Words, named: &Words, hit: &'a Hit, floor: f32) -> Self {
        let text = holding(&hit.passage.text);
        let above = content_words(&readable(hit).heading);
        let mut words = content_words(&text);
        words.extend(above.iter().cloned());
        let unrelated = (floor - FLOOR_AT) / (1.0 - FLOOR_AT);
        let nearness = hit.cosine.map_or(0.0, |cosine| (cosine - unrelated) / (1.0 - unrelated));
        let lacks_named = named.iter().any(|name| !words.contains(name));
        let (layout, share) = (Layout::of(&hit.passage.text), share(asked, &words));
        Self { asked, layout, text, above, share, lacks_named, nearness }
    }

    /// Logit of "it answers", where a reader has that of `read`.
    fn evidence(&self, model: &Model, read: f32) -> f32 {
        let lacking = if self.lacks_named { model.lacking } else { 0.0 };
        model.read * read + model.share * self.share + model.nearness * self.nearness + lacking + model.bias
    }

    /// What speaks for words of it: the reader, the question's words around them (those of the headings alone count
    /// half, as they are true of every sentence below), and how near the passage is.
    fn score(&self, found: &FoundSpan) -> f32 {
        let touching = |span: &&Span| span.start < found.span.end && found.span.start < span.end;
        let sentences = self.layout.sentences().iter().filter(touching);
        let around: Words = sentences.flat_map(|span| content_words(&self.text[span.start..span.end])).collect();
        let with_headings = &around | &self.above;
        let share = (share(self.asked, &around) + share(self.asked, &with_headings)) / 2.0;
        found.score + WORDS_AROUND * share + NEARNESS * self.nearness
    }
}

/// Share of the asked words that are among others.
fn share(asked: &Words, words: &Words) -> f32 {
    asked.iter().filter(|word| words.contains(*word)).count() as f32 / asked.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metadata, Passage};

    fn hit(heading: &str, text: &str) -> Hit {
        let passage = Passage {
            id: heading.to_owned().into(),
            document: "drugs.md".to_owned(),
            title: "Drugs".to_owned(),
            headings: vec![heading.to_owned()],
            text: text.to_owned(),
            span: Span::new(0, text.len()),
            metadata: Metadata::new(),
            pages: None,
        };
        Hit { passage, pair: None, score: 0.5, cosine: Some(0.6) }
    }

    fn reading(span: Span, score: f32, confidence: f32) -> Reading {
        Reading { spans: vec![FoundSpan { span, score }], here: 0.0, confidence }
    }

    #[test]
    fn words_under_the_heading_that_is_asked_about_come_first() {
        let text = "Start with 5 mg a day.";
        let hits = [hit("Metoprolol", text), hit("Amlodipine", text)];
        let readings = [reading(Span::new(11, 15), 3.0, 0.6), reading(Span::new(11, 15), 2.0, 0.6)];
        let judged = weigh("With what dose of amlodipine does one start?", &hits, 0.3, Some(&readings));
        assert_eq!(judged.found.iter().map(|found| found.hit).collect::<Vec<_>>(), [1, 0]);
    }

    #[test]
    fn a_reader_that_finds_nothing_outweighs_the_words() {
        let hits = [hit("Amlodipine", "Start with 5 mg a day.")];
        let confidence = |read| {
            let readings = [reading(Span::new(11, 15), 0.0, read)];
            weigh("Who started amlodipine?", &hits, 0.3, Some(&readings)).confidence
        };
        assert!(confidence(0.9) > 0.5 && confidence(0.02) < 0.5, "{} {}", confidence(0.9), confidence(0.02));
        let unread = |question| weigh(question, &hits, 0.3, None).confidence;
        assert!(unread("start amlodipine") > 0.5 && unread("stop metformin") < 0.5);
    }
}
