use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use qanda_core::RequestContext;
use qanda_ingest::stored_as;
use serde_json::json;

use crate::config::{StorageArgs, StoreSettings};
use crate::hints::WithHint;
use crate::terminal::{self, BOLD, Text, counted, one_line};
use crate::wiring;

/// Remove documents from the store
///
/// The files stay; `qanda ingest` stores them again. Answers do not use the documents from then on, and the pairs
/// written for them go with them.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Files, folders (there or gone), documents as citations name them, or names of uploads
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Say what would be removed, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    storage: StorageArgs,
}

impl Remove {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let settings = self.storage.resolve()?;
        if let StoreSettings::Embedded { directory, .. } = &settings {
            let there = directory.join("qanda.sqlite").exists();
            anyhow::ensure!(there, "nothing is stored in {}", directory.display());
        }
        let removed = super::runtime()?.block_on(async {
            let store = wiring::store(&settings, None)?;
            let here = RequestContext::local();
            let stored = store.versions(&here).await?;
            let mut going = BTreeMap::new();
            for name in &self.paths {
                let locations = stored_as(name, &stored);
                if locations.is_empty() {
                    return Err(anyhow::anyhow!("nothing is stored of {}", name.display()))
                        .hint("name a document as citations do, or its file or folder; nothing was removed");
                }
                going.extend(locations.into_iter().map(|at| (stored[&at].path.clone(), at)));
            }
            if !self.dry_run {
                store.remove(&here, going.values().cloned().collect()).await?;
                store.optimise().await?;
            }
            anyhow::Ok(going.into_keys().collect::<Vec<_>>())
        })?;
        if self.json {
            terminal::json(&json!({"removed": removed, "dry_run": self.dry_run}))?;
            return Ok(ExitCode::SUCCESS);
        }
        let (did, done) = if self.dry_run { ("would remove", "would be removed") } else { ("removed", "removed") };
        for path in &removed {
            terminal::line(Text::from(format!("{did} {}", one_line(path))));
        }
        terminal::line(Text::styled(BOLD, format!("{} {done}", counted(removed.len(), "document"))));
        Ok(ExitCode::SUCCESS)
    }
}
