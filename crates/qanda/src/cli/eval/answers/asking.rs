//! Asks the questions, here or over HTTP.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::StreamExt;
use qanda_core::answering::{Pipeline, Unheard};
use qanda_core::{Question, RequestContext};
use qanda_server::answer_json;
use reqwest::{Client, Url};
use serde_json::{Value, json};

use super::judge::Judged;
use super::questions::KnownQuestion;
use super::reply::Reply;
use crate::terminal::{self, Bar};

/// Service that answers the questions.
pub(crate) enum Service {
    /// A pipeline in this process.
    Pipeline(Arc<dyn Pipeline>),
    /// A server.
    Server(Client, Url),
}

/// Longest wait for an answer of a server.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(300);

impl Service {
    /// A server by its address.
    ///
    /// # Errors
    /// When the address cannot be one.
    pub(crate) fn at(address: &str) -> anyhow::Result<Self> {
        let address = Url::parse(address).with_context(|| format!("--url {address} is no address"))?;
        let route = address.join("/apis/q-and-a/q").context("--url needs a host")?;
        Ok(Self::Server(Client::builder().no_proxy().timeout(ANSWER_TIMEOUT).build()?, route))
    }

    /// Asks all questions, `at_once` of them at the same time; the answers come in their order.
    pub(crate) async fn ask_all(&self, questions: &[KnownQuestion], at_once: usize) -> Vec<Judged> {
        let bar = Bar::new("{bar:24.cyan} {pos} / {len} questions, {eta} left", false);
        bar.set_length(questions.len());
        let ask = async |known: &KnownQuestion| {
            let began = Instant::now();
            let answer = self.ask(known).await;
            let seconds = began.elapsed().as_secs_f64();
            bar.advance(1);
            let reply = match answer {
                Ok(json) => Reply::of(&json, seconds),
                Err(error) => Reply::failed(terminal::sentence(&error), seconds),
            };
            Judged::new(known, reply)
        };
        let judged = futures::stream::iter(questions).map(ask).buffered(at_once).collect().await;
        bar.clear();
        judged
    }

    async fn ask(&self, known: &KnownQuestion) -> anyhow::Result<Value> {
        match self {
            Self::Pipeline(pipeline) => {
                let question = Question { history: known.turns(), ..Question::new(known.question.clone()) };
                Ok(answer_json(&pipeline.answer(&RequestContext::local(), question, &Unheard).await?))
            }
            Self::Server(client, route) => {
                let turn =
                    |turn: qanda_core::question::Turn| json!({"role": turn.role.as_str(), "content": turn.content});
                let history: Vec<Value> = known.turns().into_iter().map(turn).collect();
                let body = json!({"content": known.question, "history": history});
                let response = client.post(route.clone()).json(&body).send().await?;
                let (status, text) = (response.status(), response.text().await?);
                anyhow::ensure!(status.is_success(), "{status}: {}", text.chars().take(300).collect::<String>());
                Ok(serde_json::from_str(&text)?)
            }
        }
    }
}
