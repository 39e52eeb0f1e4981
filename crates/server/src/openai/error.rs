//! Problems in OpenAI's form.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::Problem;

/// Status and body of a problem. Clients know 400 for a field that is wrong; the kind of the problem is the `code`.
pub(crate) fn error_json(problem: &Problem) -> (StatusCode, Value) {
    let status = match problem.status() {
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        other => other,
    };
    let kind = match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        400..500 => "invalid_request_error",
        _ => "server_error",
    };
    let error = json!({"message": problem.detail(), "type": kind, "param": problem.field(), "code": problem.kind()});
    (status, json!({"error": error}))
}
