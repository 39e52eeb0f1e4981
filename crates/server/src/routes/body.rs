use std::time::Duration;

use axum::body::{Body, to_bytes};
use serde_json::Value;

use crate::Problem;

/// Far more than any question; documents have their own route.
const LARGEST_BODY: usize = 1 << 20;
/// A client that dribbles its body must not hold a connection for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads a body as JSON.
pub(super) async fn json(body: Body) -> Result<Value, Problem> {
    let bytes = tokio::time::timeout(PATIENCE, to_bytes(body, LARGEST_BODY))
        .await
        .map_err(|_| Problem::too_slow())?
        .map_err(|error| {
            // The limit's error is wrapped once; any other is a client that went away.
            let limit = std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("limit"));
            if limit { Problem::too_large(LARGEST_BODY) } else { Problem::malformed("the body broke off") }
        })?;
    if bytes.is_empty() {
        return Err(Problem::malformed("the body is empty; send for example {\"content\": \"your question\"}"));
    }
    serde_json::from_slice(&bytes).map_err(|error| Problem::malformed(format!("malformed JSON: {error}")))
}
