//! The client against servers that others wrote. `make test-endpoints` starts some and names them in
//! `QANDA_TEST_ENDPOINTS`: `NAME=BASE_URL[;chat=MODEL][;embed=MODEL][;shape][;window=TOKENS]`, separated by commas.
//! They are ignored elsewhere.

#![allow(clippy::print_stderr, reason = "what servers say is the point of trying them")]

use qanda_core::ports::{Message, Prompt, Shape, read_to_end};
use qanda_core::question::Role;
use qanda_core::{Embedder, LanguageModel, ModelError, RequestContext};
use qanda_inference::embed::openai::{OpenAiEmbedder, OpenAiEmbedderSettings};
use qanda_inference::llm::openai::OpenAiModel;
use qanda_inference::openai::{OpenAiSettings, SettingNames};

/// A server, and what it can do.
struct Server {
    name: String,
    base_url: String,
    traits: Vec<(String, String)>,
}

impl Server {
    fn parse(text: &str) -> Self {
        let mut parts = text.split(';');
        let (name, base_url) = parts.next().and_then(|part| part.split_once('=')).expect("NAME=BASE_URL");
        let traits = parts.map(|part| part.split_once('=').unwrap_or((part, "")));
        let traits = traits.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { name: name.to_owned(), base_url: base_url.to_owned(), traits }
    }

    fn can(&self, what: &str) -> Option<&str> {
        self.traits.iter().find(|(name, _)| name == what).map(|(_, value)| value.as_str())
    }

    fn settings(&self, model: &str) -> OpenAiSettings {
        let key = std::env::var("QANDA_TEST_ENDPOINTS_KEY").ok().map(Into::into);
        let window = self.can("window").map_or(8192, |tokens| tokens.parse().expect("a number of tokens"));
        let names = SettingNames { model: "OPENAI_MODEL", ..SettingNames::default() };
        OpenAiSettings { api_key: key, names, context_window: window, ..OpenAiSettings::new(&self.base_url, model) }
    }

    fn model(&self, name: &str) -> OpenAiModel {
        OpenAiModel::new(&self.settings(name)).expect("settings that work")
    }
}

fn servers() -> Vec<Server> {
    let named = std::env::var("QANDA_TEST_ENDPOINTS").expect("QANDA_TEST_ENDPOINTS names servers");
    named.split(',').filter(|text| !text.is_empty()).map(Server::parse).collect()
}

fn prompt(question: &str, shape: Option<Shape>) -> Prompt {
    let instructions = "You are a helpful assistant. Answer the question briefly.";
    let messages = vec![Message::new(Role::System, instructions), Message::new(Role::User, question)];
    Prompt { messages, max_tokens: 120, temperature: 0.0, shape }
}

async fn ask(model: &OpenAiModel, prompt: Prompt) -> Result<Vec<String>, ModelError> {
    Ok(read_to_end(model.generate(&RequestContext::local(), prompt).await?).await?.tokens)
}

#[tokio::test]
#[ignore = "needs servers: make test-endpoints"]
async fn answers_are_streamed() {
    for server in servers() {
        let Some(name) = server.can("chat") else { continue };
        let pieces = ask(&server.model(name), prompt("What is the capital of France?", None)).await;
        let pieces = pieces.unwrap_or_else(|error| panic!("{}: {error}", server.name));
        let text = pieces.concat();
        eprintln!("{}: {} pieces: {text}", server.name, pieces.len());
        assert!(text.contains("Paris") && pieces.len() > 2, "{}: {pieces:?}", server.name);
    }
}

#[tokio::test]
#[ignore = "needs servers: make test-endpoints"]
async fn several_answers_at_once_are_complete() {
    for server in servers() {
        let Some(name) = server.can("chat") else { continue };
        let model = server.model(name);
        let asked = (0..6).map(|_| ask(&model, prompt("What is the capital of Japan?", None)));
        for answer in futures::future::join_all(asked).await {
            let text = answer.unwrap_or_else(|error| panic!("{}: {error}", server.name)).concat();
            assert!(text.contains("Tokyo"), "{}: {text}", server.name);
        }
    }
}

#[tokio::test]
#[ignore = "needs servers: make test-endpoints"]
async fn a_shape_is_kept_where_the_server_knows_shapes() {
    let list = Shape::List { of: Box::new(Shape::Text), least: 1, most: 3 };
    let shape = Shape::Object(vec![("topic", Shape::Text), ("facts", list)]);
    for server in servers() {
        let Some(name) = server.can("chat") else { continue };
        let question = r#"What do you know of Paris? Answer in JSON: {"topic": "…", "facts": ["…"]}"#;
        let text = ask(&server.model(name), prompt(question, Some(shape.clone()))).await;
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", server.name)).concat();
        eprintln!("{}: {text}", server.name);
        if server.can("shape").is_some() {
            let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            assert!(value["topic"].is_string() && value["facts"].is_array(), "{}: {text}", server.name);
        }
    }
}

#[tokio::test]
#[ignore = "needs servers: make test-endpoints"]
async fn embeddings_are_of_unit_length_and_alike_for_like_texts() {
    for server in servers() {
        let Some(name) = server.can("embed") else { continue };
        let embedder = OpenAiEmbedder::connect(OpenAiEmbedderSettings::new(server.settings(name))).await;
        let embedder = embedder.unwrap_or_else(|error| panic!("{}: {error}", server.name));
        let texts = ["The weather is lovely today.", "He drove to the stadium.", "", "The weather is lovely today."];
        let texts = texts.map(str::to_owned).to_vec();
        let vectors = embedder
            .embed_passages(&RequestContext::local(), texts)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", server.name));
        let dot = |a: usize, b: usize| vectors[a].iter().zip(&vectors[b]).map(|(a, b)| a * b).sum::<f32>();
        eprintln!("{}: {:?}, like {}, unlike {}", server.name, embedder.identity(), dot(0, 3), dot(0, 1));
        assert!(vectors.iter().all(|vector| vector.len() == embedder.identity().dimension));
        assert!((dot(0, 0) - 1.0).abs() < 1e-4 && dot(0, 3) > 0.99 && dot(0, 1) < dot(0, 3), "{}", server.name);
    }
}

#[tokio::test]
#[ignore = "needs servers: make test-endpoints"]
async fn what_cannot_be_is_refused_in_clear_words() {
    for server in servers() {
        let Some(name) = server.can("chat") else { continue };
        if server.can("window").is_some() {
            let long = ask(&server.model(name), prompt(&"word ".repeat(20_000), None)).await;
            let error = long.expect_err("is refused");
            eprintln!("{}, too long: {error}", server.name);
            let known = matches!(error, ModelError::PromptTooLong { .. } | ModelError::Refused { .. });
            assert!(known, "{}: {error:?}", server.name);
        }
        // A server of one model may answer with it whatever is asked for.
        match ask(&server.model("no-such-model"), prompt("Why?", None)).await {
            Ok(_) => eprintln!("{}: answers for every model name", server.name),
            Err(error) => {
                eprintln!("{}, wrong model: {error}", server.name);
                assert!(matches!(error, ModelError::Refused { .. }), "{}: {error:?}", server.name);
                assert!(error.to_string().contains("OPENAI_MODEL"), "{}: {error}", server.name);
            }
        }
        if std::env::var_os("QANDA_TEST_ENDPOINTS_KEY").is_some() {
            let stranger = OpenAiSettings { api_key: Some("sk-wrong".to_owned().into()), ..server.settings(name) };
            let model = OpenAiModel::new(&stranger).expect("settings that work");
            let error = ask(&model, prompt("Why?", None)).await.expect_err("is refused");
            eprintln!("{}, wrong key: {error}", server.name);
            assert!(matches!(error, ModelError::Refused { .. }), "{}: {error:?}", server.name);
        }
        let nowhere = Server { base_url: format!("{}/nowhere", server.base_url), ..Server::parse("x=y") };
        let error = ask(&nowhere.model(name), prompt("Why?", None)).await.expect_err("is refused");
        eprintln!("{}, wrong address: {error}", server.name);
        assert!(matches!(error, ModelError::Refused { .. } | ModelError::Unavailable { .. }), "{error:?}");
    }
}
