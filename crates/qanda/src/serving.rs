//! The life of a process that serves: load, answer, finish. The only process, or one of several workers.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use qanda_core::{Store, StoreError};
use qanda_server::{Class, Services, Slot, Telemetry, router};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::{AnswerSettings, StoreSettings};
use crate::open_files;
use crate::supervisor::Link;
use crate::wiring::{self, Patience};

/// Serves as the only process: `/healthz` answers at once, `/readyz` tells when the models are there.
pub(crate) async fn alone(listener: TcpListener, settings: AnswerSettings, grace: Duration) -> anyhow::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let signals = tokio::spawn(wait_for_signal(stop, Insistence::Abort));
    let services = Slot::default();
    let app = router(services.clone(), Telemetry::alone());
    let server =
        tokio::spawn(qanda_server::serve(listener, app, Class::Async, open_files::shares().callers, stopping.clone()));
    let loading = async {
        catch_up(load(settings, &services).await?).await;
        anyhow::Ok(())
    };
    tokio::select! {
        loaded = loading => loaded?,
        () = stopped(stopping.clone()) => {}
    }
    drain(server, stopping, grace).await?;
    signals.abort();
    Ok(())
}

/// Serves as one of several workers. Nobody is accepted before the models are there: another worker may have them, and
/// else a caller rather waits than is turned away.
pub(crate) async fn worker(
    listener: TcpListener,
    link: &Link,
    class: Class,
    settings: AnswerSettings,
    grace: Duration,
) -> anyhow::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let signals = tokio::spawn(wait_for_signal(stop.clone(), Insistence::Ignore));
    let telemetry = Telemetry::worker(class, &link.run, link.worker);
    let working = async {
        let services = Slot::default();
        let store = tokio::select! {
            loaded = load(settings, &services) => loaded?,
            () = stopped(stopping.clone()) => return Ok(()),
        };
        let app = router(services, telemetry.clone());
        let server =
            tokio::spawn(qanda_server::serve(listener, app, class, open_files::shares().callers, stopping.clone()));
        link.ready().context("the supervisor is gone")?;
        tokio::select! {
            () = catch_up(store) => {}
            () = stopped(stopping.clone()) => {}
        }
        drain(server, stopping.clone(), grace).await
    };
    let alive = async {
        link.beat(|| publish(&telemetry)).await?;
        tracing::warn!("the supervisor is gone");
        stop.send_replace(true);
        std::future::pending::<anyhow::Result<()>>().await
    };
    tokio::select! {
        worked = working => worked?,
        failed = alive => failed?,
    }
    signals.abort();
    publish(&telemetry);
    Ok(())
}

fn publish(telemetry: &Telemetry) {
    if let Err(error) = telemetry.publish() {
        tracing::warn!(%error, "the figures of this worker cannot be written for /metrics");
    }
}

/// Loads everything off the runtime's threads, then lets questions in.
async fn load(settings: AnswerSettings, services: &Slot) -> anyhow::Result<Arc<dyn Store>> {
    let started = Instant::now();
    // A Chroma server would have to list its whole collection.
    let counts_are_free = matches!(settings.search.store, StoreSettings::Embedded { .. });
    let parts = wiring::parts(settings, Patience::Wait).await?;
    let store = Arc::clone(&parts.search.store);
    services.fill(Services { pipelines: parts.pipelines, default_pipeline: parts.pipeline, store: Arc::clone(&store) });
    let seconds = started.elapsed().as_secs_f64();
    match store.check().await {
        Ok(()) => tracing::info!(seconds, "ready"),
        // It may come back; /readyz tells until then.
        Err(error @ StoreError::Unavailable { .. }) => tracing::warn!(%error, seconds, "loaded, but not ready"),
        Err(error) => return Err(error.into()),
    }
    if counts_are_free {
        let status = store.status().await?;
        tracing::info!(documents = status.documents, passages = status.passages, pairs = status.pairs, "stored");
        if status.passages + status.pairs == 0 {
            tracing::warn!("nothing is stored yet: qanda ingest FOLDER (this server will see it at once)");
        }
    }
    Ok(store)
}

/// An ingest that was killed may have left the indexes behind. Searches are right either way.
async fn catch_up(store: Arc<dyn Store>) {
    if let Err(error) = store.optimise().await {
        tracing::warn!(%error, "the indexes could not catch up");
    }
}

/// Lets running answers finish, for as long as they are allowed to.
async fn drain(
    mut server: JoinHandle<std::io::Result<()>>,
    stopping: watch::Receiver<bool>,
    grace: Duration,
) -> anyhow::Result<()> {
    let limit = async {
        stopped(stopping).await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        served = &mut server => served?.context("serving failed")?,
        () = limit => {
            tracing::warn!(seconds = grace.as_secs(), "some answers did not finish in time");
            server.abort();
            // Its threads are waited for; that it was cut off is known.
            let _ = server.await;
        }
    }
    tracing::info!("stopped");
    Ok(())
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // An error means that the sender is gone, which only happens when everything ends.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// What is done when somebody asks twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Insistence {
    /// They are in a hurry.
    Abort,
    /// The supervisor decides about that.
    Ignore,
}

async fn wait_for_signal(stop: watch::Sender<bool>, insistence: Insistence) -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    // Meant for the supervisor; a worker that gets it as well must not die of it.
    let _hangup = (insistence == Insistence::Ignore).then(|| signal(SignalKind::hangup())).transpose()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stop.send_replace(true);
    if insistence == Insistence::Ignore {
        return Ok(());
    }
    tracing::info!("stopping: running answers may finish");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::warn!("stopping at once");
    std::process::abort()
}
