use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::terminal;

/// Write the manual pages into a directory, one for each command
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The directory; it is made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Man {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let place = || format!("cannot write manual pages into {}", self.directory.display());
        std::fs::create_dir_all(&self.directory).with_context(place)?;
        clap_mangen::generate_to(super::as_shown(super::command()), &self.directory).with_context(place)?;
        terminal::note(format!("manual pages are in {}", self.directory.display()));
        Ok(ExitCode::SUCCESS)
    }
}
