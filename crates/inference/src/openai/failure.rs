//! What can go wrong between here and an endpoint, and what to tell a caller about it.

use std::time::Duration;

use qanda_core::ModelError;

use super::complaint::Complaint;

/// Why a try came to nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The endpoint answered with an error.
    Rejected(Rejection),
    /// There is no connection, or it ended early; a sentence.
    Connection(String),
    /// Nothing came in time; a sentence.
    Silence(String),
    /// What came is not what was asked for; a sentence.
    Nonsense(String),
    /// An error that arrived inside a stream.
    Reported(Complaint),
    /// The endpoint will not answer this; a sentence.
    Refused(String),
}

/// An endpoint's error answer.
#[derive(Debug)]
pub(crate) struct Rejection {
    pub(crate) status: u16,
    pub(crate) complaint: Complaint,
    pub(crate) retry_after: Option<Duration>,
}

impl Rejection {
    /// Whether the request itself was at fault. llama-cpp-python says so with a 500.
    pub(crate) fn is_about_the_request(&self) -> bool {
        matches!(self.status, 400 | 422) || self.complaint.mentions(&["validation error", "response_format"])
    }

    fn is_about_money(&self) -> bool {
        self.complaint.mentions(&["insufficient_quota", "billing"])
    }

    fn is_transient(&self) -> bool {
        matches!(self.status, 408 | 409 | 429 | 500 | 502 | 503 | 504)
            && !self.is_about_the_request()
            && !self.is_about_money()
    }

    fn into_error(self, address: &str, model: &str, variable: &str) -> ModelError {
        if self.complaint.is_about_length()
            && let Some((tokens, limit)) = self.complaint.lengths()
        {
            return ModelError::PromptTooLong { tokens, limit };
        }
        let said = match self.complaint.message.as_str() {
            "" => format!("{address} answered {}", self.status),
            message => format!("{address} answered {}: {}", self.status, message.trim_end_matches('.')),
        };
        if self.is_transient() || (self.status > 501 && !self.is_about_the_request()) {
            return ModelError::Unavailable { message: said, retry_after: self.retry_after.map(whole_seconds) };
        }
        let look_at = match self.status {
            401 | 403 => "; check OPENAI_API_KEY".to_owned(),
            300..=399 | 404 | 405 => format!("; check {variable} (now {model}) and OPENAI_BASE_URL"),
            429 => "; check the plan that OPENAI_API_KEY belongs to".to_owned(),
            _ if self.complaint.is_about_length() => "; send less, or take a model that reads more".to_owned(),
            _ if self.complaint.mentions(&["model"]) => format!("; check {variable} (now {model})"),
            _ => String::new(),
        };
        ModelError::Refused { message: said + &look_at }
    }
}

impl Failure {
    /// Whether the same request may succeed in a moment.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Rejected(rejection) => rejection.is_transient(),
            Self::Connection(_) => true,
            Self::Silence(_) | Self::Nonsense(_) | Self::Reported(_) | Self::Refused(_) => false,
        }
    }

    /// What the endpoint asks for, where it does.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected(rejection) => rejection.retry_after,
            _ => None,
        }
    }

    /// For the caller; `variable` is the setting that names the model.
    pub(super) fn into_error(self, address: &str, model: &str, variable: &str) -> ModelError {
        match self {
            Self::Rejected(rejection) => rejection.into_error(address, model, variable),
            Self::Connection(message) | Self::Silence(message) => {
                ModelError::Unavailable { message, retry_after: None }
            }
            Self::Nonsense(message) => ModelError::failed(format!("asking {address}"), message),
            Self::Reported(complaint) => reported(complaint, address),
            Self::Refused(message) => ModelError::Refused { message: format!("{address}: {message}") },
        }
    }
}

/// There is no status inside a stream, only words.
fn reported(complaint: Complaint, address: &str) -> ModelError {
    if complaint.is_about_length()
        && let Some((tokens, limit)) = complaint.lengths()
    {
        return ModelError::PromptTooLong { tokens, limit };
    }
    let passing = ["429", "500", "502", "503", "504", "rate_limit", "overloaded", "server_error"];
    if complaint.code.as_ref().is_some_and(|code| passing.iter().any(|word| code.contains(word))) {
        let message = format!("{address} gave up on the answer: {}", complaint.message);
        return ModelError::Unavailable { message, retry_after: None };
    }
    ModelError::failed(format!("answering at {address}"), complaint.message)
}

/// At least one: a caller told to come back at once would.
fn whole_seconds(duration: Duration) -> u32 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX).max(1)
}
