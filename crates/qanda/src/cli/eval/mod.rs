//! `qanda eval`: figures that tell whether a change made answers better.

mod beir;
mod metrics;
mod retrieval;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// Measure how well passages are found
#[derive(Debug, Args)]
pub(crate) struct Eval {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Retrieval(retrieval::Retrieval),
}

impl Eval {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Command::Retrieval(command) = self.command;
        command.run()
    }
}
