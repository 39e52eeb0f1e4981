//! The binary: reads the command line, wires the rooms together, exits.

#![forbid(unsafe_code)]

mod cli;
mod config;
mod logging;
mod models;
mod terminal;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli.run() {
        Ok(code) => code,
        Err(error) => {
            terminal::error(&error);
            ExitCode::FAILURE
        }
    }
}
