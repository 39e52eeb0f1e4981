//! Defaults that depend on something else, in words. Clap knows the others.

use clap::{Arg, Command};

/// Words for the default of a setting, by the argument's id.
const IN_WORDS: [(&str, &str); 12] = [
    ("model_threads", "the cores"),
    ("llm_threads", "the cores"),
    ("openai_embedding_model", "text-embedding-3-small"),
    ("openai_embedding_base_url", "the same"),
    ("openai_embedding_api_key", "the same, if the endpoint is on the same host"),
    ("relevance_floor", "measured for a local embedder; 0.75 for text-embedding-ada-002, else 0.2"),
    ("llm_context", "2048 local, 8192 openai"),
    ("context_tokens", "256 local, 2048 openai"),
    ("grounding", "quoted local, marked openai"),
    ("min_confidence", "0.5; 0.03 where an openai model is trusted (marked)"),
    ("max_tokens", "256 local, 512 openai"),
    ("passage_tokens", "160"),
];

/// The default of an argument in words, where it has one that clap does not know.
pub(crate) fn in_words(argument: &Arg) -> Option<&'static str> {
    let id = argument.get_id().as_str();
    IN_WORDS.iter().find(|(name, _)| *name == id).map(|(_, words)| *words)
}

/// The command line with those defaults in its help, as clap shows its own. Those that a file has set have given way.
pub(crate) fn shown_in_help(command: Command) -> Command {
    command
        .mut_args(|argument| match (in_words(&argument), argument.get_help()) {
            (Some(words), Some(help)) if argument.get_default_values().is_empty() => {
                let help = format!("{help} [default: {words}]");
                argument.help(help)
            }
            _ => argument,
        })
        .mut_subcommands(shown_in_help)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn count(command: &Command, id: &str) -> usize {
        let here = command.get_arguments().filter(|argument| argument.get_id() == id);
        // One that clap knows a default of must have no other.
        let here = here.inspect(|argument| assert!(argument.get_default_values().is_empty(), "{id}")).count();
        here + command.get_subcommands().map(|command| count(command, id)).sum::<usize>()
    }

    #[test]
    fn every_default_in_words_is_that_of_an_argument_without_another() {
        for (id, _) in IN_WORDS {
            assert!(count(&Cli::command(), id) > 0, "there is no argument {id}");
        }
    }
}
