//! What can go wrong on the way to Chroma, and what to say about it.

use chroma::client::ChromaHttpClientError;
use qanda_core::StoreError;
use reqwest::StatusCode;

use super::settings::ChromaSettings;

/// A request that did not work.
pub(super) enum Failure {
    /// The client or the server says so.
    Chroma(ChromaHttpClientError),
    /// We say so.
    Store(StoreError),
}

impl From<ChromaHttpClientError> for Failure {
    fn from(error: ChromaHttpClientError) -> Self {
        Self::Chroma(error)
    }
}

impl Failure {
    /// A fault of our own.
    pub(super) fn other(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Store(StoreError::failed("speaking to Chroma", cause))
    }

    /// In words: what happened and what to do.
    pub(super) fn explain(self, doing: &str, settings: &ChromaSettings) -> StoreError {
        let error = match self {
            Self::Store(error) => return error,
            Self::Chroma(error) => error,
        };
        let address = settings.address();
        let message = match (&error, status(&error)) {
            (_, Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)) => {
                format!("Chroma at {address} refuses the credentials; check the token and the header that carries it")
            }
            (_, Some(StatusCode::TOO_MANY_REQUESTS)) => {
                format!("Chroma at {address} has too much to do; try again shortly")
            }
            (_, Some(status)) if status.is_server_error() => {
                format!("Chroma at {address} answers with an error ({status}); its log says more")
            }
            // It understood us and does not want it: trying again does not help.
            (ChromaHttpClientError::ApiError(said, StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY), _) => {
                return StoreError::failed(format!("{doing} in Chroma at {address}"), said.clone());
            }
            (_, Some(status)) => format!(
                "what answers at {address} says {status}, which Chroma would not; check host, port and paths of a proxy in between"
            ),
            (ChromaHttpClientError::RequestError(cause), None) if cause.is_connect() => format!(
                "Chroma cannot be reached at {address}; check that it runs there and that host, port and TLS are right"
            ),
            (ChromaHttpClientError::RequestError(cause), None) if !cause.is_decode() => {
                format!("the connection to Chroma at {address} broke; check that it runs")
            }
            (ChromaHttpClientError::RequestError(_) | ChromaHttpClientError::SerdeError(_), None) => format!(
                "what answers at {address} does not speak as Chroma 1.x does; check host and port, and Chroma's version"
            ),
            _ => return StoreError::failed(format!("{doing} in Chroma at {address}"), error),
        };
        StoreError::Unavailable { message, cause: Some(Box::new(error)) }
    }
}

/// The status of an answer that is an error. The client tells it in one way where it understands the answer's body,
/// and in another where it does not.
fn status(error: &ChromaHttpClientError) -> Option<StatusCode> {
    match error {
        ChromaHttpClientError::ApiError(_, status) => Some(*status),
        ChromaHttpClientError::RequestError(cause) => cause.status(),
        _ => None,
    }
}

/// The deadline is over.
pub(super) fn too_late(settings: &ChromaSettings) -> StoreError {
    let (address, seconds) = (settings.address(), settings.timeout.as_secs_f32());
    let message = format!(
        "Chroma at {address} did not answer within {seconds} s; check that it runs, or give it more time if it is slow"
    );
    StoreError::Unavailable { message, cause: None }
}

/// Whether an error says that the collection is not there.
pub(super) fn is_missing(error: &ChromaHttpClientError) -> bool {
    match error {
        // Another program on this port, or a proxy's wrong path, would say 404 in other words.
        ChromaHttpClientError::ApiError(said, StatusCode::NOT_FOUND) => said.contains("Collection"),
        _ => false,
    }
}

/// Whether the same request may work right now: with the collection looked up again, or on a new connection.
pub(super) fn is_worth_a_second_try(failure: &Failure) -> bool {
    match failure {
        Failure::Chroma(ChromaHttpClientError::RequestError(cause)) => {
            !cause.is_connect() && !cause.is_timeout() && !cause.is_decode() && cause.status().is_none()
        }
        // Vectors of another length have come since the collection was looked up, so it was another's to begin with.
        Failure::Chroma(ChromaHttpClientError::ApiError(said, StatusCode::BAD_REQUEST)) => said.contains("dimension"),
        Failure::Chroma(error) => is_missing(error),
        Failure::Store(_) => false,
    }
}
