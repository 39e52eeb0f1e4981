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
    // Before the first HTTP client: reqwest has no cryptography of its own. It fails only if one is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = cli::Cli::parse();
    match cli.run() {
        Ok(code) => code,
        Err(error) => {
            terminal::error(&error);
            ExitCode::FAILURE
        }
    }
}
