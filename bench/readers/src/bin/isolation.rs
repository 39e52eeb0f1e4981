//! What it costs to read documents in a process of their own: the files of a folder, read in this process and by copies of
//! it that are kept for many documents, in turns.
//!
//! ```text
//! cargo run --release --bin isolation -- FOLDER [ROUNDS]
//! ```

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use qanda_ingest::folder;
use qanda_ingest::isolation::{Extractor, InProcess, Isolated, Raw, child};

/// First argument of a copy that reads.
const COPY: &str = "read-documents";

/// Time that one document has.
const LIMIT: Duration = Duration::from_secs(60);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(documents) = arguments.next() else {
        eprintln!("isolation FOLDER [ROUNDS]");
        std::process::exit(2);
    };
    if documents == COPY {
        child::serve(std::io::stdin().lock(), std::io::stdout(), Vec::new()).expect("somebody listens");
        return;
    }
    let rounds: usize = arguments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    let isolated = Isolated::new(
        || {
            let mut command = Command::new(std::env::current_exe().expect("this program"));
            command.arg(COPY).env_clear();
            command
        },
        LIMIT,
    );
    let files: Vec<(String, Vec<u8>)> = folder::find(&[PathBuf::from(documents)], "/", false)
        .documents
        .into_iter()
        .filter_map(|source| std::fs::read(&source.location).ok().map(|bytes| (source.location, bytes)))
        .collect();
    let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    println!("{} files, {:.1} MB, {rounds} rounds", files.len(), bytes as f64 / 1e6);
    // The first round of both warms up: caches, dictionaries, the processes.
    let mut seconds = [Vec::new(), Vec::new()];
    for round in 0..=rounds {
        for (reader, times) in [&InProcess as &dyn Extractor, &isolated].into_iter().zip(&mut seconds) {
            let took = read_all(reader, &files);
            if round > 0 {
                times.push(took);
            }
        }
    }
    let [inside, outside] = seconds.map(median);
    println!("in this process {inside:.3} s, in processes {outside:.3} s: {:+.1} %", (outside / inside - 1.0) * 100.0);
}

fn read_all(reader: &dyn Extractor, files: &[(String, Vec<u8>)]) -> f64 {
    let began = Instant::now();
    for (path, bytes) in files {
        // What is refused is refused by both.
        let _ = reader.extract(Raw { path: &name(path), media_type: None, bytes });
    }
    began.elapsed().as_secs_f64()
}

fn name(path: &str) -> String {
    Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
