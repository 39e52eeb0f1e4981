//! A store, an embedder and a model with fixed behaviour, for the tests of the pipelines.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use futures::StreamExt;

use super::{AnswerEvent, AnswerSink};
use crate::ports::{
    EmbedderIdentity, Finish, FoundSpan, Generated, GenerationStream, Hit, Prompt, Readable, Reading, SearchQuery,
};
use crate::{
    Embedder, EntryId, LanguageModel, Metadata, ModelError, Pair, Passage, Reader, RequestContext, Reranker, Search,
    Span, StoreError,
};

/// A passage about water that begins at byte 100 of its document.
pub(super) fn water() -> Passage {
    let text = "Adults should drink about two litres of water a day.";
    Passage {
        id: 4.into(),
        document: "water.md".to_owned(),
        title: "Water".to_owned(),
        headings: vec![],
        text: text.to_owned(),
        span: Span::new(100, 100 + text.len()),
        metadata: Metadata::new(),
        pages: None,
    }
}

/// Finds the same hits for every question and keeps what it was asked.
#[derive(Default)]
pub(super) struct Found {
    pub(super) hits: Vec<Hit>,
    pub(super) pairs: Vec<Pair>,
    pub(super) passages: Vec<Passage>,
    pub(super) searches: Mutex<Vec<SearchQuery>>,
    pub(super) pairs_asked: Mutex<Vec<(Vec<EntryId>, usize)>>,
}

#[async_trait]
impl Search for Found {
    async fn search(&self, _: &RequestContext, query: SearchQuery) -> Result<Vec<Hit>, StoreError> {
        self.searches.lock().expect("lock").push(query);
        Ok(self.hits.clone())
    }
    async fn passages(&self, _: &RequestContext, ids: Vec<EntryId>) -> Result<Vec<Passage>, StoreError> {
        Ok(self.passages.iter().filter(|passage| ids.contains(&passage.id)).cloned().collect())
    }
    async fn pairs_for(
        &self,
        _: &RequestContext,
        contexts: Vec<EntryId>,
        _: Vec<f32>,
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        self.pairs_asked.lock().expect("lock").push((contexts, limit));
        Ok(self.pairs.clone())
    }
}

/// Every text has the same vector.
pub(super) struct OneVector(EmbedderIdentity);

impl OneVector {
    pub(super) fn new() -> Self {
        Self(EmbedderIdentity { name: "none".to_owned(), dimension: 1 })
    }
}

#[async_trait]
impl Embedder for OneVector {
    fn identity(&self) -> &EmbedderIdentity {
        &self.0
    }
    fn relevance_floor(&self) -> f32 {
        0.3
    }
    async fn embed_queries(&self, _: &RequestContext, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        Ok(vec![vec![1.0]; texts.len()])
    }
    async fn embed_passages(&self, _: &RequestContext, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        Ok(texts.iter().map(|_| vec![1.0]).collect())
    }
}

/// Takes certain words for the answer to every question, where a passage has them, and keeps the questions.
///
/// The earlier of the words are the better answer. Where none is there, it thinks that the passage does not answer and
/// points at its first word.
#[derive(Default)]
pub(super) struct Points {
    pub(super) at: Vec<&'static str>,
    pub(super) questions: Mutex<Vec<String>>,
}

impl Points {
    pub(super) fn at(words: &[&'static str]) -> Self {
        Self { at: words.to_vec(), questions: Mutex::default() }
    }

    fn reading(&self, text: &str) -> Reading {
        let found = self.at.iter().filter_map(|words| {
            let start = text.find(words)?;
            Some(Span::new(start, start + words.len()))
        });
        let spans: Vec<_> = found.enumerate().map(|(at, span)| FoundSpan { span, score: 5.0 - at as f32 }).collect();
        if !spans.is_empty() {
            return Reading { spans, here: 3.0, confidence: 0.9 };
        }
        let first = text.split_whitespace().next().map(|word| {
            let start = text.find(word).unwrap_or_default();
            FoundSpan { span: Span::new(start, start + word.len()), score: -5.0 }
        });
        Reading { spans: first.into_iter().collect(), here: -3.0, confidence: 0.1 }
    }
}

#[async_trait]
impl Reader for Points {
    fn name(&self) -> &str {
        "points"
    }
    async fn read(
        &self,
        _: &RequestContext,
        question: &str,
        passages: Vec<Readable>,
    ) -> Result<Vec<Reading>, ModelError> {
        self.questions.lock().expect("lock").push(question.to_owned());
        Ok(passages.iter().map(|passage| self.reading(&passage.text)).collect())
    }
}

/// Likes the texts that have a word, and fails where there is none.
pub(super) struct Prefers(pub(super) &'static str);

#[async_trait]
impl Reranker for Prefers {
    fn name(&self) -> &str {
        "prefers"
    }
    async fn score(&self, _: &RequestContext, _: &str, texts: Vec<String>) -> Result<Vec<f32>, ModelError> {
        let scores: Vec<f32> = texts.iter().map(|text| f32::from(u8::from(text.contains(self.0)))).collect();
        if scores.contains(&1.0) { Ok(scores) } else { Err(ModelError::failed("scoring", "it likes nothing")) }
    }
}

/// End of a scripted generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Finished(Finish),
    Failed,
    /// The stream runs dry without a word.
    Dry,
}

/// Says its pieces at every call (the pieces of call `n` are `calls[n]`, the last ones from then on), then ends as it
/// is told to; keeps the prompts.
pub(super) struct Scripted {
    pub(super) calls: Vec<Vec<&'static str>>,
    pub(super) end: End,
    /// Call that only reasons.
    pub(super) reasons_at: Option<usize>,
    pub(super) window: usize,
    /// Counts tokens by length; by words without it.
    pub(super) bytes_per_token: Option<usize>,
    pub(super) prompts: Mutex<Vec<Prompt>>,
}

impl Scripted {
    pub(super) fn new(calls: Vec<Vec<&'static str>>) -> Self {
        Self {
            calls,
            end: End::Finished(Finish::Stop),
            reasons_at: None,
            window: 2048,
            bytes_per_token: None,
            prompts: Mutex::default(),
        }
    }

    /// The prompt of the call with this number, if there was one.
    pub(super) fn prompt(&self, call: usize) -> Option<Prompt> {
        self.prompts.lock().expect("lock").get(call).cloned()
    }
}

#[async_trait]
impl LanguageModel for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }
    fn context_window(&self) -> usize {
        self.window
    }
    fn count_tokens(&self, text: &str) -> usize {
        match self.bytes_per_token {
            Some(bytes) => text.len() / bytes,
            None => text.split_whitespace().count(),
        }
    }
    async fn generate(&self, _: &RequestContext, prompt: Prompt) -> Result<GenerationStream, ModelError> {
        let call = {
            let mut prompts = self.prompts.lock().expect("lock");
            prompts.push(prompt);
            prompts.len() - 1
        };
        if self.reasons_at == Some(call) {
            return Err(ModelError::OnlyReasoning { truncated: true });
        }
        let pieces = self.calls.get(call).or(self.calls.last()).cloned().unwrap_or_default();
        let pieces = pieces.into_iter().map(|text| Ok(Generated::Text(text.to_owned())));
        let end = match self.end {
            End::Finished(finish) => Some(Ok(Generated::End(finish))),
            End::Failed => Some(Err(ModelError::failed("generating", "a fault"))),
            End::Dry => None,
        };
        Ok(futures::stream::iter(pieces.chain(end).collect::<Vec<_>>()).boxed())
    }
}

/// Keeps the events of an answer.
#[derive(Default)]
pub(super) struct Heard(Mutex<Vec<AnswerEvent>>);

impl Heard {
    /// All events so far.
    pub(super) fn events(&self) -> Vec<AnswerEvent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The text told so far.
    pub(super) fn text(&self) -> String {
        let text = |event| if let AnswerEvent::Text(text) = event { Some(text) } else { None };
        self.events().into_iter().filter_map(text).collect()
    }
}

#[async_trait]
impl AnswerSink for Heard {
    async fn tell(&self, event: AnswerEvent) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }
}

#[tokio::test]
async fn the_fake_reader_points_at_its_words_and_doubts_without_them() {
    let reader = Points::at(&["two litres", "Adults"]);
    let passages = [water().text, "Zebras graze.".to_owned()];
    let passages = passages.map(|text| Readable { heading: String::new(), text }).to_vec();
    let read = reader.read(&RequestContext::local(), "How much water?", passages).await.expect("reads");
    assert_eq!(read[0].best().map(|found| found.span), Some(Span::new(26, 36)));
    assert_eq!(read[0].spans.len(), 2);
    assert!(read[0].confidence > 0.5 && read[1].confidence < 0.5);
    assert_eq!(read[1].best().map(|found| found.span), Some(Span::new(0, 6)));
}
