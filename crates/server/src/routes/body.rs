use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::StreamExt as _;
use qanda_core::RequestContext;

use crate::Problem;

/// Far more than any question; documents have their own route.
const LARGEST_BODY: usize = 1 << 20;
/// What of a larger body is still read, and dropped: many clients look for a response only when they have sent all.
const DROPPED: usize = 15 << 20;
/// A client that dribbles its body must not hold a connection for ever.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Reads a body, as long as there is time.
pub(crate) async fn read(body: Body, context: &RequestContext) -> Result<Bytes, Problem> {
    read_up_to(body, context, LARGEST_BODY).await
}

/// The same for a body of at most so many bytes.
pub(super) async fn read_up_to(body: Body, context: &RequestContext, most: usize) -> Result<Bytes, Problem> {
    let wait = context.time_left().map_or(LONGEST_WAIT, |left| left.min(LONGEST_WAIT));
    tokio::time::timeout(wait, whole(body, most)).await.map_err(|_| Problem::too_slow())?
}

async fn whole(body: Body, most: usize) -> Result<Bytes, Problem> {
    let (mut whole, mut length) = (Vec::new(), 0);
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Problem::malformed("the body broke off"))?;
        length += part.len();
        if length > most + DROPPED {
            break;
        }
        if length <= most {
            whole.extend_from_slice(&part);
        }
    }
    if length > most { Err(Problem::too_large(most)) } else { Ok(whole.into()) }
}
