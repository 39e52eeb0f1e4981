use qanda_core::document::Relocation;
use qanda_core::ports::{DocumentQuery, Hit, Mode, SearchQuery};
use qanda_core::{
    Document, Documents, Filter, Metadata, NewDocument, NewPair, NewPassage, Pairs, RequestContext, Search, Source,
    Span, Upkeep,
};
use tempfile::TempDir;

use super::*;

const DIMENSION: usize = 8;

pub(super) fn identity(name: &str) -> EmbedderIdentity {
    EmbedderIdentity { name: name.to_owned(), dimension: DIMENSION }
}

fn open(directory: &TempDir) -> EmbeddedStore {
    open_in(directory.path())
}

pub(super) fn open_in(directory: &Path) -> EmbeddedStore {
    EmbeddedStore::open(directory, Some(&identity("m")), Fusion::default()).expect("opens")
}

/// Texts that all differ.
pub(super) fn texts(number: usize) -> Vec<String> {
    (0..number).map(|n| format!("n{n}")).collect()
}

/// A vector of length 1 that depends on the seed alone.
pub(super) fn vector(seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let mut numbers: Vec<f32> = (0..DIMENSION)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % 2_001) as f32 / 1_000.0 - 1.0
        })
        .collect();
    let length = numbers.iter().map(|n| n * n).sum::<f32>().sqrt();
    numbers.iter_mut().for_each(|n| *n /= length);
    numbers
}

/// A document of one passage for each text, with vectors from the seed on.
pub(super) fn document(name: &str, texts: &[&str], seed: u64) -> NewDocument {
    let text = texts.join("\n\n");
    let mut start = 0;
    let passages = texts.iter().zip(seed..).map(|(passage, seed)| {
        let span = Span::new(start, start + passage.len());
        start = span.end + 2;
        NewPassage { span, headings: vec!["Heading".to_owned()], vector: vector(seed) }
    });
    NewDocument {
        passages: passages.collect(),
        document: Document {
            location: format!("/docs/{name}"),
            path: name.to_owned(),
            title: format!("Title of {name}"),
            text,
            metadata: Metadata::from([("name".to_owned(), name.to_owned())]),
            ..Document::default()
        },
    }
}

pub(super) fn query(text: &str, seed: u64, mode: Mode) -> SearchQuery {
    SearchQuery {
        text: text.to_owned(),
        vector: vector(seed),
        mode,
        source: Source::Context,
        filter: Filter::new(),
        limit: 5,
        as_of: None,
    }
}

pub(super) async fn found(store: &EmbeddedStore, query: SearchQuery) -> Vec<String> {
    store
        .search(&RequestContext::local(), query)
        .await
        .expect("searches")
        .into_iter()
        .map(|hit| hit.passage.text)
        .collect()
}

#[tokio::test]
async fn a_committed_document_is_found_at_once_in_every_mode_indexed_or_not() {
    let directory = TempDir::new().expect("directory");
    let store = open(&directory);
    store
        .put(&RequestContext::local(), vec![document("a.md", &["Insulin lowers glucose.", "Zebras live in herds."], 1)])
        .await
        .expect("puts");
    for round in ["scanned", "indexed"] {
        for mode in [Mode::Dense, Mode::Lexical, Mode::Hybrid] {
            let hits = store.search(&RequestContext::local(), query("zebra herd", 2, mode)).await.expect("searches");
            assert_eq!(hits[0].passage.text, "Zebras live in herds.", "{round} {mode:?}");
            assert_eq!(hits[0].passage.span, Span::new(25, 46));
            assert_eq!(hits[0].passage.headings, ["Heading"]);
            assert!((hits[0].cosine.expect("cosine") - 1.0).abs() < 0.002);
        }
        store.optimise().await.expect("optimises");
    }
    let status = store.status().await.expect("status");
    assert_eq!((status.documents, status.passages, status.pairs), (1, 2, 0));
    assert_eq!((status.indexes[0].indexed, status.indexes[0].behind), (2, 0));
}

#[tokio::test]
async fn the_scan_scores_words_as_the_index_does() {
    let directory = TempDir::new().expect("directory");
    let store = open(&directory);
    let texts = ["apple pie with cinnamon", "apple apple juice", "pear tart", "a pie chart of pear sales in June"];
    store.put(&RequestContext::local(), vec![document("a.md", &texts, 1)]).await.expect("puts");
    let scores = |hits: Vec<Hit>| hits.into_iter().map(|hit| (hit.passage.id, hit.score)).collect::<Vec<_>>();
    let scanned =
        scores(store.search(&RequestContext::local(), query("apple pie", 1, Mode::Lexical)).await.expect("searches"));
    store.optimise().await.expect("optimises");
    let indexed =
        scores(store.search(&RequestContext::local(), query("apple pie", 1, Mode::Lexical)).await.expect("searches"));
    assert_eq!(scanned.len(), 3);
    for (scanned, indexed) in scanned.iter().zip(&indexed) {
        assert_eq!(scanned.0, indexed.0);
        assert!((scanned.1 - indexed.1).abs() < 0.01 * indexed.1, "{scanned:?} {indexed:?}");
    }
}

#[tokio::test]
async fn replaced_and_removed_documents_are_not_found_any_more() {
    let directory = TempDir::new().expect("directory");
    let store = open(&directory);
    store
        .put(&RequestContext::local(), vec![document("a.md", &["old words"], 1), document("b.md", &["other words"], 2)])
        .await
        .expect("puts");
    store.optimise().await.expect("optimises");
    store.put(&RequestContext::local(), vec![document("a.md", &["new words"], 3)]).await.expect("puts");
    assert_eq!(
        store
            .remove(&RequestContext::local(), vec!["/docs/b.md".to_owned(), "/docs/none".to_owned()])
            .await
            .expect("removes"),
        1
    );
    for round in ["before", "after"] {
        for mode in [Mode::Dense, Mode::Lexical, Mode::Hybrid] {
            assert_eq!(found(&store, query("old other new words", 1, mode)).await, ["new words"], "{round} {mode:?}");
        }
        store.optimise().await.expect("optimises");
    }
    assert_eq!(store.versions(&RequestContext::local()).await.expect("reads").len(), 1);
}

#[tokio::test]
async fn another_handle_on_the_directory_sees_what_is_committed_and_indexed() {
    let directory = TempDir::new().expect("directory");
    let (reader, writer) = (open(&directory), open(&directory));
    for round in 0..3 {
        let text = format!("unheard{round} of");
        writer
            .put(&RequestContext::local(), vec![document(&format!("{round}.md"), &[&text], round)])
            .await
            .expect("puts");
        assert_eq!(found(&reader, query(&text, round, Mode::Hybrid)).await[0], text);
        writer.optimise().await.expect("optimises");
        assert_eq!(found(&reader, query(&text, round, Mode::Lexical)).await[0], text);
        assert_eq!(reader.status().await.expect("status").indexes[0].behind, 0);
    }
}

#[tokio::test]
async fn indexes_may_be_deleted_at_any_time() {
    let directory = TempDir::new().expect("directory");
    let store = open(&directory);
    store.put(&RequestContext::local(), vec![document("a.md", &["kept safe"], 1)]).await.expect("puts");
    store.optimise().await.expect("optimises");
    drop(store);
    std::fs::remove_dir_all(directory.path().join("index")).expect("deletes");
    let store = open(&directory);
    assert_eq!(found(&store, query("kept safe", 1, Mode::Lexical)).await, ["kept safe"]);
    store.optimise().await.expect("optimises");
    assert_eq!(store.status().await.expect("status").indexes[0].indexed, 1);
    drop(store);
    std::fs::write(directory.path().join("index/lexical/meta.json"), "{broken").expect("breaks");
    let store = open(&directory);
    assert_eq!(found(&store, query("kept safe", 1, Mode::Hybrid)).await, ["kept safe"]);
    store.optimise().await.expect("rebuilds");
    assert_eq!(store.status().await.expect("status").indexes[0].indexed, 1);
}

#[tokio::test]
async fn a_filter_and_a_source_limit_every_mode() {
    let directory = TempDir::new().expect("directory");
    let store = open(&directory);
    store
        .put(&RequestContext::local(), vec![document("a.md", &["same words"], 1), document("b.md", &["same words"], 2)])
        .await
        .expect("puts");
    for _ in 0..2 {
        for mode in [Mode::Dense, Mode::Lexical, Mode::Hybrid] {
            let filter = Filter::from([("name".to_owned(), "b.md".to_owned())]);
            let hits = store
                .search(&RequestContext::local(), SearchQuery { filter, ..query("same words", 1, mode) })
                .await
                .expect("searches");
            assert_eq!(hits.len(), 1, "{mode:?}");
            assert_eq!(hits[0].passage.document, "b.md");
            let filter = Filter::from([("name".to_owned(), "none".to_owned())]);
            assert!(found(&store, SearchQuery { filter, ..query("same words", 1, mode) }).await.is_empty());
            let source = Source::Qa;
            assert!(found(&store, SearchQuery { source, ..query("same words", 1, mode) }).await.is_empty());
        }
        store.optimise().await.expect("optimises");
    }
}

#[tokio::test]
async fn another_embedder_is_refused_with_the_way_out() {
    let directory = TempDir::new().expect("directory");
    open(&directory).claim(identity("m")).await.expect("claims");
    let error = EmbeddedStore::open(directory.path(), Some(&identity("other")), Fusion::default()).err();
    let message = error.expect("is refused").to_string();
    assert!(message.contains("made with the embedder m (8 dimensions)"), "{message}");
    assert!(EmbeddedStore::open(directory.path(), None, Fusion::default()).is_ok(), "without a model one may look");
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused() {
    let directory = TempDir::new().expect("directory");
    drop(open(&directory));
    let connection = Connection::open(directory.path().join("qanda.sqlite")).expect("opens");
    connection.pragma_update(None, "user_version", 99).expect("writes");
    let error = EmbeddedStore::open(directory.path(), None, Fusion::default()).err().expect("is refused");
    assert!(error.to_string().contains("newer version"), "{error}");
}

/// As the workers of a service do on a fresh machine.
#[test]
fn a_new_store_may_be_opened_by_several_at_once() {
    for _ in 0..50 {
        let directory = TempDir::new().expect("directory");
        let together = std::sync::Barrier::new(4);
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    together.wait();
                    open(&directory);
                });
            }
        });
    }
}

/// Enough vectors for a graph: it finds what the scan finds, from many threads, together with what is newer.
#[tokio::test(flavor = "multi_thread")]
async fn the_graph_takes_over_from_the_scan() {
    let directory = TempDir::new().expect("directory");
    let store = open(&directory);
    let texts = texts(usize::try_from(dense::WORTH_A_GRAPH).expect("a number"));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (part, texts) in texts.chunks(10_000).enumerate() {
        let seed = part as u64 * 10_000;
        store.put(&RequestContext::local(), vec![document(&format!("{part}.md"), texts, seed)]).await.expect("puts");
    }
    let mut scanned = Vec::new();
    for seed in 0..40 {
        scanned.push(found(&store, query("", 90_000 + seed, Mode::Dense)).await);
    }
    store.optimise().await.expect("optimises");
    let status = store.status().await.expect("status");
    assert_eq!((status.indexes[1].indexed, status.indexes[1].behind), (dense::WORTH_A_GRAPH, 0));
    let searches = (0..40).map(|seed| {
        let store = store.clone();
        tokio::spawn(async move { found(&store, query("", 90_000 + seed, Mode::Dense)).await })
    });
    let mut same = 0;
    for (search, scanned) in searches.collect::<Vec<_>>().into_iter().zip(&scanned) {
        let graph = search.await.expect("search");
        same += graph.iter().filter(|text| scanned.contains(text)).count();
    }
    assert!(same >= 190, "the graph found {same} of 200 nearest vectors");
    store.put(&RequestContext::local(), vec![document("new.md", &["newest"], 77_777)]).await.expect("puts");
    assert_eq!(found(&store, query("", 77_777, Mode::Dense)).await[0], "newest");
    store.remove(&RequestContext::local(), vec!["/docs/0.md".to_owned()]).await.expect("removes");
    assert_ne!(found(&store, query("", 5, Mode::Dense)).await[0], "n5");
}

#[tokio::test]
async fn a_moved_document_keeps_all_that_belongs_to_it() {
    let (directory, here) = (TempDir::new().expect("directory"), RequestContext::local());
    let store = open(&directory);
    store.put(&here, vec![document("a.md", &["first words"], 1), document("b.md", &["other"], 2)]).await.expect("puts");
    let before = store.list(&here, DocumentQuery::all(None, 10)).await.expect("lists").items;
    let passage = store.list_passages(&here, None).await.expect("lists").items[0].clone();
    let pair = NewPair {
        key: "k".to_owned(),
        question: "Which words?".to_owned(),
        answer: "First words.".to_owned(),
        context: Some(passage.id.clone()),
        document: None,
        written_by: Some("model".to_owned()),
        vector: vector(7),
    };
    store.put_pairs(&here, vec![pair]).await.expect("puts");
    let to = |from: &str, to: &str| Relocation {
        from: format!("/docs/{from}"),
        to: format!("/new/{to}"),
        path: format!("new/{to}"),
    };
    let moves = vec![to("a.md", "c.md"), to("none.md", "d.md")];
    assert_eq!(store.relocate(&here, moves).await.expect("moves"), 1);
    // A place that is taken is not taken twice.
    assert_eq!(store.relocate(&here, vec![to("b.md", "c.md")]).await.expect("moves"), 0);
    let after = store.get(&here, &before[0].id).await.expect("reads").expect("is there");
    assert_eq!((after.path.as_str(), after.location.as_str(), after.pairs), ("new/c.md", "/new/c.md", 1));
    let hit = &store.search(&here, query("first", 1, Mode::Hybrid)).await.expect("searches")[0].passage;
    assert_eq!((&hit.id, hit.document.as_str()), (&passage.id, "new/c.md"));
    assert!(store.versions(&here).await.expect("reads").contains_key("/new/c.md"));
}

#[tokio::test]
async fn a_path_belongs_to_one_document() {
    let (directory, here) = (TempDir::new().expect("directory"), RequestContext::local());
    let store = open(&directory);
    for (place, path) in [("/one", "docs/a.md"), ("/two", "docs/a.md"), ("/two", "docs/a.md"), ("/three", "/two/a.md")]
    {
        let mut new = document("a.md", &["words"], 1);
        (new.document.location, new.document.path) = (format!("{place}/a.md"), path.to_owned());
        store.put(&here, vec![new]).await.expect("puts");
    }
    let listed = store.list(&here, DocumentQuery::all(None, 10)).await.expect("lists").items;
    let paths: Vec<&str> = listed.iter().map(|document| document.path.as_str()).collect();
    assert_eq!(paths, ["docs/a.md", "/two/a.md", "/three/a.md"]);
}

#[tokio::test]
async fn the_version_grows_with_every_commit_of_any_process() {
    let (directory, here) = (TempDir::new().expect("directory"), RequestContext::local());
    let (store, other) = (open(&directory), open(&directory));
    let mut last = store.version().await.expect("reads").expect("has one");
    let mut grew = async |what: &str| {
        let now = store.version().await.expect("reads").expect("has one");
        assert!(now > last, "{what}: {now} after {last}");
        last = now;
    };
    other.put(&here, vec![document("a.md", &["words"], 1)]).await.expect("puts");
    grew("a document").await;
    other.remove(&here, vec!["/docs/a.md".to_owned()]).await.expect("removes");
    grew("a removal").await;
    other.remove_pairs(&here, vec!["none".to_owned()]).await.expect("removes");
    grew("pairs").await;
    other.claim(identity("m")).await.expect("claims");
    grew("the embedder").await;
    let before = store.version().await.expect("reads");
    other.optimise().await.expect("optimises");
    assert_eq!(store.version().await.expect("reads"), before, "indexes are no content");
}

#[tokio::test]
async fn a_pair_that_waits_belongs_to_the_path_that_it_names() {
    let (directory, here) = (TempDir::new().expect("directory"), RequestContext::local());
    let store = open(&directory);
    let waits = |key: &str, document: &str| NewPair {
        key: key.to_owned(),
        question: format!("{key}?"),
        answer: "Elsewhere.".to_owned(),
        context: None,
        document: Some(document.to_owned()),
        written_by: None,
        vector: vector(7),
    };
    let pairs = vec![waits("relative", "README.md"), waits("located", "/docs/sub/located.md"), waits("out", "out.md")];
    store.put_pairs(&here, pairs).await.expect("puts");
    let at = |path: &str| {
        let mut new = document("a.md", &["words"], 1);
        (new.document.location, new.document.path) = (format!("/docs/{path}"), path.to_owned());
        new
    };
    let owners = async |documents| {
        store.put(&here, documents).await.expect("puts");
        let listed = store.list(&here, DocumentQuery::all(None, 10)).await.expect("lists").items;
        let with_pairs = listed.into_iter().filter(|document| document.pairs > 0);
        with_pairs.map(|document| document.path).collect::<Vec<_>>()
    };
    assert!(owners(vec![at("sub/README.md")]).await.is_empty(), "another file of that name");
    assert_eq!(owners(vec![at("sub/located.md"), at("README.md")]).await, ["sub/located.md", "README.md"]);
    // Outside of the base folder paths are absolute, and a pair can only name their ends.
    let expected = ["sub/located.md", "README.md", "/srv/out.md"];
    assert_eq!(owners(vec![at("/srv/a/out.md"), at("/srv/out.md")]).await, expected);
}
