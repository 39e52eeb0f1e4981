//! Output for people: colours on a terminal, plain text elsewhere.
//!
//! Commands print through this module only. What comes out of documents, file names and models is made visible here
//! ([`visible`]), so no command has to think of it.

mod bar;
mod export;
mod text;
mod visible;

use std::fmt::Display;
use std::io::Write;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

pub(crate) use self::bar::Bar;
pub(crate) use self::export::export;
pub(crate) use self::text::Text;
pub(crate) use self::visible::{json as visible_json, one_line};
use crate::hints;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();

/// Writes a line to standard output. Whoever reads it may have gone (`| head`); that is no error of ours.
pub(crate) fn line(text: impl Into<Text>) {
    write(&format!("{}\n", text.into()));
}

/// Writes text to standard output as it comes.
pub(crate) fn piece(text: &str) {
    write(&visible::text(text));
}

/// Writes a value to standard output as JSON on one line.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    write(&(visible::json(&serde_json::to_string(value)?) + "\n"));
    Ok(())
}

/// Writes a value to standard output as JSON that people read, too.
pub(crate) fn pretty_json(value: &impl Serialize) -> anyhow::Result<()> {
    write(&(visible::json(&serde_json::to_string_pretty(value)?) + "\n"));
    Ok(())
}

/// Writes the beginning of a line that somebody types on.
pub(crate) fn prompt(text: impl Into<Text>) {
    write(&text.into().to_string());
}

fn write(safe: &str) {
    let mut out = anstream::stdout().lock();
    let _ = out.write_all(safe.as_bytes()).and_then(|()| out.flush());
}

/// Writes a line for people to standard error.
pub(crate) fn note(text: impl Into<Text>) {
    let _ = writeln!(anstream::stderr().lock(), "{}", text.into());
}

/// Writes an error with its causes, and below it what can be done, where something can.
pub(crate) fn error(error: &anyhow::Error) {
    note(Text::styled(RED, "error:").and(" ").and(sentence(error)));
    if let Some(hint) = hints::of(error) {
        note(Text::styled(CYAN, "hint:").and(" ").and(hint));
    }
}

/// An error and its causes, on one line.
pub(crate) fn sentence(error: &anyhow::Error) -> String {
    qanda_core::with_causes(error.as_ref()).replace('\n', " ")
}

/// Writes what a panic says, as the runtime would, but visibly: it may quote a document.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("<unnamed>");
        note(format!("thread '{name}' {panic}"));
        let trace = std::backtrace::Backtrace::capture();
        if trace.status() == std::backtrace::BacktraceStatus::Captured {
            note(trace.to_string());
        }
    }));
}

/// `12,345`.
pub(crate) fn grouped(number: impl Display) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 file`, `12,345 files`.
pub(crate) fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_grouped_by_thousands() {
        let grouped: Vec<_> = [0, 999, 1_000, 1_234_567].map(super::grouped).into();
        assert_eq!(grouped, ["0", "999", "1,000", "1,234,567"]);
    }
}
