use std::fs;

use qanda_core::ports::Mode;
use qanda_core::{Documents, NewPair, Pairs, RequestContext, Upkeep};
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::embedded::lexical::IndexBuilder;
use crate::embedded::origin::Origin;
use crate::embedded::tests::{document, found, open_in, query, vector};

/// A store of two documents and a pair, with its indexes.
async fn sound() -> TempDir {
    let (directory, here) = (TempDir::new().expect("directory"), RequestContext::local());
    let store = open_in(directory.path());
    let documents = vec![document("a.md", &["first words", "more words"], 1), document("b.md", &["second words"], 3)];
    store.put(&here, documents).await.expect("puts");
    let pair = NewPair {
        key: "k".to_owned(),
        question: "Which words?".to_owned(),
        answer: "First words.".to_owned(),
        context: None,
        document: Some("a.md".to_owned()),
        written_by: None,
        vector: vector(7),
    };
    store.put_pairs(&here, vec![pair]).await.expect("puts");
    store.optimise().await.expect("optimises");
    directory
}

fn problems(directory: &TempDir) -> Vec<String> {
    check(directory.path()).expect("checks").problems.iter().map(ToString::to_string).collect()
}

fn execute(directory: &TempDir, sql: &str) {
    let connection = Connection::open(directory.path().join("qanda.sqlite")).expect("opens");
    connection.execute_batch(sql).expect("works");
}

fn repaired(directory: &TempDir) {
    repair(directory.path(), &check(directory.path()).expect("checks")).expect("repairs");
}

#[tokio::test]
async fn a_sound_store_has_no_problems_whatever_was_done_to_it() {
    let (directory, here) = (sound().await, RequestContext::local());
    assert_eq!(check(directory.path()).expect("checks"), CheckReport { counts: [2, 3, 1], problems: Vec::new() });
    let store = open_in(directory.path());
    // Behind its documents, and knowing some that are gone.
    store.put(&here, vec![document("a.md", &["other words"], 5), document("c.md", &["third"], 6)]).await.expect("puts");
    store.remove(&here, vec!["/docs/b.md".to_owned()]).await.expect("removes");
    assert!(problems(&directory).is_empty(), "{:?}", problems(&directory));
    store.optimise().await.expect("optimises");
    assert!(problems(&directory).is_empty(), "{:?}", problems(&directory));
    fs::remove_dir_all(directory.path().join("index")).expect("removes");
    assert!(problems(&directory).is_empty(), "what is not there yet is not wrong");
}

/// Each kind of damage is found, named, and repaired, as far as it can be.
#[tokio::test]
async fn every_kind_of_damage_is_found_and_repaired() {
    for (damage, named, then) in [
        ("DELETE FROM documents WHERE path = 'b.md'", "passages or pairs of documents that are gone", None),
        ("DELETE FROM pairs", "questions without their pair", None),
        ("INSERT INTO vectors VALUES (999, x'00')", "vectors of nothing", None),
        ("INSERT INTO next_vectors VALUES (999, x'00')", "new vectors of nothing", None),
        ("INSERT INTO document_texts VALUES (999, '')", "texts of documents that are gone", None),
        ("INSERT INTO document_metadata VALUES (999, 'a', 'b')", "metadata of documents that are gone", None),
        ("UPDATE pairs SET context_id = 999", "links of pairs to passages that are gone", None),
        ("DELETE FROM changes WHERE entry_id = 1", "passages or pairs that no index learns of", None),
        ("UPDATE entries SET text = 'wrong' WHERE id = 1", "a passage is not what stands in its text", None),
        ("DELETE FROM vectors WHERE entry_id = 1", "passages or pairs without a vector", None),
        (
            "UPDATE vectors SET vector = x'007e0000000000000000000000000000' WHERE entry_id = 1",
            "vectors that are none",
            None,
        ),
        ("UPDATE vectors SET vector = x'00' WHERE entry_id = 1", "vectors that are none", None),
        ("DELETE FROM document_texts WHERE document_id = 1", "its text is missing", Some("its text is missing")),
        (
            "UPDATE document_texts SET text = 'wrong' WHERE document_id = 1",
            "its text is not the one that was stored",
            Some("its text is not the one that was stored"),
        ),
    ] {
        let directory = sound().await;
        execute(&directory, damage);
        let found = problems(&directory);
        assert!(
            found.iter().any(|problem| problem.starts_with("content: ") && problem.contains(named)),
            "{named}: {found:?}"
        );
        repaired(&directory);
        let left = problems(&directory);
        match then {
            None => assert!(left.is_empty(), "{named}: {left:?}"),
            // Only reading the document again helps, and the next ingest does.
            Some(then) => {
                assert!(left.len() == 1 && left[0].contains(then), "{named}: {left:?}");
                let store = open_in(directory.path());
                let versions = store.versions(&RequestContext::local()).await.expect("reads");
                assert!(versions["/docs/a.md"].fingerprint.is_none() && versions["/docs/b.md"].fingerprint.is_some());
                store.put(&RequestContext::local(), vec![document("a.md", &["first words"], 1)]).await.expect("puts");
                assert!(problems(&directory).is_empty());
            }
        }
    }
}

type Damage<'a> = &'a dyn Fn(&TempDir);

#[tokio::test]
async fn indexes_are_compared_with_what_is_stored_and_made_anew() {
    let lexical = |directory: &TempDir| directory.path().join("index/lexical");
    let damages: [(&str, Damage<'_>); 4] = [
        ("cannot be read", &|directory| {
            fs::write(lexical(directory).join("meta.json"), "{").expect("writes");
        }),
        ("files are damaged", &|directory| {
            let mut files = fs::read_dir(lexical(directory)).expect("reads").flatten().map(|file| file.path());
            let store = files.find(|path| path.extension().is_some_and(|ending| ending == "store")).expect("is there");
            let mut bytes = fs::read(&store).expect("reads");
            bytes[0] ^= 1;
            fs::remove_file(&store).expect("removes");
            fs::write(&store, bytes).expect("writes");
        }),
        ("another state of the store", &|directory| execute(directory, "UPDATE marks SET mark = 1")),
        ("entries are missing in it", &|directory| {
            let removed = Database::open(directory.path()).expect("opens").with(|connection| {
                let (mut builder, _) = IndexBuilder::start(directory.path(), connection)?;
                builder.remove(&[1]);
                builder.commit(&Origin::of(connection)?.expect("something is stored"))
            });
            removed.expect("is removed");
        }),
    ];
    for (named, damage) in damages {
        let directory = sound().await;
        damage(&directory);
        let problems_found = problems(&directory);
        let is_it = |problem: &String| problem.starts_with("lexical index: ") && problem.contains(named);
        assert!(problems_found.iter().any(is_it), "{named}: {problems_found:?}");
        repaired(&directory);
        assert!(problems(&directory).is_empty(), "{named}: {:?}", problems(&directory));
        let store = open_in(directory.path());
        assert_eq!(found(&store, query("second", 3, Mode::Lexical)).await, ["second words"], "{named}");
        let status = store.status().await.expect("counts");
        assert_eq!(status.indexes[0].behind, 0, "{named}");
    }
}

#[tokio::test]
async fn a_damaged_database_is_said_and_not_touched() {
    let directory = sound().await;
    let file = directory.path().join("qanda.sqlite");
    let size = fs::metadata(&file).expect("is there").len();
    {
        let connection = Connection::open(&file).expect("opens");
        let _: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).expect("works");
    }
    let mut bytes = fs::read(&file).expect("reads");
    for page in bytes.chunks_mut(4096).skip(2) {
        page[..16].fill(0xff);
    }
    fs::write(&file, &bytes).expect("writes");
    let found = problems(&directory);
    assert!(!found.is_empty() && found.iter().all(|problem| problem.starts_with("database: ")), "{size}: {found:?}");
    fs::write(&file, "no database at all, but long enough to be looked at as one").expect("writes");
    let found = problems(&directory);
    assert!(found.len() == 1 && found[0].starts_with("database: "), "{found:?}");
}
