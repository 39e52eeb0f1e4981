//! The mock model as a process.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use serde_json::Value;

use crate::binary::{Finished, Process, command};
use crate::client;

/// `qanda mock-llm` on a free port. Killed when dropped.
pub struct Mock {
    /// Address without a path.
    pub url: String,
    /// For requests to it.
    pub client: Client,
    base_url: String,
    _process: Process,
}

impl Mock {
    /// Starts it with these flags.
    #[must_use]
    pub fn start(arguments: &[&str]) -> Self {
        let process = Process::start(command(&[&["mock-llm", "--listen", "127.0.0.1:0"], arguments].concat()));
        let line = process.line();
        let url = line.strip_prefix("mock model listening on ").unwrap_or_else(|| panic!("unexpected: {line}"));
        let client = client(Duration::from_secs(20));
        Self { url: url.to_owned(), client, base_url: format!("{url}/v1"), _process: process }
    }

    /// One that answers at once, shared by the tests that run at the same time.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Mock>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let mock = Arc::new(Self::start(&["--latency", "0", "--embedding-latency", "0"]));
            *shared = Arc::downgrade(&mock);
            mock
        })
    }

    /// Address of the endpoint, up to and with `/v1`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Arguments that make it both models of a server, which then loads nothing.
    #[must_use]
    pub fn arguments(&self) -> [&str; 6] {
        ["--llm", "openai", "--embedder", "openai", "--openai-base-url", &self.base_url]
    }

    /// Sends it JSON.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.client.post(format!("{}{path}", self.url)).json(body).send().expect("it responds")
    }

    /// Runs the binary with it as the endpoint of both models.
    #[must_use]
    pub fn qanda(&self, arguments: &[&str]) -> Finished {
        let mut command = command(arguments);
        command.env("OPENAI_BASE_URL", format!("{}/v1", self.url)).env("QANDA_EMBEDDER", "openai");
        command.env("OPENAI_MODEL", "mock").env("OPENAI_EMBEDDING_MODEL", "mock-embedding");
        command.env("QANDA_ENDPOINT_IDLE_TIMEOUT", "5").env("QANDA_ENDPOINT_TIMEOUT", "10");
        Process::start(command).finish()
    }
}
