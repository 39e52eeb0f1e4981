//! The requests of Chroma's REST interface (version 2) that the store needs, over the HTTP client that the models
//! use as well.
//!
//! Chroma's own client for Rust does this, too. It brought 60 crates for it, among them a code generator with a tool
//! that has to be fetched: docs/building.md has the minutes.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use reqwest::{Client, Method, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::values::Metadata;
use super::wire::{Collection, Complaint, Done};

/// Time for which a connection is kept for the next request. Many servers and proxies close theirs after a minute.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// Characters of an error answer that are kept, where it is not Chroma's.
const LONGEST_COMPLAINT: usize = 500;

/// The collections of one database.
pub(super) struct Api {
    client: Client,
    collections: Url,
}

/// A request that did not work.
#[derive(Debug)]
pub(super) enum ApiError {
    /// There was no answer, or it broke off.
    Connection(reqwest::Error),
    /// The answer is an error, with what it says.
    Status(StatusCode, String),
    /// The answer is not one of Chroma's.
    Unreadable(serde_json::Error),
}

impl Api {
    /// `collections` is the address of the list of collections.
    pub(super) fn new(client: reqwest::ClientBuilder, collections: Url) -> Result<Self, reqwest::Error> {
        // reqwest needs a provider of cryptography even for plain HTTP. The binary may have installed one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = client
            .user_agent(concat!("qanda/", env!("CARGO_PKG_VERSION")))
            .pool_idle_timeout(IDLE_TIME)
            // A followed POST becomes a GET; saying that something else answers there helps more.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client, collections })
    }

    /// The collection of a name.
    pub(super) async fn collection(&self, name: &str) -> Result<Collection, ApiError> {
        self.send(Method::GET, &[name], None::<&()>).await
    }

    /// The collection of a name; a new one for comparing by cosine, with this metadata, where there is none.
    pub(super) async fn get_or_create(&self, name: &str, metadata: &Metadata) -> Result<Collection, ApiError> {
        let body = json!({
            "name": name,
            "metadata": metadata,
            "configuration": { "hnsw": { "space": "cosine" } },
            "get_or_create": true,
        });
        self.send(Method::POST, &[], Some(&body)).await
    }

    /// Replaces the metadata of a collection.
    pub(super) async fn set_metadata(&self, id: &str, metadata: &Metadata) -> Result<(), ApiError> {
        let body = json!({ "new_metadata": metadata });
        let Done {} = self.send(Method::PUT, &[id], Some(&body)).await?;
        Ok(())
    }

    /// Asks a collection something, or changes its records.
    pub(super) async fn records<T: DeserializeOwned>(
        &self,
        id: &str,
        operation: &str,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        self.send(Method::POST, &[id, operation], Some(body)).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&impl Serialize>,
    ) -> Result<T, ApiError> {
        let mut url = self.collections.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        let mut request = self.client.request(method, url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(ApiError::Connection)?;
        let status = response.status();
        let body = response.bytes().await.map_err(ApiError::Connection)?;
        if !status.is_success() {
            return Err(ApiError::Status(status, complaint(&body)));
        }
        serde_json::from_slice(&body).map_err(ApiError::Unreadable)
    }
}

/// Words of an error answer: Chroma's own words, or the beginning of what another program sends.
fn complaint(body: &[u8]) -> String {
    match serde_json::from_slice::<Complaint>(body) {
        Ok(Complaint { error, message }) => format!("{error}: {message}"),
        Err(_) => String::from_utf8_lossy(body).trim().chars().take(LONGEST_COMPLAINT).collect(),
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(cause) => cause.fmt(f),
            Self::Status(status, said) if said.is_empty() => status.fmt(f),
            Self::Status(status, said) => write!(f, "{status}: {said}"),
            Self::Unreadable(cause) => write!(f, "unreadable answer: {cause}"),
        }
    }
}

impl Error for ApiError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Connection(cause) => cause.source(),
            Self::Status(..) | Self::Unreadable(_) => None,
        }
    }
}
