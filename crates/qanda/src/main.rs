//! The binary: reads the command line, wires the rooms together, exits.

#![forbid(unsafe_code)]

mod cli;
mod config;
mod hints;
mod logging;
mod models;
mod open_files;
mod reading;
mod serving;
mod signals;
mod supervisor;
mod terminal;
mod watching;
mod wiring;

use std::process::ExitCode;

/// It gives memory back after a burst; ARCHITECTURE.md compares it with others.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    if reading::is_reader() {
        return reading::run();
    }
    terminal::report_panics();
    // Connections to servers over TLS: one provider for all clients. It can only fail when there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match cli::run() {
        Ok(code) => code,
        Err(error) => {
            // A worker's failure is told by its supervisor.
            if !supervisor::told_of_failure(&error) {
                terminal::error(&error);
            }
            ExitCode::FAILURE
        }
    }
}
