//! The table of settings in docs/configuration.md, written from the definitions of the command line.
//!
//! `UPDATE_DOCS=1 cargo test --release -p qanda reference` writes it anew; without the variable the test fails where the
//! page is out of date.

use std::fmt::Write;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command};

use super::defaults;

/// A table of all settings of a command: its arguments that have a variable, in their groups.
fn table(command: &Command) -> String {
    let mut table = "| flag | variable | default | |\n|---|---|---|---|\n".to_owned();
    let mut group = None;
    // The file with settings is none itself.
    let settings = command.get_arguments().filter(|argument| argument.get_env().is_some());
    for argument in settings.filter(|argument| argument.get_id() != "config") {
        if argument.get_help_heading() != group {
            group = argument.get_help_heading();
            let _ = writeln!(table, "| **{}** | | | |", group.unwrap_or("Options"));
        }
        table.push_str(&row(argument));
    }
    table
}

fn row(argument: &Arg) -> String {
    let flag = format!("--{} {}", argument.get_long().unwrap_or_default(), values(argument));
    let variable = argument.get_env().unwrap_or_default().to_string_lossy();
    let secret = if argument.is_hide_env_values_set() { " (secret)" } else { "" };
    let help = argument.get_help().map(StyledStr::to_string).unwrap_or_default();
    format!("| {} | {} | {} | {}{secret} |\n", code(flag.trim()), code(&variable), default(argument), cell(&help))
}

/// Values that an argument takes, as its help shows them.
fn values(argument: &Arg) -> String {
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let possible: Vec<String> =
        argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    match argument.get_value_names() {
        _ if !possible.is_empty() => possible.join("|"),
        Some(names) => names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        None => String::new(),
    }
}

fn default(argument: &Arg) -> String {
    if let Some(words) = defaults::in_words(argument) {
        return cell(words);
    }
    match argument.get_default_values() {
        [] if matches!(argument.get_action(), ArgAction::SetTrue) => code("false"),
        [] => String::new(),
        values => values.iter().map(|value| code(&value.to_string_lossy())).collect::<Vec<_>>().join(", "),
    }
}

fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

mod tests {
    use std::path::PathBuf;

    use super::*;

    const BEGIN: &str = "<!-- settings: written by UPDATE_DOCS=1 cargo test --release -p qanda reference -->\n";
    const END: &str = "<!-- end of settings -->";

    #[test]
    fn docs_have_every_setting_as_it_is_defined() {
        // As cargo tells it now: several checkouts may share one target directory.
        let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests"));
        let path = package.join("../../docs/configuration.md");
        let page = std::fs::read_to_string(&path).expect("the page is there");
        let (before, rest) = page.split_once(BEGIN).expect("the page says where the settings begin");
        let (_, after) = rest.split_once(END).expect("the page says where the settings end");
        let command = crate::cli::command();
        let config = command.find_subcommand("config").expect("there is qanda config");
        let right = format!("{before}{BEGIN}\n{}\n{END}{after}", table(config));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, right).expect("the page is written");
        } else {
            assert!(page == right, "docs/configuration.md is out of date; {}", BEGIN.trim());
        }
    }
}
