use clap::Args;
use qanda_inference::openai::{OpenAiSettings, SettingNames, is_same_host};

use super::{Time, set};
use crate::open_files;

/// An OpenAI-compatible endpoint.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "OpenAI-compatible endpoint")]
pub(crate) struct EndpointArgs {
    /// Address of the endpoint, up to and with /v1; a password in it would be shown, use the key
    #[arg(long, value_name = "URL", env = "OPENAI_BASE_URL", default_value = "https://api.openai.com/v1")]
    openai_base_url: String,
    /// The key of the endpoint
    #[arg(long, value_name = "KEY", env = "OPENAI_API_KEY", hide_env_values = true)]
    openai_api_key: Option<String>,
    /// Address of the endpoint that embeds
    #[arg(long, value_name = "URL", env = "OPENAI_EMBEDDING_BASE_URL")]
    openai_embedding_base_url: Option<String>,
    /// The key of that endpoint
    #[arg(long, value_name = "KEY", env = "OPENAI_EMBEDDING_API_KEY", hide_env_values = true)]
    openai_embedding_api_key: Option<String>,
    /// Organisation that is billed
    #[arg(long, value_name = "ID", env = "OPENAI_ORG_ID")]
    openai_organisation: Option<String>,
    /// Project that is billed
    #[arg(long, value_name = "ID", env = "OPENAI_PROJECT_ID")]
    openai_project: Option<String>,
    /// Times that a failed request is tried again
    #[arg(long, value_name = "N", env = "QANDA_ENDPOINT_RETRIES", default_value_t = 2)]
    endpoint_retries: u32,
    /// Time until the first token, retries included
    #[arg(long, value_name = "TIME", env = "QANDA_ENDPOINT_TIMEOUT", default_value = "60s")]
    endpoint_timeout: Time,
    /// Time between two tokens
    #[arg(long, value_name = "TIME", env = "QANDA_ENDPOINT_IDLE_TIMEOUT", default_value = "30s")]
    endpoint_idle_timeout: Time,
    /// Most tokens for the thoughts of a model that reasons, beside those of its answer; 0 says that it does not, so
    /// that even its first answer is passed on as it is written
    #[arg(long, value_name = "N", env = "QANDA_REASONING_TOKENS", default_value_t = 4096)]
    reasoning_tokens: usize,
}

/// Names of the settings of the endpoint that answers.
const ANSWERING: SettingNames =
    SettingNames { base_url: "OPENAI_BASE_URL", api_key: "OPENAI_API_KEY", model: "OPENAI_MODEL" };

impl EndpointArgs {
    /// The settings for the model that answers.
    ///
    /// # Errors
    /// When a value cannot be used.
    pub(crate) fn answering(&self, model: &str, context_window: usize) -> anyhow::Result<OpenAiSettings> {
        let (url, key) = (self.openai_base_url.as_str(), set(&self.openai_api_key));
        self.resolve("openai-base-url", url, key, model, context_window, ANSWERING)
    }

    /// The settings for the model that embeds: an endpoint of its own, or the same one.
    ///
    /// # Errors
    /// When a value cannot be used.
    pub(crate) fn embedding(&self, model: &str, context_window: usize) -> anyhow::Result<OpenAiSettings> {
        let own_url = set(&self.openai_embedding_base_url);
        let own_key = set(&self.openai_embedding_api_key);
        let mut names = SettingNames { model: "OPENAI_EMBEDDING_MODEL", ..ANSWERING };
        if own_url.is_some() {
            names.base_url = "OPENAI_EMBEDDING_BASE_URL";
        }
        let url = own_url.as_deref().unwrap_or(&self.openai_base_url);
        // A key is for those who gave it out: another host does not get to see it.
        let shares_key = own_key.is_none() && is_same_host(url, &self.openai_base_url);
        if !shares_key {
            names.api_key = "OPENAI_EMBEDDING_API_KEY";
        }
        let key = own_key.or_else(|| set(&self.openai_api_key).filter(|_| shares_key));
        let flag = if own_url.is_some() { "openai-embedding-base-url" } else { "openai-base-url" };
        self.resolve(flag, url, key, model, context_window, names)
    }

    fn resolve(
        &self,
        flag: &str,
        url: &str,
        key: Option<String>,
        model: &str,
        context_window: usize,
        names: SettingNames,
    ) -> anyhow::Result<OpenAiSettings> {
        let url = url.trim().trim_end_matches('/');
        anyhow::ensure!(
            url.starts_with("http://") || url.starts_with("https://"),
            "--{flag} is \"{url}\"; it must be an address like http://127.0.0.1:8080/v1"
        );
        let first_token_timeout = self.endpoint_timeout.to_wait("endpoint-timeout")?;
        Ok(OpenAiSettings {
            api_key: key.map(Into::into),
            organisation: set(&self.openai_organisation),
            project: set(&self.openai_project),
            names,
            context_window,
            reasoning_tokens: self.reasoning_tokens,
            max_connections: open_files::shares().model,
            max_retries: self.endpoint_retries,
            first_token_timeout,
            idle_timeout: self.endpoint_idle_timeout.to_wait("endpoint-idle-timeout")?,
            ..OpenAiSettings::new(url, model)
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use qanda_inference::openai::{ExposeSecret, OpenAiSettings};

    use super::EndpointArgs;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        endpoint: EndpointArgs,
    }

    fn settings(arguments: &[&str]) -> (OpenAiSettings, OpenAiSettings) {
        let line = Line::try_parse_from(["qanda"].iter().chain(arguments)).expect("arguments that can be read");
        let answering = line.endpoint.answering("chat", 8192).expect("an endpoint");
        (answering, line.endpoint.embedding("embed", 8191).expect("an endpoint"))
    }

    fn key(settings: &OpenAiSettings) -> Option<String> {
        settings.api_key.as_ref().map(|key| key.expose_secret().to_owned())
    }

    #[test]
    fn one_endpoint_does_both_unless_there_are_two() {
        let common = ["--openai-base-url", "http://127.0.0.1:1/v1", "--openai-api-key", "common"];
        let (answering, embedding) = settings(&common);
        assert_eq!((answering.base_url.as_str(), key(&answering)), ("http://127.0.0.1:1/v1", Some("common".into())));
        assert_eq!((embedding.base_url.as_str(), key(&embedding)), ("http://127.0.0.1:1/v1", Some("common".into())));
        assert_eq!((embedding.names.base_url, embedding.names.api_key), ("OPENAI_BASE_URL", "OPENAI_API_KEY"));

        let apart = [&common[..], &["--openai-embedding-base-url", "http://127.0.0.1:2/v1/"]].concat();
        let (answering, embedding) = settings(&apart);
        assert_eq!(answering.base_url, "http://127.0.0.1:1/v1");
        assert_eq!((embedding.base_url.as_str(), key(&embedding)), ("http://127.0.0.1:2/v1", Some("common".into())));
        assert_eq!(embedding.names.base_url, "OPENAI_EMBEDDING_BASE_URL");

        let own = [&apart[..], &["--openai-embedding-api-key", "own"]].concat();
        let (answering, embedding) = settings(&own);
        assert_eq!((key(&answering), key(&embedding)), (Some("common".into()), Some("own".into())));
        assert_eq!(embedding.names.api_key, "OPENAI_EMBEDDING_API_KEY");
    }

    #[test]
    fn a_key_is_not_sent_to_another_host() {
        let (_, embedding) =
            settings(&["--openai-api-key", "common", "--openai-embedding-base-url", "http://embed.example/v1"]);
        assert_eq!((key(&embedding), embedding.names.api_key), (None, "OPENAI_EMBEDDING_API_KEY"));
    }
}
