//! Search in 100,000 passages of 384 dimensions: speed, recall, build time, size.
//!
//! The data is synthetic and repeatable: vectors around 2,000 random centres, texts of words that are as unevenly
//! frequent as those of a language (Zipf). Run it with `make bench-search`.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::Path;
use std::time::Instant;

use qanda_core::ports::{EmbedderIdentity, Mode, SearchQuery};
use qanda_core::{
    Document, Documents, EntryId, Filter, Metadata, NewDocument, NewPassage, RequestContext, Search, Source, Span,
    Upkeep,
};
use qanda_store::embedded::{EmbeddedStore, Fusion};

const PASSAGES: usize = 100_000;
const DIMENSION: usize = 384;
const CENTRES: usize = 2_000;
const WORDS: usize = 30_000;
const QUERIES: usize = 500;
const RUNS: usize = 3;

/// xorshift64*: repeatable, and good enough for data.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// About normal, by the sum of uniform numbers.
    fn normal(&mut self) -> f32 {
        (0..6).map(|_| self.unit()).sum::<f32>() - 3.0
    }

    /// A word; the n-th is about 1/n as frequent as the first.
    fn word(&mut self) -> String {
        format!("w{}", (WORDS as f32).powf(self.unit()) as usize)
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    fn vector_near(&mut self, centre: &[f32], spread: f32) -> Vec<f32> {
        let mut vector: Vec<f32> = centre.iter().map(|c| c + spread * self.normal()).collect();
        let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
        vector.iter_mut().for_each(|v| *v /= length);
        vector
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::temp_dir().join(format!("qanda-search-100k-{}", std::process::id()));
    let result = tokio::runtime::Builder::new_multi_thread().build()?.block_on(run(&directory));
    std::fs::remove_dir_all(&directory)?;
    result
}

async fn run(directory: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut random = Random(42);
    let centres: Vec<Vec<f32>> = (0..CENTRES).map(|_| random.vector_near(&[0.0; DIMENSION], 1.0)).collect();
    let vectors: Vec<Vec<f32>> = (0..PASSAGES).map(|_| random_near(&mut random, &centres, 0.06)).collect();
    let store = fill(directory, &vectors, &mut random).await?;
    println!("disk: {} bytes per passage", size(directory)? / PASSAGES as u64);
    drop(store);

    let before = resident();
    let opened = Instant::now();
    let store = open(directory)?;
    println!("open: {:.2} s", opened.elapsed().as_secs_f64());
    let queries: Vec<(String, Vec<f32>)> =
        (0..QUERIES).map(|_| (random.words(8), random_near(&mut random, &centres, 0.08))).collect();
    for mode in [Mode::Dense, Mode::Lexical, Mode::Hybrid] {
        for _ in 0..RUNS {
            let mut times = Vec::with_capacity(QUERIES);
            for (text, vector) in &queries {
                let started = Instant::now();
                store.search(&RequestContext::local(), query(text, vector, mode)).await?;
                times.push(started.elapsed().as_secs_f64() * 1e3);
            }
            times.sort_by(f64::total_cmp);
            println!("{mode:?}: p50 {:.2} ms, p95 {:.2} ms", times[QUERIES / 2], times[QUERIES * 95 / 100]);
        }
    }
    println!("resident: {} bytes per passage", resident().saturating_sub(before) / PASSAGES as u64);
    println!("recall@10 of the vectors against an exact scan: {:.3}", recall(&store, &vectors, &queries).await?);
    Ok(())
}

fn random_near(random: &mut Random, centres: &[Vec<f32>], spread: f32) -> Vec<f32> {
    let centre = random.next() as usize % centres.len();
    random.vector_near(&centres[centre], spread)
}

fn open(directory: &Path) -> Result<EmbeddedStore, Box<dyn std::error::Error>> {
    let embedder = EmbedderIdentity { name: "synthetic".to_owned(), dimension: DIMENSION };
    Ok(EmbeddedStore::open(directory, Some(&embedder), Fusion::default())?)
}

/// Stores the passages, ten to a document.
async fn fill(
    directory: &Path,
    vectors: &[Vec<f32>],
    random: &mut Random,
) -> Result<EmbeddedStore, Box<dyn std::error::Error>> {
    let store = open(directory)?;
    let started = Instant::now();
    for (part, vectors) in vectors.chunks(1_000).enumerate() {
        let documents = vectors.chunks(10).enumerate().map(|(n, vectors)| document(part * 100 + n, vectors, random));
        store.put(&RequestContext::local(), documents.collect()).await?;
    }
    println!("store: {:.1} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    store.optimise().await?;
    println!("build both indexes: {:.1} s", started.elapsed().as_secs_f64());
    Ok(store)
}

fn document(number: usize, vectors: &[Vec<f32>], random: &mut Random) -> NewDocument {
    let mut text = String::new();
    let passages = vectors.iter().map(|vector| {
        let start = text.len();
        text.push_str(&random.words(100));
        let span = Span::new(start, text.len());
        text.push('\n');
        NewPassage { span, headings: vec![], vector: vector.clone() }
    });
    let passages = passages.collect();
    let document = Document {
        location: format!("/{number}"),
        path: format!("{number}.md"),
        title: random.words(4),
        text,
        metadata: Metadata::new(),
        ..Document::default()
    };
    NewDocument { document, passages }
}

fn query(text: &str, vector: &[f32], mode: Mode) -> SearchQuery {
    SearchQuery {
        text: text.to_owned(),
        vector: vector.to_vec(),
        mode,
        source: Source::Context,
        filter: Filter::new(),
        limit: 10,
        as_of: None,
    }
}

/// Share of the ten nearest passages, found by comparing all, that a search finds.
async fn recall(
    store: &EmbeddedStore,
    vectors: &[Vec<f32>],
    queries: &[(String, Vec<f32>)],
) -> Result<f64, Box<dyn std::error::Error>> {
    let mut found = 0;
    for (text, vector) in queries {
        let mut all: Vec<(f32, u64)> = vectors
            .iter()
            .zip(1..)
            .map(|(other, id)| (vector.iter().zip(other).map(|(a, b)| a * b).sum::<f32>(), id))
            .collect();
        all.select_nth_unstable_by(10, |a, b| b.0.total_cmp(&a.0));
        let nearest: Vec<EntryId> = all[..10].iter().map(|(_, id)| (*id).into()).collect();
        let hits = store.search(&RequestContext::local(), query(text, vector, Mode::Dense)).await?;
        found += hits.iter().filter(|hit| nearest.contains(&hit.passage.id)).count();
    }
    Ok(found as f64 / (10 * queries.len()) as f64)
}

/// Bytes of all files below a folder.
fn size(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}

/// Resident memory of this process in bytes; 0 where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
