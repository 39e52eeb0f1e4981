//! The chain of the original service: condense, search, gather, summarise, answer.
//!
//! ```text
//! question --model--> search term --search--> hits --+-- model --> summary --+-- model --> {answer, reasoning}
//!                                                    +-- store --> pairs ----+
//! ```
//!
//! What does not depend on each other runs together, and each kind of text is fetched in one query. What the model
//! says passes the same citation check as in `direct`.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::future::try_join;

use super::direct::{self, quote};
use super::json_answer::JsonAnswer;
use super::prompt::{Generation, conversation, over_passages, room};
use super::run::{Resources, Run, Wanted, tell};
use super::{OnText, Pipeline};
use crate::document::EntryId;
use crate::ports::{Hit, Prompt, Shape};
use crate::retrieval::focus::{excerpts, nearest, score};
use crate::verification::CitationWriter;
use crate::{Answer, AnswerError, ModelError, Question, RequestContext, Source, StoreError};

/// The pipeline of the original service: three model calls a question.
pub struct Classic(pub Resources);

const NAME: &str = "classic";

/// Most pairs in a prompt beside the contexts for which they were written.
const MOST_PAIRS: usize = 8;
/// Longest search term that is believed, in characters. A model that writes more has not understood.
const LONGEST_TERM: usize = 200;
/// Tokens for a search term.
const TERM_TOKENS: usize = 48;
/// Tokens allowed for the number and the headings of a passage.
const HEADING_TOKENS: usize = 48;
/// Tokens for the reasoning, beside those of the answer.
const REASONING_TOKENS: usize = 128;

#[async_trait]
impl Pipeline for Classic {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn answer(
        &self,
        context: &RequestContext,
        question: Question,
        on_text: OnText<'_>,
    ) -> Result<Answer, AnswerError> {
        let mut run = Run::start(&self.0, context);
        if !question.search {
            return run.model_alone(&question, NAME, on_text).await;
        }
        let term = self.condense(&question, &mut run).await?;
        let (mut hits, mut vector) = run.search(&term, &question).await?;
        if hits.is_empty() && term != question.content {
            // The model may have missed the point; the question itself has not.
            (hits, vector) = run.search(&question.content, &question).await?;
        }
        if hits.is_empty() {
            return Ok(run.nothing_found(NAME, on_text));
        }
        let gathered = self.gather(&question, hits, &vector, &mut run).await?;
        let Gathered { evidence, summary, pairs } = gathered;
        let prompt = self.answer_prompt(&question, &summary, &pairs);
        let mut writer =
            CitationWriter::new(direct::evidence(&evidence), self.0.generation.grounding, &question.content);
        let mut reader = JsonAnswer::default();
        let take = |piece: &str| {
            tell(&writer.push(&reader.push(piece)), on_text);
            if writer.is_lost() { Wanted::NoMore } else { Wanted::More }
        };
        let first = run.stream("answer", prompt, take).await?;
        run.timings.record("first_token", first);
        let (rest, reasoning) = reader.end();
        tell(&writer.push(&rest), on_text);
        tell(&writer.end(), on_text);
        if writer.is_uncited() {
            let best = nearest(&question.content, &vector, &evidence, context, &*self.0.embedder).await?;
            quote(&mut writer, best, on_text);
        }
        Ok(Answer { reasoning, ..run.finish(writer, NAME) })
    }
}

/// What an answer is made of.
struct Gathered {
    /// What it may cite: the passages of the summary, then pairs that stand for themselves. Number `n` in the
    /// prompts is `evidence[n - 1]`.
    evidence: Vec<Hit>,
    summary: String,
    pairs: Vec<Noted>,
}

/// A pair with the number under which it is cited.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Noted {
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
        self.condense(question, &mut Run::start(&self.0, context)).await
    }

    /// First step: the question as a search term. A model that returns nothing useful is no reason to fail.
    async fn condense(&self, question: &Question, run: &mut Run<'_>) -> Result<String, AnswerError> {
        let generation = Generation { max_tokens: TERM_TOKENS, ..self.0.generation };
        let prompt = conversation(&self.0.prompts.condense, &question.history, question.content.clone(), generation);
        let said = match run.complete("condense", prompt).await {
            Err(ModelError::OnlyReasoning { .. }) => String::new(),
            said => said?,
        };
        let term = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let term = term.trim_matches(['"', '\'', '`', '*']).trim();
        let believed = (1..=LONGEST_TERM).contains(&term.chars().count());
        Ok(if believed { term.to_owned() } else { question.content.clone() })
    }

    /// Third and fourth step: the contexts and pairs that belong to the hits, and a summary of the contexts. The
    /// pairs of contexts are fetched while the model writes the summary.
    async fn gather(
        &self,
        question: &Question,
        hits: Vec<Hit>,
        vector: &[f32],
        run: &mut Run<'_>,
    ) -> Result<Gathered, AnswerError> {
        let (pair_hits, mut contexts): (Vec<Hit>, Vec<Hit>) = hits.into_iter().partition(|hit| hit.pair.is_some());
        if question.source == Source::Qa {
            let at = Instant::now();
            contexts = self.contexts_of(&pair_hits, run.context).await?;
            run.timings.record("contexts", at.elapsed());
        }
        let Resources { model, generation, prompts, .. } = &self.0;
        let texts = self.texts(question, vector, contexts, run.context).await?;
        let (prompt, contexts) = over_passages(&prompts.summarise, question, texts, &**model, *generation);
        let no_room = contexts.is_empty() && pair_hits.is_empty();
        if no_room {
            return Err(run.no_room(question));
        }
        let mut evidence = contexts;
        let ids: Vec<EntryId> = evidence.iter().map(|hit| hit.passage.id.clone()).collect();
        let mut pairs = noted_hits(&pair_hits, &mut evidence);
        let context = run.context;
        let written = async {
            match question.source {
                Source::Context => Ok(self.pairs_of(&ids, vector.to_vec(), context).await?),
                Source::Qa | Source::All => Ok((Vec::new(), None)),
            }
        };
        let summary = Self::summarise(run, (!ids.is_empty()).then_some(prompt));
        let (summary, (written, took)) = try_join(summary, written).await?;
        if let Some(took) = took {
            run.timings.record("pairs", took);
        }
        pairs.extend(written);
        Ok(Gathered { evidence, summary, pairs })
    }

    /// What the model reads of each context: all of it, or the sentences nearest to the question where the contexts
    /// are too long for its window.
    async fn texts(
        &self,
        question: &Question,
        vector: &[f32],
        contexts: Vec<Hit>,
        context: &RequestContext,
    ) -> Result<Vec<(Hit, String)>, AnswerError> {
        let Resources { model, generation, prompts, embedder, .. } = &self.0;
        let room = room(&prompts.summarise, question, &**model, *generation);
        let whole: Vec<String> = contexts.iter().map(|hit| hit.passage.text.clone()).collect();
        let headings = contexts.len() * HEADING_TOKENS;
        let tokens: usize = whole.iter().map(|text| model.count_tokens(text)).sum();
        let texts = if tokens + headings <= room {
            whole
        } else {
            let sentences = score(&question.content, vector, &contexts, context, &**embedder).await?;
            excerpts(&contexts, &sentences, room.saturating_sub(headings), &**model)
        };
        Ok(contexts.into_iter().zip(texts).collect())
    }

    async fn summarise(run: &mut Run<'_>, prompt: Option<Prompt>) -> Result<String, AnswerError> {
        match prompt {
            Some(prompt) => Ok(run.complete("summarise", prompt).await?),
            None => Ok(String::new()),
        }
    }

    /// The contexts for which pairs were written, in the order of the pairs, each once.
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
        let score = |id: &EntryId| {
            let of_it = |hit: &&Hit| hit.pair.as_ref().is_some_and(|pair| pair.context.as_ref() == Some(id));
            pairs.iter().find(of_it).map_or((0.0, None), |hit| (hit.score, hit.cosine))
        };
        let hit = |passage: crate::Passage| {
            let (score, cosine) = score(&passage.id);
            Hit { passage, pair: None, score, cosine }
        };
        Ok(passages.into_iter().map(hit).collect())
    }

    /// The pairs written for contexts, best first, each under the number of its context; with the time that took.
    async fn pairs_of(
        &self,
        contexts: &[EntryId],
        vector: Vec<f32>,
        context: &RequestContext,
    ) -> Result<(Vec<Noted>, Option<Duration>), StoreError> {
        let at = Instant::now();
        let pairs = self.0.search.pairs_for(context, contexts.to_vec(), vector, MOST_PAIRS).await?;
        let noted = pairs.into_iter().filter_map(|pair| {
            let number = contexts.iter().position(|id| Some(id) == pair.context.as_ref())? + 1;
            Some(Noted { number, question: pair.question, answer: pair.answer })
        });
        Ok((noted.collect(), Some(at.elapsed())))
    }

    /// Fifth step's prompt: summary, pairs as far as there is room, question.
    fn answer_prompt(&self, question: &Question, summary: &str, pairs: &[Noted]) -> Prompt {
        let Resources { model, generation, prompts, .. } = &self.0;
        let generation = Generation { max_tokens: generation.max_tokens + REASONING_TOKENS, ..*generation };
        let mut room = room(&prompts.answer, question, &**model, generation);
        let mut body = String::new();
        if !summary.trim().is_empty() {
            body = format!("Summary of the passages:\n{}\n\n", summary.trim());
            room = room.saturating_sub(model.count_tokens(&body));
        }
        for Noted { number, question, answer } in pairs {
            let pair = format!("[{number}] Asked before: {question}\nAnswer: {answer}\n\n");
            let tokens = model.count_tokens(&pair);
            if tokens <= room {
                room -= tokens;
                body.push_str(&pair);
            }
        }
        body.push_str("Question: ");
        body.push_str(&question.content);
        let shape = Shape::Object(vec![("answer", Shape::Text), ("reasoning", Shape::Text)]);
        Prompt { shape: Some(shape), ..conversation(&prompts.answer, &question.history, body, generation) }
    }
}

/// Pairs that were hits, under the number of their context where that is among the evidence; the others become
/// evidence themselves.
fn noted_hits(pairs: &[Hit], evidence: &mut Vec<Hit>) -> Vec<Noted> {
    let mut noted = Vec::new();
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
        noted.push(Noted { number, question: pair.question.clone(), answer: hit.passage.text.clone() });
    }
    noted
}

#[cfg(test)]
#[path = "classic_tests.rs"]
mod tests;
