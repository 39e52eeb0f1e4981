use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Text, visible};

/// A progress bar on a terminal; nothing elsewhere.
pub(crate) struct Bar {
    bar: ProgressBar,
    shown: bool,
}

impl Bar {
    /// A bar in the form of an indicatif template, which is not shown where it is to be quiet.
    pub(crate) fn new(template: &str, quiet: bool) -> Self {
        let shown = std::io::stderr().is_terminal() && !quiet;
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self { bar: ProgressBar::with_draw_target(Some(0), target).with_style(style), shown }
    }

    /// Whether anybody sees it.
    pub(crate) fn is_shown(&self) -> bool {
        self.shown
    }

    /// Sets how many steps there are.
    pub(crate) fn set_length(&self, length: usize) {
        self.bar.set_length(length as u64);
    }

    /// Adds steps that were not known of.
    pub(crate) fn lengthen(&self, steps: usize) {
        self.bar.inc_length(steps as u64);
    }

    /// Sets how many steps are done.
    pub(crate) fn set_position(&self, position: usize) {
        self.bar.set_position(position as u64);
    }

    /// Adds steps that are done.
    pub(crate) fn advance(&self, steps: usize) {
        self.bar.inc(steps as u64);
    }

    /// Says beside the bar what is being done.
    pub(crate) fn set_message(&self, message: &str) {
        self.bar.set_message(visible::one_line(message));
    }

    /// Writes a line to standard error above the bar.
    pub(crate) fn note(&self, text: impl Into<Text>) {
        self.bar.suspend(|| super::note(text));
    }

    /// Writes a line to standard output above the bar.
    pub(crate) fn line(&self, text: impl Into<Text>) {
        self.bar.suspend(|| super::line(text));
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
