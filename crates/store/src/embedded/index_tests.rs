//! Whose the indexes are: what is of another history, damaged or unreadable for a moment.

use std::fs;
use std::path::{Path, PathBuf};

use qanda_core::ports::{Mode, Reembedding, SearchQuery};
use qanda_core::{Documents, RequestContext, Search, StoreError, Upkeep};
use tempfile::TempDir;

use super::dense::{Graph, GraphBuilder, GraphFolder};
use super::origin::Origin;
use super::tests::{document, found, identity, open_in, query, vector};
use super::vector::Vector;
use super::{EmbeddedStore, Fusion};

async fn put(store: &EmbeddedStore, name: &str, text: &str, seed: u64) {
    store.put(&RequestContext::local(), vec![document(name, &[text], seed)]).await.expect("puts");
}

/// Copies the closed database from one folder to another.
fn copy_database(from: &Path, to: &Path) {
    for name in ["qanda.sqlite-wal", "qanda.sqlite-shm"] {
        let _ = fs::remove_file(to.join(name));
    }
    fs::copy(from.join("qanda.sqlite"), to.join("qanda.sqlite")).expect("copies");
}

/// Every text is found in every mode, and nothing else.
async fn assert_holds(store: &EmbeddedStore, texts: &[&str]) {
    for round in ["as it was opened", "brought up to date"] {
        for mode in [Mode::Dense, Mode::Lexical, Mode::Hybrid] {
            let mut hits = found(store, query("first second third words", 1, mode)).await;
            hits.sort_unstable();
            assert_eq!(hits, texts, "{round}, {mode:?}");
        }
        store.optimise().await.expect("optimises");
    }
    let indexed = store.status().await.expect("counts").indexes[0].indexed;
    assert_eq!(indexed, texts.len() as u64);
}

/// The index says that it has seen the second change; the store has a second change, and it is another one.
#[tokio::test]
async fn an_index_that_is_newer_than_a_backup_put_back_is_made_anew() {
    let (data, backup) = (TempDir::new().expect("directory"), TempDir::new().expect("directory"));
    {
        let store = open_in(data.path());
        put(&store, "a.md", "first words", 1).await;
        store.optimise().await.expect("optimises");
    }
    copy_database(data.path(), backup.path());
    {
        let store = open_in(data.path());
        put(&store, "b.md", "second words", 2).await;
        store.optimise().await.expect("optimises");
    }
    copy_database(backup.path(), data.path());
    let store = open_in(data.path());
    put(&store, "c.md", "third words", 3).await;
    assert_holds(&store, &["first words", "third words"]).await;
}

#[tokio::test]
async fn an_index_of_another_store_is_made_anew() {
    let (data, other) = (TempDir::new().expect("directory"), TempDir::new().expect("directory"));
    for (directory, text) in [(&data, "first words"), (&other, "second words")] {
        let store = open_in(directory.path());
        put(&store, "a.md", text, 1).await;
        store.optimise().await.expect("optimises");
    }
    copy_database(other.path(), data.path());
    assert_holds(&open_in(data.path()), &["second words"]).await;
}

#[tokio::test]
async fn a_store_that_is_older_than_its_index_for_a_running_reader_is_read_anew() {
    let data = TempDir::new().expect("directory");
    let (reader, writer) = (open_in(data.path()), open_in(data.path()));
    put(&writer, "a.md", "first words", 1).await;
    assert_eq!(found(&reader, query("words", 1, Mode::Hybrid)).await, ["first words"]);
    writer.remove(&RequestContext::local(), vec!["/docs/a.md".to_owned()]).await.expect("removes");
    put(&writer, "b.md", "second words", 1).await;
    writer.optimise().await.expect("optimises");
    assert_eq!(found(&reader, query("words", 1, Mode::Hybrid)).await, ["second words"]);
}

/// A graph of three vectors, made of the store's present state.
fn small_graph(store: &EmbeddedStore, directory: &Path) -> (GraphFolder, PathBuf) {
    let folder = || GraphFolder::new(directory, 0);
    let built = store.inner.database.with(|connection| {
        let (builder, _) = GraphBuilder::start(folder(), 8, connection)?;
        builder.add(&[1, 2, 3].map(|id| (id, 0, Vector::from_f32(&vector(id)))))?;
        builder.save(&Origin::of(connection)?.expect("something is stored"))
    });
    built.expect("builds");
    let file = fs::read_dir(directory.join("index/vectors")).expect("is there").next().expect("a file");
    (folder(), file.expect("a file").path())
}

#[tokio::test]
async fn a_damaged_graph_is_not_searched() {
    let data = TempDir::new().expect("directory");
    let store = open_in(data.path());
    put(&store, "a.md", "first words", 1).await;
    let (folder, file) = small_graph(&store, data.path());
    let open = || store.inner.database.with(|connection| Graph::open_newest(&folder, connection));
    assert_eq!(open().expect("opens").expect("is whole").origin().sequence, 1);
    let whole = fs::read(&file).expect("reads");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for (what, bytes) in [("one bit", &flipped[..]), ("cut off", &whole[..whole.len() / 2]), ("empty", &[])] {
        fs::write(&file, bytes).expect("writes");
        assert!(open().expect("tells").is_none(), "{what}");
        let since = store.inner.database.with(|connection| {
            GraphBuilder::start(GraphFolder::new(data.path(), 0), 8, connection).map(|(_, since)| since)
        });
        assert_eq!(since.expect("starts afresh"), 0, "{what}");
    }
    // One of another state of the store is not searched either, whole as it is.
    fs::write(&file, &whole).expect("writes");
    assert!(open().expect("opens").is_some());
    let sql = "UPDATE marks SET mark = mark + 1";
    store.inner.database.with(|connection| Ok(connection.execute(sql, []))).expect("works").expect("writes");
    assert!(open().expect("opens").is_none());
}

#[tokio::test]
async fn vectors_made_anew_after_a_backup_was_put_back_do_not_meet_those_of_before() {
    let (data, backup) = (TempDir::new().expect("directory"), TempDir::new().expect("directory"));
    {
        let store = open_in(data.path());
        put(&store, "a.md", "first words", 1).await;
    }
    copy_database(data.path(), backup.path());
    let mut epochs = Vec::new();
    for name in ["b", "c"] {
        copy_database(backup.path(), data.path());
        let store = EmbeddedStore::open(data.path(), None, Fusion::default()).expect("opens");
        store.begin(identity(name)).await.expect("begins");
        let pending = store.pending(10).await.expect("reads").into_iter().map(|(id, _)| (id, vector(9))).collect();
        store.put_vectors(pending).await.expect("writes");
        assert!(store.switch_over().await.expect("switches"));
        epochs.push(store.inner.database.with(|connection| super::settings::vectors_epoch(connection)).expect("reads"));
    }
    assert!(epochs[0] != epochs[1] && !epochs.contains(&0), "{epochs:?}");
}

#[tokio::test]
async fn what_is_written_must_be_of_the_stored_embedder() {
    let (data, here) = (TempDir::new().expect("directory"), RequestContext::local());
    // Both open an empty store; the first to write makes it its own.
    let (first, second) = (open_in(data.path()), {
        EmbeddedStore::open(data.path(), Some(&identity("other")), Fusion::default()).expect("opens")
    });
    put(&first, "a.md", "first words", 1).await;
    let refused = second.put(&here, vec![document("b.md", &["second words"], 2)]).await.expect_err("is refused");
    assert!(matches!(refused, StoreError::OtherEmbedder { .. }), "{refused}");
    assert!(matches!(second.check().await, Err(StoreError::OtherEmbedder { .. })));
    let refused = second.search(&here, query("first", 1, Mode::Hybrid)).await.expect_err("is refused");
    assert!(matches!(refused, StoreError::OtherEmbedder { .. }), "{refused}");
    let mut longer = document("b.md", &["second words"], 2);
    longer.passages[0].vector.push(0.0);
    let refused = first.put(&here, vec![longer]).await.expect_err("is refused").to_string();
    assert!(refused.contains("9 numbers, not 8"), "{refused}");
    assert_eq!(first.status().await.expect("counts").documents, 1);
}

#[tokio::test]
async fn changes_that_lead_to_nothing_are_forgotten_and_nobody_misses_them() {
    let (data, here) = (TempDir::new().expect("directory"), RequestContext::local());
    let (store, idle) = (open_in(data.path()), open_in(data.path()));
    put(&store, "a.md", "first words", 1).await;
    put(&store, "old.md", "third words", 9).await;
    assert_eq!(found(&idle, query("first", 1, Mode::Dense)).await.len(), 2);
    store.remove(&here, vec!["/docs/old.md".to_owned()]).await.expect("removes");
    for seed in 0..30 {
        put(&store, "b.md", "second words", seed).await;
        store.optimise().await.expect("optimises");
    }
    let changes = |sql: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {sql}");
        store
            .inner
            .database
            .with(|connection| Ok(connection.query_row(&sql, [], |row| row.get(0))))
            .expect("works")
            .expect("counts")
    };
    assert!(changes("changes") < 30 && changes("marks") < 30, "{} changes", changes("changes"));
    for store in [&store, &idle, &open_in(data.path())] {
        assert_holds(store, &["first words", "second words"]).await;
    }
    assert_eq!(super::check(data.path()).expect("checks").problems, []);
    // All can be made anew out of what is left.
    fs::remove_dir_all(data.path().join("index")).expect("removes");
    assert_holds(&open_in(data.path()), &["first words", "second words"]).await;
}

/// Old entries in the index and new ones beside it stand in one list, scored as if all were in the index.
#[tokio::test]
async fn indexed_and_newer_entries_are_scored_alike() {
    let data = TempDir::new().expect("directory");
    let store = open_in(data.path());
    let words = |text: &str| SearchQuery { limit: 9, ..query(text, 1, Mode::Lexical) };
    let scores = async || -> Vec<(String, f32)> {
        let hits = store.search(&RequestContext::local(), words("apple pie")).await.expect("searches");
        hits.into_iter().map(|hit| (hit.passage.text, hit.score)).collect()
    };
    put(&store, "a.md", "apple pie with cinnamon", 1).await;
    store.optimise().await.expect("optimises");
    for (number, text) in ["apple apple juice", "pear tart", "a pie chart of pear sales"].into_iter().enumerate() {
        put(&store, &format!("{number}.md"), text, 2).await;
    }
    let mixed = scores().await;
    store.optimise().await.expect("optimises");
    let indexed = scores().await;
    assert_eq!(mixed.len(), 3);
    for (mixed, indexed) in mixed.iter().zip(&indexed) {
        assert!(mixed.0 == indexed.0 && (mixed.1 - indexed.1).abs() < 0.01 * indexed.1, "{mixed:?} {indexed:?}");
    }
}

/// A writer that dies between writing its files and naming them in `meta.json` leaves files behind whose names the next
/// one gives its own.
#[tokio::test]
async fn files_of_a_writer_that_died_are_not_in_the_way_of_the_next_one() {
    let data = TempDir::new().expect("directory");
    let meta = data.path().join("index/lexical/meta.json");
    {
        let store = open_in(data.path());
        let documents = vec![document("a.md", &["first words"], 1), document("b.md", &["other words"], 2)];
        store.put(&RequestContext::local(), documents).await.expect("puts");
        store.optimise().await.expect("optimises");
        let before = fs::read(&meta).expect("reads");
        put(&store, "b.md", "second words", 3).await;
        store.optimise().await.expect("optimises");
        fs::write(&meta, before).expect("writes");
    }
    assert_holds(&open_in(data.path()), &["first words", "second words"]).await;
    assert_eq!(super::check(data.path()).expect("checks").problems, []);
}
