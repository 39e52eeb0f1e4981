//! A folder that is ingested, watched, changed, moved, killed at and restored: what is stored stays what is there.
//!
//! `QANDA_TEST_DOCUMENTS` is the number of its documents, 300 if it is not set; `make test-folder` takes 10,000. The
//! figures stand in docs/reliability.md.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use qanda_tests::binary::signal;
use qanda_tests::data::{argument, folder, status, write};
use qanda_tests::embeddings::Embeddings;
use qanda_tests::{Finished, Process, wait_until};
use serde_json::Value;
use tempfile::TempDir;

/// Documents in one folder.
const TOGETHER: usize = 50;
/// Texts that are embedded and stored at a time.
const BATCH: usize = 256;
const KILLS: usize = 6;

struct Bench {
    data: TempDir,
    docs: TempDir,
    model: Embeddings,
}

impl Bench {
    fn new() -> Self {
        Self { data: folder(), docs: folder(), model: Embeddings::start(Duration::ZERO, "") }
    }

    fn start(&self, arguments: &[&str]) -> Process {
        Process::start(self.model.command(&[arguments, &["--data-dir", argument(self.data.path())]].concat()))
    }

    /// Ingests the folder and removes what it has no more.
    fn ingest(&self, more: &[&str]) -> Value {
        let arguments = ["ingest", "--json", argument(self.docs.path())];
        self.start(&[&arguments, more].concat()).finish().ok().json()
    }

    /// Writes a document, each version with words of its own.
    fn write(&self, place: &str, number: usize, version: usize) {
        let place = self.docs.path().join(place);
        fs::create_dir_all(&place).expect("a folder is made");
        let text = format!("# Note {number}\n\nThe shelf of note {number} keeps part n{number}v{version}.\n");
        write(&place, &format!("{number}.md"), text);
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.docs.path().join(from), self.docs.path().join(to)).expect("a folder is moved");
    }

    /// Texts of documents that were embedded, each as often as it was.
    fn embedded(&self) -> usize {
        self.model.texts().iter().filter(|(text, _)| text.contains("The shelf")).map(|(_, times)| times).sum()
    }

    /// Whether an ingest would find nothing to do, and so many documents.
    fn is_in_step(&self, documents: usize) -> bool {
        let report = self.ingest(&["--prune", "--dry-run"]);
        let nothing = ["documents", "moved", "removed"].iter().all(|what| report[what] == 0);
        nothing && report["unchanged"] == documents
    }

    /// The store is sound, and holds so many documents, each once.
    fn assert_sound(&self, documents: usize, moment: &str) {
        let Finished { code, stdout, stderr } = self.start(&["check", "--json"]).finish();
        assert_eq!(code, Some(0), "{moment}: {stdout}{stderr}");
        let report: Value = serde_json::from_str(&stdout).expect("JSON");
        let counted = ["documents", "passages"].map(|what| report[what].as_u64().unwrap_or_default() as usize);
        assert_eq!(counted, [documents; 2], "{moment}");
    }
}

/// The folder that a document is written into.
fn place(number: usize) -> String {
    format!("f{:03}", number / TOGETHER)
}

/// Does something and tells how long it took.
#[expect(clippy::print_stdout, reason = "the figures are what `make test-folder` is for")]
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    println!("{what}: {:.2} s", began.elapsed().as_secs_f64());
    done
}

#[test]
fn what_is_stored_stays_what_is_there() {
    let given = std::env::var("QANDA_TEST_DOCUMENTS").map_or(300, |number| number.parse().expect("a number"));
    // Whole folders, and enough of them for what is done below.
    let number: usize = (given / TOGETHER).max(6) * TOGETHER;
    let bench = Bench::new();
    (0..number).for_each(|n| bench.write(&place(n), n, 0));
    let began = Instant::now();
    let report = timed(&format!("{number} new documents"), || bench.ingest(&["--prune"]));
    let whole = began.elapsed();
    assert_eq!((&report["documents"], bench.embedded()), (&number.into(), number), "{report:#}");
    let report = timed("the same, unchanged", || bench.ingest(&["--prune"]));
    assert_eq!((&report["unchanged"], bench.embedded()), (&number.into(), number), "{report:#}");
    bench.assert_sound(number, "new");

    let number = follow_changes(&bench, number);
    go_on_after_kills(&bench, number, whole);
    restore(&bench, number);
}

/// The watch sees what comes, changes, moves and goes; returns the number of documents afterwards.
fn follow_changes(bench: &Bench, number: usize) -> usize {
    let mut watch = bench.start(&["ingest", argument(bench.docs.path()), "--watch"]);
    timed("a watch begins and is in step", || watch.wait_to_say("watching"));
    timed("one new file is stored", || {
        bench.write("new", number, 0);
        wait_until("the new file is stored", || status(bench.data.path())["documents"] == number + 1);
    });
    let before = bench.embedded();
    assert_eq!(before, number + 1);
    let (mut changed, mut removed) = (0, 0);
    timed("one document in ten changes, one in twenty goes, as many come, a folder moves", || {
        bench.rename(&place(0), "moved");
        for n in TOGETHER..number {
            match n % 20 {
                1 | 11 => {
                    bench.write(&place(n), n, 1);
                    changed += 1;
                }
                2 => {
                    fs::remove_file(bench.docs.path().join(place(n)).join(format!("{n}.md"))).expect("is removed");
                    bench.write("new", number + n, 0);
                    removed += 1;
                }
                _ => {}
            }
        }
        wait_until("the store is in step", || bench.is_in_step(number + 1));
    });
    // What is new was embedded once, and what moved was not embedded again.
    assert_eq!(bench.embedded() - before, changed + removed);
    watch.signal("KILL");
    let _ = watch.wait();
    bench.assert_sound(number + 1, "watched");
    number + 1
}

/// Everything changes, and the ingest is killed again and again.
fn go_on_after_kills(bench: &Bench, number: usize, whole: Duration) {
    let before = bench.embedded();
    for (n, file) in files_of(bench).iter().enumerate() {
        fs::write(file, format!("# Note {n}\n\nThe shelf of note {n} keeps part k{n}.\n")).expect("is written");
    }
    for kill in 0..KILLS {
        let mut ingest = bench.start(&["ingest", argument(bench.docs.path()), "--prune"]);
        thread::sleep(whole.mul_f64(0.15 + 0.1 * kill as f64));
        // It may have ended already.
        let _ = signal(ingest.id(), "KILL");
        let _ = ingest.wait();
        bench.assert_sound(number, &format!("kill {kill}"));
    }
    let report = timed("the ingest that goes on after the kills", || bench.ingest(&["--prune"]));
    assert_eq!(report["failures"].as_array().map(Vec::len), Some(0), "{report:#}");
    let again = bench.embedded() - before - number;
    assert!(again <= KILLS * BATCH, "{again} texts were embedded again");
    assert!(bench.is_in_step(number));
    bench.assert_sound(number, "after the kills");
}

fn files_of(bench: &Bench) -> Vec<PathBuf> {
    let folders = fs::read_dir(bench.docs.path()).expect("is read").map(|entry| entry.expect("is read").path());
    let files = folders.flat_map(|folder| fs::read_dir(folder).expect("is read"));
    files.map(|entry| entry.expect("is read").path()).collect()
}

/// What a backup held is stored again after much was lost.
fn restore(bench: &Bench, number: usize) {
    let elsewhere = folder();
    let backup = elsewhere.path().join("backup");
    timed("a backup", || bench.start(&["backup", argument(&backup)]).finish().ok());
    let hidden = elsewhere.path().join("hidden");
    fs::rename(bench.docs.path().join(place(3 * TOGETHER)), &hidden).expect("a folder is moved");
    let report = bench.ingest(&["--prune=force"]);
    assert_eq!(report["removed"], TOGETHER - TOGETHER / 20, "{report:#}");
    timed("the backup is restored", || bench.start(&["restore", argument(&backup)]).finish().ok());
    bench.assert_sound(number, "restored");
    assert!(!bench.is_in_step(number), "a folder is missing");
    fs::rename(&hidden, bench.docs.path().join(place(3 * TOGETHER))).expect("a folder is moved back");
    assert!(bench.is_in_step(number), "all is as it was when it was backed up");
}
