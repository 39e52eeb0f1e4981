//! Question/answer pairs.

use crate::*;

pub(crate) async fn pairs_are_found_by_their_question(place: &Place) {
    let store = place.open();
    store.put(&RequestContext::local(), vec![document("a.md", &["Stop metformin below 30."], 1)]).await.expect("puts");
    let context = id_of(&*store, "Stop metformin below 30.").await;
    let written = NewPair {
        context: Some(context.clone()),
        written_by: Some("model".to_owned()),
        ..pair("p1", "When is metformin stopped?", "Below an eGFR of 30.", 2)
    };
    store
        .put_pairs(&RequestContext::local(), vec![written, pair("p2", "What else?", "Nothing.", 3)])
        .await
        .expect("puts");
    for mode in MODES {
        let of = |source, limit| SearchQuery { source, limit, ..query("metformin stopped", 2, mode) };
        let hits = store.search(&RequestContext::local(), of(Source::Qa, 5)).await.expect("searches");
        assert_eq!(hits.len(), 2, "{mode:?}");
        let link = hits[0].pair.as_ref().expect("a pair");
        assert_eq!((link.question.as_str(), link.context.as_ref()), ("When is metformin stopped?", Some(&context)));
        let passage = &hits[0].passage;
        assert_eq!((passage.text.as_str(), passage.document.as_str()), ("Below an eGFR of 30.", "qa:p1"));
        assert_eq!(passage.span, Span::new(0, passage.text.len()));
        assert_eq!(store.search(&RequestContext::local(), of(Source::All, 5)).await.expect("searches").len(), 3);
        assert!(
            store
                .search(&RequestContext::local(), of(Source::Context, 5))
                .await
                .expect("searches")
                .iter()
                .all(|hit| hit.pair.is_none())
        );
    }
    let listed = store.list_pairs(&RequestContext::local(), None).await.expect("lists").items;
    let first = listed.iter().find(|pair| pair.key == "p1").expect("is there");
    assert_eq!((first.document.as_deref(), first.written_by.as_deref()), (Some("a.md"), Some("model")));
    assert_eq!((first.question.as_str(), first.metadata["name"].as_str()), ("When is metformin stopped?", "a.md"));
    assert_eq!(
        store.remove_pairs(&RequestContext::local(), vec!["p1".to_owned(), "none".to_owned()]).await.expect("removes"),
        1
    );
    assert_eq!(keys(&*store).await, ["p2"]);
}

pub(crate) async fn pairs_for_passages_come_nearest_first(place: &Place) {
    let store = place.open();
    store.put(&RequestContext::local(), vec![document("a.md", &["one", "two", "three"], 1)]).await.expect("puts");
    let (one, two, three) = (id_of(&*store, "one").await, id_of(&*store, "two").await, id_of(&*store, "three").await);
    let written =
        |key: &str, context: &EntryId, seed| NewPair { context: Some(context.clone()), ..pair(key, key, key, seed) };
    let pairs = vec![written("a", &one, 10), written("b", &one, 11), written("c", &two, 12), written("d", &three, 13)];
    store.put_pairs(&RequestContext::local(), pairs).await.expect("puts");
    let of = async |contexts: &[&EntryId], vector: Vec<f32>, limit| {
        let contexts = contexts.iter().map(|id| (*id).clone()).collect();
        let pairs = store.pairs_for(&RequestContext::local(), contexts, vector, limit).await.expect("reads");
        pairs.into_iter().map(|pair| pair.key).collect::<Vec<_>>()
    };
    let mut by_cosine = [("a", 10), ("b", 11), ("c", 12)];
    let cosine = |seed| vector(11).iter().zip(vector(seed)).map(|(a, b)| a * b).sum::<f32>();
    by_cosine.sort_by(|a, b| cosine(b.1).total_cmp(&cosine(a.1)));
    let expected: Vec<&str> = by_cosine.iter().map(|(key, _)| *key).collect();
    assert_eq!(expected[0], "b");
    assert_eq!(of(&[&one, &two], vector(11), 8).await, expected);
    assert_eq!(of(&[&one, &two], vector(11), 2).await, expected[..2]);
    assert_eq!(of(&[&one, &two, &three], Vec::new(), 8).await.len(), 4, "without a vector all of them");
    assert!(of(&[], vector(11), 8).await.is_empty());
    assert!(of(&[&EntryId::from(99_999)], vector(11), 8).await.is_empty());
}

pub(crate) async fn a_pair_that_names_its_document_belongs_to_the_passage_with_its_answer(place: &Place) {
    let store = place.open();
    let named = |key: &str, answer: &str| NewPair { document: Some("a.md".to_owned()), ..pair(key, "q?", answer, 5) };
    store.put_pairs(&RequestContext::local(), vec![named("before", "live in herds")]).await.expect("puts");
    assert_eq!(
        store.list_pairs(&RequestContext::local(), None).await.expect("lists").items[0].document.as_deref(),
        Some("a.md")
    );
    store
        .put(&RequestContext::local(), vec![document("a.md", &["Insulin lowers glucose.", "Zebras live in herds."], 1)])
        .await
        .expect("puts");
    store
        .put_pairs(&RequestContext::local(), vec![named("after", "lowers glucose"), named("nowhere", "lowers")])
        .await
        .expect("puts");
    let (insulin, zebras) =
        (id_of(&*store, "Insulin lowers glucose.").await, id_of(&*store, "Zebras live in herds.").await);
    let pairs = store.list_pairs(&RequestContext::local(), None).await.expect("lists").items;
    let context = |key| pairs.iter().find(|pair| pair.key == key).expect("is there").context.clone();
    // A word or two stand anywhere by chance, and say nothing of where an answer comes from.
    assert_eq!((context("before"), context("after"), context("nowhere")), (Some(zebras), Some(insulin), None));
    assert!(pairs.iter().all(|pair| pair.metadata["name"] == "a.md"), "all have the facts of their document");
}

pub(crate) async fn pairs_follow_their_passages(place: &Place) {
    let store = place.open();
    store.put(&RequestContext::local(), vec![document("a.md", &["one", "two", "three"], 1)]).await.expect("puts");
    let model = || Some("model".to_owned());
    let written = |key: &str, context: EntryId, written_by| NewPair {
        context: Some(context),
        written_by,
        ..pair(key, key, "no quote", 5)
    };
    let pairs = vec![
        written("kept", id_of(&*store, "two").await, model()),
        written("stale", id_of(&*store, "three").await, model()),
        written("imported", id_of(&*store, "three").await, None),
    ];
    store.put_pairs(&RequestContext::local(), pairs).await.expect("puts");
    let mut new = document("a.md", &["zero", "two"], 1);
    new.document.metadata = [("year".to_owned(), "2025".to_owned())].into();
    store.put(&RequestContext::local(), vec![new]).await.expect("puts");
    assert_eq!(keys(&*store).await, ["imported", "kept"]);
    let two = id_of(&*store, "two").await;
    let of_two = store.pairs_for(&RequestContext::local(), vec![two.clone()], vector(5), 8).await.expect("reads");
    assert_eq!(of_two.iter().map(|pair| pair.key.as_str()).collect::<Vec<_>>(), ["kept"]);
    assert_eq!(of_two[0].metadata, [("year".to_owned(), "2025".to_owned())].into());
    let pairs = store.list_pairs(&RequestContext::local(), None).await.expect("lists").items;
    let imported = pairs.iter().find(|pair| pair.key == "imported").expect("is there");
    assert_eq!((imported.context.as_ref(), imported.document.as_deref()), (None, Some("a.md")));
}

pub(crate) async fn pairs_go_with_their_document(place: &Place) {
    let store = place.open();
    store
        .put(&RequestContext::local(), vec![document("a.md", &["one"], 1), document("b.md", &["two"], 2)])
        .await
        .expect("puts");
    let of_one = NewPair { context: Some(id_of(&*store, "one").await), ..pair("of a", "q", "one", 3) };
    let named = NewPair { document: Some("a.md".to_owned()), ..pair("named a", "q", "elsewhere", 4) };
    let of_two = NewPair { context: Some(id_of(&*store, "two").await), ..pair("of b", "q", "two", 5) };
    store
        .put_pairs(&RequestContext::local(), vec![of_one, named, of_two, pair("free", "q", "a", 6)])
        .await
        .expect("puts");
    assert_eq!(store.remove(&RequestContext::local(), vec!["/docs/a.md".to_owned()]).await.expect("removes"), 1);
    assert_eq!(keys(&*store).await, ["free", "of b"]);
}

pub(crate) async fn a_pair_with_the_same_key_is_replaced(place: &Place) {
    let store = place.open();
    store.put(&RequestContext::local(), vec![document("a.md", &["one"], 1)]).await.expect("puts");
    let written = NewPair {
        context: Some(id_of(&*store, "one").await),
        written_by: Some("model".to_owned()),
        ..pair("p", "old question", "old answer", 2)
    };
    store
        .put_pairs(&RequestContext::local(), vec![written.clone(), pair("p", "never seen", "never", 2)])
        .await
        .expect("puts");
    store.put_pairs(&RequestContext::local(), vec![written]).await.expect("puts");
    store.put_pairs(&RequestContext::local(), vec![pair("p", "new question", "new answer", 3)]).await.expect("puts");
    let pairs = store.list_pairs(&RequestContext::local(), None).await.expect("lists").items;
    assert_eq!(pairs.len(), 1);
    assert_eq!((pairs[0].question.as_str(), pairs[0].answer.as_str()), ("new question", "new answer"));
    assert_eq!((pairs[0].context.as_ref(), pairs[0].written_by.as_ref()), (None, None));
    assert!(pairs[0].document.is_none() && pairs[0].metadata.is_empty());
}
