//! The watch over folders inside the server, which tells the log what it does.

use std::collections::HashSet;

use qanda_ingest::{Event, Report, Watch, Watched};

/// Keeps the store in step with folders until it is dropped.
pub(crate) async fn follow(watch: Watch) {
    let mut told = Told::default();
    watch.run(move |watched| told.tell(watched)).await;
}

/// What was told already: all files are looked at again from time to time, and a fault is told once.
#[derive(Default)]
struct Told {
    /// Paths and what is wrong with them.
    faults: HashSet<String>,
    has_begun: bool,
}

impl Told {
    fn tell(&mut self, watched: Watched) {
        match watched {
            Watched::Event(Event::Failed { path, reason }) => {
                if self.faults.insert(format!("{path}: {reason}")) {
                    tracing::warn!(path, reason, "a document could not be read");
                }
            }
            Watched::Event(Event::Doubted(doubt)) => {
                let folder = doubt.folder.display().to_string();
                if self.faults.insert(format!("{folder}: {} of {}", doubt.missing, doubt.stored)) {
                    let (missing, stored) = (doubt.missing, doubt.stored);
                    tracing::warn!(folder, missing, stored, "so much is missing that nothing of it was removed");
                }
            }
            Watched::Event(_) => {}
            Watched::InStep(report) => self.report(&report),
            Watched::Failed(error) => tracing::error!(%error, "the folders could not be followed; trying again"),
            Watched::Deaf { folder, reason } => {
                let folder = folder.display().to_string();
                tracing::warn!(
                    folder,
                    reason,
                    "changes cannot be heard of; all files are looked at every half a minute"
                );
            }
        }
    }

    fn report(&mut self, report: &Report) {
        let Report { documents, moved, removed, unchanged, seconds, .. } = report;
        if !self.has_begun || documents + moved + removed > 0 {
            tracing::info!(documents, moved, removed, unchanged, seconds, "in step with the folders");
        }
        self.has_begun = true;
    }
}
