//! `qanda eval`: figures that tell whether a change made answers better.

mod answers;
mod beir;
mod chunking;
mod claims;
mod compare;
mod metrics;
mod parts;
mod retrieval;
mod turns;

use std::process::ExitCode;

use clap::{Args, Subcommand};

/// Measure how well passages are found, questions answered and statements verified
#[derive(Debug, Args)]
pub(crate) struct Eval {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Retrieval(retrieval::Retrieval),
    Answers(answers::Answers),
    Claims(claims::Claims),
    Chunking(chunking::Chunking),
    Compare(compare::Compare),
}

impl Eval {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Retrieval(command) => command.run(),
            Command::Answers(command) => command.run(),
            Command::Claims(command) => command.run(),
            Command::Chunking(command) => command.run(),
            Command::Compare(command) => command.run(),
        }
    }
}
