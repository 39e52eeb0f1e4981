//! An ingest that is killed at any moment, again and again.
//!
//! `QANDA_TEST_KILLS` is the number of kills, 25 if it is not set; `make test-kills` takes 500. The figures stand in
//! docs/reliability.md.

use std::collections::HashMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use qanda_tests::data::{argument, folder, write};
use qanda_tests::embeddings::Embeddings;
use qanda_tests::{Finished, Process};
use serde_json::Value;

/// Documents of two passages each.
const SMALL: usize = 600;
/// Parts of the one document that takes several batches.
const LARGE: usize = 900;
/// Passages that are embedded and stored at a time.
const BATCH: usize = 256;

/// Numbers that differ with each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Writes all documents, or every `step`th, as they are in a round.
fn write_documents(docs: &Path, round: usize, step: usize) {
    for n in (0..SMALL).step_by(step) {
        let part = |what: &str| format!("\n## {what}\n\nStation{n} had {round} units of {what} in round {round}.\n");
        write(docs, &format!("station{n:03}.md"), format!("# Station {n}\n{}{}", part("rain"), part("snow")));
    }
    let parts = (0..LARGE).map(|n| format!("\n## Part {n}\n\nStation part {n} was written in round {round}.\n"));
    write(docs, "large.md", format!("# Large\n{}", parts.collect::<String>()));
}

struct Bench {
    data: tempfile::TempDir,
    docs: tempfile::TempDir,
    model: Embeddings,
}

impl Bench {
    fn new(latency: Duration) -> Self {
        Self { data: folder(), docs: folder(), model: Embeddings::start(latency, "") }
    }

    fn start(&self, arguments: &[&str]) -> Process {
        Process::start(self.model.command(&[arguments, &["--data-dir", argument(self.data.path())]].concat()))
    }

    fn ingest(&self) -> Process {
        self.start(&["ingest", argument(self.docs.path())])
    }

    fn report(&self) -> Value {
        self.start(&["ingest", "--json", argument(self.docs.path())]).finish().ok().json()
    }

    /// Looks at the store with `qanda check`; returns its documents and passages.
    fn checked(&self, moment: &str) -> (u64, u64) {
        let Finished { code, stdout, stderr } = self.start(&["check", "--json"]).finish();
        assert_eq!(code, Some(0), "{moment}: {stdout}{stderr}");
        let report: Value = serde_json::from_str(&stdout).expect("JSON");
        let number = |name: &str| report[name].as_u64().expect("a number");
        (number("documents"), number("passages"))
    }

    /// Texts of documents that have been embedded, with how often.
    fn embedded(&self) -> HashMap<String, usize> {
        let mut texts = self.model.texts();
        texts.retain(|text, _| text.contains("tation"));
        texts
    }
}

/// Documents that an ingest has acknowledged so far.
fn acknowledged(said: &str) -> u64 {
    let stored = said.lines().filter_map(|line| line.strip_prefix("stored "));
    let number = |line: &str| line.split_whitespace().next()?.replace([',', '\u{202f}', ' '], "").parse::<u64>().ok();
    stored.filter_map(number).sum()
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are what `make test-kills` is for")]
fn whatever_moment_an_ingest_is_killed_at_nothing_is_lost_or_twice_and_one_batch_is_embedded_again() {
    let kills: usize = std::env::var("QANDA_TEST_KILLS").map_or(25, |kills| kills.parse().expect("a number of kills"));
    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_nanos() as u64 | 1;
    let mut random = Random(seed);
    let bench = Bench::new(Duration::from_millis(40));
    // How long a whole run takes, and what a whole store holds.
    write_documents(bench.docs.path(), 0, 1);
    let began = Instant::now();
    let report = bench.report();
    let whole = began.elapsed();
    assert_eq!(report["documents"], SMALL + 1, "{report:#}");
    let complete = bench.checked("complete");

    let (mut killed, mut rounds, mut most_again, mut again) = (0, 0, 0, 0);
    let (mut in_round, mut stored_in_round) = (0, 0);
    while killed < kills {
        if in_round == 0 {
            rounds += 1;
            stored_in_round = 0;
            write_documents(bench.docs.path(), rounds, 1);
        }
        in_round += 1;
        let before = bench.embedded();
        let mut ingest = bench.ingest();
        let moment = Duration::from_millis(random.below(whole.as_millis() as u64 * 11 / 10 + 1));
        let name = format!("seed {seed}, kill {killed} after {moment:?} in round {rounds}");
        thread::sleep(moment);
        // It may have ended already, which is no kill.
        let was_alive = qanda_tests::binary::runs(ingest.id());
        let _ = qanda_tests::binary::signal(ingest.id(), "KILL");
        let ended = ingest.wait();
        let said = ingest.stderr();
        stored_in_round += acknowledged(&said);
        killed += usize::from(was_alive && ended.code().is_none());

        // Every document is there exactly once, in its old version or the new one, with all of its passages.
        assert_eq!(bench.checked(&name), complete, "{name}: {said}");
        let embedded = bench.embedded();
        let twice = embedded.iter().filter(|(text, times)| before.get(*text).is_some_and(|past| past < *times)).count();
        assert!(twice <= BATCH, "{name}: {twice} texts were embedded again");
        (most_again, again) = (most_again.max(twice), again + twice);
        if ended.success() || in_round == 12 {
            // What was acknowledged need not be stored again.
            let report = bench.report();
            let (unchanged, documents) = (report["unchanged"].as_u64(), report["documents"].as_u64());
            assert_eq!(unchanged.zip(documents).map(|(a, b)| a + b), Some(SMALL as u64 + 1), "{name}: {report:#}");
            assert!(unchanged >= Some(stored_in_round.min(SMALL as u64 + 1)), "{name}: {stored_in_round}, {report:#}");
            assert_eq!(bench.checked(&name), complete, "{name}");
            in_round = 0;
        }
    }
    let report = bench.report();
    assert_eq!(report["failures"].as_array().map(Vec::len), Some(0), "{report:#}");
    let last = bench.report();
    assert_eq!(last["unchanged"], SMALL + 1, "{last:#}");
    assert_eq!(bench.checked("the end"), complete);
    println!(
        "{killed} kills in {rounds} rounds of {whole:?}: nothing lost, nothing twice; embedded again after a kill: \
         {most_again} texts at most, {:.0} on average",
        again as f64 / killed as f64
    );
}

/// A document that the embedder refuses is named, and does not keep the others from being stored.
#[test]
fn a_document_that_the_embedder_refuses_is_named_and_tried_again() {
    let (data, docs) = (folder(), folder());
    write(docs.path(), "fine.md", "# Fine\n\nThis is a fine text.\n");
    write(docs.path(), "poison.md", "# Poison\n\nThis is an unspeakable text.\n");
    let bench = Bench { data, docs, model: Embeddings::start(Duration::ZERO, "unspeakable") };
    for stored in [1, 0] {
        let finished = bench.start(&["ingest", "--json", argument(bench.docs.path())]).finish();
        assert_eq!(finished.code, Some(3), "{finished:?}");
        let report = finished.json();
        assert_eq!((&report["documents"], &report["unchanged"]), (&stored.into(), &(1 - stored).into()), "{report:#}");
        let failure = &report["failures"][0];
        assert!(failure["path"].as_str().is_some_and(|path| path.ends_with("poison.md")), "{report:#}");
        assert!(failure["reason"].as_str().is_some_and(|reason| reason.contains("not taken")), "{report:#}");
    }
    write(bench.docs.path(), "poison.md", "# Poison\n\nThis is a better text.\n");
    assert_eq!(bench.report()["documents"], 1);
}
