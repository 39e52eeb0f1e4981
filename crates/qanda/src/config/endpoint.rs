use clap::Args;
use qanda_inference::openai::OpenAiSettings;

use super::set;
use crate::open_files;

/// An OpenAI-compatible endpoint.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "OpenAI-compatible endpoint")]
pub(crate) struct EndpointArgs {
    /// Address of the endpoint, up to and with /v1; a password in it would be shown, use the key
    #[arg(long, value_name = "URL", env = "OPENAI_BASE_URL", default_value = "https://api.openai.com/v1")]
    openai_base_url: String,
    /// Its key
    #[arg(long, value_name = "KEY", env = "OPENAI_API_KEY", hide_env_values = true)]
    openai_api_key: Option<String>,
    /// Organisation that is billed
    #[arg(long, value_name = "ID", env = "OPENAI_ORG_ID")]
    openai_organisation: Option<String>,
    /// Project that is billed
    #[arg(long, value_name = "ID", env = "OPENAI_PROJECT_ID")]
    openai_project: Option<String>,
    /// Times that a failed request is tried again
    #[arg(long, value_name = "N", env = "QANDA_ENDPOINT_RETRIES", default_value_t = 2)]
    endpoint_retries: u32,
    /// Seconds until the first token, retries included
    #[arg(long, value_name = "S", env = "QANDA_ENDPOINT_TIMEOUT", default_value_t = 60.0)]
    endpoint_timeout: f64,
    /// Seconds between two tokens
    #[arg(long, value_name = "S", env = "QANDA_ENDPOINT_IDLE_TIMEOUT", default_value_t = 30.0)]
    endpoint_idle_timeout: f64,
}

impl EndpointArgs {
    /// The endpoint's settings for a model.
    ///
    /// # Errors
    /// When a value cannot be used.
    pub(crate) fn resolve(&self, model: &str, context_window: usize) -> anyhow::Result<OpenAiSettings> {
        let url = self.openai_base_url.trim_end_matches('/');
        anyhow::ensure!(
            url.starts_with("http://") || url.starts_with("https://"),
            "--openai-base-url is \"{url}\"; it must be an address like http://127.0.0.1:8080/v1"
        );
        let first_token_timeout = super::seconds("endpoint-timeout", self.endpoint_timeout)?;
        Ok(OpenAiSettings {
            api_key: set(&self.openai_api_key).map(Into::into),
            organisation: set(&self.openai_organisation),
            project: set(&self.openai_project),
            context_window,
            max_connections: open_files::shares().model,
            max_retries: self.endpoint_retries,
            first_token_timeout,
            idle_timeout: super::seconds("endpoint-idle-timeout", self.endpoint_idle_timeout)?,
            ..OpenAiSettings::new(url, model)
        })
    }
}
