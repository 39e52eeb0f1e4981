//! A run's figures for people.

use qanda_bench::{Goal, Report, Spread, Verdict, time};

use crate::terminal::{self, BOLD, GREEN, RED, Text, one_line};

/// Shows what a run showed.
pub(super) fn report(report: &Report) {
    let figures = &report.figures;
    for error in &figures.errors {
        let example = error.example.lines().next().unwrap_or_default();
        let what = format!(" {} x {}: {}", error.count, error.kind, one_line(example));
        terminal::note(Text::styled(RED, "failed").and(what));
    }
    if figures.stopped {
        let unfinished = figures.unfinished;
        let what = format!(" with {unfinished} under way; these are the figures so far");
        terminal::note(Text::styled(RED, "stopped").and(what));
    }
    let planned = report.load.tasks.filter(|_| report.load.duration.is_none()).unwrap_or(figures.sent);
    let counts = format!(" {} / {planned}", figures.completed);
    terminal::line(Text::styled(BOLD, "tasks completed:").and(counts));
    row(
        "seconds",
        &format!(
            "{:.3}, {:.1} answers per second, at most {} in flight",
            figures.seconds, figures.rate, figures.most_in_flight
        ),
    );
    if figures.latency.is_some() {
        let heads = ["mean", "p50", "p90", "p95", "p99", "p99.9", "max"].map(|head| format!("{head:>8}"));
        row("", &heads.join(" "));
    }
    // In the closed model a question is due when it is sent.
    if report.load.model == "open" {
        spread("from when due", figures.latency);
    }
    spread("from sending", figures.service);
    spread("to first token", figures.first_token);
    row("tokens/s, all", &format!("{:.1}", figures.tokens_per_second));
}

fn row(name: &str, value: &str) {
    terminal::line(Text::styled(BOLD, format!("{name:<20}")).and(" ").and(value));
}

fn spread(name: &str, spread: Option<Spread>) {
    let Some(Spread { mean, p50, p90, p95, p99, p999, max, .. }) = spread else { return };
    let values = [mean, p50, p90, p95, p99, p999, max].map(|seconds| format!("{:>8}", time::show(seconds)));
    row(name, &values.join(" "));
}

/// Says of each goal whether it was reached.
pub(super) fn goals(goals: &[Goal], verdicts: &[Verdict]) {
    for (goal, verdict) in goals.iter().zip(verdicts) {
        let found = goal.show(verdict);
        terminal::note(match verdict.missed {
            true => Text::styled(RED, "missed").and(format!(" {found}, and {goal} is a failure")),
            false => Text::styled(GREEN, "reached").and(format!(" {found}, not {goal}")),
        });
    }
}
