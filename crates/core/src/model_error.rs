//! Failures of language models and embedders.

use std::error::Error;

use crate::error::with_causes;

type Cause = Box<dyn Error + Send + Sync>;

/// A model (language model or embedder) could not do what was asked.
///
/// `Display` speaks to whoever runs the service: it may hold addresses, names of settings and an endpoint's own words.
/// [`ModelError::public`] says the same to a caller, without any of these.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// More is waiting than the queue in this process holds.
    #[error("the model is busy: {waiting} questions are waiting already; try again shortly")]
    Overloaded {
        /// Number of questions that wait.
        waiting: usize,
    },
    /// The prompt does not fit into the model's window.
    #[error("{}", too_long(*tokens, *limit))]
    PromptTooLong {
        /// Length of the prompt, estimated where it cannot be counted.
        tokens: usize,
        /// Tokens that would fit; none where an endpoint does not tell.
        limit: Option<usize>,
    },
    /// The request's own time ran out.
    #[error("the time for this request ran out")]
    DeadlineExceeded,
    /// The endpoint cannot be reached, does not answer in time, or is not ready yet.
    #[error("the model is not available: {message}")]
    Unavailable {
        /// Description of what happened.
        message: String,
        /// Seconds after which to come back, where the endpoint says so.
        retry_after: Option<u32>,
    },
    /// The endpoint has had as many requests as it takes for now.
    #[error("the model's endpoint takes no more requests at the moment: {message}")]
    RateLimited {
        /// The endpoint's words.
        message: String,
        /// Seconds after which to come back, where the endpoint says so.
        retry_after: Option<u32>,
    },
    /// The answer broke off after its first word.
    #[error("the model broke off in the middle of the answer: {message}")]
    Interrupted {
        /// Description of what happened.
        message: String,
    },
    /// The endpoint does not take what it is sent: a wrong key, an unknown model.
    #[error("the model's endpoint refuses: {message}")]
    Refused {
        /// The endpoint's words, and the setting to look at.
        message: String,
    },
    /// A filter at the endpoint stopped the question or its answer.
    #[error("the content filter of the model's endpoint stopped the answer: {message}")]
    Filtered {
        /// The endpoint's words.
        message: String,
    },
    /// The endpoint sent something that is not what was asked for.
    #[error("the model's endpoint is not understood: {message}")]
    Unreadable {
        /// Description of what came and what was expected.
        message: String,
    },
    /// The model reasoned and ended without an answer.
    #[error("the model only reasoned and gave no answer{}", if *.truncated { ": its tokens were used up" } else { "" })]
    OnlyReasoning {
        /// Whether the limit of tokens ended it, rather than the model.
        truncated: bool,
    },
    /// The engine has stopped.
    #[error("the model has stopped")]
    Stopped,
    /// Anything else: a file that is not a model, a failed evaluation.
    #[error("{doing} failed: {}", with_causes(&**.cause))]
    Failed {
        /// Work that failed.
        doing: String,
        /// The cause. It is part of the message, so it is no `source` as well: nothing prints it twice.
        cause: Cause,
    },
}

impl ModelError {
    /// Wraps a cause with what was being done.
    pub fn failed(doing: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Failed { doing: doing.into(), cause: cause.into() }
    }

    /// The message for a caller: no address, no path, no name of a setting, no word of a provider.
    #[must_use]
    pub fn public(&self) -> String {
        let sentence = match self {
            Self::Overloaded { .. }
            | Self::PromptTooLong { .. }
            | Self::DeadlineExceeded
            | Self::OnlyReasoning { .. }
            | Self::Stopped => return self.to_string(),
            Self::Unavailable { .. } => "the model is not available at the moment",
            Self::RateLimited { .. } => "the model takes no more requests at the moment",
            Self::Interrupted { .. } => "the model broke off in the middle of the answer",
            Self::Refused { .. } => "the model's endpoint refuses the request; the reason is in the service's log",
            Self::Filtered { .. } => "the content filter of the model's endpoint stopped the answer",
            Self::Unreadable { .. } => "the model's endpoint sent something that is no answer",
            Self::Failed { .. } => "the model failed; the reason is in the service's log",
        };
        sentence.to_owned()
    }

    /// Whether the same request may succeed later without anybody changing anything.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Overloaded { .. }
            | Self::DeadlineExceeded
            | Self::Unavailable { .. }
            | Self::RateLimited { .. }
            | Self::Interrupted { .. } => true,
            Self::PromptTooLong { .. }
            | Self::Refused { .. }
            | Self::Filtered { .. }
            | Self::Unreadable { .. }
            | Self::OnlyReasoning { .. }
            | Self::Stopped
            | Self::Failed { .. } => false,
        }
    }

    /// Seconds after which to come back, where the endpoint says so.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Unavailable { retry_after, .. } | Self::RateLimited { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn too_long(tokens: usize, limit: Option<usize>) -> String {
    match limit {
        Some(limit) => format!("the prompt has {tokens} tokens, more than the {limit} that fit the model"),
        None => format!("the prompt has about {tokens} tokens, more than the model takes"),
    }
}

#[cfg(test)]
mod tests {
    use super::ModelError;

    const PRIVATE: &str = "https://models.example/v1 answered 401: key sk-1 of acme is wrong; check OPENAI_API_KEY";

    #[test]
    fn callers_learn_nothing_of_addresses_settings_and_providers() {
        let message = PRIVATE.to_owned();
        let errors = [
            ModelError::Unavailable { message: message.clone(), retry_after: None },
            ModelError::RateLimited { message: message.clone(), retry_after: Some(1) },
            ModelError::Interrupted { message: message.clone() },
            ModelError::Refused { message: message.clone() },
            ModelError::Filtered { message: message.clone() },
            ModelError::Unreadable { message: message.clone() },
            ModelError::failed("loading /srv/models/small.gguf", message),
        ];
        for error in errors {
            assert!(error.to_string().contains(PRIVATE), "whoever runs it reads everything: {error}");
            let public = error.public();
            for private in ["models.example", "sk-1", "acme", "OPENAI", "401", "/srv"] {
                assert!(!public.contains(private), "{public}");
            }
        }
        let long = ModelError::PromptTooLong { tokens: 5000, limit: Some(4096) };
        assert_eq!(long.public(), "the prompt has 5000 tokens, more than the 4096 that fit the model");
    }

    #[test]
    fn a_cause_is_printed_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("no such file")]
        struct Inner;
        #[derive(Debug, thiserror::Error)]
        #[error("cannot open it")]
        struct Outer(#[source] Inner);
        let error = ModelError::failed("loading", Outer(Inner));
        assert_eq!(error.to_string(), "loading failed: cannot open it: no such file");
        assert!(std::error::Error::source(&error).is_none());
    }
}
