use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::Summary;

/// What to send.
#[derive(Debug, Clone)]
pub struct Load {
    /// Address of the server.
    pub url: String,
    /// Where questions go.
    pub route: &'static str,
    /// Questions, taken in turn.
    pub questions: Vec<String>,
    /// Whether the server is to search its documents.
    pub search: bool,
    /// How many to send.
    pub tasks: usize,
    /// Time between the starts of two of them.
    pub interval: Duration,
    /// Most of them under way at the same time.
    pub concurrency: usize,
}

/// One answered question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) first_token: Duration,
    pub(crate) total: Duration,
    pub(crate) tokens: u64,
}

/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(600);

/// Sends the load and waits for every answer.
///
/// # Errors
/// When no client can be made. A question that fails is part of the summary.
pub async fn run(load: &Load) -> anyhow::Result<Summary> {
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().context("cannot make a client")?;
    let places = Arc::new(Semaphore::new(load.concurrency));
    let url = format!("{}{}", load.url.trim_end_matches('/'), load.route);
    let started = Instant::now();
    let mut tasks = Vec::with_capacity(load.tasks);
    for number in 0..load.tasks {
        tokio::time::sleep_until((started + load.interval * u32::try_from(number)?).into()).await;
        let place = Arc::clone(&places).acquire_owned().await?;
        let (client, url) = (client.clone(), url.clone());
        let question = &load.questions[number % load.questions.len()];
        let body = json!({"content": question, "query_option": load.search, "stream": true});
        tasks.push(tokio::spawn(async move {
            let sample = ask(&client, &url, &body).await;
            drop(place);
            sample
        }));
    }
    let mut samples = Vec::with_capacity(load.tasks);
    for task in tasks {
        samples.push(task.await?);
    }
    Ok(Summary::of(samples, started.elapsed()))
}

/// Asks one question and reads its events to the end.
async fn ask(client: &reqwest::Client, url: &str, body: &Value) -> anyhow::Result<Sample> {
    let started = Instant::now();
    let response = client.post(url).json(body).send().await?;
    let status = response.status();
    if !status.is_success() {
        bail!("{status}: {}", response.text().await.unwrap_or_default());
    }
    let mut events = Events::default();
    let mut first_token = None;
    let mut bytes = response.bytes_stream();
    while let Some(chunk) = bytes.next().await {
        for (name, data) in events.push(&chunk?) {
            match name.as_str() {
                "token" => drop(first_token.get_or_insert_with(|| started.elapsed())),
                "error" => bail!("{data}"),
                "done" => {
                    let done: Value = serde_json::from_str(&data)?;
                    let total = started.elapsed();
                    let first_token = first_token.unwrap_or(total);
                    return Ok(Sample { first_token, total, tokens: done["tokens"].as_u64().unwrap_or(0) });
                }
                _ => {}
            }
        }
    }
    bail!("the answer broke off")
}

/// Server-sent events from bytes.
#[derive(Default)]
struct Events {
    buffer: Vec<u8>,
}

impl Events {
    /// Takes bytes and returns the events that are complete now, as name and data.
    fn push(&mut self, bytes: &[u8]) -> Vec<(String, String)> {
        self.buffer.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
            let event: Vec<u8> = self.buffer.drain(..end + 2).collect();
            let (mut name, mut data) = (String::new(), String::new());
            for line in String::from_utf8_lossy(&event).lines() {
                if let Some(value) = line.strip_prefix("event: ") {
                    name = value.to_owned();
                } else if let Some(value) = line.strip_prefix("data: ") {
                    data.push_str(value);
                }
            }
            events.push((name, data));
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::Events;

    #[test]
    fn events_are_joined_across_chunks() {
        let mut events = Events::default();
        assert!(events.push(b"event: token\ndata: {\"te").is_empty());
        let found = events.push(b"xt\":1}\n\n: keep-alive\n\nevent: done\ndata: {}\n\n");
        assert_eq!(found[0], ("token".to_owned(), "{\"text\":1}".to_owned()));
        assert_eq!(found[2].0, "done");
    }
}
