use std::sync::Arc;

use super::super::fakes::{Found, Heard, OneVector, Scripted, water};
use super::super::{Prompts, Unheard};
use super::*;
use crate::ports::PairLink;
use crate::verification::Grounding;
use crate::{Metadata, Pair, Passage, Span};

const ANSWER: &str = r#"{"answer": "Adults should drink two litres of water a day [1].", "reasoning": "It says so."}"#;

fn hit() -> Hit {
    Hit { passage: water(), pair: None, score: 0.5, cosine: Some(0.8) }
}

/// A pair as a search finds it, written for the passage about water or for none.
fn pair_hit(context: Option<u64>) -> Hit {
    let answer = "About two litres a day.";
    let passage = Passage {
        id: 9.into(),
        document: "qa:k".to_owned(),
        title: "How much water?".to_owned(),
        headings: vec![],
        text: answer.to_owned(),
        span: Span::new(0, answer.len()),
        metadata: Metadata::new(),
        pages: None,
    };
    let link = PairLink { question: "How much water?".to_owned(), context: context.map(Into::into) };
    Hit { passage, pair: Some(link), score: 0.7, cosine: Some(0.9) }
}

fn classic(store: Found, calls: Vec<Vec<&'static str>>) -> (Classic, Arc<Found>, Arc<Scripted>) {
    let (store, model) = (Arc::new(store), Arc::new(Scripted::new(calls)));
    let resources = Resources {
        search: Arc::clone(&store) as _,
        embedder: Arc::new(OneVector::new()),
        reranker: None,
        reader: None,
        model: Arc::clone(&model) as _,
        generation: Generation {
            context_tokens: 512,
            grounding: Grounding::Marked,
            min_confidence: 0.0,
            max_tokens: 256,
            temperature: 0.0,
        },
        prompts: Arc::new(Prompts::default()),
    };
    (Classic(resources), store, model)
}

async fn answer(classic: &Classic, source: Source) -> (Answer, String) {
    let heard = Heard::default();
    let question = Question { source, ..Question::new("How much water should I drink?") };
    let answer = classic.answer(&RequestContext::local(), question, &heard).await.expect("answers");
    (answer, heard.text())
}

fn script() -> Vec<Vec<&'static str>> {
    vec![vec!["\"daily water", " intake\"\n"], vec!["Two litres a day [1]."], vec![ANSWER]]
}

#[tokio::test]
async fn three_calls_make_an_answer_with_reasoning_and_citations() {
    let pair = Pair {
        key: "k".to_owned(),
        question: "How much?".to_owned(),
        answer: "Two litres.".to_owned(),
        context: Some(4.into()),
        document: None,
        written_by: None,
        metadata: Metadata::new(),
    };
    let store = Found { hits: vec![hit()], pairs: vec![pair], ..Found::default() };
    let (classic, store, model) = classic(store, script());
    let (answer, told) = answer(&classic, Source::Context).await;
    assert_eq!(answer.text, "Adults should drink two litres of water a day [1].");
    assert_eq!(told, answer.text);
    assert_eq!(answer.reasoning.as_deref(), Some("It says so."));
    assert_eq!(answer.citations[0].place.span, Span::new(100, 152));
    assert_eq!((answer.calls, answer.pipeline), (3, "classic"));
    for step in ["condense", "embed", "search", "pairs", "summarise", "answer", "total"] {
        assert!(answer.timings.get(step).is_some(), "{step}: {:?}", answer.timings);
    }
    let searched: Vec<String> = store.searches.lock().expect("lock").iter().map(|query| query.text.clone()).collect();
    assert_eq!(searched, ["How much water should I drink?", "daily water intake"]);
    assert_eq!(*store.pairs_asked.lock().expect("lock"), [(vec![4.into()], 8)], "one query for all hits");
    let summarise = model.prompt(1).expect("asked").messages[1].content.clone();
    assert!(summarise.starts_with("[1] Water\nAdults should drink"), "{summarise}");
    let last = model.prompt(2).expect("asked");
    let asked = &last.messages[1].content;
    assert!(asked.starts_with("Summary of the passages:\nTwo litres a day [1].\n\n[1] Asked before: How much?"));
    assert!(asked.ends_with("Question: How much water should I drink?"));
    assert!(last.shape.is_some());
}

#[tokio::test]
async fn pairs_that_are_hit_bring_their_contexts() {
    let store = Found { hits: vec![pair_hit(Some(4))], passages: vec![water()], ..Found::default() };
    let (classic, store, model) = classic(store, script());
    let (answer, _) = answer(&classic, Source::Qa).await;
    assert_eq!(answer.citations[0].place.document, "water.md");
    assert!(answer.timings.get("contexts").is_some() && answer.timings.get("pairs").is_none());
    assert!(store.pairs_asked.lock().expect("lock").is_empty());
    let asked = model.prompt(2).expect("asked").messages[1].content.clone();
    assert!(asked.contains("[1] Asked before: How much water?\nAnswer: About two litres a day."), "{asked}");
}

#[tokio::test]
async fn a_pair_without_a_context_is_evidence_itself_and_needs_no_summary() {
    let store = Found { hits: vec![pair_hit(None)], ..Found::default() };
    let answered = r#"{"answer": "You should drink about two litres each day."}"#;
    let (classic, _, model) = classic(store, vec![vec!["water"], vec![answered]]);
    let (answer, _) = answer(&classic, Source::Qa).await;
    assert_eq!(answer.calls, 2);
    assert_eq!(answer.citations[0].place.document, "qa:k");
    assert!(model.prompt(1).expect("asked").messages[1].content.starts_with("[1] Asked before"));
}

#[tokio::test]
async fn both_kinds_come_as_they_are() {
    let store = Found { hits: vec![pair_hit(Some(77)), hit()], ..Found::default() };
    let (classic, store, model) = classic(store, script());
    let (_, _) = answer(&classic, Source::All).await;
    assert!(store.pairs_asked.lock().expect("lock").is_empty());
    let asked = model.prompt(2).expect("asked").messages[1].content.clone();
    assert!(asked.contains("[2] Asked before: How much water?"), "{asked}");
}

#[tokio::test]
async fn prose_is_an_answer_too_and_a_useless_term_is_replaced() {
    let long = "I am sorry but I cannot do that. ".repeat(10).leak();
    let calls =
        vec![vec![&*long], vec!["Two litres [1]."], vec!["Adults should drink two litres", " of water a day [1]."]];
    let (classic, store, _) = classic(Found { hits: vec![hit()], ..Found::default() }, calls);
    let (answer, told) = answer(&classic, Source::Context).await;
    assert_eq!(answer.text, "Adults should drink two litres of water a day [1].");
    assert_eq!((told, answer.reasoning), (answer.text.clone(), None));
    assert_eq!(store.searches.lock().expect("lock")[0].text, "How much water should I drink?");
}

#[tokio::test]
async fn contexts_that_are_too_long_are_shortened_to_what_is_asked() {
    let mut long = hit();
    long.passage.text = format!("{} {}", "Nothing of interest happens here.".repeat(400), long.passage.text);
    let (classic, _, model) = classic(Found { hits: vec![long], ..Found::default() }, script());
    let (_, _) = answer(&classic, Source::Context).await;
    let summarise = model.prompt(1).expect("asked").messages[1].content.clone();
    assert!(summarise.contains("two litres of water") && summarise.split_whitespace().count() < 1800);
}

#[tokio::test]
async fn without_documents_there_is_one_call() {
    let (classic, store, _) = classic(Found::default(), vec![vec!["Paris."]]);
    let question = Question { search: false, ..Question::new("What is the capital of France?") };
    let answer = classic.answer(&RequestContext::local(), question, &Unheard).await.expect("answers");
    assert_eq!((answer.text.as_str(), answer.calls, answer.pipeline), ("Paris.", 1, "classic"));
    assert!(store.searches.lock().expect("lock").is_empty());
}

#[tokio::test]
async fn nothing_relevant_means_that_no_more_is_asked() {
    let far = Hit { cosine: Some(0.1), ..hit() };
    let (classic, store, model) =
        classic(Found { hits: vec![far], ..Found::default() }, vec![vec!["capital of France"]]);
    let (answer, _) = answer(&classic, Source::Context).await;
    assert!(answer.text.starts_with("I found nothing"));
    assert!(model.prompt(1).is_none());
    let searched: Vec<String> = store.searches.lock().expect("lock").iter().map(|query| query.text.clone()).collect();
    assert_eq!(searched, ["How much water should I drink?", "capital of France"], "the term may have been bad");
}

#[tokio::test]
async fn a_model_that_only_reasons_about_the_search_term_is_searched_without() {
    let (mut classic, store, _) = classic(Found { hits: vec![hit()], ..Found::default() }, script());
    classic.0.model = Arc::new(Scripted { reasons_at: Some(0), ..Scripted::new(script()) });
    let (answer, _) = answer(&classic, Source::Context).await;
    assert_eq!(answer.text, "Adults should drink two litres of water a day [1].");
    let searched: Vec<String> = store.searches.lock().expect("lock").iter().map(|query| query.text.clone()).collect();
    assert_eq!(searched, ["How much water should I drink?"]);
}
