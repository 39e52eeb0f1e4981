//! Errors as responses: problem details (RFC 9457). The one table of error to status code.
//!
//! Callers are told what they can do about a problem. Paths, addresses and the messages of stores and models are for
//! whoever runs the service: they stand in its log, under the same request id.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use qanda_core::ports::{IntakeError, NoOriginal};
use qanda_core::{AnswerError, FieldFault, InvalidQuestion, ModelError, RequestContext, StoreError};
use serde_json::{Value, json};

use crate::openai;
use crate::service::Failure;

/// A reason why there is no answer, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    /// Short name of the kind of problem, for programs: the last part of `type`.
    kind: &'static str,
    /// Short name of the kind of problem, for people.
    title: &'static str,
    detail: String,
    fields: Vec<FieldFault>,
    retry_after_seconds: Option<u32>,
    /// For the log only.
    cause: Option<String>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, title, detail: detail.into(), fields: Vec::new(), retry_after_seconds: None, cause: None }
    }

    fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    fn because(self, cause: impl ToString) -> Self {
        Self { cause: Some(cause.to_string()), ..self }
    }

    pub(crate) fn not_found(path: &str) -> Self {
        let detail = format!("there is nothing at {path}; questions go to POST /apis/q-and-a/q");
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    pub(crate) fn method_not_allowed(method: &str, path: &str) -> Self {
        let detail = format!("{path} does not take {method}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
    }

    pub(crate) fn foreign_origin() -> Self {
        let detail = "a page of another site may not ask this service; the public names of the service are a setting";
        Self::new(StatusCode::FORBIDDEN, "foreign-origin", "Asked by another site's page", detail)
    }

    pub(crate) fn misdirected() -> Self {
        let detail = "this service is not reached by that host name; its public names are a setting";
        Self::new(StatusCode::MISDIRECTED_REQUEST, "misdirected", "Not the host that was meant", detail)
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed-json", "The body is not a JSON object", detail)
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!("the body is larger than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large", detail)
    }

    pub(crate) fn file_too_large(name: Option<&str>, limit: usize) -> Self {
        let detail = format!("{} is larger than {} MiB", name.unwrap_or("a document"), limit >> 20);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "A document is too large", detail)
    }

    pub(crate) fn malformed_form(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed-form", "The body is no form that can be read", detail)
    }

    pub(crate) fn unsupported_media_type() -> Self {
        let detail = "documents come as multipart/form-data with parts named file, or as application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body is of another type", detail)
    }

    pub(crate) fn invalid_fields(faults: Vec<FieldFault>) -> Self {
        let detail = InvalidQuestion(faults.clone()).to_string();
        let title = "The request has invalid fields";
        Self { fields: faults, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-fields", title, detail) }
    }

    pub(crate) fn writing_not_allowed() -> Self {
        let detail = "documents can be changed from the machine that the service runs on, when it listens on a loopback \
                      address; use the command line there";
        Self::new(StatusCode::FORBIDDEN, "writing-not-allowed", "Documents cannot be changed from here", detail)
    }

    pub(crate) fn no_such_document() -> Self {
        let detail = "there is no document with this id; GET /apis/documents lists them";
        Self::new(StatusCode::NOT_FOUND, "no-such-document", "No such document", detail)
    }

    pub(crate) fn no_such_page(pages: usize) -> Self {
        let detail = match pages {
            0 => "this document has no pages".to_owned(),
            pages => format!("this document has pages 1 to {pages}"),
        };
        Self::new(StatusCode::NOT_FOUND, "no-such-page", "No such page", detail)
    }

    pub(crate) fn no_such_job() -> Self {
        let detail = "there is no job with this id, or it ended so long ago that it is forgotten";
        Self::new(StatusCode::NOT_FOUND, "no-such-job", "No such job", detail)
    }

    pub(crate) fn no_text() -> Self {
        let detail = "the text of a whole document is not kept over a Chroma server; its passages are";
        Self::new(StatusCode::NOT_FOUND, "no-text", "The text is not kept", detail)
    }

    pub(crate) fn belongs_to_folder() -> Self {
        let detail = "this document is a file of a folder; change the file and ingest the folder again";
        Self::new(StatusCode::CONFLICT, "belongs-to-folder", "The document is a file of a folder", detail)
    }

    pub(crate) fn too_slow() -> Self {
        let detail = "the body did not arrive in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "The body came too slowly", detail)
    }

    pub(crate) fn internal(cause: impl ToString) -> Self {
        let detail = "something failed inside the service; its log tells more under this request's id";
        let title = "Something failed inside qanda";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", title, detail).because(cause)
    }

    fn starting() -> Self {
        let detail = "the model is still loading; try again in a few seconds";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "starting", "Not ready yet", detail).retry_after(2)
    }

    fn late() -> Self {
        let detail = "the answer was not ready in time; ask again, perhaps when fewer others do";
        Self::new(StatusCode::GATEWAY_TIMEOUT, "too-late", "The answer took too long", detail)
    }

    fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available", detail)
    }

    pub(crate) fn invalid_field(field: &str, error: impl ToString) -> Self {
        InvalidQuestion(vec![FieldFault::new(field, error.to_string())]).into()
    }

    /// A model's name that OpenAI's clients ask for, and that is none of these.
    pub(crate) fn no_such_model(name: &str, known: &str) -> Self {
        let detail = format!("there is no model \"{name}\"; there are: {known}");
        let fields = vec![FieldFault::new("model", detail.clone())];
        Self { fields, ..Self::new(StatusCode::NOT_FOUND, "model_not_found", "No such model", detail) }
    }

    /// The same for callers who know a field by another name.
    pub(crate) fn renaming(mut self, field: &str, name: &str) -> Self {
        if let Some(fault) = self.fields.iter_mut().find(|fault| fault.field == field) {
            name.clone_into(&mut fault.field);
            self.detail = InvalidQuestion(self.fields.clone()).to_string();
        }
        self
    }

    /// What the caller can do, in words.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Its kind, for programs.
    pub(crate) const fn kind(&self) -> &'static str {
        self.kind
    }

    /// The first field that is wrong.
    pub(crate) fn field(&self) -> Option<&str> {
        self.fields.first().map(|fault| &*fault.field)
    }

    /// Its status.
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// Problem details as JSON, with the id under which the log tells more.
    pub(crate) fn to_json(&self, request_id: &str) -> Value {
        let mut problem = json!({
            "type": format!("urn:qanda:problem:{}", self.kind),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if !self.fields.is_empty() {
            let field = |fault: &FieldFault| json!({"field": fault.field, "message": fault.message});
            problem["errors"] = self.fields.iter().map(field).collect();
        }
        if !request_id.is_empty() {
            problem["request_id"] = request_id.into();
        }
        problem
    }

    /// Logs a problem that is not the caller's.
    pub(crate) fn log(&self, request_id: &str) {
        let cause = self.cause.as_deref().unwrap_or(&self.detail);
        if self.status == StatusCode::SERVICE_UNAVAILABLE || self.status == StatusCode::GATEWAY_TIMEOUT {
            tracing::warn!(request_id, kind = self.kind, cause, "not answered");
        } else if self.status.is_server_error() {
            tracing::error!(request_id, kind = self.kind, cause, "request failed");
        }
    }
}

impl From<InvalidQuestion> for Problem {
    fn from(invalid: InvalidQuestion) -> Self {
        let (title, detail) = ("The question has invalid fields", invalid.to_string());
        Self { fields: invalid.0, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-fields", title, detail) }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } => {
                let detail = "the document store is not available at the moment; try again shortly";
                Self::unavailable(detail).because(error).retry_after(1)
            }
            StoreError::DiskFull { .. } => {
                let detail = "the disk of the document store is full; nothing stored is lost";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk-full", "The disk is full", detail).because(error)
            }
            StoreError::NoSuchCollection { .. } => {
                let detail = error.to_string();
                Self::new(StatusCode::NOT_FOUND, "no-such-collection", "No such collection", detail)
            }
            StoreError::OtherEmbedder { .. } => {
                let detail = "the document store holds vectors of another embedder than this service uses: start the \
                              service with that one, or re-embed the store";
                let title = "The store belongs to another embedder";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "other-embedder", title, detail).because(error)
            }
            other => Self::internal(other),
        }
    }
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        let detail = error.to_string();
        match error {
            IntakeError::Busy { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Too many jobs are waiting", detail).retry_after(5)
            }
            IntakeError::Invalid { .. } => Self::invalid_fields(vec![FieldFault::new("document", detail)]),
            IntakeError::KeyReused => {
                let title = "The idempotency key stands for another request";
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", title, detail)
            }
            IntakeError::NoSuchCollection { collection } => StoreError::NoSuchCollection { collection }.into(),
            IntakeError::Store(error) => error.into(),
        }
    }
}

impl From<NoOriginal> for Problem {
    fn from(error: NoOriginal) -> Self {
        let title = "The original is not there";
        match error {
            NoOriginal::Gone => {
                let detail = "the file that the document was read from is not there any more; its text is";
                Self::new(StatusCode::GONE, "original-gone", title, detail)
            }
            NoOriginal::NotKept { reason } => Self::new(StatusCode::NOT_FOUND, "no-original", title, reason),
            NoOriginal::Unreadable(error) => Self::internal(error),
        }
    }
}

impl From<ModelError> for Problem {
    fn from(error: ModelError) -> Self {
        let detail = error.public();
        let problem = match error {
            ModelError::Overloaded { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Too many questions", detail).retry_after(2)
            }
            ModelError::PromptTooLong { .. } => {
                let detail = format!("{detail}; ask a shorter question, or for fewer passages (n_results)");
                let title = "More than the model can read";
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "prompt-too-long", title, detail)
            }
            ModelError::DeadlineExceeded => Self::late(),
            ModelError::Unavailable { .. }
            | ModelError::RateLimited { .. }
            | ModelError::Interrupted { .. }
            | ModelError::Stopped => Self::unavailable(detail).retry_after(error.retry_after().unwrap_or(1)),
            ModelError::Refused { .. } => {
                Self::new(StatusCode::BAD_GATEWAY, "model-refuses", "The model's endpoint refuses", detail)
            }
            ModelError::Filtered { .. } | ModelError::Unreadable { .. } | ModelError::OnlyReasoning { .. } => {
                Self::new(StatusCode::BAD_GATEWAY, "no-answer", "The model gave no answer", detail)
            }
            ModelError::Failed { .. } => return Self::internal(error),
        };
        problem.because(error)
    }
}

impl From<AnswerError> for Problem {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Store(error) => error.into(),
            AnswerError::Model(error) => error.into(),
            AnswerError::QuestionTooLong { .. } => Self::invalid_field("content", error),
            AnswerError::HistoryTooLong { .. } => Self::invalid_field("history", error),
            AnswerError::NoRoom { .. } => {
                let detail = "the model of this service can read no passage beside its instructions";
                let title = "No room for passages";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "no-room", title, detail).because(error)
            }
            AnswerError::EmptyPassages { .. } => {
                let detail = "the document store has no text of the passages that were found";
                Self::new(StatusCode::BAD_GATEWAY, "empty-passages", "The passages found are empty", detail)
                    .because(error)
            }
            AnswerError::NoAnswer { .. } => {
                let detail = error.to_string();
                Self::new(StatusCode::BAD_GATEWAY, "no-answer", "The model gave no answer", detail)
            }
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Starting => Self::starting(),
            Failure::ReadOnly => Self::writing_not_allowed(),
            Failure::Missing(pipeline) => Self::internal(format!("the pipeline {} is missing", pipeline.as_str())),
            Failure::Late => Self::late(),
            Failure::Panicked => Self::internal("answering the question panicked"),
            Failure::Answer(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    /// A response whose body [`explain`] writes, where the request's id is known.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // The rest of a body that was not read would be taken for the next request on the connection.
        if matches!(self.status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Logs problems and writes their details, in the form that the route's clients know.
pub(crate) async fn explain(request: Request, next: Next) -> Response {
    let is_openai = openai::speaks_openai(request.uri().path());
    let request_id = request.extensions().get::<RequestContext>().map(|context| context.request_id.clone());
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let request_id = request_id.unwrap_or_default();
        problem.log(&request_id);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        let json = if is_openai {
            let (status, json) = openai::error_json(&problem);
            *response.status_mut() = status;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            json
        } else {
            problem.to_json(&request_id)
        };
        *response.body_mut() = Body::from(json.to_string());
    }
    response
}
