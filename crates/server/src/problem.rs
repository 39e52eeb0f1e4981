//! Errors as responses: problem details (RFC 9457). The one table of error to status code.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use qanda_core::{AnswerError, ModelError, StoreError};
use serde_json::{Value, json};

/// A field that was wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldError {
    /// Its name, with a path for nested ones: `history[0].role`.
    pub(crate) field: String,
    /// What was wrong and what is allowed.
    pub(crate) message: String,
}

/// Why there is no answer, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    /// Short name of the kind of problem, for programs: the last part of `type`.
    kind: &'static str,
    /// Short name of the kind of problem, for people.
    title: &'static str,
    detail: String,
    fields: Vec<FieldError>,
    retry_after_seconds: Option<u32>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, title, detail: detail.into(), fields: Vec::new(), retry_after_seconds: None }
    }

    fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    pub(crate) fn not_found(path: &str) -> Self {
        let detail = format!("there is nothing at {path}; questions go to POST /apis/q-and-a/q");
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    pub(crate) fn method_not_allowed(method: &str, path: &str) -> Self {
        let detail = format!("{path} does not take {method}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed-json", "The body is not a JSON object", detail)
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!("the body is larger than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large", detail)
    }

    pub(crate) fn too_slow() -> Self {
        let detail = "the body did not arrive within 30 seconds";
        Self::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "The body came too slowly", detail)
    }

    pub(crate) fn invalid(fields: Vec<FieldError>) -> Self {
        let detail = fields.iter().map(|f| format!("{}: {}", f.field, f.message)).collect::<Vec<_>>().join("; ");
        let title = "The question has invalid fields";
        Self { fields, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-fields", title, detail) }
    }

    pub(crate) fn starting() -> Self {
        let detail = "the model is still loading; try again in a few seconds";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "starting", "Not ready yet", detail).retry_after(2)
    }

    pub(crate) fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something failed inside qanda", detail)
    }

    fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available", detail)
    }

    /// Kind, title, detail and fields as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut problem = json!({
            "type": format!("urn:qanda:problem:{}", self.kind),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if !self.fields.is_empty() {
            let field = |error: &FieldError| json!({"field": error.field, "message": error.message});
            problem["errors"] = self.fields.iter().map(field).collect();
        }
        problem
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::Unavailable { .. } => Self::unavailable(detail).retry_after(1),
            StoreError::DiskFull { .. } => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk-full", "The disk is full", detail)
            }
            StoreError::OtherEmbedder { .. } | StoreError::NoCollection { .. } | StoreError::Failed { .. } => {
                Self::internal(detail)
            }
        }
    }
}

impl From<ModelError> for Problem {
    fn from(error: ModelError) -> Self {
        let detail = error.public();
        match error {
            ModelError::Overloaded { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Too many questions", detail).retry_after(2)
            }
            ModelError::PromptTooLong { .. } => {
                Self::invalid(vec![FieldError { field: "content".to_owned(), message: detail }])
            }
            ModelError::Unavailable { .. }
            | ModelError::RateLimited { .. }
            | ModelError::Interrupted { .. }
            | ModelError::DeadlineExceeded => Self::unavailable(detail).retry_after(error.retry_after().unwrap_or(1)),
            ModelError::Refused { .. } => {
                Self::new(StatusCode::BAD_GATEWAY, "model-refuses", "The model's endpoint refuses", detail)
            }
            ModelError::Filtered { .. } | ModelError::Unreadable { .. } | ModelError::OnlyReasoning { .. } => {
                Self::new(StatusCode::BAD_GATEWAY, "no-answer", "The model gave no answer", detail)
            }
            ModelError::Stopped => Self::unavailable(detail),
            ModelError::Failed { .. } => Self::internal(detail),
        }
    }
}

impl From<AnswerError> for Problem {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Store(error) => error.into(),
            AnswerError::Model(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if self.status.is_server_error() && self.status != StatusCode::SERVICE_UNAVAILABLE {
            tracing::error!(kind = self.kind, detail = self.detail, "request failed");
        }
        let mut response = (self.status, self.to_json().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
