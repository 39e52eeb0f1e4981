//! `qanda bench`: load on a running server.

mod compare;
mod screen;
mod show;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand, ValueEnum};
use qanda_bench::{Goal, Load, Pace, Plan, Report};

use self::screen::Screen;
use crate::config::Time;

/// Put load on a running server and measure it
///
/// By the clock (open model): --rate R or --interval S; all at once where nothing is said. Questions are sent when they
/// are due, however the server fares, and latencies count from then, so a server that stalls cannot hide it
/// (coordinated omission). By answers (closed model): --concurrency C alone; each of so many callers asks again when
/// it has its answer. Beside a rate or an interval, --concurrency caps what is under way, as a client's pool does.
///
/// docs/bench.md explains the figures and the files.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Bench {
    #[command(subcommand)]
    command: Option<Command>,
    /// Address of the server, such as http://127.0.0.1:8000
    #[arg(long, value_name = "URL", required = true)]
    url: Option<String>,
    /// Questions to send [default: 8, where there is no --duration]
    #[arg(long, value_name = "N")]
    tasks: Option<usize>,
    /// Time between the starts of two questions: 0.5, 250ms
    #[arg(long, value_name = "TIME")]
    interval: Option<Time>,
    /// Questions per second
    #[arg(long, value_name = "R", conflicts_with = "interval")]
    rate: Option<f64>,
    /// Send no more questions after this time: 30, 5m
    #[arg(long, value_name = "TIME")]
    duration: Option<Time>,
    /// Most questions under way at the same time
    #[arg(long, value_name = "C")]
    concurrency: Option<usize>,
    /// Send the same load for this time first, and forget it
    #[arg(long, value_name = "TIME", default_value = "0", hide_default_value = true)]
    warm_up: Time,
    /// Longest time from sending a question to the end of its answer
    #[arg(long, value_name = "TIME", default_value = "120s")]
    timeout: Time,
    /// A question; several take turns
    #[arg(long, value_name = "TEXT", default_value = "What is the blood pressure target for most adults?")]
    question: Vec<String>,
    /// Questions of a file take turns: one a line, or JSON objects with "question" or "content"
    #[arg(long, value_name = "FILE", conflicts_with = "question")]
    questions: Option<PathBuf>,
    /// Ask the model alone, without the documents
    #[arg(long)]
    model_alone: bool,
    /// Search in: context, QA, all
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// Answer with the pipeline: direct, classic
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// Ask mock-q, which needs no model
    #[arg(long)]
    mock: bool,
    /// Ask for answers as events, which shows when their first word comes
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true",
        default_missing_value = "true", value_parser = BoolishValueParser::new(), action = clap::ArgAction::Set)]
    stream: bool,
    /// Open a connection for each question, as the simplest clients do
    #[arg(long)]
    new_connections: bool,
    /// Say when each question starts and ends
    #[arg(long, value_name = "WHICH", default_value = "auto")]
    log: Log,
    /// Write figures and requests to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw each request as a bar
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Exit with 4 if this comes true, such as p99>2s, errors>1%, rate<50; of p50, p90, p95, p99, p999, max, mean,
    /// errors, rate
    #[arg(long, value_name = "GOAL")]
    fail_if: Vec<Goal>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the figures of two runs side by side
    Compare(compare::Compare),
}

/// Which questions are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Log {
    /// Each, of up to 50
    Auto,
    /// Each
    Each,
    /// None
    None,
}

/// Questions whose starts and ends are logged, unless told otherwise: nobody reads more.
const LOGGED: usize = 50;
/// Questions to send, unless told otherwise.
const TASKS: usize = 8;
/// Exit code when a goal was missed.
const MISSED: u8 = 4;
/// A few threads keep ten thousand requests under way; more would take the cores from the server beside it.
const THREADS: usize = 4;

impl Bench {
    pub(crate) fn run(mut self) -> anyhow::Result<ExitCode> {
        if let Some(Command::Compare(command)) = self.command.take() {
            return command.run();
        }
        // After minutes of measuring it would be late to learn this.
        for path in self.json.iter().chain(&self.svg) {
            File::options().create(true).append(true).open(path).with_context(|| cannot_write(path))?;
        }
        let load = self.load()?;
        crate::open_files::raise_limit();
        let mut report = self.send(&load)?;
        report.goals = self.fail_if.iter().map(|goal| goal.judge(&report.figures)).collect();
        show::report(&report);
        if let Some(path) = &self.json {
            std::fs::write(path, serde_json::to_string(&report)? + "\n").with_context(|| cannot_write(path))?;
        }
        if let Some(path) = &self.svg {
            std::fs::write(path, qanda_bench::picture(&report)).with_context(|| cannot_write(path))?;
        }
        Ok(self.judge(&report))
    }

    fn load(&self) -> anyhow::Result<Load> {
        let pace = match (self.interval, self.rate, self.concurrency) {
            (Some(gap), ..) => Pace::Every(gap.duration()),
            (None, Some(rate), _) => Pace::Rate(rate),
            (None, None, Some(_)) => Pace::Answers,
            (None, None, None) => Pace::Every(Duration::ZERO),
        };
        let questions = match &self.questions {
            Some(path) => qanda_bench::read_questions(path)?,
            None => self.question.clone(),
        };
        Ok(Load {
            url: self.url.clone().context("--url says where the server is")?,
            route: if self.mock { "/apis/q-and-a/mock-q" } else { "/apis/q-and-a/q" },
            questions,
            search: !self.model_alone,
            source: self.source.clone(),
            pipeline: self.pipeline.clone(),
            stream: self.stream,
            new_connections: self.new_connections,
            plan: Plan {
                pace,
                tasks: self.tasks.or(self.duration.is_none().then_some(TASKS)),
                duration: self.duration.map(Time::duration),
                concurrency: self.concurrency,
                timeout: self.timeout.duration(),
            },
            warm_up: self.warm_up.duration(),
        })
    }

    fn send(&self, load: &Load) -> anyhow::Result<Report> {
        let log = match self.log {
            Log::Auto => load.plan.tasks.is_some_and(|tasks| tasks <= LOGGED),
            Log::Each => true,
            Log::None => false,
        };
        let screen = Arc::new(Screen::new(&load.plan, log));
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
        let stop = async {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let watch = Arc::clone(&screen);
        let report = runtime.block_on(qanda_bench::run(load, watch, stop));
        // Nothing that is still under way after a stop is waited for.
        runtime.shutdown_background();
        screen.clear();
        report
    }

    /// The exit code. A goal about errors has said how many there may be.
    fn judge(&self, report: &Report) -> ExitCode {
        let errors_allowed = self.fail_if.iter().any(Goal::is_about_errors);
        show::goals(&self.fail_if, &report.goals);
        match report.goals.iter().any(|verdict| verdict.missed) {
            true => ExitCode::from(MISSED),
            false if report.figures.failed > 0 && !errors_allowed => ExitCode::FAILURE,
            false => ExitCode::SUCCESS,
        }
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
