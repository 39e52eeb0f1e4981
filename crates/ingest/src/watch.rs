//! Watching folders: the store follows them as they change.
//!
//! What changes is heard of from the system. It does not tell everything (a file system of another machine is silent, a
//! queue overflows), so all files are looked at when it may have been deaf, and from time to time.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{Config, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use qanda_core::RequestContext;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use crate::{Event, FolderSync, IngestError, Ingestion, Prune, Report};

/// Silence after which a change is taken for finished.
const QUIET: Duration = Duration::from_millis(500);

/// Time after which changes are taken in even if there is no silence.
const LONGEST: Duration = Duration::from_secs(5);

/// Time between two looks at whether the folders are still those that are listened to.
const LOOKS: Duration = Duration::from_secs(2);

/// Time after which all files are looked at whatever was heard.
const ALL: Duration = Duration::from_secs(10 * 60);

/// The same where the system cannot tell of changes.
const ALL_WHEN_DEAF: Duration = Duration::from_secs(30);

/// Time after which a failed run is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// Files whose content may have changed since the store was last in step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Touched {
    /// Any of them.
    All,
    /// These, and files below these.
    Below(HashSet<PathBuf>),
}

impl Touched {
    /// Whether a file may have changed.
    pub(crate) fn includes(&self, location: &str) -> bool {
        match self {
            Self::All => true,
            Self::Below(paths) => Path::new(location).ancestors().any(|place| paths.contains(place)),
        }
    }
}

/// Something that the watch did.
#[derive(Debug)]
pub enum Watched {
    /// Part of bringing the store in step.
    Event(Event),
    /// The store is in step with what the folders had a moment ago.
    InStep(Report),
    /// Bringing it in step failed; it is tried again.
    Failed(IngestError),
    /// The system cannot tell of changes in this folder: all of it is looked at every half a minute instead.
    Deaf {
        /// The folder.
        folder: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Keeps a store in step with folders.
pub struct Watch {
    ingestion: Ingestion,
    folders: Vec<PathBuf>,
    sync: FolderSync,
}

impl Watch {
    /// A watch over these folders. What they have no more is removed, unless so much is missing that a folder may not
    /// be mounted.
    #[must_use]
    pub const fn new(ingestion: Ingestion, folders: Vec<PathBuf>, gitignore: bool) -> Self {
        Self { ingestion, folders, sync: FolderSync { prune: Prune::Checked, gitignore, dry_run: false } }
    }

    /// Brings the store in step, and keeps it so until this is dropped.
    pub async fn run(self, mut tell: impl FnMut(Watched)) {
        let mut ears = Ears::new();
        // First: what changes while all files are looked at is heard.
        ears.listen(&self.folders, &mut tell);
        let mut touched = Touched::All;
        loop {
            let went_well = self.bring_in_step(touched, &mut tell).await;
            let all_at = Instant::now()
                + if !went_well {
                    AGAIN
                } else if ears.is_deaf() {
                    ALL_WHEN_DEAF
                } else {
                    ALL
                };
            touched = loop {
                if Instant::now() >= all_at || ears.listen(&self.folders, &mut tell) {
                    break Touched::All;
                }
                if let Some(heard) = ears.hear(LOOKS.min(all_at.saturating_duration_since(Instant::now()))).await {
                    break if went_well { heard } else { Touched::All };
                }
            };
        }
    }

    /// Whether it went well.
    async fn bring_in_step(&self, touched: Touched, tell: &mut impl FnMut(Watched)) -> bool {
        let context = RequestContext::local();
        let run = async {
            // A store that is still empty learns by which embedder its vectors are.
            self.ingestion.upkeep.claim(self.ingestion.embedder.identity().clone()).await?;
            let folders = &self.folders;
            self.ingestion.run_on(&context, folders, self.sync, touched, |event| tell(Watched::Event(event))).await
        };
        match run.await {
            Ok(report) => tell(Watched::InStep(report)),
            Err(error) => {
                tell(Watched::Failed(error));
                return false;
            }
        }
        true
    }
}

/// Hears of changes in folders.
struct Ears {
    watcher: Option<RecommendedWatcher>,
    changes: UnboundedReceiver<notify::Result<notify::Event>>,
    /// Kept so that the channel stays open, and silent, where there is no watcher.
    _sender: UnboundedSender<notify::Result<notify::Event>>,
    /// The folders that are listened to, each as it was known then: device and inode.
    heard: Vec<(PathBuf, Option<(u64, u64)>)>,
    /// Why nothing is heard, of folders that are there.
    deaf: HashSet<PathBuf>,
    /// Why there is no watcher at all.
    failure: Option<String>,
}

impl Ears {
    fn new() -> Self {
        let (sender, changes) = mpsc::unbounded_channel();
        // Nobody takes what comes after the end.
        let told = sender.clone();
        let take = move |event| drop(told.send(event));
        let made = RecommendedWatcher::new(take, Config::default().with_follow_symlinks(false));
        let (watcher, failure) = match made {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self { watcher, changes, _sender: sender, heard: Vec::new(), deaf: HashSet::new(), failure }
    }

    fn is_deaf(&self) -> bool {
        !self.deaf.is_empty()
    }

    /// Listens to the folders that are there. Returns whether one of them is another than it was, or there again.
    fn listen(&mut self, folders: &[PathBuf], tell: &mut impl FnMut(Watched)) -> bool {
        let mut is_new = false;
        for folder in folders {
            let now = identity(folder);
            let before = self.heard.iter().find(|(known, _)| known == folder).map(|(_, identity)| *identity);
            if before == Some(now) {
                continue;
            }
            self.heard.retain(|(known, _)| known != folder);
            self.heard.push((folder.clone(), now));
            is_new |= before.is_some() && now.is_some();
            if now.is_none() {
                continue;
            }
            match self.watch(folder) {
                Ok(()) => drop(self.deaf.remove(folder)),
                Err(reason) => {
                    if self.deaf.insert(folder.clone()) {
                        tell(Watched::Deaf { folder: folder.clone(), reason });
                    }
                }
            }
        }
        is_new
    }

    fn watch(&mut self, folder: &Path) -> Result<(), String> {
        let Some(watcher) = &mut self.watcher else { return Err(self.failure.clone().unwrap_or_default()) };
        // Of a folder that was there before, an old watch may be left.
        let _ = watcher.unwatch(folder);
        watcher.watch(folder, RecursiveMode::Recursive).map_err(|error| error.to_string())
    }

    /// The files that changed, once there is silence; none if nothing changed in this time.
    async fn hear(&mut self, longest: Duration) -> Option<Touched> {
        let mut paths = HashSet::new();
        let mut all = false;
        let mut silence_at = Instant::now() + longest;
        let mut end: Option<Instant> = None;
        while let Ok(Some(change)) = timeout_at(silence_at, self.changes.recv()).await {
            match change {
                // Somebody reads a file, perhaps this very program: that is no change, and does not put one off.
                Ok(event) if matches!(event.kind, EventKind::Access(_)) => continue,
                Ok(event) => {
                    all |= event.need_rescan();
                    paths.extend(event.paths);
                }
                Err(_) => all = true,
            }
            let end = *end.get_or_insert_with(|| Instant::now() + LONGEST);
            silence_at = end.min(Instant::now() + QUIET);
        }
        if all {
            return Some(Touched::All);
        }
        if paths.is_empty() {
            return None;
        }
        Some(Touched::Below(spawn_blocking(move || paths.into_iter().map(absolute).collect()).await.ok()?))
    }
}

/// A path as locations are written, also of what is gone.
fn absolute(path: PathBuf) -> PathBuf {
    let folder = path.parent().and_then(|folder| fs::canonicalize(folder).ok());
    folder.zip(path.file_name()).map_or(path.clone(), |(folder, name)| folder.join(name))
}

/// What tells a folder from another one at the same place; none if there is none.
fn identity(folder: &Path) -> Option<(u64, u64)> {
    fs::metadata(folder).ok().filter(fs::Metadata::is_dir).map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests;
