//! Readers side by side, on files whose words and cells are known (`evaluation/formats.py`) and on those whose phrases are
//! (a folder with `expected.jsonl`): order of words, cells found, phrases found, time.
//!
//! ```text
//! cargo run --release --features htmd,undoc -- FOLDER [FORMATS]
//! ```

mod candidates;
mod measure;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use candidates::{CANDIDATES, Candidate};
use measure::{cells_found, order_of_words, words};
use serde_json::Value;

/// A file with what must be found in it.
struct Task {
    path: PathBuf,
    words: Vec<String>,
    cells: Vec<String>,
    phrases: Vec<String>,
}

/// Sums over the files of one format that one candidate read.
#[derive(Default)]
struct Sums {
    files: usize,
    failed: usize,
    order: Vec<f64>,
    cells: Vec<f64>,
    phrases: (usize, usize),
    seconds: f64,
}

fn main() {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let tasks: Vec<Task> = folders.iter().flat_map(|folder| tasks_of(folder)).collect();
    let mut sums: BTreeMap<(String, &str), Sums> = BTreeMap::new();
    for task in &tasks {
        let ending = ending(&task.path);
        for candidate in CANDIDATES.iter().filter(|candidate| candidate.endings.contains(&ending.as_str())) {
            measure(task, candidate, sums.entry((ending.clone(), candidate.name)).or_default());
        }
    }
    println!("| format | reader | files | not read | order of words | cells | phrases | seconds |\n|---|---|---|---|---|---|---|---|");
    for ((ending, name), sums) in &sums {
        let Sums { files, failed, order, cells, phrases: (found, all), seconds } = sums;
        let (order, cells) = (mean(order), mean(cells));
        println!("| {ending} | {name} | {files} | {failed} | {order} | {cells} | {found} of {all} | {seconds:.2} |");
    }
}

fn mean(values: &[f64]) -> String {
    let sum: f64 = values.iter().sum();
    if values.is_empty() { "-".to_owned() } else { format!("{:.3}", sum / values.len() as f64) }
}

fn ending(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

fn measure(task: &Task, candidate: &Candidate, sums: &mut Sums) {
    let began = Instant::now();
    let read = std::panic::catch_unwind(|| (candidate.read)(&task.path)).unwrap_or_else(|_| Err("it panicked".to_owned()));
    let seconds = began.elapsed().as_secs_f64();
    sums.files += 1;
    sums.seconds += seconds;
    let text = read.unwrap_or_else(|error| {
        eprintln!("{} {}: {error}", candidate.name, task.path.display());
        sums.failed += 1;
        String::new()
    });
    if !task.words.is_empty() {
        sums.order.push(order_of_words(&task.words, &words(&text)));
    }
    if !task.cells.is_empty() {
        sums.cells.push(cells_found(&task.cells, &text));
    }
    let plain = words(&text).join(" ");
    for phrase in &task.phrases {
        sums.phrases.1 += 1;
        if plain.contains(&words(phrase).join(" ")) {
            sums.phrases.0 += 1;
        } else if !text.is_empty() {
            eprintln!("{} {}: lacks {phrase:?}", candidate.name, task.path.display());
        }
    }
}

/// The files that a folder's list names. A list of both kinds may be there.
fn tasks_of(folder: &Path) -> Vec<Task> {
    let mut tasks = Vec::new();
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    if let Ok(list) = fs::read_to_string(folder.join("expected.json")) {
        let list: BTreeMap<String, Value> = serde_json::from_str(&list).expect("a list of files");
        for (name, expected) in list {
            let words = texts(&expected["words"]).iter().flat_map(|said| words(said)).collect();
            tasks.push(Task { path: folder.join(name), words, cells: texts(&expected["cells"]), phrases: Vec::new() });
        }
    }
    if let Ok(list) = fs::read_to_string(folder.join("expected.jsonl")) {
        let entries = list.lines().map(|line| serde_json::from_str::<Value>(line).expect("a JSON line"));
        for entry in entries.filter(|entry| entry["expect"] == "text") {
            let path = folder.join(entry["file"].as_str().unwrap_or_default());
            tasks.push(Task { path, words: Vec::new(), cells: Vec::new(), phrases: texts(&entry["must_contain"]) });
        }
    }
    tasks
}
