//! The life of a process that serves: load, answer, finish. The only process, or one of several workers.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context;
use qanda_core::{LanguageModel, Store, StoreError};
use qanda_ingest::{JobQueue, JobRunner, KeepOriginals, Watch, job_queue};
use qanda_server::{Class, HttpSettings, Progress, Service, Serving, Telemetry, router};
use qanda_store::jobs::JobList;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::config::{AnswerSettings, PassageSettings, StoreSettings};
use crate::open_files;
use crate::signals::{Caught, Instruction, exit_at_once};
use crate::supervisor::{Condition, Link};
use crate::watching;
use crate::wiring::{self, Patience, Search};

/// The way in which a process serves.
#[derive(Debug, Clone)]
pub(crate) struct ServingSettings {
    pub(crate) class: Class,
    /// Running answers have so long to finish.
    pub(crate) grace: Duration,
    /// A caller that takes nothing of its answer for so long is left.
    pub(crate) write_timeout: Duration,
    pub(crate) http: HttpSettings,
}

impl ServingSettings {
    fn with(&self, progress: Progress) -> Serving {
        Serving {
            class: self.class,
            connections: open_files::shares().callers,
            write_timeout: self.write_timeout,
            progress,
        }
    }
}

/// How documents are taken in.
#[derive(Debug, Clone)]
pub(crate) struct DocumentSettings {
    pub(crate) passages: PassageSettings,
    /// Directory of jobs and originals, also beside a Chroma server.
    pub(crate) data_dir: PathBuf,
    /// Folders that the store is kept in step with.
    pub(crate) watch: Vec<PathBuf>,
}

/// Everything that is loaded before questions are answered.
pub(crate) struct Loading {
    pub(crate) answers: AnswerSettings,
    pub(crate) documents: DocumentSettings,
}

/// Serves as the only process: `/healthz` answers at once, `/readyz` tells when the models are there.
pub(crate) fn alone(
    runtime: Runtime,
    listener: TcpListener,
    signals: Caught,
    settings: Loading,
    serving: ServingSettings,
) -> anyhow::Result<()> {
    let stop = Stop::default();
    let stopping = stop.told();
    let told = stop.clone();
    signals.follow(move |instruction| follow_alone(instruction, &told)).context("cannot wait for signals")?;
    let served = runtime.block_on(async {
        let service = Service::default();
        let app = router(service.clone(), Telemetry::alone(), serving.http.clone());
        let server =
            tokio::spawn(qanda_server::serve(listener, app, serving.with(Progress::default()), stopping.clone()));
        let loading = async {
            catch_up(load(settings, &service).await?.store).await;
            anyhow::Ok(())
        };
        tokio::select! {
            loaded = loading => loaded?,
            () = stopped(stopping.clone()) => {}
        }
        drain(server, stopping, serving.grace).await
    });
    finish(runtime, &stop, serving.grace);
    served
}

/// Follows a signal as the only process. There is nobody to take over while it would be replaced.
fn follow_alone(instruction: Instruction, stop: &Stop) {
    match instruction {
        Instruction::Stop(signal) if stop.is_told() => {
            tracing::warn!("stopping at once");
            exit_at_once(signal.exit_code());
        }
        Instruction::Stop(_) => {
            tracing::info!("stopping: running answers may finish");
            stop.tell();
        }
        Instruction::Reload => tracing::warn!(
            "HUP changes nothing: a single process cannot take in other settings without turning callers away; \
             restart it, or serve with --workers 2, which are replaced one by one"
        ),
        Instruction::AddWorker | Instruction::RemoveWorker => {
            tracing::warn!("TTIN and TTOU change nothing: this is a single process; serve with --workers 2 or more");
        }
    }
}

/// Serves as one of several workers. Nobody is accepted before the models are there: another worker may have them, and
/// else a caller rather waits than is turned away.
pub(crate) fn worker(
    runtime: Runtime,
    listener: TcpListener,
    signals: Caught,
    link: &Link,
    settings: Loading,
    serving: ServingSettings,
) -> anyhow::Result<()> {
    let stop = Stop::default();
    let told = stop.clone();
    let follow = move |instruction| {
        // The others are for the supervisor; a worker that gets them as well must not end or stand still.
        if matches!(instruction, Instruction::Stop(_)) {
            told.tell();
        }
    };
    signals.follow(follow).context("cannot wait for signals")?;
    let served = runtime.block_on(work(listener, link, settings, &serving, &stop));
    finish(runtime, &stop, serving.grace);
    served
}

async fn work(
    listener: TcpListener,
    link: &Link,
    settings: Loading,
    serving: &ServingSettings,
    stop: &Stop,
) -> anyhow::Result<()> {
    let stopping = stop.told();
    let telemetry = Telemetry::worker(serving.class, &link.run, link.worker);
    let progress = Progress::default();
    let service = Service::default();
    let model = OnceLock::new();
    let working = async {
        let loaded = tokio::select! {
            loaded = load(settings, &service) => loaded?,
            () = stopped(stopping.clone()) => return Ok(()),
        };
        model.get_or_init(|| loaded.model);
        let app = router(service.clone(), telemetry.clone(), serving.http.clone());
        let server = tokio::spawn(qanda_server::serve(listener, app, serving.with(progress.clone()), stopping.clone()));
        link.ready().context("the supervisor is gone")?;
        tokio::select! {
            () = catch_up(loaded.store) => {}
            () = stopped(stopping.clone()) => {}
        }
        drain(server, stopping.clone(), serving.grace).await
    };
    let alive = async {
        let condition = || {
            publish(&telemetry);
            Condition { overdue: progress.overdue(), unhealthy: unhealthy(model.get()) }
        };
        link.beat(condition).await?;
        tracing::warn!("the supervisor is gone");
        stop.tell();
        std::future::pending::<anyhow::Result<()>>().await
    };
    tokio::select! {
        worked = working => worked?,
        failed = alive => failed?,
    }
    publish(&telemetry);
    Ok(())
}

/// Why this process will not answer any more, though it runs; none while it can, or while its model is loaded.
fn unhealthy(model: Option<&Arc<dyn LanguageModel>>) -> Option<String> {
    model?.check().err().map(|error| error.to_string())
}

/// Ends what still runs: an index that is being written, a model that is being loaded. Both may be cut off at any
/// moment, and are, when the time for running answers is over.
fn finish(runtime: Runtime, stop: &Stop, grace: Duration) {
    let deadline = stop.since().unwrap_or_else(Instant::now) + grace;
    runtime.shutdown_timeout(deadline.saturating_duration_since(Instant::now()));
    if stop.is_told() && Instant::now() >= deadline {
        tracing::warn!("what is still being loaded or written is left as it is; the next start catches up");
        exit_at_once(0);
    }
}

/// Whether this process was told to stop, and when.
#[derive(Debug, Clone)]
struct Stop {
    sender: watch::Sender<bool>,
    since: Arc<OnceLock<Instant>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { sender: watch::Sender::new(false), since: Arc::default() }
    }
}

impl Stop {
    fn tell(&self) {
        self.since.get_or_init(Instant::now);
        self.sender.send_replace(true);
    }

    fn is_told(&self) -> bool {
        *self.sender.borrow()
    }

    fn since(&self) -> Option<Instant> {
        self.since.get().copied()
    }

    /// Changes to true when it is told to stop.
    fn told(&self) -> watch::Receiver<bool> {
        self.sender.subscribe()
    }
}

fn publish(telemetry: &Telemetry) {
    if let Err(error) = telemetry.publish() {
        tracing::warn!(%error, "the figures of this worker cannot be written for /metrics");
    }
}

/// The parts that are looked after while questions are answered.
struct Loaded {
    store: Arc<dyn Store>,
    model: Arc<dyn LanguageModel>,
}

/// Loads everything off the runtime's threads, then lets questions in.
async fn load(settings: Loading, service: &Service) -> anyhow::Result<Loaded> {
    let started = Instant::now();
    let Loading { answers, documents } = settings;
    // A Chroma server would have to list its whole collection.
    let counts_are_free = matches!(answers.search.store, StoreSettings::Embedded { .. });
    let keep = if counts_are_free { KeepOriginals::Yes } else { KeepOriginals::No };
    let parts = wiring::parts(answers, Patience::Wait).await?;
    let Intake { queue, runner, watch } = intake(&parts.search, documents, keep).await?;
    let (store, model) = (Arc::clone(&parts.search.store), Arc::clone(&parts.resources.model));
    service.start(parts.back_ends(Some(Arc::new(queue))));
    // It ends with the runtime; the next process that runs jobs goes on where it was.
    tokio::spawn(runner.run(async move {
        if let Some(watch) = watch {
            watching::follow(watch).await;
        }
    }));
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
    Ok(Loaded { store, model })
}

/// Everything that takes documents in.
struct Intake {
    queue: JobQueue,
    runner: JobRunner,
    /// None where there are no folders to watch.
    watch: Option<Watch>,
}

/// The queue of jobs in the data directory, what works on it, and the watch over folders.
async fn intake(search: &Search, settings: DocumentSettings, keep: KeepOriginals) -> anyhow::Result<Intake> {
    let DocumentSettings { passages, data_dir, watch } = settings;
    let ingestion = passages.ingestion(search, passages.extractor())?;
    let directory = data_dir.clone();
    let list = spawn_blocking(move || JobList::open(&directory)).await?;
    let list = list.or_else(|error| match keep {
        KeepOriginals::Yes => Err(error),
        // A service over a Chroma server needs no disk to answer.
        KeepOriginals::No => {
            tracing::warn!(%error, "no documents can be handed in over HTTP");
            JobList::in_memory()
        }
    })?;
    let watch = (!watch.is_empty()).then(|| Watch::new(ingestion.clone(), watch, false));
    let (queue, runner) = job_queue(Arc::new(list), &data_dir, keep, ingestion);
    Ok(Intake { queue, runner, watch })
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
