use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use qanda_core::StoreError;
use qanda_server::{Services, Slot};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::open_files;
use crate::config::{AnswerArgs, AnswerSettings, StoreSettings};
use crate::logging;
use crate::terminal::{self, BOLD};
use crate::wiring::{self, Patience};

/// Answer questions over HTTP
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    http: HttpArgs,
    /// Serve other machines although nobody has to show a key
    #[arg(long)]
    insecure_no_auth: bool,
    #[command(flatten)]
    answers: AnswerArgs,
}

/// Where and how long is served.
#[derive(Debug, Args)]
pub(super) struct HttpArgs {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", env = "QANDA_LISTEN", default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
    /// Seconds that running answers have to finish after a TERM or INT signal
    #[arg(long, value_name = "S", env = "QANDA_GRACEFUL_TIMEOUT", default_value_t = 30)]
    graceful_timeout: u64,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        logging::start("info");
        let listen = self.http.listen;
        self.check_exposure(listen)?;
        let settings = self.answers.resolve()?;
        let grace = Duration::from_secs(self.http.graceful_timeout);
        open_files::raise_limit();
        super::runtime()?.block_on(async {
            let listener = bind(listen).await?;
            let address = listener.local_addr()?;
            terminal::line(&format!("{BOLD}listening on http://{address}{BOLD:#}"));
            let (stop, stopping) = watch::channel(false);
            let services = Slot::default();
            let server = tokio::spawn(qanda_server::serve(listener, services.clone(), stopped(stopping.clone())));
            let signals = tokio::spawn(wait_for_signal(stop));
            let loading = load(settings, services);
            tokio::select! {
                loaded = loading => loaded?,
                () = stopped(stopping.clone()) => {}
            }
            drain(server, stopping, grace).await?;
            signals.abort();
            Ok(ExitCode::SUCCESS)
        })
    }

    /// Anyone who reaches the address can ask; that must be meant.
    fn check_exposure(&self, listen: SocketAddr) -> anyhow::Result<()> {
        if listen.ip().is_loopback() {
            return Ok(());
        }
        anyhow::ensure!(
            self.insecure_no_auth,
            "{listen} can be reached from other machines and nobody would have to show a key; \
             listen on 127.0.0.1, or add --insecure-no-auth if that is meant"
        );
        tracing::warn!(%listen, "ANYONE WHO REACHES THIS ADDRESS CAN ASK QUESTIONS (--insecure-no-auth)");
        Ok(())
    }
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.map_err(|cause| match cause.kind() {
        std::io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{listen} is in use by another program; stop it, or take another port with --listen {}:{}",
            listen.ip(),
            listen.port().saturating_add(1)
        ),
        std::io::ErrorKind::PermissionDenied => {
            anyhow::anyhow!("{listen} needs more rights than this user has; take a port above 1023 with --listen")
        }
        _ => anyhow::Error::new(cause).context(format!("cannot listen on {listen}")),
    })
}

/// Loads everything off the runtime's threads, so that `/healthz` answers meanwhile, then lets questions in.
async fn load(settings: AnswerSettings, services: Slot) -> anyhow::Result<()> {
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
    // An ingest that was killed may have left the indexes behind. Searches are right either way.
    if let Err(error) = store.optimise().await {
        tracing::warn!(%error, "the indexes could not catch up");
    }
    Ok(())
}

/// Lets running answers finish, for as long as they are allowed to.
async fn drain(
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    stopping: watch::Receiver<bool>,
    grace: Duration,
) -> anyhow::Result<()> {
    let limit = async {
        stopped(stopping).await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        served = server => served?.context("serving failed")?,
        () = limit => tracing::warn!(seconds = grace.as_secs(), "some answers did not finish in time"),
    }
    tracing::info!("stopped");
    Ok(())
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // An error means that the sender is gone, which only happens when everything ends.
    let _ = stopping.wait_for(|stop| *stop).await;
}

async fn wait_for_signal(stop: watch::Sender<bool>) -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: running answers may finish");
    stop.send_replace(true);
    // Whoever asks twice is in a hurry.
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::warn!("stopping at once");
    std::process::abort()
}
