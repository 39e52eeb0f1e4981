#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use qanda_core::document::{Relocation, StoredDocument, StoredVersion};
use qanda_core::ports::{DocumentQuery, EmbedderIdentity, Page, StoreStatus};
use qanda_core::{Document, DocumentId, Metadata, Passage};

use super::reading::BATCH;
use super::*;
use crate::readers::archive::fakes::archive as zip;
use crate::{Doubt, Prune, Skipped};

/// Documents by location, in memory.
#[derive(Default)]
struct FakeStore {
    documents: Mutex<BTreeMap<String, NewDocument>>,
    optimised: AtomicUsize,
    full: AtomicBool,
    /// Whether it cannot move documents.
    rigid: AtomicBool,
    /// Vectors staged, by what they are of.
    staged: Mutex<HashMap<String, Vec<Vec<f32>>>>,
}

#[async_trait]
impl Documents for FakeStore {
    async fn put(&self, _: &RequestContext, documents: Vec<NewDocument>) -> Result<(), StoreError> {
        if self.full.load(Ordering::SeqCst) {
            return Err(StoreError::DiskFull { place: "fake".to_owned() });
        }
        if documents.iter().any(|new| new.document.text.contains("UNWANTED")) {
            return Err(StoreError::Refused { doing: "storing".to_owned(), reason: "unwanted".to_owned() });
        }
        let new = documents.into_iter().map(|new| (new.document.location.clone(), new));
        self.documents.lock().unwrap().extend(new);
        Ok(())
    }

    async fn stage(
        &self,
        _: &RequestContext,
        location: &str,
        texts: &str,
        first: usize,
        vectors: Vec<Vec<f32>>,
    ) -> Result<(), StoreError> {
        let mut staged = self.staged.lock().unwrap();
        let staged = staged.entry(format!("{location} {texts}")).or_default();
        assert_eq!(staged.len(), first);
        staged.extend(vectors);
        Ok(())
    }

    async fn staged(&self, _: &RequestContext, location: &str, texts: &str) -> Result<Vec<Vec<f32>>, StoreError> {
        Ok(self.staged.lock().unwrap().get(&format!("{location} {texts}")).cloned().unwrap_or_default())
    }

    async fn remove(&self, _: &RequestContext, locations: Vec<String>) -> Result<usize, StoreError> {
        let mut documents = self.documents.lock().unwrap();
        Ok(locations.iter().filter(|location| documents.remove(*location).is_some()).count())
    }

    async fn relocate(&self, _: &RequestContext, moves: Vec<Relocation>) -> Result<usize, StoreError> {
        let mut documents = self.documents.lock().unwrap();
        if self.rigid.load(Ordering::SeqCst) {
            return Ok(0);
        }
        for Relocation { from, to, path } in &moves {
            let mut moved = documents.remove(from).unwrap();
            (moved.document.location, moved.document.path) = (to.clone(), path.clone());
            documents.insert(to.clone(), moved);
        }
        Ok(moves.len())
    }

    async fn base_folder(&self, _: &RequestContext, _: String) -> Result<String, StoreError> {
        Ok("/".to_owned())
    }

    async fn versions(&self, _: &RequestContext) -> Result<HashMap<String, StoredVersion>, StoreError> {
        let version = |Document { location, path, title, fingerprint, .. }: &Document| {
            let fingerprint = Some(fingerprint.clone());
            (location.clone(), StoredVersion { path: path.clone(), title: title.clone(), fingerprint })
        };
        Ok(self.documents.lock().unwrap().values().map(|stored| version(&stored.document)).collect())
    }

    async fn get(&self, _: &RequestContext, _: &DocumentId) -> Result<Option<StoredDocument>, StoreError> {
        Ok(None)
    }

    async fn list(&self, _: &RequestContext, _: DocumentQuery) -> Result<Page<StoredDocument>, StoreError> {
        let stored = |NewDocument { document, passages }: &NewDocument| StoredDocument {
            id: DocumentId::from(document.location.clone()),
            location: document.location.clone(),
            path: document.path.clone(),
            title: document.title.clone(),
            metadata: document.metadata.clone(),
            details: document.details.clone(),
            fingerprint: Some(document.fingerprint.clone()),
            passages: passages.len() as u64,
            pairs: 0,
        };
        Ok(Page { items: self.documents.lock().unwrap().values().map(stored).collect(), next: None })
    }

    async fn passages_of(
        &self,
        _: &RequestContext,
        _: &DocumentId,
        _: Option<String>,
        _: usize,
    ) -> Result<Page<Passage>, StoreError> {
        Ok(Page { items: Vec::new(), next: None })
    }

    async fn list_passages(&self, _: &RequestContext, _: Option<String>) -> Result<Page<Passage>, StoreError> {
        Ok(Page { items: Vec::new(), next: None })
    }
}

#[async_trait]
impl Upkeep for FakeStore {
    async fn claim(&self, _: EmbedderIdentity) -> Result<(), StoreError> {
        Ok(())
    }

    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn optimise(&self) -> Result<(), StoreError> {
        self.optimised.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        let documents = self.documents.lock().unwrap().len() as u64;
        Ok(StoreStatus { documents, passages: 0, pairs: 0, embedder: None, indexes: Vec::new() })
    }

    async fn version(&self) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }
}

/// Embeds a text as its length; a token is a word.
pub(crate) struct FakeModel {
    identity: EmbedderIdentity,
    embedded: AtomicUsize,
    most_at_once: AtomicUsize,
    pub(crate) refuses_all: AtomicBool,
    /// Texts after which it goes away.
    pub(crate) goes_after: AtomicUsize,
    broken: bool,
}

impl FakeModel {
    pub(crate) fn new(broken: bool) -> Self {
        let identity = EmbedderIdentity { name: "fake".to_owned(), dimension: 1 };
        let [embedded, most_at_once] = [0, 0].map(AtomicUsize::new);
        let (refuses_all, goes_after) = (AtomicBool::new(false), AtomicUsize::new(usize::MAX));
        Self { identity, embedded, most_at_once, refuses_all, goes_after, broken }
    }
}

#[async_trait]
impl Embedder for FakeModel {
    fn identity(&self) -> &EmbedderIdentity {
        &self.identity
    }

    fn relevance_floor(&self) -> f32 {
        0.0
    }

    async fn embed_queries(&self, _: &RequestContext, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        Ok(vec![vec![1.0]; texts.len()])
    }

    async fn embed_passages(&self, _: &RequestContext, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
        if self.broken {
            return Err(ModelError::Stopped);
        }
        if self.refuses_all.load(Ordering::SeqCst) || texts.iter().any(|text| text.contains("REFUSED")) {
            return Err(ModelError::Refused { message: "such texts".to_owned() });
        }
        if self.embedded.load(Ordering::SeqCst) + texts.len() > self.goes_after.load(Ordering::SeqCst) {
            return Err(ModelError::Unavailable { message: "gone".to_owned(), retry_after: None });
        }
        self.embedded.fetch_add(texts.len(), Ordering::SeqCst);
        self.most_at_once.fetch_max(texts.len(), Ordering::SeqCst);
        Ok(texts.iter().map(|text| vec![text.len() as f32]).collect())
    }
}

impl TokenCounter for FakeModel {
    fn count_tokens(&self, text: &str) -> usize {
        assert!(!text.contains("PANIC"), "met the word");
        text.split_whitespace().count()
    }

    fn max_tokens(&self) -> usize {
        256
    }
}

pub(crate) struct Bench {
    pub(crate) docs: tempfile::TempDir,
    store: Arc<FakeStore>,
    pub(crate) model: Arc<FakeModel>,
}

impl Bench {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        Self::with(files, false)
    }

    pub(crate) fn with(files: &[(&str, &str)], broken: bool) -> Self {
        let docs = tempfile::Builder::new().prefix("docs").tempdir().unwrap();
        let bench = Self { docs, store: Arc::default(), model: Arc::new(FakeModel::new(broken)) };
        for (name, text) in files {
            bench.write(name, text);
        }
        bench
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.docs.path().join(name), text).unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.docs.path()
    }

    pub(crate) fn ingestion(&self) -> Ingestion {
        Ingestion {
            documents: self.store.clone(),
            upkeep: self.store.clone(),
            extractor: Arc::new(crate::InProcess),
            embedder: self.model.clone(),
            counter: self.model.clone(),
            passage_tokens: 20,
        }
    }

    pub(crate) async fn run(&self, prune: bool) -> (Report, Vec<Event>) {
        let mut events = Vec::new();
        let paths = [self.docs.path().to_owned()];
        let sync = FolderSync { prune: if prune { Prune::Checked } else { Prune::Keep }, ..FolderSync::default() };
        let report =
            self.ingestion().run(&RequestContext::local(), &paths, sync, |event| events.push(event)).await.unwrap();
        (report, events)
    }

    pub(crate) fn embedded(&self) -> usize {
        self.model.embedded.load(Ordering::SeqCst)
    }

    /// Number of the passages that are stored.
    pub(crate) fn passages(&self) -> usize {
        self.store.documents.lock().unwrap().values().map(|new| new.passages.len()).sum()
    }

    pub(crate) fn stored(&self) -> Vec<String> {
        let name = |location: &String| Path::new(location).file_name().unwrap().to_string_lossy().into_owned();
        self.store.documents.lock().unwrap().keys().map(name).collect()
    }
}

#[tokio::test]
async fn new_files_are_stored_with_their_vectors() {
    let bench = Bench::new(&[("a.md", "# A\n\none\n\n# B\n\ntwo\n"), ("b.txt", "three"), ("c.xyz", "?")]);
    let (report, events) = bench.run(false).await;
    assert_eq!((report.documents, report.passages, report.skipped, report.unchanged), (2, 3, 1, 0));
    assert!(report.failures.is_empty());
    assert_eq!(bench.stored(), ["a.md", "b.txt"]);
    {
        let documents = bench.store.documents.lock().unwrap();
        let first = documents.values().next().unwrap();
        assert_eq!((first.document.title.as_str(), first.passages.len()), ("A", 2));
        assert_eq!(first.passages[1].headings, ["B"]);
        assert_eq!(first.passages[1].vector, ["A > B\ntwo".len() as f32]);
    }
    assert_eq!(bench.store.optimised.load(Ordering::SeqCst), 1);
    assert_eq!(events[0], Event::Planned { files: 2 });
    assert_eq!(events[1], Event::Skipped { reason: Skipped::Ending(".xyz".to_owned()), files: 1 });
    assert_eq!(events.last(), Some(&Event::Indexing));
    assert!(events.contains(&Event::Stored { documents: 2, passages: 3 }));
}

#[tokio::test]
async fn only_what_changed_is_read_and_embedded_again() {
    let bench = Bench::new(&[("a.txt", "one"), ("b.txt", "two")]);
    bench.run(false).await;
    let (second, _) = bench.run(false).await;
    assert_eq!((second.documents, second.unchanged), (0, 2));
    assert_eq!(bench.model.embedded.load(Ordering::SeqCst), 2);

    bench.write("b.txt", "two changed");
    let (third, _) = bench.run(false).await;
    assert_eq!((third.documents, third.unchanged), (1, 1));
    assert_eq!(bench.model.embedded.load(Ordering::SeqCst), 3);
    let other_budget = Ingestion { passage_tokens: 30, ..bench.ingestion() };
    let paths = [bench.docs.path().to_owned()];
    let report = other_budget.run(&RequestContext::local(), &paths, FolderSync::default(), |_| ()).await.unwrap();
    assert_eq!(report.documents, 2);
}

#[tokio::test]
async fn files_that_fail_are_reported_and_the_others_stored() {
    let bench = Bench::new(&[("a.txt", ""), ("b.txt", "fine"), ("c.txt", "PANIC"), ("d.md", "<!-- none -->")]);
    fs::write(bench.docs.path().join("e.md"), b"\0\0").unwrap();
    fs::File::create(bench.docs.path().join("f.txt")).unwrap().set_len(crate::MAX_BYTES + 1).unwrap();
    let missing = bench.docs.path().join("missing");
    let paths = [missing, bench.docs.path().to_owned(), bench.docs.path().join("b.txt")];
    let report = bench.ingestion().run(&RequestContext::local(), &paths, FolderSync::default(), |_| ()).await.unwrap();
    let reasons: Vec<&str> = report.failures.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "no such file or folder",
            "the reader failed on it (please report this): met the word",
            "not a text file: byte 0 is NUL",
            "larger than 64 MiB",
        ]
    );
    assert!(report.failures[1].0.ends_with("c.txt"));
    let empty: Vec<&str> = report.empty.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(empty, ["the file is empty", "no text in it"]);
    assert_eq!((report.documents, bench.stored()), (1, vec!["b.txt".to_owned()]));
}

#[tokio::test]
async fn pruning_removes_what_is_gone_from_the_given_folders() {
    let bench = Bench::new(&[("a.txt", "one"), ("b.txt", "two")]);
    let elsewhere = Bench { store: bench.store.clone(), ..Bench::new(&[("other.txt", "three")]) };
    bench.run(false).await;
    elsewhere.run(false).await;
    fs::remove_file(bench.docs.path().join("a.txt")).unwrap();
    fs::remove_file(elsewhere.docs.path().join("other.txt")).unwrap();
    assert_eq!(bench.run(false).await.0.removed, 0);
    let (report, _) = bench.run(true).await;
    assert_eq!((report.removed, report.unchanged), (1, 1));
    let mut left = bench.stored();
    left.sort();
    assert_eq!(left, ["b.txt", "other.txt"]);
}

#[tokio::test]
async fn an_emptied_file_has_nothing_stored_any_more() {
    let bench = Bench::new(&[("a.txt", "one"), ("b.txt", "two")]);
    bench.run(false).await;
    bench.write("a.txt", "");
    let (report, events) = bench.run(false).await;
    assert_eq!((report.removed, report.failures.len(), bench.stored()), (1, 0, vec!["b.txt".to_owned()]));
    assert!(events.iter().any(|event| matches!(event, Event::Empty { path, .. } if path.ends_with("a.txt"))));
    assert_eq!(bench.run(false).await.0.removed, 0);
    // What was handed in stays when nothing is handed in under its name.
    let upload = |text: &str| SourceDocument::upload("plan.txt".to_owned(), None, text.into(), Metadata::new());
    for (text, failures) in [("three", 0), ("", 1)] {
        let report = bench.ingestion().store(&RequestContext::local(), vec![upload(text)], |_| ()).await.unwrap();
        assert_eq!((report.failures.len(), bench.stored().len()), (failures, 2));
    }
}

#[tokio::test]
async fn a_folder_that_is_not_mounted_removes_nothing() {
    let bench = Bench::new(&[("a.txt", "one"), ("b.txt", "two")]);
    bench.run(false).await;
    for name in ["a.txt", "b.txt"] {
        fs::remove_file(bench.docs.path().join(name)).unwrap();
    }
    let (report, _) = bench.run(true).await;
    let folder = fs::canonicalize(bench.docs.path()).unwrap();
    assert_eq!((report.removed, report.doubts), (0, vec![Doubt { folder, missing: 2, stored: 2 }]));
    fs::remove_dir(bench.docs.path()).unwrap();
    let (report, _) = bench.run(true).await;
    assert_eq!(report.failures[0].1, "no such file or folder; 2 of the stored documents came from there");
    assert_eq!(bench.stored().len(), 2);
}

#[tokio::test]
async fn a_rehearsal_tells_everything_and_changes_nothing() {
    let bench = Bench::new(&[("a.txt", "one"), ("b.txt", "two"), ("c.txt", "three"), ("d.txt", "four")]);
    bench.run(false).await;
    let at = |name: &str| bench.docs.path().join(name);
    fs::remove_file(at("a.txt")).unwrap();
    fs::rename(at("b.txt"), at("moved.txt")).unwrap();
    bench.write("c.txt", "");
    bench.write("new.txt", "five");
    let sync = FolderSync { prune: Prune::Checked, dry_run: true, ..FolderSync::default() };
    let (mut events, before, embedded) = (Vec::new(), bench.stored(), bench.embedded());
    let paths = [bench.docs.path().to_owned()];
    let told = |event| events.push(event);
    let report = bench.ingestion().run(&RequestContext::local(), &paths, sync, told).await.unwrap();
    assert_eq!((report.moved, report.removed, report.unchanged, report.documents), (1, 2, 1, 0));
    let is_gone = |event: &Event| matches!(event, Event::Gone { path } if path.ends_with("a.txt"));
    let is_new = |event: &Event| matches!(event, Event::Read { path, .. } if path.ends_with("new.txt"));
    assert!(events.iter().any(is_gone) && events.iter().any(is_new), "{events:?}");
    assert_eq!((bench.stored(), bench.embedded()), (before, embedded));
}

#[tokio::test]
async fn a_failing_store_or_model_ends_the_job() {
    let bench = Bench::new(&[("a.txt", "one")]);
    bench.run(false).await;
    for n in 0..300 {
        bench.write(&format!("{n}.txt"), &"word ".repeat(100));
    }
    bench.store.full.store(true, Ordering::SeqCst);
    let failure = bench
        .ingestion()
        .run(&RequestContext::local(), &[bench.docs.path().to_owned()], FolderSync::default(), |_| ())
        .await
        .unwrap_err();
    assert!(matches!(failure, IngestError::Store(StoreError::DiskFull { .. })), "{failure}");
    assert_eq!(bench.stored(), ["a.txt"]);

    let bench = Bench::with(&[("a.txt", "one")], true);
    let failure = bench
        .ingestion()
        .run(&RequestContext::local(), &[bench.docs.path().to_owned()], FolderSync::default(), |_| ())
        .await
        .unwrap_err();
    assert!(matches!(failure, IngestError::Embedder(ModelError::Stopped)), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_jobs_are_done_in_batches_and_can_be_spawned() {
    let long = "Seven words are in this short sentence. ".repeat(2_000);
    let bench = Bench::new(&[("long.txt", &long)]);
    for n in 0..600 {
        bench.write(&format!("{n}.txt"), "short");
    }
    let (ingestion, paths) = (bench.ingestion(), [bench.docs.path().to_owned()]);
    let report = tokio::spawn(async move {
        let mut stored = Vec::new();
        let report = ingestion
            .run(&RequestContext::local(), &paths, FolderSync::default(), |event| {
                if let Event::Stored { documents, .. } = event {
                    stored.push(documents)
                }
            })
            .await;
        (report.unwrap(), stored)
    });
    let (report, stored) = report.await.unwrap();
    // The long one is stored by itself.
    assert_eq!((report.documents, stored), (601, vec![256, 256, 88, 1]));
    assert_eq!(report.passages, bench.model.embedded.load(Ordering::SeqCst));
    assert_eq!(bench.model.most_at_once.load(Ordering::SeqCst), BATCH);
}

#[tokio::test]
async fn a_moved_file_keeps_its_vectors() {
    for rigid in [false, true] {
        let bench = Bench::new(&[("a.md", "# Title\n\none"), ("b.txt", "two"), ("c.txt", "three")]);
        bench.run(false).await;
        bench.store.rigid.store(rigid, Ordering::SeqCst);
        let at = |name: &str| bench.docs.path().join(name);
        fs::create_dir(at("new")).unwrap();
        fs::rename(at("a.md"), at("new/a.md")).unwrap();
        // The name is the title of this one, and a passage under another title has another vector.
        fs::rename(at("b.txt"), at("renamed.txt")).unwrap();
        fs::copy(at("c.txt"), at("new/c.txt")).unwrap();
        let (report, events) = bench.run(true).await;
        let stored: Vec<(String, String)> = {
            let documents = bench.store.documents.lock().unwrap();
            documents.values().map(|new| (new.document.path.clone(), new.document.title.clone())).collect()
        };
        let (mut names, titles): (Vec<String>, Vec<String>) = stored.into_iter().unzip();
        names.iter_mut().for_each(|name| *name = name.rsplit('/').next().unwrap().to_owned());
        assert_eq!(names, ["c.txt", "a.md", "c.txt", "renamed.txt"]);
        assert_eq!(titles, ["c", "Title", "c", "renamed"]);
        let moved = events.iter().filter(|event| matches!(event, Event::Moved { .. })).count();
        assert_eq!((report.moved, moved), if rigid { (0, 0) } else { (1, 1) });
        assert_eq!((report.documents, report.unchanged), if rigid { (3, 1) } else { (2, 1) });
        // Three at first, then the renamed one and the copy; all that moved where nothing can be moved.
        assert_eq!(bench.model.embedded.load(Ordering::SeqCst), if rigid { 6 } else { 5 });
        assert_eq!(bench.run(true).await.0.unchanged, 4);
    }
}

#[tokio::test]
async fn a_document_keeps_the_path_that_it_was_stored_with() {
    let bench = Bench::new(&[("a.txt", "one")]);
    let here = RequestContext::local();
    let location = fs::canonicalize(bench.docs.path().join("a.txt")).unwrap().display().to_string();
    for (text, path) in [("one", "wiki/a.txt"), ("two", "elsewhere/a.txt")] {
        bench.write("a.txt", text);
        let source = SourceDocument::file(&location, path.to_owned());
        assert_eq!(bench.ingestion().store(&here, vec![source], |_| ()).await.unwrap().documents, 1);
        assert_eq!(bench.store.documents.lock().unwrap()[&location].document.path, "wiki/a.txt");
    }
}

#[tokio::test]
async fn members_of_archives_are_documents_that_come_and_go_with_it() {
    let bench = Bench::new(&[("plain.md", "words")]);
    let write = |members: &[(&str, &[u8])]| fs::write(bench.docs.path().join("a.zip"), zip(members)).unwrap();
    let inner = zip(&[("c.md", b"inner words")]);
    write(&[
        ("b/one.md", b"first words"),
        ("two.txt", b"second words"),
        ("../evil.md", b"words"),
        ("picture.xyz", b"pixels"),
        ("inner.zip", &inner),
    ]);
    let (report, events) = bench.run(true).await;
    assert_eq!((report.documents, report.skipped, report.failures.len()), (4, 1, 1), "{report:?}");
    // Two files were planned; of what is in the archive, all but the first came on top.
    let found = |event: &&Event| matches!(event, Event::Found { files: 1 });
    assert_eq!((&events[0], events.iter().filter(found).count()), (&Event::Planned { files: 2 }, 3), "{events:?}");
    assert!(report.failures[0].1.contains("leads out of it"), "{report:?}");
    let stored: Vec<String> =
        bench.store.documents.lock().unwrap().values().map(|stored| stored.document.path.clone()).collect();
    let inside = ["/a.zip!/b/one.md", "/a.zip!/inner.zip!/c.md", "/a.zip!/two.txt", "/plain.md"];
    assert!(stored.len() == 4 && stored.iter().zip(inside).all(|(path, end)| path.ends_with(end)), "{stored:?}");
    let (again, _) = bench.run(true).await;
    assert_eq!((again.documents, again.unchanged, again.removed), (0, 4, 0), "{again:?}");

    // A member that the archive has no more goes, the others stay.
    write(&[("b/one.md", b"other words"), ("inner.zip", &inner)]);
    let (changed, _) = bench.run(false).await;
    assert_eq!((changed.documents, changed.unchanged, changed.removed), (1, 2, 1), "{changed:?}");
    // What cannot be read tells nothing of what is in it.
    fs::write(bench.docs.path().join("a.zip"), b"no archive").unwrap();
    let (broken, _) = bench.run(true).await;
    assert_eq!((broken.failures.len(), broken.removed), (1, 0), "{broken:?}");
    fs::remove_file(bench.docs.path().join("a.zip")).unwrap();
    bench.run(true).await;
    assert_eq!(bench.stored(), ["plain.md"]);
}
