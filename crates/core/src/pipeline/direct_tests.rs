use std::sync::Mutex;

use futures::StreamExt;

use super::*;
use crate::ports::{EmbedderIdentity, StoreStatus, Token, TokenStream};
use crate::{Metadata, ModelError, NewDocument, Passage, Span, StoreError};

/// Finds one passage, as near to every question as told.
struct OnePassage {
    cosine: f32,
}

#[async_trait]
impl Store for OnePassage {
    async fn search(&self, query: SearchQuery) -> Result<Vec<Hit>, StoreError> {
        let text = "Adults should drink about two litres of water a day.";
        let passage = Passage {
            id: 4,
            document: "water.md".to_owned(),
            title: "Water".to_owned(),
            headings: vec![],
            text: text.to_owned(),
            span: Span::new(100, 100 + text.len()),
            metadata: Metadata::new(),
        };
        assert_eq!(query.limit, Question::DEFAULT_RESULTS);
        Ok(vec![Hit { passage, score: 0.5, cosine: Some(self.cosine) }])
    }
    async fn put(&self, _: Vec<NewDocument>) -> Result<(), StoreError> {
        unreachable!("answering stores nothing")
    }
    async fn remove(&self, _: Vec<String>) -> Result<usize, StoreError> {
        unreachable!("answering removes nothing")
    }
    async fn fingerprints(&self) -> Result<std::collections::HashMap<String, String>, StoreError> {
        unreachable!("answering needs no fingerprints")
    }
    async fn optimise(&self) -> Result<(), StoreError> {
        unreachable!("answering does not write")
    }
    async fn status(&self) -> Result<StoreStatus, StoreError> {
        unreachable!("answering needs no counts")
    }
}

struct NoEmbedder(EmbedderIdentity);

#[async_trait]
impl Embedder for NoEmbedder {
    fn identity(&self) -> &EmbedderIdentity {
        &self.0
    }
    fn relevance_floor(&self) -> f32 {
        0.3
    }
    async fn embed_query(&self, _: &str) -> Result<Vec<f32>, ModelError> {
        Ok(vec![1.0])
    }
    async fn embed_passages(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        Ok(texts.iter().map(|_| vec![1.0]).collect())
    }
}

/// Says its pieces, then fails if told so; keeps the prompt.
struct Scripted {
    pieces: Vec<&'static str>,
    fails: bool,
    window: usize,
    prompt: Mutex<Option<Prompt>>,
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
        text.split_whitespace().count()
    }
    async fn generate(&self, prompt: Prompt) -> Result<TokenStream, ModelError> {
        *self.prompt.lock().expect("lock") = Some(prompt);
        let pieces = self.pieces.iter().map(|text| Ok(Token { text: (*text).to_owned() }));
        let failure = self.fails.then_some(Err(ModelError::Stopped));
        Ok(futures::stream::iter(pieces.chain(failure).collect::<Vec<_>>()).boxed())
    }
}

fn direct(cosine: f32, pieces: &[&'static str]) -> (Direct, Arc<Scripted>) {
    let model = Arc::new(Scripted { pieces: pieces.to_vec(), fails: false, window: 2048, prompt: Mutex::default() });
    let direct = Direct {
        store: Arc::new(OnePassage { cosine }),
        embedder: Arc::new(NoEmbedder(EmbedderIdentity { name: "none".to_owned(), dimension: 1 })),
        model: Arc::clone(&model) as _,
        generation: Generation { context_tokens: 512, grounding: Grounding::Marked, max_tokens: 256, temperature: 0.0 },
    };
    (direct, model)
}

async fn answer(direct: &Direct, question: Question) -> (Answer, String) {
    let mut told = String::new();
    let answer = direct.answer(question, &mut |text| told.push_str(text)).await.expect("answers");
    (answer, told)
}

#[tokio::test]
async fn an_answer_streams_and_cites_the_words_it_rests_on() {
    let (direct, model) = direct(0.8, &["Adults should drink two", " litres of water", " a day [", "1]."]);
    let (answer, told) = answer(&direct, Question::new("How much water?")).await;
    assert_eq!(told, answer.text);
    assert_eq!(answer.text, "Adults should drink two litres of water a day [1].");
    assert_eq!(answer.citations[0].document, "water.md");
    assert_eq!(answer.citations[0].span, Span::new(100, 152));
    assert_eq!((answer.tokens, answer.pipeline, answer.model.as_str()), (4, "direct", "scripted"));
    for step in ["embed", "search", "first_token", "generate", "total"] {
        assert!(answer.timings.get(step).is_some(), "{step}");
    }
    let prompt = model.prompt.lock().expect("lock").clone().expect("was asked");
    assert!(prompt.messages[1].content.starts_with("[1] Water\nAdults should"));
    assert!(prompt.messages[1].content.ends_with("Question: How much water?"));
}

#[tokio::test]
async fn nothing_relevant_means_no_invention() {
    let (direct, model) = direct(0.1, &["Paris."]);
    let (answer, told) = answer(&direct, Question::new("What is the capital of France?")).await;
    assert_eq!((answer.text.as_str(), told.as_str()), (NOTHING_FOUND, NOTHING_FOUND));
    assert!(answer.citations.is_empty());
    assert!(model.prompt.lock().expect("lock").is_none(), "the model is not asked");
}

#[tokio::test]
async fn a_passage_with_all_the_words_is_relevant_however_far_its_vector() {
    let (direct, _) = direct(0.1, &["Two litres of water each day for adults [1]."]);
    let (answer, _) = answer(&direct, Question::new("adults water litres?")).await;
    assert_eq!(answer.citations.len(), 1);
}

#[tokio::test]
async fn an_answer_without_backing_is_followed_by_the_closest_words() {
    let (direct, _) = direct(0.8, &["It depends on many things in life."]);
    let (answer, told) = answer(&direct, Question::new("How much water should adults drink?")).await;
    assert_eq!(
        answer.text,
        "It depends on many things in life.\n\nThe documents say: \
         “Adults should drink about two litres of water a day.” [1]"
    );
    assert_eq!(told, answer.text);
    assert_eq!(answer.citations[0].text, "Adults should drink about two litres of water a day.");
}

#[tokio::test]
async fn the_model_alone_searches_nothing_and_cites_nothing() {
    let (direct, model) = direct(0.8, &["Paris [1]."]);
    let question = Question { search: false, ..Question::new("What is the capital of France?") };
    let (answer, _) = answer(&direct, question).await;
    assert_eq!(answer.text, "Paris.");
    assert!(answer.citations.is_empty() && answer.timings.get("search").is_none());
    let prompt = model.prompt.lock().expect("lock").clone().expect("was asked");
    assert!(!prompt.messages.iter().any(|message| message.content.contains("water")));
}

#[tokio::test]
async fn a_failure_after_some_tokens_is_a_failure() {
    let (mut direct, _) = direct(0.8, &[]);
    direct.model = Arc::new(Scripted { pieces: vec!["Two"], fails: true, window: 2048, prompt: Mutex::default() });
    let failed = direct.answer(Question::new("How much water?"), &mut |_| {}).await;
    assert!(matches!(failed, Err(AnswerError::Model(ModelError::Stopped))));
}

#[tokio::test]
async fn strict_grounding_leaves_inventions_out_and_quotes_instead() {
    let (mut direct, _) =
        direct(0.8, &["Adults need eight litres of water a day.", " Water is wet and blue and cold."]);
    direct.generation.grounding = Grounding::Strict;
    let (answer, told) = answer(&direct, Question::new("How much water should adults drink?")).await;
    assert_eq!(answer.text, "The documents say: “Adults should drink about two litres of water a day.” [1]");
    assert_eq!(told, answer.text);
}

#[tokio::test]
async fn a_question_that_leaves_no_room_for_passages_is_refused() {
    let (direct, model) = direct(0.8, &["Anything."]);
    let question = Question::new("water ".repeat(1_780));
    let refused = direct.answer(question, &mut |_| {}).await;
    assert!(matches!(refused, Err(AnswerError::Model(ModelError::PromptTooLong { .. }))), "{refused:?}");
    assert!(model.prompt.lock().expect("lock").is_none(), "the model is not asked");
}
