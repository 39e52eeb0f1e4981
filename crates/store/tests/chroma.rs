//! What is Chroma's own: collections of other clients, servers that come and go, writes that stop half-way.

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use qanda_core::ports::{DocumentQuery, EmbedderIdentity, Mode, SearchQuery};
use qanda_core::{Documents, EntryId, NewPair, Pairs, RequestContext, Search, Source, Span, Store, StoreError, Upkeep};
use qanda_store::chroma::{ChromaSettings, ChromaStore, TokenHeader};
use qanda_tests::Chroma;
use qanda_tests::chroma::free_port;
use serde_json::{Value, json};

use support::{document, filter, found, id_of, identity, keys, pair, passages, query, settings, vector};

const DEADLINE: Duration = Duration::from_secs(2);

fn store(settings: ChromaSettings) -> ChromaStore {
    ChromaStore::new(ChromaSettings { timeout: DEADLINE, ..settings }, Some(identity("m"))).expect("valid settings")
}

/// The words of an error that says "not available" within the deadline.
async fn unavailable(store: &dyn Store) -> String {
    let began = Instant::now();
    let error = store
        .search(&RequestContext::local(), query("anything", 1, Mode::Hybrid))
        .await
        .expect_err("there is no Chroma");
    assert!(began.elapsed() < DEADLINE + Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    assert!(matches!(store.check().await, Err(StoreError::Unavailable { .. })));
    error.to_string()
}

/// Another client of the same server.
struct Other {
    client: reqwest::Client,
    collections: String,
}

impl Other {
    fn new(server: &Chroma) -> Self {
        // As the store does, which may come later: no client of HTTP is made without it.
        drop(rustls::crypto::ring::default_provider().install_default());
        let database = "api/v2/tenants/default_tenant/databases/default_database";
        let collections = format!("http://127.0.0.1:{}/{database}/collections", server.port());
        Self { client: reqwest::Client::builder().no_proxy().build().expect("a client"), collections }
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let response = self.client.post(format!("{}{path}", self.collections)).json(body).send().await;
        let response = response.expect("Chroma answers");
        let (status, answer) = (response.status(), response.json::<Value>().await.expect("JSON"));
        assert!(status.is_success(), "{answer}");
        answer
    }

    async fn id(&self, name: &str) -> String {
        let found: Value = self
            .client
            .get(format!("{}/{name}", self.collections))
            .send()
            .await
            .expect("Chroma answers")
            .json()
            .await
            .expect("JSON");
        found["id"].as_str().expect("an id").to_owned()
    }

    async fn delete(&self, name: &str) {
        let deleted = self.client.delete(format!("{}/{name}", self.collections)).send().await.expect("Chroma answers");
        assert!(deleted.status().is_success());
    }

    /// A collection as the original service's scripts make it: two passages of one guideline, a pair for each.
    async fn original(&self, body: &Value) {
        let made = self.post("", body).await;
        let id = made["id"].as_str().expect("an id");
        let records = json!({
            "ids": ["c1", "c2", "q1", "q2"],
            "embeddings": [vector(1), vector(2), vector(3), vector(4)],
            "documents": ["Stop metformin below 30.", "Zebras live in herds.", "When is metformin stopped?", "Where do zebras live?"],
            "metadatas": [
                {"source": "context", "guideline": "diabetes.pdf", "year": 2024, "final": true},
                {"source": "context", "guideline": "zoo.pdf", "year": 2023.5},
                {"source": "QA", "guideline": "diabetes.pdf", "answer": "Below 30.", "context_id": "c1"},
                {"source": "QA", "guideline": "zoo.pdf", "answer": "In herds.", "context_id": "c2"},
            ],
        });
        self.post(&format!("/{id}/add"), &records).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_of_the_original_is_read_in_every_space() {
    let Some(server) = Chroma::shared() else { return };
    let spaces = [
        ("l2", json!({"name": "original_l2"})),
        ("cosine", json!({"name": "original_cosine", "configuration": {"hnsw": {"space": "cosine"}}})),
        ("ip", json!({"name": "original_ip", "metadata": {"hnsw:space": "ip"}})),
    ];
    for (space, body) in spaces {
        Other::new(&server).original(&body).await;
        let store = store(settings(&server, &format!("original_{space}")));
        store.check().await.expect("can be searched");
        let hits = store.search(&RequestContext::local(), query("metformin", 1, Mode::Hybrid)).await.expect("searches");
        assert_eq!(hits.len(), 2);
        assert!((hits[0].cosine.expect("a cosine") - 1.0).abs() < 0.001, "{space}");
        let cosine: f32 = vector(1).iter().zip(vector(2)).map(|(a, b)| a * b).sum();
        assert!((hits[1].cosine.expect("a cosine") - cosine).abs() < 0.001, "{space}");
        let passage = &hits[0].passage;
        assert_eq!((passage.document.as_str(), passage.title.as_str()), ("diabetes.pdf", "diabetes.pdf"));
        assert_eq!((passage.span, passage.metadata["year"].as_str()), (Span::new(0, passage.text.len()), "2024"));
        assert_pairs_of_the_original(&store).await;
        let status = store.status().await.expect("counts");
        assert_eq!((status.documents, status.passages, status.pairs), (2, 2, 2));
        assert_eq!(status.embedder.expect("has vectors").1, 8);
        assert!(
            store.versions(&RequestContext::local()).await.expect("reads").is_empty(),
            "none of its documents is ours"
        );
    }
}

async fn assert_pairs_of_the_original(store: &ChromaStore) {
    let pairs = store
        .pairs_for(
            &RequestContext::local(),
            vec![EntryId::from("c1".to_owned()), EntryId::from("c2".to_owned())],
            vector(4),
            8,
        )
        .await;
    let pairs = pairs.expect("reads");
    assert_eq!(pairs.iter().map(|pair| pair.key.as_str()).collect::<Vec<_>>(), ["q2", "q1"]);
    assert_eq!((pairs[0].answer.as_str(), pairs[0].document.as_deref()), ("In herds.", Some("zoo.pdf")));
    let hits = store
        .search(&RequestContext::local(), SearchQuery { source: Source::Qa, ..query("", 3, Mode::Dense) })
        .await
        .expect("searches");
    assert_eq!((hits[0].passage.document.as_str(), hits[0].passage.text.as_str()), ("qa:q1", "Below 30."));
    let context = hits[0].pair.as_ref().and_then(|link| link.context.clone()).expect("has a passage");
    assert_eq!(
        store.passages(&RequestContext::local(), vec![context]).await.expect("reads")[0].text,
        "Stop metformin below 30."
    );
    for (name, value) in [("year", "2024"), ("year", "2023.5"), ("final", "true"), ("guideline", "zoo.pdf")] {
        let query = SearchQuery { filter: filter(name, value), ..query("", 1, Mode::Dense) };
        assert_eq!(found(store, query).await.len(), 1, "{name} {value}");
    }
}

/// One of many vectors that are very near to that of a seed.
fn beside(seed: u64, number: u64) -> Vec<f32> {
    let noise = vector(10_000 + number);
    let moved: Vec<f32> = vector(seed).iter().zip(noise).map(|(number, noise)| number + noise / 1_000.0).collect();
    let length = moved.iter().map(|number| number * number).sum::<f32>().sqrt();
    moved.iter().map(|number| number / length).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn passages_behind_any_number_of_pairs_are_found_and_never_others_than_the_nearest() {
    let Some(server) = Chroma::shared() else { return };
    let texts: Vec<String> = (0..50).map(|number| format!("passage {number}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let store = store(settings(&server, "behind_pairs"));
    store.put(&RequestContext::local(), vec![document("a.md", &texts, 1_000)]).await.expect("puts");
    let search = query("", 1, Mode::Dense);
    let alone = found(&store, search.clone()).await;
    // All of them nearer than any passage.
    for pairs in (0..400).collect::<Vec<_>>().chunks(100) {
        let pairs = pairs.iter().map(|number| NewPair {
            vector: beside(1, *number),
            ..pair(&format!("p{number}"), &format!("asked {number}"), "so", 1)
        });
        store.put_pairs(&RequestContext::local(), pairs.collect()).await.expect("puts");
    }
    // Enough times to learn what is what, which changes the way of the search, and to be used to it.
    for _ in 0..20 {
        assert_eq!(found(&store, search.clone()).await, alone);
    }
    store.put_pairs(&RequestContext::local(), vec![pair("new", "asked", "so", 1)]).await.expect("puts");
    store.remove(&RequestContext::local(), vec!["/docs/a.md".to_owned()]).await.expect("removes");
    store.put(&RequestContext::local(), vec![document("b.md", &["new"], 500)]).await.expect("puts");
    assert_eq!(found(&store, search.clone()).await, ["new"]);
    let pairs = SearchQuery { source: Source::Qa, ..search };
    assert_eq!(found(&store, pairs).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_documents_live_beside_those_of_others() {
    let Some(server) = Chroma::shared() else { return };
    Other::new(&server).original(&json!({"name": "beside", "metadata": {"theirs": "kept"}})).await;
    let store = store(settings(&server, "beside"));
    store.claim(identity("m")).await.expect("the dimension fits");
    store.put(&RequestContext::local(), vec![document("diabetes.pdf", &["Ours."], 7)]).await.expect("puts");
    assert_eq!(store.status().await.expect("counts").documents, 3);
    store.remove(&RequestContext::local(), vec!["/docs/diabetes.pdf".to_owned()]).await.expect("removes");
    assert_eq!(keys(&store).await, ["q1", "q2"], "pairs of other passages stay, whatever their guideline is called");
    assert_eq!(passages(&store).await.len(), 2);
    let wide = EmbedderIdentity { name: "wide".to_owned(), dimension: 9 };
    let refused = store.claim(wide).await.expect_err("is refused");
    assert!(matches!(refused, StoreError::OtherEmbedder { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_at_the_start_and_dies_and_comes_back_needs_no_new_store() {
    let port = free_port();
    let down = store(ChromaSettings { host: "127.0.0.1".to_owned(), port, ..ChromaSettings::default() });
    let said = unavailable(&down).await;
    assert!(said.contains(&format!("127.0.0.1:{port}")) && said.contains("check that it runs"), "{said}");

    let Some(server) = Chroma::start() else { return };
    let store = store(settings(&server, "comes_back"));
    store.put(&RequestContext::local(), vec![document("a.md", &["one"], 1)]).await.expect("puts, without a claim");
    for _ in 0..2 {
        server.kill();
        assert!(unavailable(&store).await.contains("cannot be reached"));
        server.run();
        assert_eq!(found(&store, query("", 1, Mode::Dense)).await, ["one"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_costs_the_deadline_and_no_more() {
    let Some(server) = Chroma::start() else { return };
    let store = store(settings(&server, "silent"));
    store.put(&RequestContext::local(), vec![document("a.md", &["one"], 1)]).await.expect("puts");
    server.signal("STOP");
    let said = unavailable(&store).await;
    assert!(said.contains("did not answer within 2 s"), "{said}");
    server.signal("CONT");
    assert_eq!(found(&store, query("", 1, Mode::Dense)).await, ["one"]);
}

/// Answers every request in the same way.
fn stub(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let said = String::from_utf8_lossy(&request).to_lowercase();
            let known = said.contains("x-chroma-token: right") || said.contains("authorization: bearer right");
            let answer =
                if known { "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" } else { answer };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_tokens_and_strange_servers_are_said() {
    let refusing = stub("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
    let at = |port| ChromaSettings { host: "127.0.0.1".to_owned(), port, ..ChromaSettings::default() };
    for token_header in [TokenHeader::Authorization, TokenHeader::ChromaToken] {
        let with = |token: &str| store(ChromaSettings { token: Some(token.to_owned()), token_header, ..at(refusing) });
        let said = unavailable(&with("s3cret")).await;
        assert!(said.contains("refuses the credentials") && !said.contains("s3cret"), "{said}");
        let said = unavailable(&with("right")).await;
        assert!(said.contains("answers with an error (500"), "{said}");
    }
    for answer in [
        "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\nconnection: close\r\n\r\n<html",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n<html",
    ] {
        let said = unavailable(&store(at(stub(answer)))).await;
        assert!(said.contains("check host"), "{answer}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_that_is_deleted_or_made_anew_is_found_again() {
    let Some(server) = Chroma::shared() else { return };
    let (other, store) = (Other::new(&server), store(settings(&server, "made_anew")));
    store.put(&RequestContext::local(), vec![document("a.md", &["one"], 1)]).await.expect("puts");
    other.delete("made_anew").await;
    assert!(found(&store, query("", 1, Mode::Dense)).await.is_empty(), "a missing collection is an empty store");
    store.put(&RequestContext::local(), vec![document("a.md", &["two"], 1)]).await.expect("is made again");
    // In the next collection this is the id of a passage.
    store.put_pairs(&RequestContext::local(), vec![pair("c1", "asked", "so", 1)]).await.expect("puts");
    assert_eq!(found(&store, query("", 1, Mode::Dense)).await, ["two"]);
    other.delete("made_anew").await;
    other.original(&json!({"name": "made_anew"})).await;
    assert_eq!(passages(&store).await.len(), 2);
    assert_eq!(found(&store, query("", 1, Mode::Dense)).await.len(), 2);
    other.delete("made_anew").await;
    let wide = EmbedderIdentity { name: "wide".to_owned(), dimension: 9 };
    let theirs = ChromaStore::new(settings(&server, "made_anew"), Some(wide.clone())).expect("valid settings");
    theirs.claim(wide).await.expect("claims");
    let refused = store.search(&RequestContext::local(), query("", 1, Mode::Dense)).await.expect_err("is refused");
    assert!(matches!(refused, StoreError::OtherEmbedder { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_an_embedder_reads_but_makes_nothing() {
    let Some(server) = Chroma::shared() else { return };
    let looking = ChromaStore::new(settings(&server, "looking"), None).expect("valid settings");
    assert_eq!(looking.status().await.expect("counts").passages, 0);
    let refused = looking
        .put(&RequestContext::local(), vec![document("a.md", &["one"], 1)])
        .await
        .expect_err("is refused")
        .to_string();
    assert!(refused.contains("no collection looking in Chroma"), "{refused}");
}

/// Every state in which a crash can leave a document: written, but not swept and sealed; swept, but not sealed.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_the_steps_of_storing_heals() {
    let Some(server) = Chroma::shared() else { return };
    let (other, store) = (Other::new(&server), store(settings(&server, "crash")));
    let (old, new) = (document("a.md", &["one", "two"], 1), document("a.md", &["zero", "two", "three"], 5));
    for swept in [false, true] {
        store.put(&RequestContext::local(), vec![old.clone()]).await.expect("puts");
        let written = qanda_core::NewPair {
            context: Some(id_of(&store, "one").await),
            written_by: Some("m".to_owned()),
            ..pair("p", "q", "a", 9)
        };
        store.put_pairs(&RequestContext::local(), vec![written]).await.expect("puts");
        // What the first step of the new version writes: everything, and no fingerprint.
        let records = json!({
            "ids": ["zero", "three"],
            "embeddings": [vector(5), vector(7)],
            "documents": ["zero", "three"],
            "metadatas": [
                {"source": "context", "location": "/docs/a.md", "guideline": "a.md", "part": 0},
                {"source": "context", "location": "/docs/a.md", "guideline": "a.md", "part": 2},
            ],
        });
        let collection = other.id("crash").await;
        other.post(&format!("/{collection}/upsert"), &records).await;
        if swept {
            let one = id_of(&store, "one").await;
            other.post(&format!("/{collection}/delete"), &json!({"ids": [one.as_str(), "p"]})).await;
        }
        let version = store.versions(&RequestContext::local()).await.expect("reads")["/docs/a.md"].clone();
        assert_eq!(version.fingerprint, None, "is ingested again");
        store.put(&RequestContext::local(), vec![new.clone()]).await.expect("puts");
        let texts: Vec<String> = passages(&store).await.into_iter().map(|passage| passage.text).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(keys(&store).await.is_empty());
        let version = store.versions(&RequestContext::local()).await.expect("reads")["/docs/a.md"].clone();
        assert_eq!(version.fingerprint, Some(new.document.fingerprint.clone()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_miss_nothing_when_records_are_deleted_between_their_pages() {
    let Some(server) = Chroma::shared() else { return };
    let (store, here) = (store(settings(&server, "shifting_pages")), RequestContext::local());
    let name = |n: usize| format!("{n:03}.md");
    let documents = (0..330).map(|n| document(&name(n), &["some words"], n as u64)).collect();
    store.put(&here, documents).await.expect("puts");
    let (mut listed, mut after) = (Vec::new(), None);
    for round in 0.. {
        let page = store.list(&here, DocumentQuery::all(after, 100)).await.expect("lists");
        listed.extend(page.items.into_iter().map(|document| document.path));
        after = page.next;
        if after.is_none() {
            break;
        }
        // Of what has been listed already, so that everything behind it moves up.
        let gone = (round * 20..round * 20 + 15).map(|n| format!("/docs/{}", name(n))).collect();
        assert_eq!(store.remove(&here, gone).await.expect("removes"), 15);
    }
    let missed: Vec<String> = (0..330).map(name).filter(|path| !listed.contains(path)).collect();
    assert_eq!(missed, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_without_its_first_part_is_known_and_heals() {
    let Some(server) = Chroma::shared() else { return };
    let (store, here) = (store(settings(&server, "no_first_part")), RequestContext::local());
    let whole = || document("a.md", &["first", "second", "third"], 1);
    store.put(&here, vec![whole(), document("b.md", &["other", "more"], 5)]).await.expect("puts");
    let other = Other::new(&server);
    let id = other.id("no_first_part").await;
    let first = json!({"$and": [{"part": {"$eq": 0}}, {"guideline": {"$eq": "a.md"}}]});
    other.post(&format!("/{id}/delete"), &json!({"where": first})).await;
    let versions = store.versions(&here).await.expect("reads");
    let version = &versions["/docs/a.md"];
    assert_eq!((version.path.as_str(), version.fingerprint.as_ref()), ("a.md", None));
    assert!(versions["/docs/b.md"].fingerprint.is_some());
    store.put(&here, vec![whole()]).await.expect("puts");
    assert!(store.versions(&here).await.expect("reads")["/docs/a.md"].fingerprint.is_some());
    assert_eq!(store.status().await.expect("counts").passages, 5);
    // One whose file is gone can be pruned.
    other.post(&format!("/{id}/delete"), &json!({"where": first})).await;
    assert_eq!(store.remove(&here, vec!["/docs/a.md".to_owned()]).await.expect("removes"), 1);
    assert_eq!(store.status().await.expect("counts").passages, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_chroma_refuses_is_a_refusal() {
    let Some(server) = Chroma::shared() else { return };
    let (store, here) = (store(settings(&server, "refusals")), RequestContext::local());
    store.put(&here, vec![document("a.md", &["first"], 1)]).await.expect("puts");
    let mut short = document("b.md", &["second"], 2);
    short.passages[0].vector.pop();
    let refused = store.put(&here, vec![short]).await.expect_err("is refused");
    assert!(matches!(refused, StoreError::Refused { .. }), "{refused:?}");
}

/// Stands for a Chroma that stores up to a hundred records in time, and tells how many it was sent.
fn slow(stored: std::sync::mpsc::Sender<usize>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let answer = move |stream: &mut std::net::TcpStream, stored: &std::sync::mpsc::Sender<usize>| -> Option<()> {
        let (mut request, mut part) = (Vec::new(), [0; 65_536]);
        let (head, body) = loop {
            let read = stream.read(&mut part).ok().filter(|read| *read > 0)?;
            request.extend_from_slice(&part[..read]);
            let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
            if request.len() >= end + 4 + length.unwrap_or(0) {
                break (head, request[end + 4..].to_vec());
            }
        };
        let first = head.lines().next()?;
        let said = if first.contains("/upsert") {
            let records = serde_json::from_slice::<Value>(&body).ok()?["ids"].as_array()?.len();
            if records > 100 {
                thread::sleep(DEADLINE * 2);
                return None;
            }
            stored.send(records).ok()?;
            json!({})
        } else if first.contains("/get") {
            json!({"ids": [], "documents": null, "metadatas": null, "embeddings": null})
        } else if first.starts_with("get") {
            json!({"id": "c", "dimension": null, "metadata": {}, "configuration_json": {"hnsw": {"space": "cosine"}}})
        } else {
            json!({})
        };
        let said = said.to_string();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}", said.len());
        write!(stream, "{head}\r\nconnection: close\r\n\r\n{said}").ok()
    };
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let stored = stored.clone();
            thread::spawn(move || answer(&mut stream, &stored));
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_too_slow_is_sent_again_in_smaller_ones() {
    let (sender, stored) = std::sync::mpsc::channel();
    let port = slow(sender);
    let store = store(ChromaSettings { host: "127.0.0.1".to_owned(), port, ..ChromaSettings::default() });
    let texts: Vec<String> = (0..200).map(|n| format!("text {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    store.put(&RequestContext::local(), vec![document("a.md", &texts, 1)]).await.expect("puts");
    assert_eq!(stored.try_iter().collect::<Vec<_>>(), [75, 75, 50]);
}
