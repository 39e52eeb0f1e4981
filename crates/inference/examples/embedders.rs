//! Embedders side by side: how near their vectors are to those of the first one, texts a second, time of a question.
//!
//!     cargo run --release --workspace --example embedders -- TEXTS DIRECTORY FILE.gguf…
//!
//! TEXTS has a passage on each line. Candidates take turns, so that a busy machine slows all of them.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use qanda_core::{Embedder, RequestContext};
use qanda_inference::embed::gguf::{GgufEmbedder, GivenPrefixes};
use qanda_inference::embed::local::LocalEmbedder;

const ROUNDS: usize = 5;
/// Questions of each round.
const QUESTIONS: usize = 20;
const QUESTION: &str = "At what eGFR must metformin be stopped?";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [texts, places @ ..] = &*given else { return Err("TEXTS DIRECTORY FILE.gguf…".into()) };
    let texts: Vec<String> = std::fs::read_to_string(texts)?.lines().map(str::to_owned).collect();
    let threads = std::thread::available_parallelism()?.get();
    let mut embedders: Vec<Box<dyn Embedder>> = Vec::new();
    for place in places.iter().map(Path::new) {
        embedders.push(match place.is_dir() {
            true => Box::new(LocalEmbedder::load(place, threads)?),
            false => Box::new(GgufEmbedder::load(place, GivenPrefixes::default(), threads)?),
        });
    }
    let context = RequestContext::local();
    let mut measured = vec![(Vec::new(), Vec::new()); embedders.len()];
    let mut vectors = vec![Vec::new(); embedders.len()];
    for _ in 0..ROUNDS {
        for (at, embedder) in embedders.iter().enumerate() {
            let began = Instant::now();
            vectors[at] = embedder.embed_passages(&context, texts.clone()).await?;
            measured[at].0.push(texts.len() as f64 / began.elapsed().as_secs_f64());
            for _ in 0..QUESTIONS {
                let began = Instant::now();
                embedder.embed_query(&context, QUESTION).await?;
                measured[at].1.push(1000.0 * began.elapsed().as_secs_f64());
            }
        }
    }
    let rates = measured[0].0.clone();
    for (at, embedder) in embedders.iter().enumerate() {
        let cosines =
            vectors[0].iter().zip(&vectors[at]).map(|(a, b)| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>());
        let cosines: Vec<f64> = cosines.map(f64::from).collect();
        let least = cosines.iter().copied().fold(f64::MAX, f64::min);
        let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
        let ratio = median(measured[at].0.iter().zip(&rates).map(|(rate, first)| rate / first));
        let (rate, question) = (median(measured[at].0.iter().copied()), median(measured[at].1.iter().copied()));
        println!(
            "| {} | {mean:.5}, {least:.5} | {rate:.0} ({ratio:.2}) | {question:.1} ms |",
            embedder.identity().name
        );
    }
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
