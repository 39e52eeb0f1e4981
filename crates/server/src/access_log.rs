//! One log event a request.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

/// Logs method, route, status and duration, with process and thread. Of a streamed answer the duration is that
/// until its first byte. Nothing of what was asked is logged.
pub(crate) async fn log(request: Request, next: Next) -> Response {
    let arrived = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    tracing::info!(
        target: "qanda::http",
        %method,
        route,
        status = response.status().as_u16(),
        milliseconds = arrived.elapsed().as_secs_f64() * 1e3,
        process = std::process::id(),
        thread = ?std::thread::current().id(),
        "request"
    );
    response
}
