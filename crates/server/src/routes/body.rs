use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::StreamExt as _;
use qanda_core::RequestContext;

use crate::Problem;

/// Far more than any question; documents have their own route.
const LARGEST_BODY: usize = 1 << 20;
/// What of a larger body is still read, and dropped: many clients look for a response only when they have sent all.
const LARGEST_READ: usize = 16 * LARGEST_BODY;
/// A client that dribbles its body must not hold a connection for ever.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Reads a body, as long as there is time.
pub(super) async fn read(body: Body, context: &RequestContext) -> Result<Bytes, Problem> {
    let wait = context.time_left().map_or(LONGEST_WAIT, |left| left.min(LONGEST_WAIT));
    tokio::time::timeout(wait, whole(body)).await.map_err(|_| Problem::too_slow())?
}

async fn whole(body: Body) -> Result<Bytes, Problem> {
    let (mut whole, mut length) = (Vec::new(), 0);
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Problem::malformed("the body broke off"))?;
        length += part.len();
        if length > LARGEST_READ {
            break;
        }
        if length <= LARGEST_BODY {
            whole.extend_from_slice(&part);
        }
    }
    if length > LARGEST_BODY { Err(Problem::too_large(LARGEST_BODY)) } else { Ok(whole.into()) }
}
