//! Reading: what the model is given of the passages that were found.

use std::sync::Arc;

use super::budget::Budget;
use super::prompt::Draft;
use super::quoting::Quotation;
use super::run::{Found, Resources, Run};
use super::{AnswerEvent, Prompts, Step};
use crate::compute::compute;
use crate::document::heading_path;
use crate::language::is_an_order;
use crate::ports::Hit;
use crate::retrieval::focus::{self, Sentence, best, excerpts};
use crate::retrieval::judgement::FoundWords;
use crate::retrieval::orders::{flat_without_orders, told_to_people};
use crate::retrieval::search::Sought;
use crate::{AnswerError, Question, Span};

/// Amount of the passages that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount {
    /// Most tokens; never more than there is room for.
    pub(super) tokens: usize,
    /// Whether passages are read whole where that is no more. To embed their sentences costs more than all else
    /// before the answer.
    pub(super) whole_if_possible: bool,
}

/// A prompt over passages.
pub(super) struct Reading {
    pub(super) draft: Draft,
    /// The passages in it, in the order of their numbers.
    pub(super) passages: Vec<Hit>,
    /// The sentence nearest to the question, as the passage's place and bytes of its text; not known where the
    /// passages are read whole.
    pub(super) nearest: Option<(usize, Span)>,
}

impl Reading {
    /// Chooses what is read of the hits and puts it into a prompt.
    ///
    /// # Errors
    /// When there is no room for any of it, or the embedder fails.
    pub(super) async fn of(
        run: &Run<'_>,
        found: &Found,
        words: &[FoundWords],
        instructions: fn(&Prompts) -> &str,
        amount: Amount,
    ) -> Result<Self, AnswerError> {
        let hits: Arc<[Hit]> = found.hits.clone().into();
        let measured = Arc::clone(&hits);
        let room =
            run.draft(move |with, question| Room::measure(with, question, instructions, &measured, amount)).await?;
        let sentences = match room {
            Room::ForAll => None,
            Room::For(_) if words.is_empty() => Some(score(run, &found.sought, &hits).await?),
            Room::For(_) => Some(score_found(&found.sought, &hits, words).await),
        };
        let reading = run.draft(move |with, question| {
            let sentences = sentences.map(|sentences| told_to_people(&question.content, &hits, sentences));
            let texts = match (&sentences, room) {
                // Without sentences there is nothing to choose from: tables of signs, for example.
                (Some(sentences), Room::For(tokens)) if !sentences.is_empty() => {
                    excerpts(&hits, sentences, tokens, &*with.model)
                }
                _ => hits.iter().map(|hit| flat_without_orders(&question.content, &hit.passage.text)).collect(),
            };
            let best = sentences.and_then(|sentences| best(&hits, &sentences));
            let nearest = best.map(|sentence| (hits[sentence.hit].passage.id.clone(), sentence.span));
            let (draft, passages) = over_passages(with, question, instructions(&with.prompts), &hits, &texts)?;
            let place = |(id, span)| Some((passages.iter().position(|hit| hit.passage.id == id)?, span));
            let nearest = nearest.and_then(place);
            Ok(Self { draft, passages, nearest })
        });
        let reading = reading.await?;
        run.tell(AnswerEvent::Sources(reading.passages.clone())).await;
        Ok(reading)
    }

    /// Quotations of hits as quotations of the passages in the prompt; without those that are not in it.
    pub(super) fn placed(&self, hits: &[Hit], quotations: Vec<Quotation>) -> Vec<Quotation> {
        let place = |quotation: Quotation| {
            let id = &hits[quotation.hit].passage.id;
            let hit = self.passages.iter().position(|passage| passage.passage.id == *id)?;
            Some(Quotation { hit, ..quotation })
        };
        quotations.into_iter().filter_map(place).collect()
    }
}

/// Scores the sentences of hits against the question.
pub(super) async fn score(run: &Run<'_>, sought: &Sought, hits: &Arc<[Hit]>) -> Result<Vec<Sentence>, AnswerError> {
    let Resources { embedder, .. } = run.with;
    let scored = focus::score(&sought.text, &sought.vector, hits, run.context, &**embedder);
    Ok(run.step(Step::Focus, scored).await?)
}

/// Scores the sentences of hits by the words that a reader found in them.
async fn score_found(sought: &Sought, hits: &Arc<[Hit]>, words: &[FoundWords]) -> Vec<Sentence> {
    let (question, hits, words) = (Arc::clone(&sought.text), Arc::clone(hits), words.to_vec());
    compute(move || focus::score_by_words_found(&question, &hits, &words)).await
}

/// The sentence of hits that is nearest to the question.
pub(super) async fn nearest(run: &Run<'_>, sought: &Sought, hits: &[Hit]) -> Result<Option<Quotation>, AnswerError> {
    let hits: Arc<[Hit]> = hits.into();
    let sentences = score(run, sought, &hits).await?;
    Ok(best(&hits, &sentences).map(|sentence| Quotation::around(&hits, sentence.hit, sentence.span)))
}

/// Room for passages in a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// All of them can be read whole.
    ForAll,
    /// So many tokens of them can be read.
    For(usize),
}

impl Room {
    fn measure(
        with: &Resources,
        question: &Question,
        instructions: fn(&Prompts) -> &str,
        hits: &[Hit],
        amount: Amount,
    ) -> Result<Self, AnswerError> {
        let model = &*with.model;
        let left = Budget::over_passages(model, with.generation, instructions(&with.prompts), question)?.left();
        let headings: usize = hits.iter().map(|hit| model.count_tokens(&numbered(hits.len(), hit, ""))).sum();
        // Passages of which nothing is chosen need no heading.
        let tokens = amount.tokens.min(left - headings.min(left / 2));
        let all: usize = hits.iter().map(|hit| model.count_tokens(&hit.passage.text)).sum();
        Ok(if amount.whole_if_possible && all <= tokens { Self::ForAll } else { Self::For(tokens) })
    }
}

/// A prompt over what is read of each hit, and the hits that are in it. Those of which nothing is read, or for which
/// there is no room, are left out; the first one is cut to what there is room for.
fn over_passages(
    with: &Resources,
    question: &Question,
    instructions: &str,
    hits: &[Hit],
    texts: &[String],
) -> Result<(Draft, Vec<Hit>), AnswerError> {
    let Resources { model, generation, .. } = with;
    let mut budget = Budget::over_passages(&**model, *generation, instructions, question)?;
    let mut body = String::new();
    let mut used = Vec::new();
    for (hit, text) in hits.iter().zip(texts).filter(|(_, text)| !text.is_empty()) {
        let mut passage = numbered(used.len() + 1, hit, text);
        if used.is_empty() {
            passage.truncate(budget.start_that_fits(&passage).len());
        }
        if budget.spend(&passage) {
            body.push_str(&passage);
            used.push(hit.clone());
        }
    }
    if !used.is_empty() && !body.ends_with("\n\n") {
        body.push_str("\n\n");
    }
    body.push_str("Question: ");
    body.push_str(&question.content);
    Ok((Draft::new(&**model, &question.instructed(instructions), &question.history, body, *generation), used))
}

/// A passage as it stands in a prompt.
fn numbered(number: usize, hit: &Hit, text: &str) -> String {
    let headings: Vec<String> = hit.passage.headings.iter().filter(|heading| !is_an_order(heading)).cloned().collect();
    let heading = heading_path(&hit.passage.title, &headings);
    format!("[{number}] {heading}\n{text}\n\n")
}
