use std::sync::Arc;

use super::super::fakes::{Found, OneVector, Scripted, water};
use super::super::run::NOTHING_FOUND;
use super::super::{Generation, Prompts};
use super::*;
use crate::{ModelError, Span};

fn direct(cosine: f32, pieces: &[&'static str]) -> (Direct, Arc<Scripted>) {
    let model = Arc::new(Scripted::new(vec![pieces.to_vec()]));
    let hit = Hit { passage: water(), pair: None, score: 0.5, cosine: Some(cosine) };
    let direct = Direct(Resources {
        search: Arc::new(Found { hits: vec![hit], ..Found::default() }),
        embedder: Arc::new(OneVector::new()),
        model: Arc::clone(&model) as _,
        generation: Generation { context_tokens: 512, grounding: Grounding::Marked, max_tokens: 256, temperature: 0.0 },
        prompts: Arc::new(Prompts::default()),
    });
    (direct, model)
}

async fn answer(direct: &Direct, question: Question) -> (Answer, String) {
    let mut told = String::new();
    let answer =
        direct.answer(&RequestContext::local(), question, &mut |text| told.push_str(text)).await.expect("answers");
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
    let prompt = model.prompt(0).expect("was asked");
    assert!(prompt.messages[1].content.starts_with("[1] Water\nAdults should"));
    assert!(prompt.messages[1].content.ends_with("Question: How much water?"));
}

#[tokio::test]
async fn nothing_relevant_means_no_invention() {
    let (direct, model) = direct(0.1, &["Paris."]);
    let (answer, told) = answer(&direct, Question::new("What is the capital of France?")).await;
    assert_eq!((answer.text.as_str(), told.as_str()), (NOTHING_FOUND, NOTHING_FOUND));
    assert!(answer.citations.is_empty());
    assert!(model.prompt(0).is_none(), "the model is not asked");
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
    let prompt = model.prompt(0).expect("was asked");
    assert!(!prompt.messages.iter().any(|message| message.content.contains("water")));
}

#[tokio::test]
async fn a_failure_after_some_tokens_is_a_failure() {
    let (mut direct, _) = direct(0.8, &[]);
    direct.0.model = Arc::new(Scripted { fails: true, ..Scripted::new(vec![vec!["Two"]]) });
    let failed = direct.answer(&RequestContext::local(), Question::new("How much water?"), &mut |_| {}).await;
    assert!(matches!(failed, Err(AnswerError::Model(ModelError::Stopped))));
}

#[tokio::test]
async fn strict_grounding_leaves_inventions_out_and_quotes_instead() {
    let (mut direct, _) =
        direct(0.8, &["Adults need eight litres of water a day.", " Water is wet and blue and cold."]);
    direct.0.generation.grounding = Grounding::Strict;
    let (answer, told) = answer(&direct, Question::new("How much water should adults drink?")).await;
    assert_eq!(answer.text, "The documents say: “Adults should drink about two litres of water a day.” [1]");
    assert_eq!(told, answer.text);
}

#[tokio::test]
async fn a_question_that_leaves_no_room_for_passages_is_refused() {
    let (direct, model) = direct(0.8, &["Anything."]);
    let question = Question::new("water ".repeat(1_780));
    let refused = direct.answer(&RequestContext::local(), question, &mut |_| {}).await;
    assert!(matches!(refused, Err(AnswerError::Model(ModelError::PromptTooLong { .. }))), "{refused:?}");
    assert!(model.prompt(0).is_none(), "the model is not asked");
}
