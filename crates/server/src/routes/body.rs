use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use qanda_core::RequestContext;

use crate::Problem;

/// Far more than any question; documents have their own route.
const LARGEST_BODY: usize = 1 << 20;
/// A client that dribbles its body must not hold a connection for ever.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Reads a body, as long as there is time.
pub(super) async fn read(body: Body, context: &RequestContext) -> Result<Bytes, Problem> {
    let wait = context.time_left().map_or(LONGEST_WAIT, |left| left.min(LONGEST_WAIT));
    let bytes = tokio::time::timeout(wait, to_bytes(body, LARGEST_BODY)).await.map_err(|_| Problem::too_slow())?;
    bytes.map_err(|error| {
        // The limit's error is wrapped once; any other is a client that went away.
        let limit = std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("limit"));
        if limit { Problem::too_large(LARGEST_BODY) } else { Problem::malformed("the body broke off") }
    })
}
