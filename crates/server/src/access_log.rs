//! One log event a request, and its figures.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use rustix::time::{ClockId, clock_gettime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::metrics::Telemetry;

/// What is logged for a caller that went away before there was an answer, as proxies have it.
const CALLER_LEFT: u16 = 499;

/// Logs each request when its answer has been sent to the end, or its caller is gone. Nothing of what was asked is
/// logged.
pub(crate) async fn log(State(telemetry): State<Telemetry>, request: Request, next: Next) -> Response {
    let mut visit = Visit::begin(telemetry, &request);
    let response = next.run(request).await;
    visit.status = Some(response.status());
    response.map(|body| Body::new(Watched { body, _visit: visit }))
}

/// A request from its arrival to the last byte of its answer.
struct Visit {
    telemetry: Telemetry,
    method: Method,
    route: String,
    arrived: Instant,
    /// For people, and to compare machines.
    wall: SystemTime,
    /// To compare processes of one machine: all of them count from the same moment.
    monotonic: f64,
    /// Of the thread that took the request. The answer may end on another one.
    thread: i32,
    status: Option<StatusCode>,
}

impl Visit {
    fn begin(telemetry: Telemetry, request: &Request) -> Self {
        telemetry.metrics().begin();
        let now = clock_gettime(ClockId::Monotonic);
        Self {
            telemetry,
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned(),
            arrived: Instant::now(),
            wall: SystemTime::now(),
            monotonic: milliseconds(now.tv_sec, now.tv_nsec),
            thread: rustix::thread::gettid().as_raw_nonzero().get(),
            status: None,
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let took = self.arrived.elapsed();
        let status = self.status.map_or(CALLER_LEFT, |status| status.as_u16());
        self.telemetry.metrics().end(&self.route, status, took);
        let wall = OffsetDateTime::from(self.wall);
        let wall = wall.replace_millisecond(wall.millisecond()).unwrap_or(wall);
        tracing::info!(
            target: "qanda::http",
            arrived = wall.format(&Rfc3339).unwrap_or_default(),
            arrived_ms = self.monotonic,
            process = std::process::id(),
            thread = self.thread,
            class = self.telemetry.class(),
            method = %self.method,
            route = self.route,
            status,
            milliseconds = (took.as_secs_f64() * 1e6).round() / 1e3,
            "request"
        );
    }
}

/// Milliseconds with three decimals. Exact for some hundred years after the start of the machine.
#[allow(clippy::cast_precision_loss)]
fn milliseconds(seconds: i64, nanoseconds: i64) -> f64 {
    (seconds as f64).mul_add(1e3, (nanoseconds / 1_000) as f64 / 1e3)
}

/// The body of an answer, which takes its visit along.
struct Watched {
    body: Body,
    _visit: Visit,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
