//! The chain of the original service: condense, search, gather, summarise, answer.
//!
//! ```text
//! question --model--> search term --search--> hits --+-- model --> summary --+-- model --> {answer, reasoning}
//!                                                    +-- store --> pairs ----+
//! ```
//!
//! Steps that do not depend on each other run together, and each kind of text is fetched in one query. The model's
//! answer passes the same citation check as in `direct`.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::try_join;

use super::budget::Budget;
use super::call::Call;
use super::json_answer::JsonAnswer;
use super::prompt::{Draft, Generation};
use super::quoting::best_of;
use super::reading::{Amount, Reading, nearest};
use super::run::{Found, Resources, Run, Verdict};
use super::without_passages::{model_alone, nearest_places, not_answered, nothing_found};
use super::writing::Writing;
use super::{AnswerSink, Pipeline, PipelineName, Step, Unheard};
use crate::document::EntryId;
use crate::ports::{Hit, Shape};
use crate::verification::is_refusal;
use crate::{Answer, AnswerError, ModelError, Question, RequestContext, Source, StoreError};

/// The pipeline of the original service: three model calls a question.
pub struct Classic(pub Resources);

/// Most pairs in a prompt beside the contexts for which they were written.
const MOST_PAIRS: usize = 8;
/// Longest search term that is believed, in characters. A model that writes more has not understood.
const LONGEST_TERM: usize = 200;
/// Tokens for a search term.
const TERM_TOKENS: usize = 48;
/// Tokens for the reasoning, beside those of the answer.
const REASONING_TOKENS: usize = 128;

#[async_trait]
impl Pipeline for Classic {
    async fn answer(
        &self,
        context: &RequestContext,
        question: Question,
        events: &dyn AnswerSink,
    ) -> Result<Answer, AnswerError> {
        let run = Run::start(&self.0, PipelineName::Classic, context, question, events);
        if !run.question.search {
            return model_alone(run).await;
        }
        let term = condense(&run).await?;
        // The model may have missed the point; the question itself has not.
        let found = run.search(Some(&term)).await?;
        if found.hits.is_empty() {
            return nothing_found(run, &found.nearest).await;
        }
        let hits: Arc<[Hit]> = found.hits.clone().into();
        let judgement = run.judge(&found.sought, &hits).await?;
        let confidence = judgement.confidence;
        if confidence < self.0.generation.min_confidence {
            return not_answered(run, confidence, &hits).await;
        }
        let sought = found.sought.clone();
        let Gathered { evidence, summary, pairs } = self.gather(&run, found).await?;
        let draft = run.draft(move |with, question| answer_draft(with, question, &summary, &pairs)).await?;
        let mut writing = Writing::over(&run, &evidence);
        let reasoning = write(&run, draft, &mut writing).await?;
        let mut verdict = Verdict::Answered { confidence };
        if writing.is_uncited() {
            if is_refusal(writing.text()) {
                verdict = Verdict::Refused { confidence, related: nearest_places(&hits) };
            } else if judgement.is_likely() {
                let quotation = match judgement.found.is_empty() {
                    true => nearest(&run, &sought, &evidence).await?,
                    false => best_of(&hits, &evidence, &judgement.found),
                };
                writing.quote(&Vec::from_iter(quotation)).await;
            }
        }
        let written = writing.finish();
        Ok(Answer { reasoning, ..run.finish(written, verdict)? })
    }
}

/// Material of an answer.
struct Gathered {
    /// Hits that it may cite: the passages of the summary, then pairs that stand for themselves. Number `n` in the
    /// prompts is `evidence[n - 1]`.
    evidence: Vec<Hit>,
    summary: String,
    pairs: Vec<NumberedPair>,
}

/// A pair with the number under which it is cited.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NumberedPair {
    number: usize,
    question: String,
    answer: String,
}

impl Classic {
    /// The search term that the first step makes of a question, to judge it alone.
    ///
    /// # Errors
    /// When the model fails.
    pub async fn search_term(&self, context: &RequestContext, question: &Question) -> Result<String, AnswerError> {
        condense(&Run::start(&self.0, PipelineName::Classic, context, question.clone(), &Unheard)).await
    }

    /// Third and fourth step: the contexts and pairs that belong to the hits, and a summary of the contexts. The
    /// pairs of contexts are fetched while the model writes the summary.
    async fn gather(&self, run: &Run<'_>, found: Found) -> Result<Gathered, AnswerError> {
        let Found { hits, sought, .. } = found;
        let (pair_hits, mut contexts): (Vec<Hit>, Vec<Hit>) = hits.into_iter().partition(|hit| hit.pair.is_some());
        if run.question.source == Source::Qa {
            contexts = run.step(Step::Contexts, self.contexts_of(&pair_hits, run.context)).await?;
        }
        // The contexts are read as far as there is room: whole, or the sentences nearest to the question.
        let amount = Amount { tokens: usize::MAX, whole_if_possible: true };
        let contexts = Found { hits: contexts, nearest: Vec::new(), sought };
        let (draft, mut evidence) = if contexts.hits.is_empty() {
            (None, Vec::new())
        } else {
            let reading = Reading::of(run, &contexts, &[], |prompts| &prompts.summarise, amount).await?;
            (Some(reading.draft), reading.passages)
        };
        let ids: Vec<EntryId> = evidence.iter().map(|hit| hit.passage.id.clone()).collect();
        let mut pairs = number_pairs(&pair_hits, &mut evidence);
        let written = async {
            match run.question.source {
                Source::Context => {
                    run.step(Step::Pairs, self.pairs_of(&ids, contexts.sought.vector, run.context)).await
                }
                Source::Qa | Source::All => Ok(Vec::new()),
            }
        };
        let (summary, written) = try_join(summarise(run, draft), async { Ok(written.await?) }).await?;
        pairs.extend(written);
        Ok(Gathered { evidence, summary, pairs })
    }

    /// The contexts for which pairs were written, in the order of the pairs, each once. Those without text say
    /// nothing.
    async fn contexts_of(&self, pairs: &[Hit], context: &RequestContext) -> Result<Vec<Hit>, StoreError> {
        let mut ids: Vec<EntryId> = Vec::new();
        for id in pairs.iter().filter_map(|hit| hit.pair.as_ref()?.context.clone()) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let passages = self.0.search.passages(context, ids).await?;
        let hit = |passage: crate::Passage| {
            let of_it = |hit: &&Hit| hit.pair.as_ref().is_some_and(|pair| pair.context.as_ref() == Some(&passage.id));
            let (score, cosine) = pairs.iter().find(of_it).map_or((0.0, None), |hit| (hit.score, hit.cosine));
            Hit { passage, pair: None, score, cosine }
        };
        let passages = passages.into_iter().filter(|passage| !passage.text.trim().is_empty());
        Ok(passages.map(hit).collect())
    }

    /// The pairs written for contexts, best first, each under the number of its context.
    async fn pairs_of(
        &self,
        contexts: &[EntryId],
        vector: Vec<f32>,
        context: &RequestContext,
    ) -> Result<Vec<NumberedPair>, StoreError> {
        let pairs = self.0.search.pairs_for(context, contexts.to_vec(), vector, MOST_PAIRS).await?;
        let numbered = pairs.into_iter().filter_map(|pair| {
            let number = contexts.iter().position(|id| Some(id) == pair.context.as_ref())? + 1;
            Some(NumberedPair { number, question: pair.question, answer: pair.answer })
        });
        Ok(numbered.collect())
    }
}

/// First step: the question as a search term. A model that returns nothing useful is no reason to fail.
async fn condense(run: &Run<'_>) -> Result<String, AnswerError> {
    let draft = run.draft(|with, question| {
        let generation = Generation { max_tokens: TERM_TOKENS, ..with.generation };
        let (model, instructions) = (&*with.model, &with.prompts.condense);
        Budget::check_without_passages(model, generation, instructions, question)?;
        Ok(Draft::new(model, instructions, &question.history, question.content.clone(), generation))
    });
    let draft = draft.await?;
    let term = async { Call::start(run, Step::Condense, draft).await?.read_to_end().await };
    let text = match term.await {
        Err(ModelError::OnlyReasoning { .. }) => String::new(),
        text => text?,
    };
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let term = line.trim_matches(['"', '\'', '`', '*']).trim();
    let is_believed = (1..=LONGEST_TERM).contains(&term.chars().count());
    Ok(if is_believed { term.to_owned() } else { run.question.content.clone() })
}

async fn summarise(run: &Run<'_>, draft: Option<Draft>) -> Result<String, AnswerError> {
    match draft {
        Some(draft) => Ok(Call::start(run, Step::Summarise, draft).await?.read_to_end().await?),
        None => Ok(String::new()),
    }
}

/// Fifth step: streams the answer out of the model's JSON through the citation check. Returns the reasoning.
async fn write(run: &Run<'_>, draft: Draft, writing: &mut Writing<'_, '_>) -> Result<Option<String>, AnswerError> {
    let mut reader = JsonAnswer::default();
    let mut call = Call::start(run, Step::Answer, draft).await?;
    while let Some(piece) = call.next().await? {
        writing.push(&reader.push(&piece)).await;
        if writing.is_lost() {
            break;
        }
    }
    let first_token = call.end().await;
    run.record("first_token", first_token);
    let (rest, reasoning) = reader.end();
    writing.push(&rest).await;
    writing.end().await;
    let Some(reasoning) = reasoning else { return Ok(None) };
    Ok(Some(writing.aside(&reasoning).await).filter(|reasons| !reasons.is_empty()))
}

/// Fifth step's prompt: summary, pairs as far as there is room, question.
fn answer_draft(
    with: &Resources,
    question: &Question,
    summary: &str,
    pairs: &[NumberedPair],
) -> Result<Draft, AnswerError> {
    let Resources { model, generation, prompts, .. } = with;
    let generation = Generation { max_tokens: generation.max_tokens + REASONING_TOKENS, ..*generation };
    let mut budget = Budget::over_passages(&**model, generation, &prompts.answer, question)?;
    let mut body = String::new();
    if !summary.trim().is_empty() {
        let whole = format!("Summary of the passages:\n{}\n\n", summary.trim());
        let summary = budget.start_that_fits(&whole).to_owned();
        budget.spend(&summary);
        body = summary;
    }
    for NumberedPair { number, question, answer } in pairs {
        let pair = format!("[{number}] Asked before: {question}\nAnswer: {answer}\n\n");
        if budget.spend(&pair) {
            body.push_str(&pair);
        }
    }
    body.push_str("Question: ");
    body.push_str(&question.content);
    let mut draft = Draft::new(&**model, &question.instructed(&prompts.answer), &question.history, body, generation);
    draft.prompt.shape = Some(Shape::Object(vec![("answer", Shape::Text), ("reasoning", Shape::Text)]));
    Ok(draft)
}

/// Pairs that were hits, under the number of their context where that is among the evidence; the others become
/// evidence themselves.
fn number_pairs(pairs: &[Hit], evidence: &mut Vec<Hit>) -> Vec<NumberedPair> {
    let mut numbered = Vec::new();
    for hit in pairs {
        let Some(pair) = &hit.pair else { continue };
        let context = pair.context.as_ref();
        let number = match evidence.iter().position(|other| Some(&other.passage.id) == context) {
            Some(index) => index + 1,
            None => {
                evidence.push(hit.clone());
                evidence.len()
            }
        };
        numbered.push(NumberedPair { number, question: pair.question.clone(), answer: hit.passage.text.clone() });
    }
    numbered
}

#[cfg(test)]
#[path = "classic_tests.rs"]
mod tests;
