//! Settings of an endpoint: its address, and the times that it gets.

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;

/// Names under which whoever runs this gave the settings of an endpoint. Messages say them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingNames {
    /// Name of the address.
    pub base_url: &'static str,
    /// Name of the key.
    pub api_key: &'static str,
    /// Name of the model's name.
    pub model: &'static str,
}

impl Default for SettingNames {
    fn default() -> Self {
        Self { base_url: "the endpoint's address", api_key: "the endpoint's key", model: "the model's name" }
    }
}

/// An OpenAI-compatible endpoint and one of its models.
#[derive(Clone)]
pub struct OpenAiSettings {
    /// Address up to and with the version, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// Sent as bearer token; servers of one's own often need none.
    pub api_key: Option<SecretString>,
    /// Name of the model at the endpoint.
    pub model: String,
    /// Names of the settings, for messages.
    pub names: SettingNames,
    /// Sent as `OpenAI-Organization`.
    pub organisation: Option<String>,
    /// Sent as `OpenAI-Project`.
    pub project: Option<String>,
    /// How long a connection may take to stand.
    pub connect_timeout: Duration,
    /// How long the first token, or an embedding, may take, with all retries.
    pub first_token_timeout: Duration,
    /// How long the endpoint may be silent between two tokens.
    pub idle_timeout: Duration,
    /// How often one request is tried again after a failure that may pass.
    pub max_retries: u32,
    /// About how long the first pause before a retry is; it doubles with each.
    pub retry_pause: Duration,
    /// Retries that all requests together may make while none succeeds. A tenth is added with every request.
    pub retry_reserve: u32,
    /// Connections at the same time; requests beyond them wait, which counts against their deadline.
    pub max_connections: usize,
    /// Tokens that a prompt and its answer may take together.
    pub context_window: usize,
    /// Tokens that a model which reasons may take for that, beside those of its answer; 0 says that it does not reason.
    pub reasoning_tokens: usize,
}

impl OpenAiSettings {
    /// Defaults for a model at an address.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key: None,
            model: model.into(),
            names: SettingNames::default(),
            organisation: None,
            project: None,
            connect_timeout: Duration::from_secs(3),
            first_token_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(30),
            max_retries: 2,
            retry_pause: Duration::from_millis(500),
            retry_reserve: 10,
            max_connections: 1024,
            context_window: 8192,
            reasoning_tokens: 4096,
        }
    }
}

impl OpenAiSettings {
    /// The address without what may be secret in it, for messages.
    #[must_use]
    pub fn address(&self) -> String {
        self.base_url.parse().map_or_else(|_| "(not an address)".to_owned(), |url| shown(&url))
    }
}

/// Without the key, and without a password in the address.
impl fmt::Debug for OpenAiSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address();
        formatter
            .debug_struct("OpenAiSettings")
            .field("base_url", &address)
            .field("api_key", &self.api_key.as_ref().map(|_| "(hidden)"))
            .field("model", &self.model)
            .field("organisation", &self.organisation)
            .field("project", &self.project)
            .field("connect_timeout", &self.connect_timeout)
            .field("first_token_timeout", &self.first_token_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("max_connections", &self.max_connections)
            .field("max_retries", &self.max_retries)
            .field("retry_pause", &self.retry_pause)
            .field("retry_reserve", &self.retry_reserve)
            .field("context_window", &self.context_window)
            .field("reasoning_tokens", &self.reasoning_tokens)
            .finish()
    }
}

/// Whether two addresses name the same machine, so that a key for one may be sent to the other.
#[must_use]
pub fn is_same_host(one: &str, other: &str) -> bool {
    let host = |url: &str| url.trim().parse::<Url>().ok().and_then(|url| url.host_str().map(str::to_owned));
    host(one).is_some() && host(one) == host(other)
}

/// An address fit for messages: no user, password or query, which may hold secrets.
pub(super) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path().trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::{OpenAiSettings, is_same_host};

    #[test]
    fn secrets_are_never_shown() {
        let mut settings = OpenAiSettings::new("https://user:word@models.example:444/v1/?key=hidden-too", "small");
        settings.api_key = Some("sk-very-secret".to_owned().into());
        let text = format!("{settings:?}");
        for secret in ["word", "hidden-too", "sk-very-secret"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(text.contains("https://models.example:444/v1"), "{text}");
    }

    #[test]
    fn hosts_are_compared_without_ports_and_paths() {
        assert!(is_same_host("http://127.0.0.1:1/v1", "http://127.0.0.1:2/api"));
        assert!(!is_same_host("https://api.openai.com/v1", "http://127.0.0.1:2"));
        assert!(!is_same_host("nowhere", "nowhere"));
    }
}
