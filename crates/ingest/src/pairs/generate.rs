//! Writing pairs with a language model.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use qanda_core::answering::Prompts;
use qanda_core::language::words;
use qanda_core::ports::{Message, Prompt, Shape, read_to_end};
use qanda_core::question::Role;
use qanda_core::{Embedder, EntryId, LanguageModel, ModelError, NewPair, Passage, RequestContext, Store};
use serde::Deserialize;

use super::{key, same_question};
use crate::IngestError;

/// The job: pairs for stored passages that have none yet.
pub struct Generate {
    /// Store of the passages, to which the pairs go.
    pub store: Arc<dyn Store>,
    /// Embeds the questions.
    pub embedder: Arc<dyn Embedder>,
    /// Writes the pairs.
    pub model: Arc<dyn LanguageModel>,
    /// Instructions that it is given.
    pub prompts: Arc<Prompts>,
    /// Pairs wanted for each passage.
    pub pairs: usize,
    /// Passages asked about at the same time.
    pub at_once: usize,
    /// 0 makes pairs repeatable.
    pub temperature: f32,
}

/// Event of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum GenerateEvent {
    /// Work that there is to do.
    Planned {
        /// Passages that have no pairs yet.
        passages: usize,
        /// Passages that have some already.
        done: usize,
    },
    /// A passage is dealt with.
    Written {
        /// Path of its document.
        document: String,
        /// Pairs stored.
        pairs: usize,
        /// Pairs that were there already in other words, or were no pairs.
        dropped: usize,
        /// Tokens that the model wrote.
        tokens: usize,
    },
    /// The model returned nothing that could be used for a passage; the next run tries it again.
    Failed {
        /// Path of its document.
        document: String,
        /// Why.
        reason: String,
    },
}

/// Report of a job.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GenerateReport {
    /// Passages that got pairs.
    pub passages: usize,
    /// Passages that had pairs already.
    pub done: usize,
    /// Pairs stored.
    pub pairs: usize,
    /// Pairs left out: repetitions, or no pairs.
    pub dropped: usize,
    /// Passages for which the model returned nothing that could be used.
    pub failed: usize,
    /// Tokens that the model wrote.
    pub tokens: usize,
    /// Duration, in seconds.
    pub seconds: f64,
}

/// Tokens for one pair, its JSON included.
const PAIR_TOKENS: usize = 120;

impl Generate {
    /// Writes pairs for all passages of documents that `wanted` accepts by path, at most `limit` passages. Each
    /// passage is stored when its pairs are there, so a job that is stopped goes on where it was.
    ///
    /// # Errors
    /// [`IngestError`] when the store, the embedder or the model's endpoint fails.
    pub async fn run(
        &self,
        wanted: impl Fn(&str) -> bool,
        limit: usize,
        mut on_event: impl FnMut(GenerateEvent),
    ) -> Result<GenerateReport, IngestError> {
        let began = Instant::now();
        let mut known: HashMap<EntryId, usize> = HashMap::new();
        let mut questions = HashSet::new();
        for pair in super::all(&*self.store).await? {
            questions.insert(same_question(&pair.question));
            // Only what a model wrote says that it has been here.
            if let (Some(context), Some(_)) = (pair.context, pair.written_by) {
                *known.entry(context).or_default() += 1;
            }
        }
        let passages = super::passages(&*self.store).await?;
        let passages: Vec<Passage> = passages.into_iter().filter(|passage| wanted(&passage.document)).collect();
        let (done, mut open): (Vec<_>, Vec<_>) = passages.into_iter().partition(|p| known.contains_key(&p.id));
        open.truncate(limit);
        let mut report = GenerateReport { done: done.len(), ..GenerateReport::default() };
        on_event(GenerateEvent::Planned { passages: open.len(), done: done.len() });
        let mut written = futures::stream::iter(open)
            .map(|passage| async { (self.ask(&passage).await, passage) })
            .buffer_unordered(self.at_once.max(1));
        while let Some((said, passage)) = written.next().await {
            let document = passage.document.clone();
            let (found, tokens) = match said {
                Ok((text, tokens)) => (parse(&text), tokens),
                // A matter of this passage: the others can go on.
                Err(
                    error @ (ModelError::PromptTooLong { .. }
                    | ModelError::Refused { .. }
                    | ModelError::Filtered { .. }
                    | ModelError::OnlyReasoning { .. }),
                ) => (Err(error.to_string()), 0),
                Err(error) => return Err(error.into()),
            };
            report.tokens += tokens;
            let event = match found {
                Ok(found) => {
                    let (pairs, dropped) = self.store_pairs(passage, found, &mut questions).await?;
                    report.passages += 1;
                    report.pairs += pairs;
                    report.dropped += dropped;
                    GenerateEvent::Written { document, pairs, dropped, tokens }
                }
                Err(reason) => {
                    report.failed += 1;
                    GenerateEvent::Failed { document, reason }
                }
            };
            on_event(event);
        }
        self.store.optimise().await?;
        Ok(GenerateReport { seconds: began.elapsed().as_secs_f64(), ..report })
    }

    /// Text that the model writes for a passage, with the number of its tokens.
    async fn ask(&self, passage: &Passage) -> Result<(String, usize), ModelError> {
        let pair = Shape::Object(vec![("question", Shape::Text), ("answer", Shape::Text)]);
        let list = Shape::List { of: Box::new(pair), least: 1, most: self.pairs };
        let asked = format!("Questions wanted: {}\n\nPassage:\n{}", self.pairs, passage.with_context());
        let prompt = Prompt {
            messages: vec![Message::new(Role::System, self.prompts.pairs.as_str()), Message::new(Role::User, asked)],
            max_tokens: PAIR_TOKENS * self.pairs + 32,
            temperature: self.temperature,
            shape: Some(Shape::Object(vec![("pairs", list)])),
        };
        let written = read_to_end(self.model.generate(&RequestContext::local(), prompt).await?).await?;
        Ok((written.tokens.concat(), written.tokens.len()))
    }

    /// Stores the pairs that are new; returns how many, and how many were left out.
    async fn store_pairs(
        &self,
        passage: Passage,
        found: Vec<Written>,
        questions: &mut HashSet<String>,
    ) -> Result<(usize, usize), IngestError> {
        let total = found.len();
        let mut new: Vec<Written> = Vec::new();
        for pair in found.into_iter().take(self.pairs) {
            // The first one stays even if another passage answers the same question: a passage without any pair
            // would be asked about again by every run.
            if questions.insert(same_question(&pair.question)) || new.is_empty() {
                new.push(pair);
            }
        }
        let vectors = self
            .embedder
            .embed_passages(&RequestContext::local(), new.iter().map(|pair| pair.question.clone()).collect())
            .await?;
        let stored = new.len();
        let pairs = new.into_iter().zip(vectors).map(|(pair, vector)| NewPair {
            key: key(&pair.question, &pair.answer),
            question: pair.question.trim().to_owned(),
            answer: pair.answer.trim().to_owned(),
            context: Some(passage.id.clone()),
            document: Some(passage.document.clone()),
            written_by: Some(self.model.name().to_owned()),
            vector,
        });
        self.store.put_pairs(&RequestContext::local(), pairs.collect()).await?;
        Ok((stored, total - stored))
    }
}

/// A pair as the model writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Written {
    question: String,
    answer: String,
}

impl Written {
    /// Both sides say something.
    fn is_one(&self) -> bool {
        words(&self.question).count() >= 3 && words(&self.answer).count() >= 2
    }
}

/// The pairs in what a model wrote: those that are complete, if it was cut off; from prose around them, too.
fn parse(text: &str) -> Result<Vec<Written>, String> {
    let start = text.find('{').ok_or("the model wrote no JSON")?;
    let json = &text[start..];
    let list = serde_json::Deserializer::from_str(json).into_iter::<PairList>().next();
    let mut pairs = match list {
        Some(Ok(list)) => list.pairs,
        // Cut off, or a bare list: every object that is a pair counts.
        _ => {
            let pair = |at: usize| serde_json::Deserializer::from_str(&json[at..]).into_iter::<Written>().next()?.ok();
            json.match_indices('{').filter_map(|(at, _)| pair(at)).collect()
        }
    };
    pairs.retain(Written::is_one);
    if pairs.is_empty() { Err("the model wrote no complete pair".to_owned()) } else { Ok(pairs) }
}

/// The object that is asked for.
#[derive(Deserialize)]
struct PairList {
    pairs: Vec<Written>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_pairs_are_taken_from_whatever_the_model_wrote() {
        let whole = r#"{"pairs": [{"question": "What is it?", "answer": "It is."}, {"question": "?", "answer": ""}]}"#;
        assert_eq!(parse(whole).expect("parses").len(), 1);
        let cut = r#"Sure: {"pairs": [{"question": "What is it?", "answer": "It is."}, {"question": "Q2", "ans"#;
        assert_eq!(parse(cut).expect("parses")[0].question, "What is it?");
        assert_eq!(parse(r#"[{"question": "What is it?", "answer": "It is."}]"#).expect("parses").len(), 1);
        assert!(parse("I cannot.").is_err() && parse(r#"{"a": 1}"#).is_err());
    }
}
