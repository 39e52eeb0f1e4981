//! Log events to standard error.

use std::fmt;
use std::io::{IsTerminal, Stderr, Write};

use anstyle::Style;
use clap::ValueEnum;
use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

use crate::terminal::{DIM, one_line, visible_json};

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
        .unwrap_or_else(|_| EnvFilter::new(format!("{level},tantivy=warn,html5ever=error,rmcp=error")));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stderr().is_terminal());
    // A second call (in tests) changes nothing.
    let _ = match format {
        LogFormat::Text => {
            subscriber.with_writer(std::io::stderr).fmt_fields(debug_fn(field).delimited(" ")).try_init()
        }
        LogFormat::Json => {
            let subscriber = subscriber.with_writer(|| VisibleJson(std::io::stderr()));
            subscriber.json().flatten_event(true).with_current_span(false).try_init()
        }
    };
}

/// A field of an event. Paths and messages of servers stand in fields, so their characters are made visible, and each
/// stays on its line.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let value = one_line(&format!("{value:?}"));
    let style = if writer.has_ansi_escapes() { DIM } else { Style::new() };
    match field.name() {
        "message" => write!(writer, "{value}"),
        name => write!(writer, "{style}{}={style:#}{value}", name.trim_start_matches("r#")),
    }
}

/// Writes an event in JSON, which is written whole.
struct VisibleJson(Stderr);

impl Write for VisibleJson {
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(visible_json(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was logged.
    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("a lock").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_stands_in_a_field_stays_on_its_line_and_controls_nothing() {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(true)
            .fmt_fields(debug_fn(field).delimited(" "))
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let path = "a\u{1b}[2J\nERROR all is lost";
            tracing::warn!(path = %path, text = path, "cannot read \u{9b}2J\u{202e}");
        });
        let logged = String::from_utf8(buffer.0.lock().expect("a lock").clone()).expect("text");
        assert_eq!(logged.lines().count(), 1, "{logged:?}");
        assert!(logged.contains("a\\u{1b}[2J\\u{a}ERROR") && logged.contains("cannot read \\u{9b}2J"), "{logged:?}");
        // The colours of the logger itself stay.
        assert!(
            logged.contains("\u{1b}[") && !logged.contains("\u{1b}[2J") && !logged.contains('\u{202e}'),
            "{logged:?}"
        );
    }
}
