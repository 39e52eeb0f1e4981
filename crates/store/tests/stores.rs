//! Stores that older versions wrote: each opens, with all that is in it, and is written to.

#[allow(dead_code)]
mod support;

use std::path::Path;

use qanda_core::ports::{DocumentQuery, EmbedderIdentity, Mode, SearchQuery};
use qanda_core::{Document, Documents, NewDocument, NewPassage, Pairs, RequestContext, Search, Source, Span, Upkeep};
use qanda_store::embedded::{EmbeddedStore, Fusion};
use tempfile::TempDir;

use support::query;

/// The embedder that the stored copies were made with.
fn embedder() -> EmbedderIdentity {
    EmbedderIdentity { name: "all-MiniLM-L6-v2@53aa5117".to_owned(), dimension: 384 }
}

/// A store made of a copy in `stores/`.
fn restore(version: u32, directory: &Path) -> EmbeddedStore {
    let copy = Path::new("tests/stores").join(format!("version-{version}.sql"));
    let sql = std::fs::read_to_string(&copy).expect("the copy is there");
    let connection = rusqlite::Connection::open(directory.join("qanda.sqlite")).expect("opens");
    connection.execute_batch(&sql).expect("the copy is restored");
    drop(connection);
    EmbeddedStore::open(directory, Some(&embedder()), Fusion::default()).expect("opens")
}

fn vector(place: usize) -> Vec<f32> {
    (0..384).map(|at| if at == place { 1.0 } else { 0.0 }).collect()
}

fn asked(text: &str, source: Source) -> SearchQuery {
    SearchQuery { vector: vector(0), source, ..query(text, 1, Mode::Lexical) }
}

#[tokio::test]
async fn a_store_of_every_older_version_opens_with_all_that_is_in_it() {
    for version in [1, 2, 3, 4] {
        let directory = TempDir::new().expect("a directory");
        let store = restore(version, directory.path());
        let here = RequestContext::local();
        let status = store.status().await.expect("counts");
        let pairs = if version == 1 { 0 } else { 2 };
        assert_eq!((status.documents, status.passages, status.pairs), (2, 3, pairs), "version {version}");

        let hits = store.search(&here, asked("thousand years", Source::Context)).await.expect("searches");
        let passage = &hits[0].passage;
        assert_eq!((passage.document.as_str(), passage.title.as_str()), ("docs/oak.md", "Oak"), "version {version}");
        assert_eq!(passage.text, "An oak can live for a thousand years in good soil.");
        let listed = store.list(&here, DocumentQuery::all(None, 10)).await.expect("lists").items;
        assert_eq!(listed[1].metadata["family"], "Taxaceae");
        assert_eq!(listed[0].location, "/srv/herbarium/docs/oak.md");
        // What passages were made of, older versions did not write down: such a document is read again.
        assert_eq!(listed[0].fingerprint.is_some(), version >= 3, "version {version}");
        if version > 1 {
            let hits = store.search(&here, asked("king of the forest", Source::Qa)).await.expect("searches");
            assert_eq!((hits[0].passage.document.as_str(), hits[0].passage.text.len()), ("docs/oak.md", 50));
        }
        replace_oak(&store, &here).await;
        assert_eq!(store.list_pairs(&here, None).await.expect("lists").items.len() as u64, pairs, "version {version}");
        let listed = store.list(&here, DocumentQuery::all(None, 10)).await.expect("lists").items;
        assert_eq!((listed[0].location.as_str(), listed[0].title.as_str()), ("/srv/herbarium/docs/oak.md", "Oaks"));
        store.optimise().await.expect("optimises");
        drop(store);
        let again = EmbeddedStore::open(directory.path(), Some(&embedder()), Fusion::default()).expect("opens again");
        assert_eq!(again.status().await.expect("counts").documents, 2);
    }
}

/// Stores another version of a document of the copies.
async fn replace_oak(store: &EmbeddedStore, here: &RequestContext) {
    let text = "An oak can live for a thousand years in good soil.".to_owned();
    let passage = NewPassage { span: Span::new(0, text.len()), headings: vec!["Age".to_owned()], vector: vector(3) };
    let document = Document {
        location: "/srv/herbarium/docs/oak.md".to_owned(),
        path: "docs/oak.md".to_owned(),
        title: "Oaks".to_owned(),
        text,
        ..Document::default()
    };
    store.put(here, vec![NewDocument { document, passages: vec![passage] }]).await.expect("puts");
}

/// Older versions gave a document the path that it had from the folder of the day.
#[tokio::test]
async fn paths_that_several_documents_have_become_unique() {
    let directory = TempDir::new().expect("a directory");
    let sql = std::fs::read_to_string("tests/stores/version-2.sql").expect("the copy is there");
    let connection = rusqlite::Connection::open(directory.path().join("qanda.sqlite")).expect("opens");
    connection.execute_batch(&sql).expect("the copy is restored");
    connection.execute("UPDATE documents SET path = 'docs/oak.md'", []).expect("writes");
    drop(connection);
    let store = EmbeddedStore::open(directory.path(), Some(&embedder()), Fusion::default()).expect("opens");
    let listed = store.list(&RequestContext::local(), DocumentQuery::all(None, 10)).await.expect("lists").items;
    let paths: Vec<&str> = listed.iter().map(|document| document.path.as_str()).collect();
    assert_eq!(paths, ["docs/oak.md", "/srv/herbarium/docs/yew.md"]);
}
