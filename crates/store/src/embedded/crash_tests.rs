//! Stores that a process leaves behind when it dies at the worst moments.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};

use qanda_core::ports::{EmbedderIdentity, Mode, Reembedding};
use qanda_core::{Documents, NewPair, Pairs, RequestContext, Search, Upkeep};
use tempfile::TempDir;

use super::tests::{document, found, identity, open_in, query, texts, vector};
use super::{EmbeddedStore, Fusion, back_up, check, crash_point, dense, restore};

/// Variable with the directory of the store, for the process that dies.
const DIRECTORY: &str = "QANDA_TEST_CRASH_DIRECTORY";

/// Runs [`work`] in a process of its own.
fn work_apart(place: &str, directory: &Path) -> Output {
    let tests = std::env::current_exe().expect("the tests' own program");
    Command::new(tests)
        .args(["--exact", "embedded::crash_tests::work", "--ignored", "--test-threads=1"])
        .env(crash_point::VARIABLE, place)
        .env(DIRECTORY, directory)
        .output()
        .expect("starts")
}

/// Runs [`work`] in a process of its own that dies at the named place.
fn die_at(place: &str, directory: &Path) {
    let died = work_apart(place, directory);
    assert_eq!(died.status.code(), None, "{place}: it did not die there: {died:?}");
}

#[tokio::test]
#[ignore = "run by the other tests, in a process of its own that dies"]
async fn work() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let directory = Path::new(&directory);
    match std::env::var(crash_point::VARIABLE).as_deref() {
        Ok("before the switch-over") => return reembed(directory).await,
        Ok(place) if place.contains("restored store") => {
            restore(directory, &directory.join("backup")).expect("restores");
            return;
        }
        Ok(place) if place.contains("backup is renamed") => {
            back_up(directory, &directory.join("backup")).expect("backs up");
            return;
        }
        Ok(place) if place.contains("changes are compacted") => {
            let store = open_in(directory);
            for seed in 0..12 {
                let again = vec![document("b.md", &["second words"], seed)];
                store.put(&RequestContext::local(), again).await.expect("puts");
            }
            return store.optimise().await.expect("optimises");
        }
        Ok("without file handles") => return without_file_handles(directory).await,
        _ => {}
    }
    let store = open_in(directory);
    let context = RequestContext::local();
    store.put(&context, vec![document("b.md", &["second words"], 2)]).await.expect("puts");
    store.optimise().await.expect("optimises");
}

#[tokio::test]
async fn a_death_while_a_backup_is_put_back_leaves_the_old_store_or_the_restored_one() {
    for (place, expected) in [
        ("before the restored store is put in place", ["first words", "second words"].as_slice()),
        ("after the restored store is put in place", &["first words"]),
    ] {
        let directory = TempDir::new().expect("directory");
        first_document(directory.path()).await;
        back_up(directory.path(), &directory.path().join("backup")).expect("backs up");
        let store = open_in(directory.path());
        let second = vec![document("b.md", &["second words"], 2)];
        store.put(&RequestContext::local(), second).await.expect("puts");
        die_at(place, directory.path());
        for store in [&store, &open_in(directory.path())] {
            let mut hits = found(store, query("first second words", 1, Mode::Hybrid)).await;
            hits.sort_unstable();
            assert_eq!(hits, expected, "{place}");
        }
        store.optimise().await.expect("optimises");
        assert_eq!(check(directory.path()).expect("checks").problems, [], "{place}");
    }
}

#[tokio::test]
async fn a_death_while_a_backup_is_written_leaves_none_or_a_whole_one() {
    for (place, there) in [("before the backup is renamed", false), ("after the backup is renamed", true)] {
        let directory = TempDir::new().expect("directory");
        first_document(directory.path()).await;
        die_at(place, directory.path());
        let backup = directory.path().join("backup");
        assert_eq!(backup.exists(), there, "{place}");
        // What is left of the first try is not in the way of the next one.
        back_up(directory.path(), &backup).expect("backs up");
        assert_eq!(restore(directory.path(), &backup).expect("restores").documents, 1);
    }
}

/// Tries to bring the indexes up to date while there is no file handle left, then with one after the other.
async fn without_file_handles(directory: &Path) {
    let store = open_in(directory);
    store.put(&RequestContext::local(), vec![document("b.md", &["second words"], 2)]).await.expect("puts");
    let mut taken: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    let mut refused = 0;
    while store.optimise().await.is_err() {
        refused += 1;
        assert!(directory.join("index/lexical/meta.json").exists(), "nothing is deleted");
        assert!(taken.pop().is_some(), "with all handles it works");
    }
    assert!(refused > 1, "the index was not what lacked a handle");
}

#[tokio::test]
async fn without_file_handles_nothing_is_deleted_and_the_index_goes_on_later() {
    let directory = TempDir::new().expect("directory");
    first_document(directory.path()).await;
    let lexical = directory.path().join("index/lexical");
    let segments = || -> Vec<_> {
        let files = std::fs::read_dir(&lexical).expect("is there").flatten().map(|file| file.file_name());
        files.filter(|name| name.to_string_lossy().ends_with(".term")).collect()
    };
    let before = segments();
    let worked = work_apart("without file handles", directory.path());
    assert!(worked.status.success(), "{worked:?}");
    assert!(before.iter().all(|segment| segments().contains(segment)), "the index was made anew");
    let store = open_in(directory.path());
    assert_eq!(store.status().await.expect("counts").indexes[0].indexed, 2);
}

fn other() -> EmbedderIdentity {
    EmbedderIdentity { name: "other".to_owned(), dimension: 4 }
}

/// Gives every entry the same vector of an embedder with fewer dimensions.
async fn reembed(directory: &Path) {
    let store = EmbeddedStore::open(directory, None, Fusion::default()).expect("opens");
    store.begin(other()).await.expect("begins");
    loop {
        let pending = store.pending(1).await.expect("reads");
        if pending.is_empty() && store.switch_over().await.expect("switches") {
            return;
        }
        let vectors = pending.into_iter().map(|(id, _)| (id, vec![0.5; 4])).collect();
        store.put_vectors(vectors).await.expect("writes");
    }
}

async fn first_document(directory: &Path) {
    let store = open_in(directory);
    store.claim(identity("m")).await.expect("claims");
    store.put(&RequestContext::local(), vec![document("a.md", &["first words"], 1)]).await.expect("puts");
    store.optimise().await.expect("optimises");
}

/// Documents that were acknowledged are there, others whole or not at all, and all are found in every mode.
#[tokio::test]
async fn a_death_at_any_moment_leaves_every_acknowledged_document() {
    for (place, acknowledged) in [
        ("before the commit", false),
        ("after the commit", true),
        ("before the lexical index is committed", true),
        ("after the lexical index is committed", true),
        ("before the changes are compacted", true),
        ("after the changes are compacted", true),
    ] {
        let directory = TempDir::new().expect("directory");
        first_document(directory.path()).await;
        die_at(place, directory.path());
        let store = open_in(directory.path());
        let expected = if acknowledged { 2 } else { 1 };
        for round in ["as it was left", "brought up to date"] {
            for mode in [Mode::Dense, Mode::Lexical, Mode::Hybrid] {
                let hits = found(&store, query("first second words", 1, mode)).await;
                assert_eq!(hits.len(), expected, "{place}, {round}, {mode:?}: {hits:?}");
            }
            store.optimise().await.expect("optimises");
        }
        let status = store.status().await.expect("counts");
        assert_eq!((status.documents, status.indexes[0].indexed), (expected as u64, expected as u64), "{place}");
    }
}

/// The same for the graph, which only large stores have.
#[tokio::test]
async fn a_death_around_the_renaming_of_the_graph_loses_nothing() {
    let directory = TempDir::new().expect("directory");
    {
        let store = open_in(directory.path());
        let texts = texts(usize::try_from(dense::WORTH_A_GRAPH).expect("a number"));
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        store.put(&RequestContext::local(), vec![document("a.md", &texts, 0)]).await.expect("puts");
    }
    for (place, graph) in [("before the graph is renamed", 0), ("after the graph is renamed", dense::WORTH_A_GRAPH + 1)]
    {
        die_at(place, directory.path());
        let store = open_in(directory.path());
        let status = store.status().await.expect("counts");
        assert_eq!((status.documents, status.indexes[1].indexed), (2, graph), "{place}");
        assert_eq!(found(&store, query("", 2, Mode::Dense)).await.len(), 5, "{place}");
    }
}

#[tokio::test]
async fn a_death_before_the_switch_over_leaves_the_old_vectors_and_the_new_ones_are_kept() {
    let directory = TempDir::new().expect("directory");
    first_document(directory.path()).await;
    let pair = NewPair {
        key: "k".to_owned(),
        question: "Which words?".to_owned(),
        answer: "First words.".to_owned(),
        context: None,
        document: Some("a.md".to_owned()),
        written_by: None,
        vector: vector(7),
    };
    let context = RequestContext::local();
    open_in(directory.path()).put_pairs(&context, vec![pair]).await.expect("puts");
    die_at("before the switch-over", directory.path());

    let old = open_in(directory.path());
    assert_eq!(found(&old, query("first", 1, Mode::Hybrid)).await, ["first words"]);
    let looking = EmbeddedStore::open(directory.path(), None, Fusion::default()).expect("opens");
    let progress = looking.begin(other()).await.expect("begins").expect("is wanted");
    assert_eq!((progress.done, progress.total), (2, 2), "it goes on where it was");

    reembed(directory.path()).await;
    let refused = old.search(&context, query("first", 1, Mode::Dense)).await.expect_err("is refused");
    assert!(refused.to_string().contains("made with the embedder other"), "{refused}");
    assert!(old.put(&context, vec![document("c.md", &["more"], 1)]).await.is_err() && old.check().await.is_err());
    let new = EmbeddedStore::open(directory.path(), Some(&other()), Fusion::default()).expect("opens");
    let mut asked = query("first", 1, Mode::Dense);
    asked.vector = vec![0.5; 4];
    let hits = new.search(&context, asked).await.expect("searches");
    assert!((hits[0].cosine.expect("a cosine") - 1.0).abs() < 0.002);
    assert_eq!(new.status().await.expect("counts").pairs, 1);
    assert!(new.begin(other()).await.expect("begins").is_none(), "there is nothing left to do");
}
