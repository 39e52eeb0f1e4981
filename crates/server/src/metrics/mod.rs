//! Figures for Prometheus.
//!
//! With several workers each writes its own figures into a file of its own once a second; the one that is asked adds
//! them up. The files of those that have ended keep their counters, so that sums never go down.

mod figures;
mod sum;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::sum::{Process, Sum};
use crate::serving::Class;

pub(crate) use self::figures::Figures;

/// Extension of the file of a worker that runs.
const RUNNING: &str = "prom";
/// Extension of the file of a worker that has ended.
const ENDED: &str = "ended";

/// A process's knowledge about itself and its requests.
#[derive(Debug, Clone)]
pub struct Telemetry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    class: Class,
    /// The file that this process writes, if it is one of several.
    file: Option<PathBuf>,
    figures: Figures,
}

impl Telemetry {
    /// Of the only process.
    #[must_use]
    pub fn alone() -> Self {
        Self::new(Class::Async, None)
    }

    /// Of one of several workers, whose figures meet in a directory.
    #[must_use]
    pub fn worker(class: Class, directory: &Path, worker: u64) -> Self {
        Self::new(class, Some(directory.join(format!("{worker}.{RUNNING}"))))
    }

    fn new(class: Class, file: Option<PathBuf>) -> Self {
        Self(Arc::new(Inner { class, file, figures: Figures::default() }))
    }

    /// Lets the other workers see this one's figures.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn publish(&self) -> io::Result<()> {
        let Some(file) = &self.0.file else { return Ok(()) };
        let new = file.with_extension("new");
        std::fs::write(&new, self.0.figures.text())?;
        std::fs::rename(&new, file)
    }

    pub(crate) fn class(&self) -> &'static str {
        self.0.class.name()
    }

    pub(crate) fn metrics(&self) -> &Figures {
        &self.0.figures
    }

    /// The figures of the whole service, in the text format of Prometheus.
    pub(crate) fn exposition(&self) -> String {
        let mut sum = Sum::default();
        sum.add(&self.0.figures.text(), Process::Running);
        for path in self.others() {
            let ended = path.extension().is_some_and(|extension| extension == ENDED);
            // A file may be renamed just now.
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            sum.add(&text, if ended { Process::Ended } else { Process::Running });
        }
        sum.text()
    }

    /// The files of the other workers.
    fn others(&self) -> Vec<PathBuf> {
        let Some(own) = &self.0.file else { return Vec::new() };
        let entries = own.parent().and_then(|directory| std::fs::read_dir(directory).ok());
        let paths = entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        let known = |path: &PathBuf| path.extension().is_some_and(|e| e == RUNNING || e == ENDED);
        paths.filter(|path| path != own && known(path)).collect()
    }
}

/// Marks a worker's figures as those of one that has ended.
pub fn worker_ended(directory: &Path, worker: u64) {
    let file = directory.join(format!("{worker}.{RUNNING}"));
    // One that ended early has none.
    let _ = std::fs::rename(&file, file.with_extension(ENDED));
}
