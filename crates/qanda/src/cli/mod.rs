//! The commands.

mod ask;
mod backup;
mod bench;
mod chat;
mod check;
mod completions;
mod config;
mod eval;
mod foremost;
mod ingest;
mod man;
mod mcp;
mod mock_llm;
mod models;
mod place;
mod qa;
mod reembed;
mod remove;
mod scope;
mod search;
mod serve;
mod status;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{EnvFile, File, defaults};

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

const SETTINGS_HELP: &str =
    "Each setting is taken from its flag, else its environment variable (or .env), else qanda.toml \
(the flag's name with _ for -), else its default.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 ingested but for some files, 4 a goal missed (--fail-if),
5 something wrong with the store (qanda check).";

/// The commands; each is explained where its arguments are.
#[derive(Debug, Subcommand)]
enum Command {
    Ingest(ingest::Ingest),
    Remove(remove::Remove),
    Reembed(reembed::Reembed),
    Ask(ask::Ask),
    Search(search::Search),
    Serve(serve::Serve),
    Mcp(mcp::Mcp),
    Qa(qa::Qa),
    Config(config::Config),
    Status(status::Status),
    Check(check::Check),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Models(models::Models),
    Eval(eval::Eval),
    Bench(bench::Bench),
    MockLlm(mock_llm::MockLlm),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Reads settings and command line, and runs the command.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let env_file = EnvFile::load()?;
    let arguments: Vec<_> = std::env::args_os().collect();
    let file = File::read(&arguments)?;
    let command = as_shown(file.apply(command())?);
    let matches = command.clone().get_matches_from(arguments);
    match Cli::from_arg_matches(&matches)?.command {
        Command::Ingest(command) => command.run(),
        Command::Remove(command) => command.run(),
        Command::Reembed(command) => command.run(),
        Command::Ask(command) => command.run(),
        Command::Search(command) => command.run(),
        Command::Serve(command) => command.run(&env_file),
        Command::Mcp(command) => command.run(),
        Command::Qa(command) => command.run(),
        Command::Config(shown) => shown.run(&command, &matches, &env_file, &file),
        Command::Status(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Backup(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::Models(command) => command.run(),
        Command::Eval(command) => command.run(),
        Command::Bench(command) => command.run(),
        Command::MockLlm(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    }
}

/// The definition of the command line.
pub(crate) fn command() -> clap::Command {
    numbers_may_be_negative(Cli::command())
}

/// The same as its help and its manual pages show it.
fn as_shown(command: clap::Command) -> clap::Command {
    foremost::first(defaults::shown_in_help(command))
}

/// Lets every argument take a number below zero. Which numbers make sense is for what reads them to say: without this,
/// `--temperature -1` would be told that there is no flag `-1`.
fn numbers_may_be_negative(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| {
        let takes_values = argument.get_action().takes_values();
        argument.allow_negative_numbers(takes_values)
    });
    command.mut_subcommands(numbers_may_be_negative)
}

/// The runtime of a command that waits for models and stores. They compute on threads of their own.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_below_zero_are_taken_as_values() {
        let floor = |arguments: &[&str]| {
            let matches = command().try_get_matches_from([&["qanda", "serve"], arguments].concat())?;
            Ok::<_, clap::Error>(
                matches.subcommand_matches("serve").and_then(|m| m.get_one("relevance_floor").copied()),
            )
        };
        for value in ["-1", "-0.25", "-1.5"] {
            let number: f32 = value.parse().expect("a number");
            assert_eq!(floor(&["--relevance-floor", value]).expect("is taken"), Some(number));
        }
        // What cannot be below zero says so, and not that there is no such flag.
        let refused = floor(&["--llm-slots", "-1"]).expect_err("is refused").to_string();
        assert!(refused.contains("invalid value '-1' for '--llm-slots"), "{refused}");
    }

    /// The command as it is shown in a terminal of 100 columns, whatever is set around the tests.
    fn for_snapshots(command: clap::Command) -> clap::Command {
        let command = command.term_width(100).mut_args(|argument| argument.hide_env_values(true));
        command.mut_subcommands(for_snapshots)
    }

    fn check_help(name: &str, command: &mut clap::Command) {
        insta::assert_snapshot!(name, command.render_long_help());
        for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
            check_help(&format!("{name}_{}", sub.get_name()), sub);
        }
    }

    /// `INSTA_UPDATE=always cargo test --release -p qanda help` takes over what has changed.
    #[test]
    fn the_help_of_every_command_is_as_it_was() {
        let mut command = for_snapshots(as_shown(command()));
        command.build();
        check_help("help", &mut command);
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    /// All arguments of a command and its subcommands.
    fn arguments(command: &clap::Command) -> Vec<clap::Arg> {
        let own = command.get_arguments().cloned();
        own.chain(command.get_subcommands().flat_map(arguments)).collect()
    }

    #[test]
    fn times_are_written_in_the_same_way_in_every_command() {
        let value_name = |argument: &clap::Arg| argument.get_value_names().map(|names| names[0].to_string());
        let all = arguments(&Cli::command());
        let times: Vec<_> = all.iter().filter(|argument| value_name(argument).as_deref() == Some("TIME")).collect();
        assert!(times.len() > 10, "{times:?}");
        for argument in times {
            let flag = argument.get_long().expect("a flag").to_owned();
            for time in ["30s", "500ms", "2m", "30", "0.5"] {
                let alone = clap::Command::new("time").no_binary_name(true).arg(argument.clone());
                let given = alone.try_get_matches_from([format!("--{flag}"), time.to_owned()]);
                assert!(
                    given.is_ok_and(|given| given.get_one::<crate::config::Time>(&flag.replace('-', "_")).is_some()),
                    "--{flag} {time}"
                );
            }
        }
    }
}
