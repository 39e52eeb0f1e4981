//! Failures between here and an endpoint, and the errors that they become.

use std::time::Duration;

use qanda_core::ModelError;

use super::error_report::ErrorReport;
use super::settings::SettingNames;

/// Reason why a try came to nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The endpoint answered with an error.
    Rejected(Box<Rejection>),
    /// There is no connection, or it ended early; a sentence.
    Connection(String),
    /// Nothing came in time; a sentence.
    Silence(String),
    /// The request's own time is over.
    DeadlineExceeded,
    /// The answer is not of the form that was asked for; a sentence.
    Unreadable(String),
    /// A filter at the endpoint stopped the answer; its words.
    Filtered(String),
    /// The model reasoned and gave no answer.
    OnlyReasoning {
        /// Whether its tokens were used up.
        truncated: bool,
    },
    /// The answer broke off after its first word; a sentence.
    Interrupted(String),
}

/// An endpoint's error answer.
#[derive(Debug)]
pub(crate) struct Rejection {
    pub(crate) status: u16,
    pub(crate) report: ErrorReport,
    pub(crate) retry_after: Option<Duration>,
}

/// Words of servers that say with a 500 that the request was at fault: a template that raises an exception, a field
/// that a validator does not know.
const ABOUT_THE_REQUEST: [&str; 9] = [
    "validation error",
    "response_format",
    "jinja",
    "template",
    "roles must alternate",
    "system role",
    "invalid_request",
    "badrequest",
    "unsupported",
];
const ABOUT_MONEY: [&str; 5] = ["insufficient_quota", "billing", "credit balance", "payment", "insufficient balance"];
const ABOUT_CONTENT: [&str; 6] = [
    "content_filter",
    "content management policy",
    "content_policy",
    "data_inspection_failed",
    "content exists risk",
    "responsibleaipolicy",
];

impl Rejection {
    /// An error that an endpoint sent with status 200, with the status that it stands for.
    pub(crate) fn in_answer(report: ErrorReport) -> Self {
        let retry_after = report.asked_pause();
        Self { status: report.status().unwrap_or(200), report, retry_after }
    }

    /// Whether the request itself was at fault.
    pub(crate) fn is_about_the_request(&self) -> bool {
        matches!(self.status, 200 | 400 | 413 | 415 | 422)
            || (self.status >= 500 && self.report.mentions(&ABOUT_THE_REQUEST))
    }

    /// Whether what was sent is too long. Limits on tokens per minute have the same words.
    pub(crate) fn is_about_length(&self) -> bool {
        self.status != 429 && self.report.is_about_length()
    }

    fn is_about_money(&self) -> bool {
        self.status == 402 || self.report.mentions(&ABOUT_MONEY)
    }

    fn is_about_content(&self) -> bool {
        matches!(self.status, 200 | 400 | 403) && self.report.mentions(&ABOUT_CONTENT)
    }

    fn is_transient(&self) -> bool {
        let may_pass = matches!(self.status, 408 | 409 | 425 | 429 | 500 | 502..=504 | 520..=530);
        may_pass && !self.is_about_the_request() && !self.is_about_money() && !self.is_about_length()
    }

    fn into_error(self, address: &str, model: &str, names: &SettingNames) -> ModelError {
        let message = match self.report.shown().as_str() {
            "" => format!("{address} answered {}", self.status),
            words => format!("{address} answered {}: {}", self.status, words.trim_end_matches('.')),
        };
        if self.is_about_content() {
            return ModelError::Filtered { message };
        }
        let retry_after = self.retry_after.map(whole_seconds);
        if self.status == 429 && !self.is_about_money() {
            return ModelError::RateLimited { message, retry_after };
        }
        if self.is_transient() || (self.status > 501 && !self.is_about_the_request()) {
            return ModelError::Unavailable { message, retry_after };
        }
        let look_at = match self.status {
            401 | 403 => format!("; check {}", names.api_key),
            402 | 429 => format!("; check the plan that {} belongs to", names.api_key),
            300..=399 | 404 | 405 => format!("; check {} (now {model}) and {}", names.model, names.base_url),
            _ if self.is_about_length() => "; send less, or take a model that reads more".to_owned(),
            _ if self.report.mentions(&["model"]) => format!("; check {} (now {model})", names.model),
            _ => String::new(),
        };
        ModelError::Refused { message: message + &look_at }
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(Box::new(rejection))
    }
}

impl Failure {
    /// Whether the same request may succeed in a moment.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Rejected(rejection) => rejection.is_transient(),
            Self::Connection(_) => true,
            _ => false,
        }
    }

    /// The pause that the endpoint asks for, where it does.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected(rejection) => rejection.retry_after,
            _ => None,
        }
    }

    /// The same, once there was text: it is no matter of the endpoint alone any more, but of an answer that is lost.
    pub(crate) fn after_text(self, address: &str) -> Self {
        match self {
            Self::Connection(message) | Self::Silence(message) | Self::Unreadable(message) => {
                Self::Interrupted(message)
            }
            Self::Rejected(rejection) => {
                Self::Interrupted(format!("{address} gave up on it: {}", rejection.report.shown()))
            }
            other => other,
        }
    }

    /// The error that it becomes.
    pub(super) fn into_error(self, address: &str, model: &str, names: &SettingNames) -> ModelError {
        match self {
            Self::Rejected(rejection) => rejection.into_error(address, model, names),
            Self::Connection(message) | Self::Silence(message) => {
                ModelError::Unavailable { message, retry_after: None }
            }
            Self::DeadlineExceeded => ModelError::DeadlineExceeded,
            Self::Unreadable(message) => ModelError::Unreadable { message: format!("{address}: {message}") },
            Self::Filtered(message) => ModelError::Filtered { message: format!("{address}: {message}") },
            Self::OnlyReasoning { truncated } => ModelError::OnlyReasoning { truncated },
            Self::Interrupted(message) => ModelError::Interrupted { message },
        }
    }
}

/// At least one: a caller told to come back at once would.
fn whole_seconds(duration: Duration) -> u32 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX).max(1)
}
