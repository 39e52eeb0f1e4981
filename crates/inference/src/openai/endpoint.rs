//! HTTP to one endpoint: connections, headers, retries, limits.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use qanda_core::ModelError;
use reqwest::{Client, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout_at};

use super::deadline::Deadline;
use super::error_report::ErrorReport;
use super::failure::{Failure, Rejection};
use super::headers::headers;
use super::redaction::without_key;
use super::retry::{Budget, asked_by, pause};
use super::routes::Routes;
use super::settings::{OpenAiSettings, SettingNames, shown};

/// Connections kept for the next request. Thousands of answers may run at once, each on a connection of its own;
/// an idle one costs a few kilobytes and saves a handshake.
const IDLE_CONNECTIONS: usize = 1024;
/// How long they are kept; many servers close them after a minute.
const IDLE_TIME: Duration = Duration::from_secs(45);
/// Longest error answer that is read, in bytes.
const LONGEST_REPORT: usize = 64 << 10;
/// Longest `Retry-After` that is waited for; a longer one is passed on to the caller.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// One OpenAI-compatible endpoint and the model asked there.
pub(crate) struct Endpoint {
    client: Client,
    routes: Routes,
    host: String,
    /// The address in messages.
    address: String,
    key: Option<SecretString>,
    model: String,
    names: SettingNames,
    max_retries: u32,
    retry_pause: Duration,
    budget: Budget,
    /// One for each connection that may be open. Without a limit, requests fail when the process has used up its
    /// open files; with it they wait.
    connections: Arc<Semaphore>,
}

/// The start of an answer, which holds a connection until it is dropped.
pub(crate) struct Reply {
    pub(crate) response: Response,
    pub(crate) permit: OwnedSemaphorePermit,
}

impl Endpoint {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// When the address is none, or the key cannot be sent in a header.
    pub(crate) fn new(settings: &OpenAiSettings) -> Result<Self, ModelError> {
        let wrong = |message: &str| ModelError::failed("setting up the OpenAI endpoint", message.to_owned());
        let names = settings.names;
        let base: Url = settings
            .base_url
            .parse()
            .ok()
            .filter(|url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| wrong(&format!("{} is not like https://api.openai.com/v1", names.base_url)))?;
        let headers = headers(settings, &base).ok_or_else(|| {
            let key = names.api_key;
            wrong(&format!("{key}, the organisation or the project holds characters that cannot be sent in a header"))
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
            routes: Routes::new(&base),
            host: base.host_str().unwrap_or_default().to_owned(),
            address: shown(&base),
            key: settings.api_key.clone(),
            model: settings.model.clone(),
            names,
            max_retries: settings.max_retries,
            retry_pause: settings.retry_pause,
            budget: Budget::new(settings.retry_reserve),
            connections: Arc::new(Semaphore::new(settings.max_connections.clamp(1, Semaphore::MAX_PERMITS))),
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

    /// Name of the machine.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The error that a failure becomes, without the key whatever the endpoint says.
    pub(crate) fn error(&self, failure: Failure) -> ModelError {
        let clean = |message: String| self.without_key(&message);
        match failure.into_error(&self.address, &self.model, &self.names) {
            ModelError::Unavailable { message, retry_after } => {
                ModelError::Unavailable { message: clean(message), retry_after }
            }
            ModelError::RateLimited { message, retry_after } => {
                ModelError::RateLimited { message: clean(message), retry_after }
            }
            ModelError::Interrupted { message } => ModelError::Interrupted { message: clean(message) },
            ModelError::Refused { message } => ModelError::Refused { message: clean(message) },
            ModelError::Filtered { message } => ModelError::Filtered { message: clean(message) },
            ModelError::Unreadable { message } => ModelError::Unreadable { message: clean(message) },
            other => other,
        }
    }

    /// A text as it may be shown or logged.
    pub(crate) fn without_key(&self, text: &str) -> String {
        without_key(text, self.key.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default())
    }

    /// Runs `attempt` until it succeeds, fails for good, or tries, budget or time are used up. Only for what may be
    /// done twice.
    pub(crate) async fn retrying<T, F>(&self, deadline: Deadline, attempt: impl Fn() -> F) -> Result<T, Failure>
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
            let in_time = asked <= LONGEST_WAIT && Instant::now() + wait < deadline.at;
            if !failure.is_transient() || retries == self.max_retries || !in_time || !self.budget.withdraw() {
                return Err(failure);
            }
            tracing::debug!(address = self.address, ?wait, "trying again");
            sleep(wait).await;
            retries += 1;
        }
    }

    /// Sends a request once, when there is a connection for it, and returns the start of its answer if that is no
    /// error. Where nothing is found, the other address that may be meant is asked.
    pub(crate) async fn post(
        &self,
        path: &[&str],
        body: &(impl Serialize + Sync),
        deadline: Deadline,
    ) -> Result<Reply, Failure> {
        let permit = timeout_at(deadline.at, Arc::clone(&self.connections).acquire_owned()).await;
        // The semaphore is never closed, so only the time can run out.
        let Ok(Ok(permit)) = permit else { return Err(self.late(deadline, || self.no_connection_free())) };
        let first = self.routes.first();
        let rejection = match self.post_to(self.routes.url(first, path), body, deadline).await? {
            Ok(response) => return Ok(Reply { response, permit }),
            Err(rejection) => rejection,
        };
        let is_nowhere = matches!(rejection.status, 404 | 405) && !rejection.report.mentions(&["model"]);
        if is_nowhere {
            let other = self.routes.after(first);
            // Its failure says less than that of the address as it was given.
            if let Ok(Ok(response)) = self.post_to(self.routes.url(other, path), body, deadline).await {
                self.routes.keep(other);
                return Ok(Reply { response, permit });
            }
        }
        Err(rejection.into())
    }

    async fn post_to(
        &self,
        url: Url,
        body: &(impl Serialize + Sync),
        deadline: Deadline,
    ) -> Result<Result<Response, Rejection>, Failure> {
        let sent = timeout_at(deadline.at, self.client.post(url).json(body).send()).await;
        let response = sent.map_err(|_| self.silence(deadline))?.map_err(|cause| self.broken(cause))?;
        if response.status().is_success() {
            return Ok(Ok(response));
        }
        let status = response.status().as_u16();
        let asked = asked_by(response.headers());
        // An error report that cannot be read whole is still an error of that status.
        let body = self.body(response, LONGEST_REPORT, deadline).await.unwrap_or_default();
        let report = ErrorReport::read(&body);
        let retry_after = asked.or_else(|| report.asked_pause());
        Ok(Err(Rejection { status, report, retry_after }))
    }

    /// The whole body of an answer.
    pub(crate) async fn body(&self, response: Response, most: usize, deadline: Deadline) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        let mut pieces = response.bytes_stream();
        while let Some(piece) = timeout_at(deadline.at, pieces.next()).await.map_err(|_| self.silence(deadline))? {
            body.extend_from_slice(&piece.map_err(|cause| self.broken(cause))?);
            if body.len() > most {
                return Err(Failure::Unreadable(format!("the answer is longer than {most} bytes")));
            }
        }
        Ok(body)
    }

    fn late(&self, deadline: Deadline, otherwise: impl FnOnce() -> Failure) -> Failure {
        if deadline.is_final { Failure::DeadlineExceeded } else { otherwise() }
    }

    /// All connections were in use until the deadline.
    fn no_connection_free(&self) -> Failure {
        Failure::Silence(format!(
            "there were more questions than connections to {}, and none was free in time",
            self.address
        ))
    }

    /// Nothing came in time.
    pub(crate) fn silence(&self, deadline: Deadline) -> Failure {
        self.late(deadline, || Failure::Silence(format!("{} did not answer in time", self.address)))
    }

    /// A connection that cannot be made, or broke.
    pub(crate) fn broken(&self, cause: reqwest::Error) -> Failure {
        let reason = root_cause(&cause);
        Failure::Connection(if cause.is_connect() {
            format!("{} cannot be reached ({reason}); check {}", self.address, self.names.base_url)
        } else {
            format!("the connection to {} broke ({reason})", self.address)
        })
    }
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
