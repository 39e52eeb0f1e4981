//! Log events to standard error.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// Form of log events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people, in colour on a terminal
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Starts logging for people at `level`, or as `RUST_LOG` says.
pub(crate) fn start(level: &str) {
    start_in(LogFormat::Text, level);
}

/// Starts logging in a form of its own.
pub(crate) fn start_in(format: LogFormat, level: &str) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(format!("{level},tantivy=warn,html5ever=error")));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second call (in tests) changes nothing.
    let _ = match format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).with_current_span(false).try_init(),
    };
}
