//! `qanda.toml`: its values become the defaults of the flags.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::builder::Resettable;
use clap::{Arg, ArgAction, Command};

/// Settings of a file. The keys are the flags' names with `_` for `-`; a key that is not known is an error, because
/// a misspelt setting that is silently ignored is worse.
#[derive(Debug, Default)]
pub(crate) struct File {
    path: PathBuf,
    values: toml::Table,
}

const DEFAULT: &str = "qanda.toml";

impl File {
    /// Reads the file that the command line or `QANDA_CONFIG` names, or `qanda.toml` where there is one.
    pub(crate) fn read(arguments: &[OsString]) -> anyhow::Result<Self> {
        let given = named(arguments).or_else(|| std::env::var_os("QANDA_CONFIG").map(PathBuf::from));
        let path = given.clone().unwrap_or_else(|| PathBuf::from(DEFAULT));
        if given.is_none() && !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // The whole message would quote the line, which may hold a secret behind its key.
        let wrong = |error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let number = before.matches('\n').count();
            let key = text.lines().nth(number).and_then(|line| line.split('=').next()).unwrap_or_default().trim();
            anyhow::anyhow!("{} is not right in line {} ({key}): {}", path.display(), number + 1, error.message())
        };
        let values = toml::from_str(&text).map_err(wrong)?;
        Ok(Self { path, values })
    }

    /// The command line with this file's values in the place of its defaults.
    ///
    /// # Errors
    /// Names the key that is no setting or whose value is of the wrong kind.
    pub(crate) fn apply(&self, command: Command) -> anyhow::Result<Command> {
        let mut settings = BTreeSet::new();
        self.check(&command, &mut settings)?;
        if let Some(unknown) = self.values.keys().find(|key| !settings.contains(*key)) {
            let known = settings.into_iter().collect::<Vec<_>>().join(", ");
            anyhow::bail!("{} has the key {unknown}, which is no setting; there are {known}", self.path.display());
        }
        Ok(self.with_defaults(command))
    }

    /// Whether the file has a value for an argument.
    pub(crate) fn has(&self, argument: &Arg) -> bool {
        key(argument).is_some_and(|key| self.values.contains_key(&key))
    }

    /// The file's name, for people.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Collects the names of all settings and tries the values on their flags.
    fn check(&self, command: &Command, settings: &mut BTreeSet<String>) -> anyhow::Result<()> {
        for argument in command.get_arguments() {
            let Some(key) = key(argument) else { continue };
            if let Some(value) = self.values.get(&key)
                && !settings.contains(&key)
            {
                try_out(argument, value).map_err(|why| anyhow::anyhow!("{}: {key} {why}", self.path.display()))?;
            }
            settings.insert(key);
        }
        command.get_subcommands().try_for_each(|command| self.check(command, settings))
    }

    fn with_defaults(&self, command: Command) -> Command {
        let command = command.mut_args(|argument| match key(&argument).and_then(|key| self.values.get(&key)) {
            Some(value) => {
                // The help must not show what the environment's part of it does not.
                let secret = argument.is_hide_env_values_set();
                argument.default_value(text(value).unwrap_or_default()).hide_default_value(secret)
            }
            None => argument,
        });
        let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        names.into_iter().fold(command, |command, name| command.mut_subcommand(name, |sub| self.with_defaults(sub)))
    }
}

/// `--config FILE` on the command line, which is needed before the rest can be understood.
fn named(arguments: &[OsString]) -> Option<PathBuf> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|argument| argument.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    None
}

/// The key of a setting: an argument with an environment variable, other than the file itself.
fn key(argument: &Arg) -> Option<String> {
    let long = argument.get_long().filter(|long| *long != "config")?;
    argument.get_env().map(|_| long.replace('-', "_"))
}

fn text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(value) => Some(value.to_string()),
        _ => None,
    }
}

/// Gives the value to the flag alone, to learn what it says.
fn try_out(argument: &Arg, value: &toml::Value) -> Result<(), String> {
    let value = text(value).ok_or("is no text, number, true or false")?;
    if matches!(argument.get_action(), ArgAction::SetTrue) {
        return value.parse::<bool>().map(drop).map_err(|_| format!("is {value}; it must be true or false"));
    }
    let flag = argument.get_long().unwrap_or_default();
    let argument = argument.clone().env(Resettable::Reset).required(false);
    let tried = Command::new("setting").no_binary_name(true).arg(argument);
    let Err(error) = tried.try_get_matches_from([format!("--{flag}={value}")]) else { return Ok(()) };
    let said = error.to_string();
    let why = said.lines().next().unwrap_or_default().rsplit(": ").next().unwrap_or_default().trim();
    Err(format!("is {value}, which cannot be: {why}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn apply(text: &str) -> anyhow::Result<Command> {
        let file = File { path: PathBuf::from("qanda.toml"), values: toml::from_str(text)? };
        file.apply(Cli::command())
    }

    #[test]
    fn values_become_defaults() {
        let command = apply("listen = \"127.0.0.1:9000\"\nllm_slots = 4\nchroma_ssl = true").expect("is right");
        let matches = command.try_get_matches_from(["qanda", "serve"]).expect("parses");
        let serve = matches.subcommand_matches("serve").expect("serve");
        assert_eq!(serve.get_one::<usize>("llm_slots"), Some(&4));
        assert!(serve.get_flag("chroma_ssl"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [("lisen = 1", "lisen"), ("llm_slots = \"many\"", "llm_slots"), ("[llm]\na = 1", "llm")] {
            let error = apply(text).expect_err("is refused").to_string();
            assert!(error.contains("qanda.toml") && error.contains(word), "{error}");
        }
    }
}
