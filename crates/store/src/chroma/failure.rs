//! What can go wrong on the way to Chroma, and what to say about it.

use qanda_core::StoreError;
use reqwest::StatusCode;

use super::api::ApiError;
use super::limiter::TimedOut;
use super::settings::ChromaSettings;

/// A request that did not work.
pub(super) enum Failure {
    /// The connection or the server says so.
    Api(ApiError),
    /// We say so.
    Store(StoreError),
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl Failure {
    /// In words: what happened and what to do.
    pub(super) fn explain(self, doing: &str, settings: &ChromaSettings) -> StoreError {
        let error = match self {
            Self::Store(error) => return error,
            Self::Api(error) => error,
        };
        let address = settings.address();
        let message = match &error {
            ApiError::Status(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => {
                format!("Chroma at {address} refuses the credentials; check the token and the header that carries it")
            }
            ApiError::Status(StatusCode::TOO_MANY_REQUESTS, _) => {
                format!("Chroma at {address} has too much to do; try again shortly")
            }
            ApiError::Status(status, _) if status.is_server_error() => {
                format!("Chroma at {address} answers with an error ({status}); its log says more")
            }
            // It understood us and does not want it: trying again does not help.
            ApiError::Status(
                StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE,
                said,
            ) => {
                let doing = format!("{doing} in Chroma at {address}");
                return StoreError::Refused { doing, reason: said.clone() };
            }
            ApiError::Status(status, _) => format!(
                "what answers at {address} says {status}, which Chroma would not; check host, port and paths of a proxy in between"
            ),
            ApiError::Connection(cause) if cause.is_connect() => format!(
                "Chroma cannot be reached at {address}; check that it runs there and that host, port and TLS are right"
            ),
            ApiError::Connection(_) => format!("the connection to Chroma at {address} broke; check that it runs"),
            ApiError::Unreadable(_) => format!(
                "what answers at {address} does not speak as Chroma 1.x does; check host and port, and Chroma's version"
            ),
        };
        StoreError::Unavailable { message, cause: Some(Box::new(error)) }
    }
}

/// The deadline is over.
pub(super) fn timed_out(settings: &ChromaSettings) -> StoreError {
    let (address, seconds) = (settings.address(), settings.timeout.as_secs_f32());
    let message = format!(
        "Chroma at {address} did not answer within {seconds} s; check that it runs, or give it more time if it is slow"
    );
    StoreError::Unavailable { message, cause: Some(Box::new(TimedOut)) }
}

/// Whether an error says that the deadline was over.
pub(super) fn was_slow(error: &StoreError) -> bool {
    match error {
        StoreError::Unavailable { cause: Some(cause), .. } => cause.is::<TimedOut>(),
        _ => false,
    }
}

/// Whether an error says that the collection is not there.
pub(super) fn is_missing(error: &ApiError) -> bool {
    match error {
        // Another program on this port, or a proxy's wrong path, would say 404 in other words.
        ApiError::Status(StatusCode::NOT_FOUND, said) => said.contains("Collection"),
        _ => false,
    }
}

/// Whether the same request may work right now: with the collection looked up again, or on a new connection.
pub(super) fn is_worth_a_second_try(failure: &Failure) -> bool {
    match failure {
        Failure::Api(ApiError::Connection(cause)) => !cause.is_connect() && !cause.is_timeout(),
        // Vectors of another length have come since the collection was looked up, so it was another's to begin with.
        Failure::Api(ApiError::Status(StatusCode::BAD_REQUEST, said)) => said.contains("dimension"),
        Failure::Api(error) => is_missing(error),
        Failure::Store(_) => false,
    }
}
