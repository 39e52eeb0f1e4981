//! A run as it is kept: docs/bench.md describes the file.

use std::path::Path;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::failure::FailureKind;
use crate::histogram::micros;
use crate::request::{Outcomes, Request};
use crate::{Figures, Load, Pace, Verdict, time};

/// Changes when a reader of the file must change.
const VERSION: u32 = 1;

/// A run: its load and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of this form.
    pub version: u32,
    /// The load that was sent.
    pub load: LoadInfo,
    /// The figures of all requests.
    pub figures: Figures,
    /// The goals that were stated.
    pub goals: Vec<Verdict>,
    /// Every request that ended, in the order of the plan.
    pub requests: Vec<Entry>,
}

/// A load, as reports keep it. Times are seconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LoadInfo {
    /// Address of the server.
    pub url: String,
    /// `open` (by the clock) or `closed` (by answers).
    pub model: String,
    /// Most requests.
    pub tasks: Option<usize>,
    /// Longest time of sending.
    pub duration: Option<f64>,
    /// Time between two requests.
    pub interval: Option<f64>,
    /// Requests per second.
    pub rate: Option<f64>,
    /// Most requests under way at the same time.
    pub concurrency: Option<usize>,
    /// Time of the same load before the one that counts.
    pub warm_up: f64,
    /// Longest time of a request.
    pub timeout: f64,
    /// Whether answers were asked for as events.
    pub stream: bool,
    /// Whether each request had a connection of its own.
    pub new_connections: bool,
    /// Different questions.
    pub questions: usize,
    /// Whether documents were searched.
    pub search: bool,
    /// Entries that were searched.
    pub source: Option<String>,
    /// Which pipeline was asked for.
    pub pipeline: Option<String>,
}

/// A request. Times are seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// From the start of the run to when it was to be sent.
    pub offset: f64,
    /// From then to when it was sent.
    pub wait: f64,
    /// From when it was to be sent to its end; the wait is part of it.
    pub seconds: f64,
    /// From when it was to be sent to the first piece of its answer.
    pub first_token: Option<f64>,
    /// Tokens of its answer.
    pub tokens: u64,
    /// Status of the response; none where there was none.
    pub status: Option<u16>,
    /// Kind of its failure, if it failed.
    pub error: Option<FailureKind>,
}

impl Entry {
    fn of(request: &Request) -> Self {
        // Microseconds are as exact as it gets.
        let seconds = |time: std::time::Duration| micros(time) as f64 / 1e6;
        Self {
            offset: seconds(request.due),
            wait: seconds(request.sent.saturating_sub(request.due)),
            seconds: seconds(request.latency()),
            first_token: request.first_token.map(|at| seconds(at.saturating_sub(request.due))),
            tokens: request.tokens,
            status: request.status,
            error: request.error().map(|(kind, _)| kind),
        }
    }
}

impl Report {
    pub(crate) fn of(load: &Load, run: &Outcomes) -> Self {
        let requests = run.requests.iter().map(Entry::of).collect();
        Self { version: VERSION, load: LoadInfo::of(load), figures: Figures::of(run), goals: Vec::new(), requests }
    }

    /// Reads a run that was kept.
    ///
    /// # Errors
    /// When the file cannot be read, is none of ours, or of another version.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let name = path.display();
        let text = std::fs::read(path).with_context(|| format!("cannot read {name}"))?;
        let other = || format!("{name} is no report of the load tester");
        let Version { version } = serde_json::from_slice(&text).with_context(other)?;
        ensure!(version == VERSION, "{name} is of version {version}; this qanda reads version {VERSION}");
        serde_json::from_slice(&text).with_context(other)
    }
}

impl LoadInfo {
    fn of(load: &Load) -> Self {
        let plan = &load.plan;
        let (model, interval, rate) = match plan.pace {
            Pace::Every(gap) => ("open", Some(gap.as_secs_f64()), None),
            Pace::Rate(rate) => ("open", None, Some(rate)),
            Pace::Answers => ("closed", None, None),
        };
        Self {
            url: load.shown_url(),
            model: model.to_owned(),
            tasks: plan.tasks,
            duration: plan.duration.map(|duration| duration.as_secs_f64()),
            interval,
            rate,
            concurrency: plan.concurrency,
            warm_up: load.warm_up.as_secs_f64(),
            timeout: plan.timeout.as_secs_f64(),
            stream: load.stream,
            new_connections: load.new_connections,
            questions: load.questions.len(),
            search: load.search,
            source: load.source.clone(),
            pipeline: load.pipeline.clone(),
        }
    }

    /// In a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut text = self.tasks.map_or("questions".to_owned(), |tasks| match tasks {
            1 => "1 question".to_owned(),
            _ => format!("{tasks} questions"),
        });
        match (self.interval, self.rate) {
            (Some(0.0), _) => text.push_str(" at once"),
            (Some(gap), _) => text.push_str(&format!(", one every {}", time::show(gap))),
            (_, Some(rate)) => text.push_str(&format!(", {rate} per second")),
            _ => {}
        }
        match (self.concurrency, self.model.as_str()) {
            (Some(most), "closed") => text.push_str(&format!(", {most} at a time")),
            (Some(most), _) => text.push_str(&format!(", at most {most} under way")),
            _ => {}
        }
        if let Some(duration) = self.duration {
            text.push_str(&format!(", for {}", time::show(duration)));
        }
        format!("{text}, to {}", self.url)
    }
}
