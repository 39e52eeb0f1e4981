use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command};
use qanda_core::answering::Prompts;
use serde_json::json;

use super::serve::{HttpArgs, WatchArgs};
use crate::config::{AnswerArgs, EnvFile, File, PassageArgs, defaults};
use crate::terminal::{self, BOLD, DIM, Text, one_line};

/// Show the settings in effect and where each comes from
///
/// Secrets are not shown, only whether they are set.
#[derive(Debug, Args)]
pub(crate) struct Config {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Write the prompts that are built in to this folder, to be changed and used with --prompts
    #[arg(long, value_name = "DIR")]
    write_prompts: Option<PathBuf>,
    #[command(flatten)]
    http: HttpArgs,
    #[command(flatten)]
    passages: PassageArgs,
    #[command(flatten)]
    watch: WatchArgs,
    #[command(flatten)]
    answers: AnswerArgs,
}

/// A setting in effect.
struct Setting {
    /// Its key in the file, which is its flag with `_` for `-`.
    key: String,
    variable: String,
    /// The value, in words where it is found out when it is needed; none where there is none.
    value: Option<String>,
    origin: String,
}

impl Config {
    pub(crate) fn run(
        self,
        command: &Command,
        matches: &ArgMatches,
        env_file: &EnvFile,
        file: &File,
    ) -> anyhow::Result<ExitCode> {
        if let Some(folder) = &self.write_prompts {
            write_prompts(folder)?;
            return Ok(ExitCode::SUCCESS);
        }
        let (name, matches) = matches.subcommand().context("the command is config")?;
        let command = command.find_subcommand(name).context("the command is config")?;
        let named = command.get_arguments().filter(|argument| argument.get_id() != "config");
        let settings: Vec<Setting> = named.filter_map(|argument| setting(argument, matches, env_file, file)).collect();
        if self.json {
            let of = |s: &Setting| json!({"value": s.value, "origin": s.origin, "variable": s.variable});
            let all: serde_json::Map<_, _> = settings.iter().map(|s| (s.key.clone(), of(s))).collect();
            terminal::pretty_json(&all)?;
        } else {
            show(&settings);
        }
        // A value that cannot be used is worth knowing here, too.
        self.http.check()?;
        self.answers.resolve()?;
        Ok(ExitCode::SUCCESS)
    }
}

fn show(settings: &[Setting]) {
    let width = |of: fn(&Setting) -> usize| settings.iter().map(of).max().unwrap_or_default();
    let keys = width(|s| s.key.len());
    let values = width(|s| s.value.as_ref().map_or(1, |value| value.chars().count())).min(48);
    for Setting { key, value, origin, .. } in settings {
        let value = one_line(value.as_deref().unwrap_or("-"));
        let key = Text::styled(BOLD, format!("{key:<keys$}"));
        terminal::line(key.and(format!("  {value:<values$}  ")).and_styled(DIM, origin));
    }
}

/// An argument as a setting; none for those without a variable.
fn setting(argument: &Arg, matches: &ArgMatches, env_file: &EnvFile, file: &File) -> Option<Setting> {
    let variable = argument.get_env()?.to_string_lossy().into_owned();
    let long = argument.get_long()?;
    let id = argument.get_id().as_str();
    let value =
        matches.get_raw(id).and_then(|mut values| values.next()).map(|value| value.to_string_lossy().into_owned());
    let origin = match matches.value_source(id) {
        Some(ValueSource::CommandLine) => format!("flag --{long}"),
        Some(ValueSource::EnvVariable) if env_file.has_set(&variable) => format!(".env, {variable}"),
        Some(ValueSource::EnvVariable) => format!("environment, {variable}"),
        _ if file.has(argument) => file.path().display().to_string(),
        _ => "default".to_owned(),
    };
    let secret = argument.is_hide_env_values_set();
    let value = value.map(|value| if secret { "(set, hidden)".to_owned() } else { value });
    let value = value.or_else(|| defaults::in_words(argument).map(|words| format!("({words})")));
    Some(Setting { key: long.replace('-', "_"), variable, value, origin })
}

fn write_prompts(folder: &std::path::Path) -> anyhow::Result<()> {
    let doing = || format!("cannot write prompts to {}", folder.display());
    std::fs::create_dir_all(folder).with_context(doing)?;
    let mut prompts = Prompts::default();
    for name in Prompts::FILES {
        let path = folder.join(name);
        anyhow::ensure!(!path.exists(), "{} is there already; it is left as it is", path.display());
        let text = prompts.get_mut(name).context("every prompt has a text")?;
        std::fs::write(&path, format!("{text}\n")).with_context(doing)?;
        terminal::line(path.display().to_string());
    }
    Ok(())
}
