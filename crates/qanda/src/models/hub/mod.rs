//! A hub of models: Hugging Face's, or a server that speaks like it.
//!
//! Two routes are enough: `/api/models/REPOSITORY/revision/main?blobs=true` lists the files of a repository with their
//! sizes and hashes, and `/REPOSITORY/resolve/COMMIT/FILE` leads to a file.

mod choice;
mod download;

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::Deserialize;

pub(super) use self::choice::{Choice, choose};
pub(super) use self::download::Wanted;

/// Longest time until a hub is reached.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence in the middle of a download.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// A hub, and who asks it.
#[derive(Debug)]
pub(crate) struct Hub {
    client: Client,
    endpoint: String,
    token: Option<String>,
}

/// The files of a repository at one commit.
#[derive(Debug, Deserialize)]
pub(super) struct Repository {
    /// The commit.
    #[serde(rename = "sha")]
    pub(super) commit: String,
    #[serde(rename = "siblings")]
    pub(super) files: Vec<RemoteFile>,
    #[serde(default)]
    tags: Vec<String>,
}

/// A file of a repository.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RemoteFile {
    /// Its path in the repository.
    #[serde(rename = "rfilename")]
    pub(super) path: String,
    #[serde(default)]
    size: Option<u64>,
    /// Hash and size of a large file (Git LFS).
    #[serde(default)]
    lfs: Option<Lfs>,
}

#[derive(Debug, Clone, Deserialize)]
struct Lfs {
    sha256: String,
    size: u64,
}

impl RemoteFile {
    pub(super) fn bytes(&self) -> Option<u64> {
        self.lfs.as_ref().map(|lfs| lfs.size).or(self.size)
    }

    /// Hubs know it of large files only.
    pub(super) fn sha256(&self) -> Option<&str> {
        self.lfs.as_ref().map(|lfs| lfs.sha256.as_str())
    }
}

impl Repository {
    /// The licence that its card names.
    pub(super) fn licence(&self) -> Option<&str> {
        self.tags.iter().find_map(|tag| tag.strip_prefix("license:"))
    }
}

impl Hub {
    /// A hub at an address without a path, asked with a token where there is one.
    ///
    /// # Errors
    /// When the address is none.
    pub(crate) fn new(endpoint: &str, token: Option<String>) -> anyhow::Result<Self> {
        let endpoint = endpoint.trim().trim_end_matches('/').to_owned();
        anyhow::ensure!(
            endpoint.starts_with("http://") || endpoint.starts_with("https://"),
            "--hub is \"{endpoint}\"; it must be an address like https://huggingface.co"
        );
        let client = Client::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build()?;
        Ok(Self { client, endpoint, token })
    }

    /// The files of `OWNER/NAME`.
    ///
    /// # Errors
    /// When the hub cannot be reached, or does not show it.
    pub(super) async fn repository(&self, name: &str) -> anyhow::Result<Repository> {
        let url = format!("{}/api/models/{name}/revision/main?blobs=true", self.endpoint);
        let response = self.get(&url).send().await.map_err(|error| self.away(error))?;
        let response = accepted(response, &format!("a repository {name}"))?;
        let listed = response.json().await;
        let repository: Repository =
            listed.with_context(|| format!("{} does not list files as a hub does", self.endpoint))?;
        let is_commit = repository.commit.bytes().all(|byte| byte.is_ascii_alphanumeric());
        anyhow::ensure!(is_commit, "the hub names no commit, but \"{}\"", repository.commit);
        Ok(repository)
    }

    /// Address of a file at a commit or branch.
    pub(super) fn url(&self, repository: &str, revision: &str, file: &str) -> String {
        let file: Vec<_> = file.split('/').map(escaped).collect();
        format!("{}/{repository}/resolve/{revision}/{}", self.endpoint, file.join("/"))
    }

    fn get(&self, url: &str) -> RequestBuilder {
        let request = self.client.get(url);
        match &self.token {
            // It goes to this host only: a redirection to another one loses it.
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    fn away(&self, error: reqwest::Error) -> anyhow::Error {
        anyhow::Error::new(error.without_url()).context(format!("cannot reach the hub at {}", self.endpoint))
    }
}

/// A response, if it holds what was asked for.
fn accepted(response: Response, wanted: &str) -> anyhow::Result<Response> {
    match response.status() {
        status if status.is_success() => Ok(response),
        // Hubs answer 401 for what is not there as well, so as not to tell what is private.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => anyhow::bail!(
            "the hub shows nobody {wanted} without permission: check its name, or set HF_TOKEN to a token that has it"
        ),
        StatusCode::NOT_FOUND => anyhow::bail!("the hub does not have {wanted}"),
        status => anyhow::bail!("the hub answers {status}"),
    }
}

/// A part of a path as it stands in an address.
fn escaped(part: &str) -> String {
    let mut escaped = String::with_capacity(part.len());
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
