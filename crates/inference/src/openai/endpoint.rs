//! HTTP to one endpoint: connections, headers, retries, limits.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use qanda_core::ModelError;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout_at};

use super::complaint::Complaint;
use super::failure::{Failure, Rejection};
use super::retry::{Budget, pause, retry_after};
use super::settings::{OpenAiSettings, shown};

/// Connections kept for the next request. Thousands of answers may run at once, each on a connection of its own;
/// an idle one costs a few kilobytes and saves a handshake.
const IDLE_CONNECTIONS: usize = 1024;
/// How long they are kept; many servers close them after a minute.
const IDLE_TIME: Duration = Duration::from_secs(45);
/// Longest error answer that is read, in bytes.
const LONGEST_COMPLAINT: usize = 64 << 10;
/// Longest `Retry-After` that is waited for; a longer one is passed on to the caller.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// One OpenAI-compatible endpoint and the model asked there.
pub(crate) struct Endpoint {
    client: Client,
    base: Url,
    /// The address in messages.
    address: String,
    key: Option<SecretString>,
    model: String,
    /// The setting that names the model.
    variable: &'static str,
    max_retries: u32,
    retry_pause: Duration,
    budget: Budget,
    /// One for each connection that may be open. Without a limit, requests fail when the process has used up its
    /// open files; with it they wait.
    turns: Arc<Semaphore>,
}

/// The start of an answer, which holds a connection until it is dropped.
pub(crate) struct Reply {
    pub(crate) response: Response,
    pub(crate) turn: OwnedSemaphorePermit,
}

impl Endpoint {
    /// Connects to nothing yet. `variable` is the setting that names the model.
    ///
    /// # Errors
    /// When the address is none, or the key cannot be sent in a header.
    pub(crate) fn new(settings: &OpenAiSettings, variable: &'static str) -> Result<Self, ModelError> {
        let wrong = |message: &str| ModelError::failed("setting up the OpenAI endpoint", message.to_owned());
        let base: Url = settings
            .base_url
            .parse()
            .ok()
            .filter(|url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| wrong("OPENAI_BASE_URL is not an address like https://api.openai.com/v1"))?;
        let headers = headers(settings).ok_or_else(|| {
            wrong("OPENAI_API_KEY, the organisation or the project holds characters that cannot be sent in a header")
        })?;
        // reqwest needs a provider of cryptography even for plain HTTP. The binary may have installed one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .default_headers(headers)
            .user_agent(concat!("qanda/", env!("CARGO_PKG_VERSION")))
            // A stream each: sharing one HTTP/2 connection would tie all answers to one window and one fate.
            .http1_only()
            .connect_timeout(settings.connect_timeout)
            .pool_max_idle_per_host(IDLE_CONNECTIONS.min(settings.max_connections))
            .pool_idle_timeout(IDLE_TIME)
            // A followed POST becomes a GET; saying where the endpoint moved helps more.
            .redirect(reqwest::redirect::Policy::none());
        if is_loopback(&base) {
            // A proxy's loopback is not ours.
            client = client.no_proxy();
        }
        let client = client.build().map_err(|cause| wrong(&root_cause(&cause)))?;
        Ok(Self {
            client,
            address: shown(&base),
            base,
            key: settings.api_key.clone(),
            model: settings.model.clone(),
            variable,
            max_retries: settings.max_retries,
            retry_pause: settings.retry_pause,
            budget: Budget::new(settings.retry_reserve),
            turns: Arc::new(Semaphore::new(settings.max_connections.clamp(1, Semaphore::MAX_PERMITS))),
        })
    }

    /// The address as it may be shown.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Name of the model asked.
    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// For the caller, without the key whatever the endpoint says.
    pub(crate) fn error(&self, failure: Failure) -> ModelError {
        match failure.into_error(&self.address, &self.model, self.variable) {
            ModelError::Unavailable { message, retry_after } => {
                ModelError::Unavailable { message: self.without_key(&message), retry_after }
            }
            ModelError::Refused { message } => ModelError::Refused { message: self.without_key(&message) },
            ModelError::Failed { doing, cause } => ModelError::failed(doing, self.without_key(&cause.to_string())),
            other => other,
        }
    }

    fn without_key(&self, message: &str) -> String {
        match self.key.as_ref().map(ExposeSecret::expose_secret).filter(|key| !key.is_empty()) {
            Some(key) => message.replace(key, "(key)"),
            None => message.to_owned(),
        }
    }

    /// Runs `attempt` until it succeeds, fails for good, or tries, budget or time are used up. Only for what may be
    /// done twice.
    pub(crate) async fn retrying<T, F>(&self, deadline: Instant, attempt: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.budget.deposit();
        let mut retries = 0;
        loop {
            let failure = match attempt().await {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            let asked = failure.retry_after().unwrap_or_default();
            let wait = asked + pause(self.retry_pause, retries);
            let in_time = asked <= LONGEST_WAIT && Instant::now() + wait < deadline;
            if !failure.is_transient() || retries == self.max_retries || !in_time || !self.budget.withdraw() {
                return Err(failure);
            }
            tracing::debug!(address = self.address, ?wait, "trying again");
            sleep(wait).await;
            retries += 1;
        }
    }

    /// Sends a request once, when there is a connection for it, and returns the start of its answer if that is no
    /// error.
    pub(crate) async fn post(
        &self,
        path: &[&str],
        body: &(impl Serialize + Sync),
        deadline: Instant,
    ) -> Result<Reply, Failure> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let turn = timeout_at(deadline, Arc::clone(&self.turns).acquire_owned()).await;
        // It is never closed, so there is a turn for everyone in time.
        let Ok(Ok(turn)) = turn else { return Err(self.crowded()) };
        let sent = timeout_at(deadline, self.client.post(url).json(body).send()).await;
        let response = sent.map_err(|_| self.silence())?.map_err(|cause| self.broken(cause))?;
        if response.status().is_success() {
            return Ok(Reply { response, turn });
        }
        let status = response.status().as_u16();
        let header = response.headers().get(RETRY_AFTER);
        let retry_after = header.and_then(|value| value.to_str().ok()).and_then(retry_after);
        // A complaint that cannot be read whole is still an error of that status.
        let body = self.body(response, LONGEST_COMPLAINT, deadline).await.unwrap_or_default();
        Err(Failure::Rejected(Rejection { status, complaint: Complaint::read(&body), retry_after }))
    }

    /// The whole body of an answer.
    pub(crate) async fn body(&self, response: Response, most: usize, deadline: Instant) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        let mut pieces = response.bytes_stream();
        while let Some(piece) = timeout_at(deadline, pieces.next()).await.map_err(|_| self.silence())? {
            body.extend_from_slice(&piece.map_err(|cause| self.broken(cause))?);
            if body.len() > most {
                return Err(Failure::Nonsense(format!("the answer is longer than {most} bytes")));
            }
        }
        Ok(body)
    }

    /// All connections were in use until the deadline.
    fn crowded(&self) -> Failure {
        Failure::Silence(format!("there were more questions than connections to {}, and no turn in time", self.address))
    }

    /// Nothing came in time.
    pub(crate) fn silence(&self) -> Failure {
        Failure::Silence(format!("{} did not answer in time", self.address))
    }

    /// A connection that cannot be made, or broke.
    pub(crate) fn broken(&self, cause: reqwest::Error) -> Failure {
        let reason = root_cause(&cause);
        Failure::Connection(if cause.is_connect() {
            format!("{} cannot be reached ({reason}); check OPENAI_BASE_URL", self.address)
        } else {
            format!("the connection to {} broke ({reason})", self.address)
        })
    }
}

fn headers(settings: &OpenAiSettings) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(key) = &settings.api_key {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret())).ok()?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let others = [("openai-organization", &settings.organisation), ("openai-project", &settings.project)];
    for (name, value) in others {
        if let Some(value) = value {
            headers.insert(name, HeaderValue::from_str(value).ok()?);
        }
    }
    Some(headers)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The last cause: what is above it names the address again, with all that may be in it.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    // Without any cause below, its own text holds the address.
    if std::ptr::addr_eq(cause, error) { "no reason known".to_owned() } else { cause.to_string() }
}
