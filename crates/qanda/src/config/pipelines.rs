use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};
use qanda_core::answering::{PipelineName, Prompts};

/// The pipeline and its prompts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Answers")]
pub(crate) struct PipelineArgs {
    /// Pipeline for questions that name none: `direct` searches and calls the model once; `classic` is the chain of
    /// the original service, with three calls
    #[arg(long, value_enum, env = "QANDA_PIPELINE", default_value = "direct")]
    pipeline: PipelineChoice,
    /// Folder with prompts of your own; `qanda config --write-prompts DIR` makes one to start from
    #[arg(long, value_name = "DIR", env = "QANDA_PROMPTS")]
    prompts: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PipelineChoice {
    Direct,
    Classic,
}

impl PipelineArgs {
    /// The pipeline for questions that name none.
    pub(crate) const fn default_pipeline(&self) -> PipelineName {
        match self.pipeline {
            PipelineChoice::Direct => PipelineName::Direct,
            PipelineChoice::Classic => PipelineName::Classic,
        }
    }

    /// The prompts, with those that the user's folder has in the place of ours.
    ///
    /// # Errors
    /// When the folder cannot be read, or has a text file that is no prompt (a misspelt name).
    pub(crate) fn prompts(&self) -> anyhow::Result<Arc<Prompts>> {
        let mut prompts = Prompts::default();
        if let Some(folder) = &self.prompts {
            read(folder, &mut prompts).with_context(|| format!("cannot use the prompts in {}", folder.display()))?;
        }
        Ok(Arc::new(prompts))
    }
}

fn read(folder: &Path, prompts: &mut Prompts) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.ends_with(".txt") {
            continue;
        }
        let prompt = prompts.get_mut(&name);
        let prompt = prompt.with_context(|| format!("{name} is no prompt; there are {}", Prompts::FILES.join(", ")))?;
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {name}"))?;
        anyhow::ensure!(!text.trim().is_empty(), "{name} is empty; remove it to use the prompt that is built in");
        text.trim_end().clone_into(prompt);
    }
    Ok(())
}
