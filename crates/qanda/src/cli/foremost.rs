//! The order of a long help: first what most people set.

use clap::Command;

/// Settings of `qanda serve` that most people come for, by the argument's id.
const OF_SERVE: [&str; 10] = [
    "data_dir",
    "listen",
    "llm",
    "grounding",
    "min_confidence",
    "embedder",
    "store",
    "workers",
    "public_host",
    "insecure_no_auth",
];

/// The command line with those above all groups.
pub(super) fn first(command: Command) -> Command {
    command.mut_subcommand("serve", |serve| {
        (0..).zip(OF_SERVE).fold(serve, |serve, (place, id)| {
            serve.mut_arg(id, |argument| argument.help_heading(None::<&'static str>).display_order(place))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ten_flags_of_serve_are_those_that_matter() {
        let help = first(crate::cli::command()).find_subcommand_mut("serve").expect("serve").render_long_help();
        let help = help.to_string();
        let flags = help.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
        let names = flags.map(|flag| flag.split([' ', '.']).next().unwrap_or_default().replace('-', "_"));
        assert_eq!(names.take(OF_SERVE.len()).collect::<Vec<_>>(), OF_SERVE);
    }
}
