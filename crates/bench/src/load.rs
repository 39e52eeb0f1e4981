//! A load, and its client.

use std::time::Duration;

use anyhow::{Context, ensure};
use axum::body::Bytes;
use reqwest::{Client, Url};
use serde_json::json;

use crate::Plan;
use crate::ask::Http;

/// A load: questions, the way to send them, and the times.
#[derive(Debug, Clone)]
pub struct Load {
    /// Address of the server.
    pub url: String,
    /// Route that questions go to.
    pub route: &'static str,
    /// Questions, which take turns.
    pub questions: Vec<String>,
    /// Whether the server is to search its documents.
    pub search: bool,
    /// Entries that it is to search.
    pub source: Option<String>,
    /// Pipeline that is to answer.
    pub pipeline: Option<String>,
    /// Whether answers are asked for as events.
    pub stream: bool,
    /// Whether each request gets a connection of its own.
    pub new_connections: bool,
    /// Times of the requests.
    pub plan: Plan,
    /// Time of the same load before the one that counts.
    pub warm_up: Duration,
}

impl Load {
    /// Idle connections are kept without a limit (reqwest's default): with one, a burst would pay for connections
    /// again and again. The server's name is looked up once, so that no look-up is measured.
    pub(crate) fn client(&self) -> anyhow::Result<Http> {
        let url = self.target()?;
        let addresses = url.socket_addrs(|| None).with_context(|| format!("cannot find {}", self.shown_url()))?;
        let mut client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        if let Some(name) = url.domain() {
            client = client.resolve_to_addrs(name, &addresses);
        }
        if self.new_connections {
            client = client.pool_max_idle_per_host(0);
        }
        let bodies = self.questions.iter().map(|question| self.body(question)).collect::<Vec<_>>();
        ensure!(!bodies.is_empty(), "there is no question to ask");
        Ok(Http { client: client.build().context("cannot make a client")?, url, bodies })
    }

    fn body(&self, question: &str) -> Bytes {
        let mut body = json!({"content": question, "query_option": self.search, "stream": self.stream});
        for (name, value) in [("source", &self.source), ("pipeline", &self.pipeline)] {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        body.to_string().into()
    }

    fn target(&self) -> anyhow::Result<Url> {
        let text = format!("{}{}", self.url.trim_end_matches('/'), self.route);
        let url =
            Url::parse(&text).with_context(|| format!("{} is no address, such as http://127.0.0.1:8000", self.url))?;
        ensure!(
            matches!(url.scheme(), "http" | "https") && url.has_host(),
            "{} is no address of a server, such as http://127.0.0.1:8000",
            self.url
        );
        Ok(url)
    }

    /// Address that questions go to, without a password.
    pub(crate) fn shown_url(&self) -> String {
        let Ok(mut url) = self.target() else { return self.url.clone() };
        // It can fail only for addresses that cannot have one.
        let _ = url.set_password(None);
        url.into()
    }
}
