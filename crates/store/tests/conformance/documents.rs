//! Documents and their passages.

use crate::*;

pub(crate) async fn an_empty_store_is_empty(place: &Place) {
    let store = place.open();
    for claimed in [false, true] {
        store.check().await.expect("can be searched");
        assert!(found(&*store, query("anything", 1, Mode::Hybrid)).await.is_empty());
        assert!(store.versions(&RequestContext::local()).await.expect("reads").is_empty());
        assert!(store.passages(&RequestContext::local(), vec![EntryId::from(7)]).await.expect("reads").is_empty());
        assert!(passages(&*store).await.is_empty() && keys(&*store).await.is_empty());
        assert_eq!(store.remove(&RequestContext::local(), vec!["/docs/none".to_owned()]).await.expect("removes"), 0);
        assert_eq!(store.remove_pairs(&RequestContext::local(), vec!["none".to_owned()]).await.expect("removes"), 0);
        let status = store.status().await.expect("counts");
        assert_eq!((status.documents, status.passages, status.pairs), (0, 0, 0));
        assert_eq!(status.embedder.is_some(), claimed);
        store.claim(identity("m")).await.expect("claims");
    }
}

pub(crate) async fn what_is_stored_is_found_at_once(place: &Place) {
    let store = place.open();
    store
        .put(&RequestContext::local(), vec![document("a.md", &["Insulin lowers glucose.", "Zebras live in herds."], 1)])
        .await
        .expect("puts");
    for mode in MODES {
        let hits = store.search(&RequestContext::local(), query("zebra herd", 2, mode)).await.expect("searches");
        assert_eq!(hits.len(), 2, "{mode:?}");
        assert!(hits[0].score >= hits[1].score && hits[0].pair.is_none());
        assert!((hits[0].cosine.expect("a cosine") - 1.0).abs() < 0.002);
        let passage = &hits[0].passage;
        assert_eq!((passage.text.as_str(), passage.span), ("Zebras live in herds.", Span::new(25, 46)));
        assert_eq!((passage.document.as_str(), passage.title.as_str()), ("a.md", "Title of a.md"));
        assert_eq!(
            (passage.headings.as_slice(), passage.metadata["name"].as_str()),
            (&["Heading".to_owned()][..], "a.md")
        );
        let limited = store.search(&RequestContext::local(), SearchQuery { limit: 1, ..query("zebra", 2, mode) }).await;
        assert_eq!(limited.expect("searches").len(), 1);
    }
    let other = place.open();
    assert_eq!(found(&*other, query("zebra", 2, Mode::Dense)).await[0], "Zebras live in herds.");
    let status = store.status().await.expect("counts");
    assert_eq!((status.documents, status.passages, status.pairs), (1, 2, 0));
    let version = &store.versions(&RequestContext::local()).await.expect("reads")["/docs/a.md"];
    assert_eq!(version.fingerprint, Some(fingerprint(&["Insulin lowers glucose.", "Zebras live in herds."])));
    assert_eq!((version.path.as_str(), version.title.as_str()), ("a.md", "Title of a.md"));
}

pub(crate) async fn a_new_version_replaces_the_old_one(place: &Place) {
    let store = place.open();
    store
        .put(
            &RequestContext::local(),
            vec![document("a.md", &["one", "two", "three"], 1), document("b.md", &["other"], 9)],
        )
        .await
        .expect("puts");
    let kept = id_of(&*store, "three").await;
    let mut new = document("a.md", &["three", "four"], 3);
    new.document.metadata = [("year".to_owned(), "2024".to_owned())].into();
    store.put(&RequestContext::local(), vec![new]).await.expect("puts");
    let mut texts = found(&*store, query("", 1, Mode::Dense)).await;
    texts.sort();
    assert_eq!(texts, ["four", "other", "three"]);
    let three = passages(&*store).await.into_iter().find(|passage| passage.text == "three").expect("is there");
    assert_eq!(three.span, Span::new(0, 5));
    assert_eq!(three.metadata, [("year".to_owned(), "2024".to_owned())].into(), "{kept}");
    let versions = store.versions(&RequestContext::local()).await.expect("reads");
    assert_eq!(versions.len(), 2);
    assert_eq!(versions["/docs/a.md"].fingerprint, Some(fingerprint(&["three", "four"])));
}

pub(crate) async fn removed_documents_are_gone(place: &Place) {
    let store = place.open();
    store
        .put(&RequestContext::local(), vec![document("a.md", &["one", "two"], 1), document("b.md", &["three"], 3)])
        .await
        .expect("puts");
    let locations = ["/docs/a.md", "/docs/none"].map(str::to_owned).to_vec();
    assert_eq!(store.remove(&RequestContext::local(), locations).await.expect("removes"), 1);
    assert_eq!(found(&*store, query("one two", 1, Mode::Hybrid)).await, ["three"]);
    assert_eq!(
        store.versions(&RequestContext::local()).await.expect("reads").into_keys().collect::<Vec<_>>(),
        ["/docs/b.md"]
    );
    let status = store.status().await.expect("counts");
    assert_eq!((status.documents, status.passages), (1, 1));
}

pub(crate) async fn filters_limit_every_search(place: &Place) {
    let store = place.open();
    let mut first = document("a.md", &["same words"], 1);
    let more = [("year", "2024"), ("final", "true"), ("source", "ward"), ("version", "1.50"), ("$odd:name", "x")];
    first.document.metadata.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    store.put(&RequestContext::local(), vec![first, document("b.md", &["same words"], 2)]).await.expect("puts");
    store
        .put_pairs(
            &RequestContext::local(),
            vec![NewPair { document: Some("a.md".to_owned()), ..pair("p", "same?", "words", 3) }],
        )
        .await
        .expect("puts");
    for mode in MODES {
        for (name, value) in more.into_iter().chain([("name", "a.md")]) {
            let query = SearchQuery { filter: filter(name, value), ..query("same words", 1, mode) };
            let hits = store.search(&RequestContext::local(), query.clone()).await.expect("searches");
            assert_eq!(hits.len(), 1, "{mode:?} {name}");
            assert_eq!(hits[0].passage.document, "a.md");
            assert_eq!(hits[0].passage.metadata[name], value);
            let pairs = SearchQuery { source: Source::Qa, ..query };
            assert_eq!(store.search(&RequestContext::local(), pairs).await.expect("searches").len(), 1, "{name}");
        }
        let mut both = filter("name", "b.md");
        assert_eq!(found(&*store, SearchQuery { filter: both.clone(), ..query("", 1, mode) }).await.len(), 1);
        both.insert("year".to_owned(), "2024".to_owned());
        assert!(found(&*store, SearchQuery { filter: both, ..query("", 1, mode) }).await.is_empty());
    }
}

pub(crate) async fn filters_find_a_list_by_each_of_its_items(place: &Place) {
    let store = place.open();
    let lists = [("tags", ["kidney", "dosing, oral"]), ("guideline", ["one", "two"])];
    let mut first = document("a.md", &["same words"], 1);
    first.document.metadata.extend(lists.map(|(name, items)| (name.to_owned(), metadata::list(items))));
    let mut second = document("b.md", &["same words"], 2);
    second.document.metadata.insert("tags".to_owned(), "heart, kidney".to_owned());
    store.put(&RequestContext::local(), vec![first, second]).await.expect("puts");
    let about = NewPair { document: Some("a.md".to_owned()), ..pair("p", "same?", "words", 3) };
    store.put_pairs(&RequestContext::local(), vec![about]).await.expect("puts");
    // Before and after the lexical index has them.
    for _ in 0..2 {
        for mode in MODES {
            for (name, items) in lists {
                for item in items {
                    let query = SearchQuery { filter: filter(name, item), ..query("same words", 2, mode) };
                    let hits = store.search(&RequestContext::local(), query.clone()).await.expect("searches");
                    assert_eq!(hits.len(), 1, "{mode:?} {name} {item}");
                    assert_eq!(hits[0].passage.metadata[name], metadata::list(items));
                    let pairs = SearchQuery { source: Source::Qa, ..query };
                    assert_eq!(found(&*store, pairs).await.len(), 1, "{mode:?} {name} {item}");
                }
            }
            for (name, other) in [("tags", "dosing"), ("tags", "oral"), ("tags", "kid"), ("guideline", "three")] {
                let query = SearchQuery { filter: filter(name, other), ..query("same words", 2, mode) };
                assert!(found(&*store, query).await.is_empty(), "{mode:?} {name} {other}");
            }
        }
        store.optimise().await.expect("indexes");
    }
}

pub(crate) async fn passages_come_by_id_in_order(place: &Place) {
    let store = place.open();
    store.put(&RequestContext::local(), vec![document("a.md", &["one", "two", "three"], 1)]).await.expect("puts");
    let (one, three) = (id_of(&*store, "one").await, id_of(&*store, "three").await);
    store.put_pairs(&RequestContext::local(), vec![pair("p", "question", "answer", 4)]).await.expect("puts");
    let wanted = vec![three.clone(), EntryId::from("123456".to_owned()), one.clone(), three.clone()];
    let found = store.passages(&RequestContext::local(), wanted).await.expect("reads");
    assert_eq!(found.iter().map(|passage| passage.text.as_str()).collect::<Vec<_>>(), ["three", "one", "three"]);
    assert_eq!(found[0].id, three);
    assert_eq!(found[1].span, Span::new(0, 3));
}

pub(crate) async fn another_embedder_is_refused(place: &Place) {
    let store = place.open();
    store.claim(identity("m")).await.expect("claims");
    store.claim(identity("m")).await.expect("claims again");
    store.put(&RequestContext::local(), vec![document("a.md", &["one"], 1)]).await.expect("puts");
    for other in [identity("other"), EmbedderIdentity { name: "m".to_owned(), dimension: 9 }] {
        let refused = store.claim(other.clone()).await.expect_err("is refused").to_string();
        assert!(refused.contains("made with the embedder m (8 dimensions)"), "{refused}");
        // The embedded store says so when it is opened, one behind a network when it is asked.
        let refused = match place.open_with(other) {
            Ok(store) => store.check().await.expect_err("is refused"),
            Err(error) => error,
        };
        assert!(matches!(refused, StoreError::OtherEmbedder { .. }), "{refused}");
    }
    assert_eq!(store.status().await.expect("counts").embedder, Some(("m".to_owned(), 8)));
}

pub(crate) async fn long_lists_come_in_pages(place: &Place) {
    let store = place.open();
    let texts: Vec<String> = (0..6_100).map(|n| format!("text {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    store.put(&RequestContext::local(), vec![document("big.md", &texts, 0)]).await.expect("puts");
    store
        .put(&RequestContext::local(), (0..700).map(|n| document(&format!("{n}.md"), &["small"], n)).collect())
        .await
        .expect("puts");
    store
        .put_pairs(&RequestContext::local(), (0..1_100).map(|n| pair(&format!("{n}"), "q", "a", n)).collect())
        .await
        .expect("puts");
    let listed = passages(&*store).await;
    assert_eq!(listed.len(), 6_800);
    assert_eq!(listed.iter().map(|passage| &passage.id).collect::<std::collections::HashSet<_>>().len(), 6_800);
    assert_eq!(keys(&*store).await.len(), 1_100);
    assert_eq!(store.versions(&RequestContext::local()).await.expect("reads").len(), 701);
    let status = store.status().await.expect("counts");
    assert_eq!((status.documents, status.passages, status.pairs), (701, 6_800, 1_100));
    store.put(&RequestContext::local(), vec![document("big.md", &["all gone"], 0)]).await.expect("puts");
    assert_eq!(store.status().await.expect("counts").passages, 701);
    assert_eq!(
        store
            .remove(&RequestContext::local(), (0..700).map(|n| format!("/docs/{n}.md")).collect())
            .await
            .expect("removes"),
        700
    );
    assert_eq!(passages(&*store).await.len(), 1);
}

pub(crate) async fn every_script_survives(place: &Place) {
    let store = place.open();
    let texts = ["Größe ≥ 5 µg – naïve", "糖尿病の治療 🩺", "line\nbreak\ttab \"quoted\" \\ back", "same", "same"];
    let mut new = document("ä/ö ü.md", &texts, 1);
    new.document.metadata.insert("schlüssel".to_owned(), "wert „ß“".to_owned());
    store.put(&RequestContext::local(), vec![new.clone()]).await.expect("puts");
    let stored = passages(&*store).await;
    assert_eq!(stored.len(), 5, "equal passages are two");
    for (passage, new_passage) in stored.iter().zip(&new.passages) {
        assert_eq!(passage.text, new.document.text[passage.span.start..passage.span.end]);
        assert_eq!((passage.document.as_str(), passage.span), ("ä/ö ü.md", new_passage.span));
    }
    let query = SearchQuery { filter: filter("schlüssel", "wert „ß“"), ..query("糖尿病", 2, Mode::Hybrid) };
    assert_eq!(found(&*store, query).await[0], texts[1]);
    store.put_pairs(&RequestContext::local(), vec![pair("ключ", "Вопрос?", "Ответ 🩺", 7)]).await.expect("puts");
    assert_eq!(keys(&*store).await, ["ключ"]);
    store.put(&RequestContext::local(), vec![new]).await.expect("puts again");
    assert_eq!(passages(&*store).await.len(), 5);
}

pub(crate) async fn documents_without_passages_are_known(place: &Place) {
    let store = place.open();
    store
        .put(&RequestContext::local(), vec![document("empty.md", &[], 1), document("a.md", &["one"], 1)])
        .await
        .expect("puts");
    assert_eq!(store.versions(&RequestContext::local()).await.expect("reads").len(), 2);
    let status = store.status().await.expect("counts");
    assert_eq!((status.documents, status.passages), (2, 1));
    for source in [Source::Context, Source::Qa, Source::All] {
        let query = SearchQuery { source, ..query("", 1, Mode::Dense) };
        assert_eq!(found(&*store, query).await.len(), usize::from(source != Source::Qa));
    }
    store
        .put(&RequestContext::local(), vec![document("empty.md", &["two"], 2), document("a.md", &[], 1)])
        .await
        .expect("puts");
    assert_eq!(found(&*store, query("", 1, Mode::Dense)).await, ["two"]);
    assert_eq!(store.remove(&RequestContext::local(), vec!["/docs/a.md".to_owned()]).await.expect("removes"), 1);
    assert_eq!(store.versions(&RequestContext::local()).await.expect("reads").len(), 1);
}

pub(crate) async fn documents_are_listed_page_by_page_and_got_by_id(place: &Place) {
    let (store, here) = (place.open(), RequestContext::local());
    assert_eq!(store.list(&here, DocumentQuery::all(None, 2)).await.expect("lists").items, []);
    let mut first = document("a.md", &["one", "two"], 1);
    first.document.metadata.insert("year".to_owned(), "2026".to_owned());
    store.put(&here, vec![first, document("b.md", &["three"], 3), document("c.md", &["four"], 4)]).await.expect("puts");
    let context = Some(id_of(&*store, "one").await);
    store.put_pairs(&here, vec![NewPair { context, ..pair("p", "q?", "one", 5) }]).await.expect("puts");
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(&here, DocumentQuery::all(after, 2)).await.expect("lists");
        assert!(page.items.len() <= 2);
        listed.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    listed.sort_by(|one, other| one.path.cmp(&other.path));
    let paths: Vec<&str> = listed.iter().map(|document| document.path.as_str()).collect();
    assert_eq!(paths, ["a.md", "b.md", "c.md"]);
    let first = &listed[0];
    assert_eq!((first.location.as_str(), first.title.as_str()), ("/docs/a.md", "Title of a.md"));
    assert_eq!((first.passages, first.pairs, first.metadata["year"].as_str()), (2, 1, "2026"));
    assert_eq!(first.fingerprint, Some(fingerprint(&["one", "two"])));
    assert_eq!((listed[1].passages, listed[1].pairs), (1, 0));
    assert_eq!(store.get(&here, &first.id).await.expect("reads").as_ref(), Some(first));

    store.put(&here, vec![document("a.md", &["new"], 9)]).await.expect("puts");
    let new = store.get(&here, &first.id).await.expect("reads").expect("keeps its id");
    assert_eq!((new.path.as_str(), new.passages), ("a.md", 1));
    store.remove(&here, vec!["/docs/a.md".to_owned()]).await.expect("removes");
    assert_eq!(store.get(&here, &first.id).await.expect("reads"), None);
    assert_eq!(store.get(&here, &DocumentId::from("no such id".to_owned())).await.expect("reads"), None);
}

pub(crate) async fn another_collection_is_refused_by_name(place: &Place) {
    let store = place.open();
    let other = RequestContext { collection: Collection::new("surgery"), ..RequestContext::local() };
    let is_refused = |error: StoreError| {
        assert!(matches!(&error, StoreError::NoSuchCollection { collection } if collection == "surgery"), "{error}");
        assert!(error.to_string().contains("surgery"));
    };
    is_refused(store.search(&other, query("a", 1, Mode::Dense)).await.expect_err("is refused"));
    is_refused(store.put(&other, vec![document("a.md", &["one"], 1)]).await.expect_err("is refused"));
    is_refused(store.list(&other, DocumentQuery::all(None, 1)).await.expect_err("is refused"));
    is_refused(store.list_pairs(&other, None).await.expect_err("is refused"));
}

pub(crate) async fn the_base_folder_is_remembered(place: &Place) {
    let (store, here) = (place.open(), RequestContext::local());
    assert_eq!(store.base_folder(&here, "/srv/wiki".to_owned()).await.expect("reads"), "/srv/wiki");
    let mut new = document("docs/a.md", &["one"], 1);
    new.document.location = "/srv/wiki/docs/a.md".to_owned();
    store.put(&here, vec![new]).await.expect("puts");
    assert_eq!(place.open().base_folder(&here, "/home".to_owned()).await.expect("reads"), "/srv/wiki");
}
