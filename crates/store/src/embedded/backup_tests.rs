//! Backups: written and put back while others use the store.

use std::fs;
use std::path::Path;

use qanda_core::ports::Mode;
use qanda_core::{Documents, RequestContext, Search, Upkeep};
use tempfile::TempDir;

use super::tests::{document, found, open_in, query};
use super::{EmbeddedStore, back_up, check, restore};

async fn put(store: &EmbeddedStore, name: &str, text: &str, seed: u64) {
    store.put(&RequestContext::local(), vec![document(name, &[text], seed)]).await.expect("puts");
}

/// Hits in every mode, with ids and all but scores, which the index rounds.
async fn everything(store: &EmbeddedStore) -> Vec<String> {
    let mut all = Vec::new();
    for mode in [Mode::Dense, Mode::Lexical, Mode::Hybrid] {
        let hits = store.search(&RequestContext::local(), query("first second third words", 1, mode)).await;
        all.extend(hits.expect("searches").into_iter().map(|hit| format!("{mode:?} {:?}", hit.passage)));
    }
    all
}

fn is_sound(directory: &Path) {
    assert_eq!(check(directory).expect("checks").problems, []);
}

#[tokio::test]
async fn a_restored_store_answers_as_before_also_those_who_had_it_open() {
    let (data, elsewhere) = (TempDir::new().expect("directory"), TempDir::new().expect("directory"));
    let backup = elsewhere.path().join("backup");
    let store = open_in(data.path());
    put(&store, "a.md", "first words", 1).await;
    put(&store, "b.md", "second words", 2).await;
    store.optimise().await.expect("optimises");
    let originals = data.path().join("originals");
    fs::create_dir(&originals).expect("is made");
    for name in ["0a1b", "lock", "7-1.tmp"] {
        fs::write(originals.join(name), name).expect("writes");
    }
    let (before, version) = (everything(&store).await, store.version().await.expect("reads"));
    let report = back_up(data.path(), &backup).expect("backs up");
    assert_eq!((report.documents, report.passages, report.originals), (2, 2, 1));
    assert_eq!(report.bytes, fs::metadata(&backup).expect("is there").len());
    assert_eq!(fs::read_dir(elsewhere.path()).expect("reads").count(), 1, "it is one file");

    // As many changes as the backup has, and more, so that only their marks differ.
    store.remove(&RequestContext::local(), vec!["/docs/a.md".to_owned()]).await.expect("removes");
    put(&store, "c.md", "third words", 3).await;
    store.optimise().await.expect("optimises");
    fs::remove_file(originals.join("0a1b")).expect("removes");
    let reader = open_in(data.path());
    assert_eq!(found(&reader, query("third", 3, Mode::Lexical)).await, ["third words"]);

    assert_eq!(restore(data.path(), &backup).expect("restores"), report);
    for store in [&store, &reader, &open_in(data.path())] {
        assert_eq!(everything(store).await, before);
        assert!(store.version().await.expect("reads") > version, "what was cached of the old store is not used");
    }
    assert_eq!(fs::read_to_string(originals.join("0a1b")).expect("is back"), "0a1b");
    is_sound_but_for_the_old_index(data.path());
    store.optimise().await.expect("optimises");
    assert_eq!(everything(&reader).await, before);
    is_sound(data.path());
    // It goes on as any store.
    put(&store, "d.md", "third words", 4).await;
    assert_eq!(found(&reader, query("third", 4, Mode::Lexical)).await, ["third words"]);
    assert!(!data.path().join("restoring.sqlite").exists());
}

fn is_sound_but_for_the_old_index(directory: &Path) {
    let problems = check(directory).expect("checks").problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].to_string().contains("another state of the store"), "{problems:?}");
}

#[tokio::test]
async fn a_backup_makes_a_store_where_there_was_none() {
    let (data, other) = (TempDir::new().expect("directory"), TempDir::new().expect("directory"));
    let store = open_in(data.path());
    put(&store, "a.md", "first words", 1).await;
    let backup = other.path().join("backup");
    back_up(data.path(), &backup).expect("backs up");
    let place = other.path().join("new/data");
    restore(&place, &backup).expect("restores");
    assert_eq!(everything(&open_in(&place)).await, everything(&store).await);
    is_sound(&place);
}

#[tokio::test]
async fn what_is_no_backup_is_refused_and_changes_nothing() {
    let (data, other) = (TempDir::new().expect("directory"), TempDir::new().expect("directory"));
    let store = open_in(data.path());
    put(&store, "a.md", "first words", 1).await;
    let own = data.path().join("qanda.sqlite");
    let refused = back_up(data.path(), &own).expect_err("is refused").to_string();
    assert!(refused.contains("that is the store itself"), "{refused}");
    assert!(back_up(data.path(), &other.path().join("no/such/folder/backup")).is_err());

    let backup = other.path().join("backup");
    back_up(data.path(), &backup).expect("backs up");
    let mut cut = fs::read(&backup).expect("reads");
    cut.truncate(cut.len() / 2);
    let files = [("damaged", cut), ("empty", Vec::new()), ("text", b"these words are no database, but long".to_vec())];
    for (name, bytes) in files {
        let file = other.path().join(name);
        fs::write(&file, bytes).expect("writes");
        let refused = restore(data.path(), &file).expect_err(name).to_string();
        assert!(
            refused.contains("no backup") || refused.contains("damaged") || refused.contains("malformed"),
            "{refused}"
        );
        assert_eq!(found(&store, query("first", 1, Mode::Hybrid)).await, ["first words"], "{name}");
    }
    assert!(restore(data.path(), &other.path().join("missing")).is_err());
    is_sound(data.path());
}

#[tokio::test]
async fn a_damaged_store_is_replaced_by_its_backup() {
    for (what, kept) in [("a page", false), ("everything", true)] {
        let (data, other) = (TempDir::new().expect("directory"), TempDir::new().expect("directory"));
        let (file, backup) = (data.path().join("qanda.sqlite"), other.path().join("backup"));
        let before = {
            let store = open_in(data.path());
            put(&store, "a.md", "first words", 1).await;
            everything(&store).await
        };
        back_up(data.path(), &backup).expect("backs up");
        let mut bytes = fs::read(&file).expect("reads");
        match kept {
            false => bytes.chunks_mut(4096).skip(1).for_each(|page| page.fill(0xff)),
            true => bytes.fill(b'x'),
        }
        fs::write(&file, bytes).expect("writes");
        assert!(!check(data.path()).expect("checks").is_sound(), "{what}");
        restore(data.path(), &backup).expect("restores");
        assert_eq!(everything(&open_in(data.path())).await, before, "{what}");
        assert_eq!(data.path().join("qanda.sqlite.damaged").exists(), kept, "{what}");
        is_sound(data.path());
    }
}
