//! Handlers of the routes.

mod body;
mod documents;
mod health;
mod jobs;
mod metrics;
mod mock;
mod question;
mod search;

use axum::http::{Method, Uri};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use self::body::read as read_body;
pub(crate) use self::question::first_words;
use crate::metrics::Telemetry;
use crate::{Problem, Service};

/// The routes of questions, documents and operation.
pub(crate) fn all(telemetry: Telemetry) -> OpenApiRouter<Service> {
    let of_telemetry = OpenApiRouter::new().routes(routes!(metrics::metrics)).with_state(telemetry);
    OpenApiRouter::new()
        .routes(routes!(question::question))
        .routes(routes!(mock::mock_question))
        .routes(routes!(search::search))
        .merge(documents::all())
        .routes(routes!(jobs::jobs))
        .routes(routes!(jobs::job))
        .routes(routes!(health::status))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .merge(of_telemetry)
}

pub(crate) async fn not_found(uri: Uri) -> Problem {
    Problem::not_found(uri.path())
}

pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::method_not_allowed(method.as_str(), uri.path())
}
