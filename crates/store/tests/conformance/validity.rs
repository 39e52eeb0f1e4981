//! Documents that hold for a time, and documents that take the place of others.

use crate::*;

/// More documents that have expired than a search has candidates, all of them nearer than what holds.
const EXPIRED: u64 = 150;

fn stating(name: &str, facts: &[(&str, &str)], seed: u64) -> NewDocument {
    let mut new = document(name, &["same words"], seed);
    new.document.metadata.extend(facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    new
}

async fn put_versions(store: &dyn Store) {
    let expired = |seed| stating(&format!("old-{seed}.md"), &[("valid_until", "2020-12-31")], seed);
    let mut documents: Vec<NewDocument> = (0..EXPIRED).map(expired).collect();
    documents.push(stating("later.md", &[("valid_from", "9000-01-01"), ("supersedes", "now.md")], 1));
    documents.push(stating("before.md", &[("valid_from", "2021-01-01")], 1));
    let replaced = metadata::list(["before.md", "none.md"]);
    let mut now = stating("now.md", &[("valid_from", "2022-01-01"), ("supersedes", &replaced)], 1);
    now.passages[0].vector.iter_mut().for_each(|number| *number = -*number);
    documents.push(now);
    store.put(&RequestContext::local(), documents).await.expect("puts");
    let about = |key: &str, document: &str| NewPair {
        document: Some(document.to_owned()),
        ..pair(key, "same words?", "words", 1)
    };
    let pairs = vec![about("old", "old-0.md"), about("before", "before.md"), about("now", "now.md")];
    store.put_pairs(&RequestContext::local(), pairs).await.expect("puts");
}

/// Names of the documents that are found, each once.
async fn names(store: &dyn Store, query: SearchQuery) -> Vec<String> {
    let hits = store.search(&RequestContext::local(), query).await.expect("searches");
    let mut names: Vec<String> =
        hits.into_iter().map(|mut hit| hit.passage.metadata.remove("name").unwrap_or_default()).collect();
    names.sort();
    names.dedup();
    names
}

pub(crate) async fn only_what_holds_is_found_however_much_does_not(place: &Place) {
    let store = place.open();
    put_versions(&*store).await;
    let modes = MODES.into_iter().chain(store.ranks_by_words().then_some(Mode::Lexical));
    // Before and after the indexes have them.
    for _ in 0..2 {
        for (mode, source) in
            modes.clone().flat_map(|mode| [Source::Context, Source::Qa, Source::All].map(|source| (mode, source)))
        {
            let ask = |day: Option<&str>| SearchQuery {
                source,
                as_of: day.map(|day| day.parse().expect("a date")),
                ..query("same words", 1, mode)
            };
            assert_eq!(names(&*store, ask(None)).await, ["now.md"], "{mode:?} {source:?}");
            assert_eq!(names(&*store, ask(Some("2021-06-30"))).await, ["before.md"], "{mode:?} {source:?}");
            assert_eq!(
                names(&*store, ask(Some("9000-01-01"))).await.first().map(String::as_str),
                (source != Source::Qa).then_some("later.md"),
                "{mode:?} {source:?}"
            );
            let old = names(&*store, ask(Some("2020-06-30"))).await;
            assert!(!old.is_empty() && old.iter().all(|name| name.starts_with("old-")), "{mode:?} {source:?}: {old:?}");
            for (name, holds) in [("old-0.md", false), ("before.md", false), ("now.md", true)] {
                let only = SearchQuery { filter: filter("name", name), ..ask(None) };
                assert_eq!(!found(&*store, only).await.is_empty(), holds, "{mode:?} {source:?} {name}");
            }
        }
        store.optimise().await.expect("optimises");
    }
}

pub(crate) async fn a_document_says_what_has_taken_its_place_until_that_is_gone(place: &Place) {
    let store = place.open();
    let mut first = document("before.md", &["same words"], 1);
    // Not believed: it is what is stored that counts.
    first.document.metadata.insert("superseded_by".to_owned(), "none.md".to_owned());
    store.put(&RequestContext::local(), vec![first]).await.expect("puts");
    let told = async |day: &str| {
        let query = SearchQuery { as_of: Some(day.parse().expect("a date")), ..query("same words", 1, Mode::Hybrid) };
        let hits = store.search(&RequestContext::local(), query).await.expect("searches");
        let by = |passage: &Passage| passage.metadata.get("superseded_by").cloned();
        let ids = hits.iter().map(|hit| hit.passage.id.clone()).collect();
        let read = store.passages(&RequestContext::local(), ids).await.expect("reads");
        assert_eq!(by(&read[0]), by(&hits[0].passage));
        (hits[0].passage.document.clone(), by(&hits[0].passage))
    };
    let listed = async || {
        let page = store.list(&RequestContext::local(), DocumentQuery::all(None, 9)).await.expect("lists");
        let before = page.items.into_iter().find(|document| document.path == "before.md").expect("is stored");
        let got = store.get(&RequestContext::local(), &before.id).await.expect("reads").expect("is stored");
        assert_eq!(got.details.superseded_by, before.details.superseded_by);
        before.details.superseded_by
    };
    assert_eq!((told("2021-06-30").await.1, listed().await), (None, None));
    let new = stating("now.md", &[("valid_from", "2022-01-01"), ("supersedes", "before.md")], 1);
    store.put(&RequestContext::local(), vec![new]).await.expect("puts");
    let by = Some("now.md".to_owned());
    assert_eq!((told("2021-06-30").await, listed().await), (("before.md".to_owned(), by.clone()), by));
    store.remove(&RequestContext::local(), vec!["/docs/now.md".to_owned()]).await.expect("removes");
    assert_eq!((told("2026-06-30").await, listed().await), (("before.md".to_owned(), None), None));
}
