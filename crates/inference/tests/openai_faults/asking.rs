//! Asking a model behind a scripted endpoint.

use std::time::Duration;

use futures::StreamExt;
use qanda_core::ports::{Finish, Generated, Message, Prompt, Shape};
use qanda_core::question::Role;
use qanda_core::{LanguageModel, ModelError, RequestContext};
use qanda_inference::llm::openai::OpenAiModel;
use qanda_inference::openai::{OpenAiSettings, SettingNames};

use crate::scripted::{Reply, Scripted};

pub(crate) const KEY: &str = "sk-never-to-be-shown";

pub(crate) fn settings(base_url: &str) -> OpenAiSettings {
    OpenAiSettings {
        api_key: Some(KEY.to_owned().into()),
        names: SettingNames { base_url: "BASE_URL", api_key: "API_KEY", model: "MODEL" },
        first_token_timeout: Duration::from_secs(5),
        idle_timeout: Duration::from_millis(300),
        retry_pause: Duration::from_millis(5),
        ..OpenAiSettings::new(base_url, "small")
    }
}

pub(crate) fn prompt(shape: Option<Shape>) -> Prompt {
    let messages = vec![Message::new(Role::System, "Be brief."), Message::new(Role::User, "Why?")];
    Prompt { messages, max_tokens: 20, temperature: 0.5, shape }
}

pub(crate) async fn model(replies: Vec<Reply>) -> (Scripted, OpenAiModel) {
    let endpoint = Scripted::start(replies).await;
    let model = OpenAiModel::new(&settings(&endpoint.base_url)).expect("settings that work");
    (endpoint, model)
}

/// An answer as far as it came, with its end.
pub(crate) async fn ask_with(
    model: &OpenAiModel,
    context: &RequestContext,
    prompt: Prompt,
) -> (String, Result<Finish, ModelError>) {
    let mut text = String::new();
    let mut stream = match model.generate(context, prompt).await {
        Ok(stream) => stream,
        Err(error) => return (text, Err(error)),
    };
    while let Some(event) = stream.next().await {
        match event {
            Ok(Generated::Text(piece)) => text += &piece,
            Ok(Generated::End(finish)) => {
                assert!(stream.next().await.is_none(), "nothing follows the end");
                return (text, Ok(finish));
            }
            Err(error) => {
                assert!(stream.next().await.is_none(), "nothing follows an error");
                return (text, Err(error));
            }
        }
    }
    panic!("a stream without an end after {text:?}");
}

pub(crate) async fn ask(model: &OpenAiModel) -> (String, Result<Finish, ModelError>) {
    ask_with(model, &RequestContext::local(), prompt(None)).await
}

pub(crate) async fn good_answer(model: &OpenAiModel) -> String {
    let (text, end) = ask(model).await;
    assert!(matches!(end, Ok(Finish::Stop)), "{end:?} after {text:?}");
    text
}

pub(crate) async fn error(model: &OpenAiModel) -> ModelError {
    ask(model).await.1.expect_err("an error")
}

/// The error of a reply to the second question, after a good answer, with the text before it. What an endpoint's first
/// answer shows of it is known then.
pub(crate) async fn later_failure(reply: Reply) -> (String, ModelError) {
    let (_endpoint, model) = model(vec![crate::scripted::good("First."), reply]).await;
    good_answer(&model).await;
    let (text, end) = ask(&model).await;
    let error = end.expect_err("an error");
    assert!(!format!("{error} {error:?}").contains(KEY), "{error}");
    (text, error)
}
