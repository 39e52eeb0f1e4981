//! The commands.

mod ask;
mod bench;
mod duration;
mod eval;
mod ingest;
mod mock_llm;
mod models;
mod serve;
mod status;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::File;

/// Answers questions over your own documents, with citations.
///
/// Everything is inside by default: document readers, embedder, search index, language model. Try:
///
///   qanda models pull
///   qanda ingest docs/
///   qanda ask "What is the target blood pressure?"
///   qanda serve
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment, arg_required_else_help = true, after_help = SETTINGS_HELP)]
pub(crate) struct Cli {
    /// File with settings [default: qanda.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE", env = "QANDA_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

const SETTINGS_HELP: &str = "Each setting is taken from its flag, else its environment variable, else qanda.toml \
(the flag's name with _ for -), else its default.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 ingested but for some files.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Read documents into the store, or update what has changed
    Ingest(ingest::Ingest),
    /// Ask a question and see the answer with its sources
    Ask(ask::Ask),
    /// Answer questions over HTTP
    Serve(serve::Serve),
    /// Say what is stored, by which models, and how far the indexes are
    Status(status::Status),
    /// Get the default models, or list those that are there
    Models(models::Models),
    /// Measure how well passages are found
    Eval(eval::Eval),
    /// Put load on a running server and measure it
    Bench(bench::Bench),
    /// Play a language model that costs nothing: an OpenAI-compatible endpoint with a chosen latency
    MockLlm(mock_llm::MockLlm),
}

impl Cli {
    /// Runs the command.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let file = File::read(self.config.as_deref())?;
        match self.command {
            Command::Ingest(command) => command.run(&file),
            Command::Ask(command) => command.run(&file),
            Command::Serve(command) => command.run(&file),
            Command::Status(command) => command.run(&file),
            Command::Models(command) => command.run(),
            Command::Eval(command) => command.run(&file),
            Command::Bench(command) => command.run(),
            Command::MockLlm(command) => command.run(),
        }
    }
}

/// The runtime of a command that waits for models and stores. They compute on threads of their own.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
