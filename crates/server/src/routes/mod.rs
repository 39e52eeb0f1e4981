//! Handlers of the routes.

mod body;
pub(crate) mod documents;
mod health;
mod jobs;
mod metrics;
mod mock;
mod question;
mod search;

use axum::http::{Method, Uri};

pub(crate) use self::body::read as read_body;
pub(crate) use self::health::{healthz, readyz, status};
pub(crate) use self::jobs::{job, jobs};
pub(crate) use self::metrics::metrics;
pub(crate) use self::mock::mock_question;
pub(crate) use self::question::{first_words, question};
pub(crate) use self::search::search;
use crate::Problem;

pub(crate) async fn not_found(uri: Uri) -> Problem {
    Problem::not_found(uri.path())
}

pub(crate) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::method_not_allowed(method.as_str(), uri.path())
}
