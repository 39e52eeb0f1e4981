//! Shared by the tests of stores: documents, pairs, searches. Vectors depend on a seed alone, so a search with the
//! seed of a passage finds that passage.

use qanda_core::document::{Fingerprint, Recipe};
use qanda_core::ports::{EmbedderIdentity, Mode, SearchQuery};
use qanda_core::{
    Document, EntryId, Filter, Metadata, NewDocument, NewPair, NewPassage, Passage, RequestContext, Source, Span, Store,
};
use qanda_store::chroma::ChromaSettings;
use qanda_tests::Chroma;

pub(crate) const DIMENSION: usize = 8;

pub(crate) fn identity(name: &str) -> EmbedderIdentity {
    EmbedderIdentity { name: name.to_owned(), dimension: DIMENSION }
}

/// A collection of one test's own.
pub(crate) fn settings(server: &Chroma, test: &str) -> ChromaSettings {
    let (host, collection) = ("127.0.0.1".to_owned(), test.to_owned());
    ChromaSettings { host, port: server.port(), collection, ..ChromaSettings::default() }
}

/// A vector of length 1 that depends on the seed alone.
pub(crate) fn vector(seed: u64) -> Vec<f32> {
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
pub(crate) fn document(name: &str, texts: &[&str], seed: u64) -> NewDocument {
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
            text: texts.join("\n\n"),
            metadata: Metadata::from([("name".to_owned(), name.to_owned())]),
            fingerprint: fingerprint(texts),
            ..Document::default()
        },
    }
}

/// A fingerprint that depends on the texts of a document.
pub(crate) fn fingerprint(texts: &[&str]) -> Fingerprint {
    let recipe = Recipe { chunker: 2, passage_tokens: 180, embedder: "m".to_owned() };
    Fingerprint { content: format!("hash-of-{}", texts.join("-").replace(' ', "-")), recipe }
}

pub(crate) fn pair(key: &str, question: &str, answer: &str, seed: u64) -> NewPair {
    NewPair {
        key: key.to_owned(),
        question: question.to_owned(),
        answer: answer.to_owned(),
        context: None,
        document: None,
        written_by: None,
        vector: vector(seed),
    }
}

pub(crate) fn query(text: &str, seed: u64, mode: Mode) -> SearchQuery {
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

pub(crate) fn filter(name: &str, value: &str) -> Filter {
    Filter::from([(name.to_owned(), value.to_owned())])
}

/// Texts of the hits, best first.
pub(crate) async fn found(store: &dyn Store, query: SearchQuery) -> Vec<String> {
    store
        .search(&RequestContext::local(), query)
        .await
        .expect("searches")
        .into_iter()
        .map(|hit| hit.passage.text)
        .collect()
}

/// All passages that are stored.
pub(crate) async fn passages(store: &dyn Store) -> Vec<Passage> {
    let (mut passages, mut after) = (Vec::new(), None);
    loop {
        let page = store.list_passages(&RequestContext::local(), after).await.expect("lists");
        passages.extend(page.items);
        after = page.next;
        if after.is_none() {
            return passages;
        }
    }
}

/// The id of the passage with this text.
pub(crate) async fn id_of(store: &dyn Store, text: &str) -> EntryId {
    let found = passages(store).await.into_iter().find(|passage| passage.text == text);
    found.unwrap_or_else(|| panic!("no passage {text:?}")).id
}

/// Keys of all pairs, sorted.
pub(crate) async fn keys(store: &dyn Store) -> Vec<String> {
    let (mut keys, mut after) = (Vec::new(), None);
    loop {
        let page = store.list_pairs(&RequestContext::local(), after).await.expect("lists");
        keys.extend(page.items.into_iter().map(|pair| pair.key));
        after = page.next;
        if after.is_none() {
            keys.sort();
            return keys;
        }
    }
}
