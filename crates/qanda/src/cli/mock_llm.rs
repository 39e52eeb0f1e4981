use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use qanda_bench::mock_llm::{self, Dialect, Faults};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Time;
use crate::terminal;

/// Play a language model that costs nothing
///
/// An OpenAI-compatible endpoint (chat, also streamed, and embeddings) that waits and then says always the same:
/// for measuring and testing what stands in front of a model. Shares are from 0 to 1.
#[derive(Debug, Args)]
pub(crate) struct MockLlm {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8089")]
    listen: SocketAddr,
    /// Until the first token of an answer: 1s, 250ms, 0
    #[arg(long, value_name = "TIME", default_value = "1s")]
    latency: Time,
    /// What it says, from the start again when it ends [default: a sentence about itself]
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    text: Option<String>,
    /// Tokens of an answer
    #[arg(long, value_name = "N", default_value_t = 32)]
    tokens: usize,
    /// Tokens per second after the first one; 0 sends all of them at once
    #[arg(long, value_name = "R", default_value_t = 0.0)]
    token_rate: f64,
    /// Until vectors are answered
    #[arg(long, value_name = "TIME", default_value = "5ms")]
    embedding_latency: Time,
    /// Length of a vector
    #[arg(long, value_name = "N", default_value_t = 384)]
    dimension: usize,
    /// Share by which latencies vary, up and down
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    jitter: f64,
    /// Chooses the variation and which requests go wrong
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Share of requests that are refused with 429
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    fail_429: f64,
    /// Share of requests that fail with 500 after the latency
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    fail_500: f64,
    /// Share of requests that are never answered
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    hang: f64,
    /// Share of answers that break off in the middle
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    cut: f64,
    /// Habits of other people's endpoints to play, several with commas between them: docs/mock-llm.md lists them
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    dialect: Vec<Dialect>,
    /// Most texts of one embedding request; more are refused
    #[arg(long, value_name = "N", default_value_t = mock_llm::MOST_TEXTS)]
    most_texts: usize,
}

impl MockLlm {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let faults = Faults { too_many: self.fail_429, broken: self.fail_500, hang: self.hang, cut: self.cut };
        let together = self.fail_429 + self.fail_500 + self.hang + self.cut;
        anyhow::ensure!(together <= 1.0 + 1e-9, "--fail-429, --fail-500, --hang and --cut are more than 1 together");
        anyhow::ensure!(
            self.token_rate == 0.0 || (1e-3..=1e6).contains(&self.token_rate),
            "--token-rate is {}; it must be 0 or from 0.001 to 1000000",
            self.token_rate
        );
        anyhow::ensure!((1..=65_536).contains(&self.dimension), "--dimension must be from 1 to 65536");
        anyhow::ensure!(self.tokens <= 1_000_000, "--tokens must be at most 1000000");
        let default = mock_llm::MockLlm::default();
        let settings = mock_llm::MockLlm {
            text: self.text.unwrap_or(default.text),
            latency: self.latency.duration(),
            tokens: self.tokens,
            token_rate: self.token_rate,
            embedding_latency: self.embedding_latency.duration(),
            dimension: self.dimension,
            jitter: self.jitter,
            seed: self.seed,
            faults,
            dialects: self.dialect,
            most_texts: self.most_texts,
        };
        crate::open_files::raise_limit();
        super::runtime()?.block_on(async {
            let listener =
                mock_llm::listen(self.listen).with_context(|| format!("cannot listen on {}", self.listen))?;
            let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            terminal::line(format!("mock model listening on http://{}", listener.local_addr()?));
            tokio::select! {
                served = mock_llm::serve(listener, settings) => served.context("serving failed")?,
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("must be from 0 to 1".to_owned()) }
}
