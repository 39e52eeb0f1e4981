//! One measurement: the warm-up, the load that counts, and the report.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use crate::request::Outcomes;
use crate::run::{Watch, run as send};
use crate::{Load, Report};

/// Sends the load and waits for the end of each request, or for `stop`.
///
/// # Errors
/// When the load does not fit together or the server's name is not known. Requests that fail are part of the report.
pub async fn run(load: &Load, watch: Arc<dyn Watch>, stop: impl Future<Output = ()> + Send) -> anyhow::Result<Report> {
    load.plan.check()?;
    let http = Arc::new(load.client()?);
    let mut stop = pin!(stop);
    if load.warm_up > Duration::ZERO {
        let plan = load.plan.warm_up(load.warm_up);
        let warm = send(&plan, Arc::clone(&http), Arc::new(Silent), stop.as_mut()).await;
        if warm.stopped {
            let none = Outcomes { requests: Vec::new(), sent: 0, took: Duration::ZERO, stopped: true };
            return Ok(Report::of(load, &none));
        }
    }
    watch.begins();
    let outcomes = send(&load.plan, http, watch, stop).await;
    Ok(Report::of(load, &outcomes))
}

/// Nobody watches a warm-up.
struct Silent;

impl Watch for Silent {}
