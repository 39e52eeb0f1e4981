//! One log event a request, and its figures.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use rustix::time::{ClockId, clock_gettime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::arrival::{self, REQUEST_ID};
use crate::metrics::Telemetry;

/// Status in the log of a caller that went away before the end of its answer, as proxies have it.
const CALLER_LEFT: u16 = 499;

/// The parts of the service that the log needs.
#[derive(Debug, Clone)]
pub(crate) struct AccessLog {
    pub(crate) telemetry: Telemetry,
    /// Longest time from a request's arrival to the end of its answer.
    pub(crate) request_timeout: Duration,
}

/// Gives each request its context and logs it when its answer has been sent to the end, or its caller is gone.
/// Nothing of what was asked is logged.
pub(crate) async fn log(State(log): State<AccessLog>, mut request: Request, next: Next) -> Response {
    let context = arrival::context(request.headers(), log.request_timeout);
    let mut visit = Visit::begin(log.telemetry, &request, Arc::clone(&context.request_id));
    // An identity is made of characters that a header may have.
    let id = HeaderValue::from_str(&context.request_id).ok();
    request.extensions_mut().insert(context);
    let mut response = next.run(request).await;
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    visit.status = Some(response.status());
    visit.ending = response.extensions_mut().remove::<Ending>();
    response.map(|body| Body::new(Watched { body, visit }))
}

/// End of an answer that streams: its status was sent with its first word, and it may still fail. An extension of the
/// response.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending(Arc<OnceLock<StatusCode>>);

impl Ending {
    /// The answer has failed, and would have had this status.
    pub(crate) fn failed(&self, status: StatusCode) {
        // It fails once.
        let _ = self.0.set(status);
    }
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
    id: Arc<str>,
    status: Option<StatusCode>,
    /// Of an answer that streams.
    ending: Option<Ending>,
    /// Whether all of the answer was sent.
    is_complete: bool,
}

impl Visit {
    fn begin(telemetry: Telemetry, request: &Request, id: Arc<str>) -> Self {
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
            id,
            status: None,
            ending: None,
            is_complete: false,
        }
    }

    /// The status that tells how it went.
    fn outcome(&self) -> u16 {
        let failed = self.ending.as_ref().and_then(|ending| ending.0.get());
        match (self.status, failed) {
            (Some(_), Some(failed)) => failed.as_u16(),
            (Some(status), None) if self.is_complete => status.as_u16(),
            _ => CALLER_LEFT,
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let took = self.arrived.elapsed();
        let status = self.outcome();
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
            request_id = &*self.id,
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
    visit: Visit,
}

impl Drop for Watched {
    fn drop(&mut self) {
        // The end of a body of known length is not asked for.
        self.visit.is_complete |= self.body.is_end_stream();
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) {
            self.visit.is_complete = true;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
