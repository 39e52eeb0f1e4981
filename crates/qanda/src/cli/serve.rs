use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use qanda_core::Store;
use qanda_server::{Services, Slot};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::config::{EmbedderArgs, File, LlmArgs, StorageArgs};
use crate::logging;
use crate::terminal::{self, BOLD};
use crate::wiring::{self, Parts};

/// Answer questions over HTTP
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address to listen on; port 0 takes a free one [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDR", env = "QANDA_LISTEN")]
    listen: Option<SocketAddr>,
    /// Serve other machines although nobody has to show a key
    #[arg(long)]
    insecure_no_auth: bool,
    /// Seconds that running answers have to finish after a TERM or INT signal [default: 30]
    #[arg(long, value_name = "S", env = "QANDA_GRACEFUL_TIMEOUT")]
    graceful_timeout: Option<u64>,
    #[command(flatten)]
    storage: StorageArgs,
    #[command(flatten)]
    embedder: EmbedderArgs,
    #[command(flatten)]
    llm: LlmArgs,
}

impl Serve {
    pub(crate) fn run(self, file: &File) -> anyhow::Result<ExitCode> {
        logging::start("info");
        let listen = self.listen.or(file.listen).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8000)));
        self.check_exposure(listen)?;
        let embedder = self.embedder.resolve(file)?;
        let llm = self.llm.resolve(file)?;
        let grace = Duration::from_secs(self.graceful_timeout.or(file.graceful_timeout).unwrap_or(30));
        let data_dir = self.storage.data_dir(file);
        let parts = move || wiring::parts(&data_dir, &embedder, &llm);
        super::runtime()?.block_on(async {
            let listener = bind(listen).await?;
            let address = listener.local_addr()?;
            terminal::line(&format!("{BOLD}listening on http://{address}{BOLD:#}"));
            let (stop, stopping) = watch::channel(false);
            let services = Slot::default();
            let server = tokio::spawn(qanda_server::serve(listener, services.clone(), stopped(stopping.clone())));
            let signals = tokio::spawn(wait_for_signal(stop));
            let loading = load(parts, services);
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

/// Loads everything off the runtime, so that `/healthz` answers meanwhile, then lets questions in.
async fn load(parts: impl FnOnce() -> anyhow::Result<Parts> + Send + 'static, services: Slot) -> anyhow::Result<()> {
    let started = Instant::now();
    let parts = tokio::task::spawn_blocking(parts).await??;
    let status = parts.store.status().await?;
    let pipeline = parts.pipeline;
    let name = pipeline.name();
    services.fill(Services {
        pipelines: BTreeMap::from([(name, pipeline)]),
        default_pipeline: name,
        store: Arc::clone(&parts.store) as _,
    });
    let seconds = started.elapsed().as_secs_f64();
    tracing::info!(documents = status.documents, passages = status.passages, seconds, "ready");
    if status.documents == 0 {
        tracing::warn!("nothing is stored yet: qanda ingest FOLDER (this server will see it at once)");
    }
    // An ingest that was killed may have left the indexes behind. Searches are right either way.
    if let Err(error) = parts.store.optimise().await {
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
