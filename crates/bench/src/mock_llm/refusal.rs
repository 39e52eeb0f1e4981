use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error in OpenAI's form.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    message: String,
    param: Option<&'static str>,
}

impl Refusal {
    /// The request has a fault.
    pub(super) fn invalid(status: StatusCode, message: String, param: Option<&'static str>) -> Self {
        Self { status, kind: "invalid_request_error", message, param }
    }

    pub(super) fn bad_request(message: String, param: Option<&'static str>) -> Self {
        Self::invalid(StatusCode::BAD_REQUEST, message, param)
    }

    pub(super) fn unknown_route() -> Self {
        Self::invalid(StatusCode::NOT_FOUND, "There is no such route".to_owned(), None)
    }

    pub(super) fn wrong_method() -> Self {
        Self::invalid(StatusCode::METHOD_NOT_ALLOWED, "This route takes another method".to_owned(), None)
    }

    /// A fault that was asked for: `--fail-429`.
    pub(super) fn too_many() -> Self {
        let message = "Rate limit reached; this was chosen by --fail-429".to_owned();
        Self { status: StatusCode::TOO_MANY_REQUESTS, kind: "rate_limit_error", message, param: None }
    }

    /// A fault that was asked for: `--fail-500`.
    pub(super) fn broken() -> Self {
        let message = "The server had an error; this was chosen by --fail-500".to_owned();
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, kind: "server_error", message, param: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = json!({"message": self.message, "type": self.kind, "param": self.param, "code": null});
        let mut response = (self.status, Json(json!({"error": error}))).into_response();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}
