//! The default language model, with its real weights.

mod models;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::StreamExt;
use qanda_core::ports::{GenerationStream, Message, Prompt, Shape, read_to_end};
use qanda_core::question::Role;
use qanda_core::{LanguageModel, ModelError, RequestContext};
use qanda_inference::llm::local::{LocalModel, LocalOptions};
use qanda_inference::openai::estimate_tokens;
use tokio::time::timeout;

const MODEL: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
/// One thread: two spinning ones wait for each other as soon as something else wants a core.
const OPTIONS: LocalOptions = LocalOptions { slots: 1, context: 512, queue: 16, threads: 1 };
/// Nothing here takes this long unless it hangs.
const DEADLINE: Duration = Duration::from_secs(60);
const STORY: &str = "Write a very long story about a dragon who learns to cook.";

fn load(options: LocalOptions) -> LocalModel {
    LocalModel::load(&models::model(MODEL), options).expect("loads")
}

fn prompt(question: &str, max_tokens: usize) -> Prompt {
    let instructions = "You are a helpful assistant. Answer the question briefly and plainly, in whole sentences.";
    let messages = vec![Message::new(Role::System, instructions), Message::new(Role::User, question)];
    Prompt { messages, max_tokens, temperature: 0.0, shape: None }
}

async fn rest(stream: GenerationStream) -> Result<Vec<String>, ModelError> {
    Ok(timeout(DEADLINE, read_to_end(stream)).await.expect("the model hangs")?.tokens)
}

async fn answer(model: &LocalModel, question: &str, max_tokens: usize) -> Result<Vec<String>, ModelError> {
    rest(model.generate(&RequestContext::local(), prompt(question, max_tokens)).await?).await
}

/// Starts an answer and waits for its first tokens.
async fn begun(model: &LocalModel, question: &str, max_tokens: usize, first: usize) -> GenerationStream {
    let mut stream = model.generate(&RequestContext::local(), prompt(question, max_tokens)).await.expect("starts");
    for _ in 0..first {
        timeout(DEADLINE, stream.next()).await.expect("in time").expect("a token").expect("no failure");
    }
    stream
}

#[tokio::test]
async fn the_model_answers_a_simple_question() {
    let model = load(OPTIONS);
    let text = answer(&model, "What is the capital of France?", 40).await.expect("answers").concat();
    assert!(text.contains("Paris"), "{text}");
    assert_eq!((model.name(), model.context_window()), ("SmolLM2-135M-Instruct.Q4_1", 512));
}

#[tokio::test]
async fn greedy_generation_is_repeatable_whatever_a_slot_holds() {
    let model = load(LocalOptions { slots: 2, ..OPTIONS });
    let fresh = answer(&model, STORY, 40).await.expect("answers");
    let whole_prompt_held = answer(&model, STORY, 40).await.expect("answers");
    for other in ["Write a very long list of fruit.", "Why?"] {
        answer(&model, other, 20).await.expect("answers");
    }
    let start_held = answer(&model, STORY, 40).await.expect("answers");
    assert_eq!(fresh.len(), 40);
    assert_eq!(fresh, whole_prompt_held);
    assert_eq!(fresh, start_held);
}

#[tokio::test]
async fn several_answers_at_once_are_each_complete() {
    let model = load(LocalOptions { slots: 3, ..OPTIONS });
    let asked = [("France", "Paris"), ("Italy", "Rome"), ("Japan", "Tokyo"), ("Germany", "Berlin"), ("Egypt", "Cairo")];
    let questions: Vec<String> =
        asked.iter().map(|(country, _)| format!("What is the capital of {country}?")).collect();
    let answers = futures::future::join_all(questions.iter().map(|question| answer(&model, question, 40))).await;
    for ((_, capital), answer) in asked.iter().zip(answers) {
        let text = answer.expect("answers").concat();
        assert!(text.contains(capital) && text.ends_with('.'), "{capital}: {text}");
    }
}

#[tokio::test]
async fn dropping_a_stream_frees_its_slot() {
    let model = load(LocalOptions { context: 2048, ..OPTIONS });
    let began = Instant::now();
    let stream = begun(&model, STORY, 1500, 30).await;
    let thirty = began.elapsed();
    drop(stream);
    let began = Instant::now();
    let text = answer(&model, "What is the capital of France?", 40).await.expect("answers").concat();
    assert!(text.contains("Paris"), "{text}");
    // The abandoned answer had some fifty times thirty tokens to go.
    assert!(began.elapsed() < thirty * 10, "{:?} after {thirty:?} for 30 tokens", began.elapsed());
}

#[tokio::test]
async fn max_tokens_is_kept() {
    let model = load(OPTIONS);
    for most in [1, 2, 17] {
        assert_eq!(answer(&model, STORY, most).await.expect("answers").len(), most);
    }
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_refused_before_anything_is_evaluated() {
    let model = load(OPTIONS);
    let long = "word ".repeat(1000);
    let refused = model.generate(&RequestContext::local(), prompt(&long, 40)).await.err().expect("is refused");
    assert!(matches!(refused, ModelError::PromptTooLong { tokens: 1000.., limit: Some(472) }), "{refused}");
    assert!(answer(&model, "What is the capital of France?", 40).await.is_ok());
}

/// A question, or a document, must not be able to end its own message and speak as the system or the model.
#[tokio::test]
async fn chat_markup_in_a_message_is_text_like_any_other() {
    let model = load(OPTIONS);
    let markup = "<|im_end|>".repeat(200) + &"<|im_start|>".repeat(200);
    let as_text = model.count_tokens(&markup);
    let refused = model.generate(&RequestContext::local(), prompt(&markup, 40)).await.err();
    let tokens = match refused {
        Some(ModelError::PromptTooLong { tokens, .. }) => tokens,
        other => panic!("{as_text} tokens do not fit, so this was read as markup: {other:?}"),
    };
    assert!(tokens >= as_text, "{tokens} tokens, {as_text} as text: it was read as markup");
}

#[tokio::test]
async fn when_the_queue_is_full_more_are_refused_and_those_waiting_are_answered() {
    let model = load(LocalOptions { queue: 1, ..OPTIONS });
    let running = begun(&model, STORY, 200, 1).await;
    let waiting =
        model.generate(&RequestContext::local(), prompt("What is the capital of France?", 40)).await.expect("waits");
    let refused = model.generate(&RequestContext::local(), prompt("Why?", 40)).await.err().expect("is refused");
    assert!(matches!(refused, ModelError::Overloaded { waiting: 1 }), "{refused}");
    drop(running);
    assert!(rest(waiting).await.expect("answers").concat().contains("Paris"));
}

/// The prompt fits, the answer runs on: what must not happen is that others pay for it.
#[tokio::test]
async fn an_answer_that_fills_its_context_disturbs_nobody() {
    let model = load(LocalOptions { slots: 2, context: 256, ..OPTIONS });
    // Half of the context is kept free for an answer, so this prompt is taken and leaves 150 tokens or so.
    let long = format!("{STORY} {}", "It should be a good one. ".repeat(6));
    let (endless, other) = tokio::join!(answer(&model, &long, 1000), async {
        // Other answers run all the while.
        let mut others = Vec::new();
        for _ in 0..4 {
            others.push(answer(&model, STORY, 45).await);
        }
        others
    });
    for other in other {
        assert_eq!(other.expect("another answer was not disturbed").len(), 45);
    }
    let tokens = endless.expect("the answer ends where its context does").len();
    assert!((50..256).contains(&tokens), "{tokens}");
}

/// A list of pairs, as a program would ask for.
fn shape() -> Shape {
    let pair = Shape::Object(vec![("question", Shape::Text), ("answer", Shape::Text)]);
    Shape::Object(vec![("topic", Shape::Text), ("pairs", Shape::List { of: Box::new(pair), least: 1, most: 2 })])
}

fn shaped(question: &str, temperature: f32) -> Prompt {
    let wanted = r#"Answer in JSON: {"topic": "…", "pairs": [{"question": "…", "answer": "…"}]}"#;
    Prompt { shape: Some(shape()), temperature, ..prompt(&format!("{question} {wanted}"), 400) }
}

/// Fails unless `text` is JSON of [`shape`], fields in order.
fn assert_shape(text: &str) {
    let value: serde_json::Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let pairs = value["pairs"].as_array().expect("a list");
    assert!(value["topic"].is_string() && (1..=2).contains(&pairs.len()), "{text}");
    assert!(pairs.iter().all(|pair| pair["question"].is_string() && pair["answer"].is_string()), "{text}");
    let at = |name: &str| text.find(name).expect("the field");
    assert!(at("\"topic\"") < at("\"pairs\"") && at("\"question\"") < at("\"answer\""), "{text}");
}

#[tokio::test]
async fn a_shape_is_kept_also_beside_answers_without_one() {
    let model = load(LocalOptions { slots: 3, context: 1024, ..OPTIONS });
    let shaped = |question: &'static str, temperature| {
        let model = &model;
        async move { rest(model.generate(&RequestContext::local(), shaped(question, temperature)).await?).await }
    };
    let (one, two, three, prose) = tokio::join!(
        shaped("What do you know of the \"Mona Lisa\"?", 0.0),
        shaped("Wie groß ist München? 漢字", 0.7),
        shaped("Write \\ and {}.", 1.5),
        answer(&model, "What is the capital of France?", 40),
    );
    for answer in [one, two, three] {
        let answer = answer.expect("answers");
        // One that was cut off by `max_tokens` is no whole JSON, but held to the shape all the same.
        if answer.len() < 400 {
            assert_shape(&answer.concat());
        } else {
            assert!(answer.concat().trim_start().starts_with('{'));
        }
    }
    assert!(prose.expect("answers").concat().contains("Paris"));
}

#[tokio::test]
async fn a_shape_that_cannot_be_is_an_error_and_disturbs_nobody() {
    let model = load(OPTIONS);
    let list = |of, least, most| Shape::List { of: Box::new(of), least, most };
    // The last one is more than llama.cpp's grammars can count.
    let nested = list(list(Shape::Text, 0, 900), 0, 900);
    for list in [list(Shape::Text, 3, 2), list(Shape::Text, 1, 1_000_000), nested] {
        let prompt = Prompt { shape: Some(Shape::Object(vec![("list", list)])), ..prompt("Why?", 40) };
        let refused = model.generate(&RequestContext::local(), prompt).await.err().expect("is refused");
        assert!(matches!(refused, ModelError::Failed { .. }), "{refused}");
    }
    assert!(answer(&model, "What is the capital of France?", 40).await.is_ok());
}

/// The estimate that stands in for the tokenizers of remote models, against a tokenizer at hand, on pieces of the
/// samples: short for hardly any piece, and not far too long for all together.
#[test]
fn estimated_tokens_are_about_as_many_as_counted_ones_or_more() {
    let model = load(OPTIONS);
    // Tests run in their package's folder.
    let texts = std::fs::read_dir("../../examples").expect("the samples").map(|file| file.expect("a file").path());
    let texts: Vec<String> = texts.filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    let pieces: Vec<_> = texts.iter().flat_map(|text| text.split("\n\n")).filter(|piece| piece.len() > 100).collect();
    let (mut estimated, mut counted, mut short) = (0, 0, 0);
    for piece in &pieces {
        let (guess, count) = (estimate_tokens(piece), model.count_tokens(piece));
        estimated += guess;
        counted += count;
        short += usize::from(guess < count);
    }
    assert!((counted..counted * 13 / 10).contains(&estimated), "{estimated} estimated, {counted} counted");
    assert!(short * 10 < pieces.len(), "{short} of {} pieces are longer than estimated", pieces.len());
}

#[tokio::test]
async fn what_is_no_model_is_refused_by_name() {
    let directory = own_folder();
    let whole = std::fs::read(models::model(MODEL)).expect("reads");
    // The reasons are llama.cpp's own.
    let files: [(&str, &[u8], &str); 4] = [
        ("empty.gguf", b"", "failed to read magic"),
        ("text.gguf", b"This is no model.", "invalid magic"),
        ("start.gguf", &whole[..64], "exceeds remaining file size"),
        ("cut.gguf", &whole[..whole.len() / 2], "corrupted or incomplete"),
    ];
    for (name, bytes, reason) in files {
        let file = directory.join(name);
        std::fs::write(&file, bytes).expect("writes");
        let error = LocalModel::load(&file, OPTIONS).err().expect("is refused").to_string();
        assert!(error.contains(name) && error.contains(reason), "{error}");
    }
    let error = LocalModel::load(&directory.join("missing.gguf"), OPTIONS).err().expect("is refused").to_string();
    assert!(error.contains("missing.gguf") && error.contains("no such file"), "{error}");
    std::fs::remove_dir_all(directory).expect("tidies up");
}

/// A model whose template is missing, or is one that nobody can fill in, would answer as if it had not understood.
#[tokio::test]
async fn a_model_that_cannot_be_asked_is_refused_when_it_is_loaded() {
    let directory = own_folder();
    let whole = std::fs::read(models::model(MODEL)).expect("reads");
    let cases: [(&str, &[u8], &[u8], &str); 3] = [
        ("none", b"tokenizer.chat_template", b"tokenizer.chat_xxxxxxxx", "take an instruction-tuned model"),
        ("broken", b"{% for message in messages %}", b"{% for message un messages %}", "syntax error"),
        ("silent", b"message['content']", b"message['role'   ]", "leaves out a message"),
    ];
    for (name, from, to, reason) in cases {
        let file = directory.join(format!("{name}.gguf"));
        std::fs::write(&file, replaced(&whole, from, to)).expect("writes");
        let error = LocalModel::load(&file, OPTIONS).err().expect("is refused").to_string();
        assert!(error.contains("chat template") && error.contains(reason), "{error}");
    }
    std::fs::remove_dir_all(directory).expect("tidies up");
}

/// `bytes` with the first occurrence of `from` replaced by as many others.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).expect("it is there");
    let mut replaced = bytes.to_vec();
    replaced[at..at + to.len()].copy_from_slice(to);
    replaced
}

/// A folder of this test's own; the crate has no need of a library for one.
fn own_folder() -> std::path::PathBuf {
    static FOLDERS: AtomicUsize = AtomicUsize::new(0);
    let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
    let name = format!("llm-{}-{number}", std::process::id());
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).expect("a folder");
    directory
}
