//! Documents and jobs as they travel.

use std::collections::{BTreeMap, HashMap};

use qanda_core::document::{DocumentState, StoredDocument};
use qanda_core::moment::NoDate;
use qanda_core::ports::{DocumentQuery, JobStatus, Page};
use qanda_core::{FieldFault, Metadata, Passage, Span, metadata, validity};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::fields::{Faults, Scalar};
use crate::Problem;

/// Documents of a page when the caller does not say.
pub(crate) const USUAL_LIMIT: usize = 50;
/// Most documents, or passages, of a page.
pub(crate) const MOST_LIMIT: usize = 1_000;
/// Most facts that may come with a document.
pub(crate) const MOST_FACTS: usize = 100;
/// Longest name or value of a fact, in characters.
pub(crate) const LONGEST_FACT: usize = 1_000;

/// Reads what of the documents is asked for.
///
/// # Errors
/// A problem that names every parameter that is wrong.
pub(crate) fn read_document_query(parameters: &HashMap<String, String>) -> Result<DocumentQuery, Problem> {
    let mut faults = Vec::new();
    let state = parameters.get("state").and_then(|name| {
        let known = DocumentState::ALL.into_iter().find(|state| state.as_str() == name);
        if known.is_none() {
            let allowed = DocumentState::ALL.map(DocumentState::as_str).join(", ");
            faults.push(FieldFault::new("state", format!("is \"{name}\"; it must be one of {allowed}")));
        }
        known
    });
    let query = DocumentQuery {
        words: parameters.get("q").map(|q| q.split_whitespace().map(str::to_owned).collect()).unwrap_or_default(),
        path: parameters.get("document").cloned(),
        state,
        after: parameters.get("after").cloned(),
        limit: limit(parameters, &mut faults),
    };
    if faults.is_empty() { Ok(query) } else { Err(Problem::invalid_fields(faults)) }
}

/// Cursor and length of a page.
///
/// # Errors
/// When the length is none.
pub(crate) fn read_page(parameters: &HashMap<String, String>) -> Result<(Option<String>, usize), Problem> {
    let mut faults = Vec::new();
    let limit = limit(parameters, &mut faults);
    if faults.is_empty() { Ok((parameters.get("after").cloned(), limit)) } else { Err(Problem::invalid_fields(faults)) }
}

fn limit(parameters: &HashMap<String, String>, faults: &mut Vec<FieldFault>) -> usize {
    let Some(given) = parameters.get("limit") else { return USUAL_LIMIT };
    let read = given.parse().ok().filter(|limit| (1..=MOST_LIMIT).contains(limit));
    read.unwrap_or_else(|| {
        let message = format!("is \"{given}\"; it must be a whole number from 1 to {MOST_LIMIT}");
        faults.push(FieldFault::new("limit", message));
        USUAL_LIMIT
    })
}

/// A document in words.
#[derive(Debug)]
pub(crate) struct WrittenDocument {
    /// Its name; none where the caller gave none.
    pub(crate) name: Option<String>,
    pub(crate) text: String,
    pub(crate) metadata: Metadata,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    document: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
}

/// Reads a document that came as JSON.
///
/// # Errors
/// A problem that names every field that is wrong.
pub(crate) fn read_document(json: &[u8]) -> Result<WrittenDocument, Problem> {
    let object = json.trim_ascii();
    if object.first() != Some(&b'{') {
        return Err(Problem::malformed("send for example {\"document\": \"notes/plan.md\", \"text\": \"# Plan\"}"));
    }
    let fields: Fields<'_> =
        serde_json::from_slice(object).map_err(|error| Problem::malformed(format!("malformed JSON: {error}")))?;
    let mut faults = Faults::default();
    if fields.text.is_none() {
        faults.add("text", "is missing; it must be the document's text, a string");
    }
    let name = faults.read("document", fields.document, "the document's name, a string");
    let text = faults.read("text", fields.text, "a string").unwrap_or_default();
    let metadata = facts(fields.metadata, &mut faults);
    if faults.0.is_empty() {
        Ok(WrittenDocument { name, text, metadata })
    } else {
        Err(Problem::invalid_fields(faults.0))
    }
}

/// Reads the facts about uploaded files.
///
/// # Errors
/// A problem that names every fact that is wrong.
pub(crate) fn read_facts(json: &str) -> Result<Metadata, Problem> {
    let mut faults = Faults::default();
    let expected = "is no JSON object like {\"topic\": \"diabetes\"}";
    let Ok(object) = serde_json::from_str::<&RawValue>(json) else {
        return Err(Problem::invalid_fields(vec![FieldFault::new("metadata", expected)]));
    };
    let metadata = facts(Some(object), &mut faults);
    if faults.0.is_empty() { Ok(metadata) } else { Err(Problem::invalid_fields(faults.0)) }
}

/// The facts of an object: texts, numbers and truth values as texts, lists of them as in front matter.
fn facts(object: Option<&RawValue>, faults: &mut Faults) -> Metadata {
    let expected = "an object like {\"topic\": \"diabetes\"}";
    let given: BTreeMap<String, &RawValue> = faults.read("metadata", object, expected).unwrap_or_default();
    if given.len() > MOST_FACTS {
        faults.add("metadata", format!("has {} facts; at most {MOST_FACTS} are allowed", given.len()));
        return Metadata::new();
    }
    let mut found = Metadata::new();
    for (name, value) in given {
        let shown: String = name.chars().take(40).collect();
        let field = format!("metadata.{shown}");
        let text = match serde_json::from_str::<Vec<Scalar>>(value.get()) {
            Ok(list) => metadata::list(list.into_iter().map(Scalar::into_text)),
            Err(_) => {
                match faults.read::<Scalar>(&field, Some(value), "a string, a number, true, false or a list of these") {
                    Some(value) => value.into_text(),
                    None => continue,
                }
            }
        };
        if name.chars().count() > LONGEST_FACT || text.chars().count() > LONGEST_FACT {
            faults.add(field, format!("is too long; at most {LONGEST_FACT} characters are allowed"));
        } else if name.is_empty() {
            faults.add(field, "has no name");
        } else {
            found.insert(name, text);
        }
    }
    for (name, _) in validity::faults(&found) {
        faults.add(format!("metadata.{name}"), NoDate.to_string());
    }
    found
}

/// Facts as they were given: texts, and lists of texts.
fn facts_json(facts: &Metadata) -> Value {
    let value = |value: &str| {
        if metadata::is_list(value) { metadata::items(value).collect() } else { Value::from(value) }
    };
    facts.iter().map(|(name, text)| (name.clone(), value(text))).collect()
}

/// A document as it is listed.
pub(crate) fn document_json(document: &StoredDocument) -> Value {
    let StoredDocument { id, path, title, metadata, details, passages, pairs, .. } = document;
    json!({
        "id": id.as_str(),
        "document": path,
        "title": title,
        "state": details.state_at(qanda_core::Moment::now()).as_str(),
        "media_type": details.media_type,
        "language": details.language,
        "passages": passages,
        "pairs": pairs,
        "pages": Some(details.pages.len()).filter(|&pages| pages > 0),
        "metadata": facts_json(metadata),
        "valid_from": details.valid_from.map(|moment| moment.to_string()),
        "valid_until": details.valid_until.map(|moment| moment.to_string()),
        "supersedes": validity::supersedes(metadata).collect::<Vec<_>>(),
        "superseded_by": details.superseded_by,
    })
}

/// Passages of a document.
pub(crate) fn passages_json(page: &Page<Passage>) -> Value {
    let passage = |passage: &Passage| {
        json!({
            "id": passage.id.as_str(),
            "headings": passage.headings,
            "text": passage.text,
            "start": passage.span.start,
            "end": passage.span.end,
            "page": passage.pages.as_ref().map(|pages| pages.page_at(passage.span.start)),
        })
    };
    json!({"passages": page.items.iter().map(passage).collect::<Vec<_>>(), "next": page.next})
}

/// A page of a document, from the bytes at which all its pages begin; none if there is no such page.
pub(crate) fn page_json(starts: &[usize], text: &str, number: usize) -> Option<Value> {
    let start = *starts.get(number.checked_sub(1)?)?;
    let end = starts.get(number).copied().unwrap_or(text.len());
    let words = text.get(start..end)?;
    let Span { start, end } = Span::new(start, end);
    Some(json!({"page": number, "pages": starts.len(), "start": start, "end": end, "text": words}))
}

/// A job.
pub(crate) fn job_json(job: &JobStatus) -> Value {
    let failures = job.failures.iter();
    let failures = failures.map(|failure| json!({"document": failure.document, "reason": failure.reason}));
    json!({
        "id": job.id.as_str(),
        "state": job.state.as_str(),
        "done": job.done,
        // An archive turns out to be several documents while it is read.
        "total": job.documents.len().max(job.done),
        "documents": job.documents,
        "failures": failures.collect::<Vec<_>>(),
        "created": job.created.to_string(),
        "ended": job.ended.map(|moment| moment.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(given: &[(&str, &str)]) -> HashMap<String, String> {
        given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn faults(problem: Problem) -> Vec<String> {
        let problem = problem.to_json("");
        let errors = problem["errors"].as_array().expect("errors").iter();
        errors.map(|error| error["field"].as_str().expect("a name").to_owned()).collect()
    }

    #[test]
    fn every_parameter_of_a_list_is_read_or_named() {
        let query =
            read_document_query(&parameters(&[("q", " a  B "), ("state", "expired"), ("limit", "7"), ("x", "")]));
        let query = query.expect("is read");
        assert_eq!(
            (query.words, query.state, query.limit),
            (vec!["a".into(), "B".into()], Some(DocumentState::Expired), 7)
        );
        assert_eq!(read_document_query(&parameters(&[])).expect("is read"), DocumentQuery::all(None, 50));
        for limit in ["0", "1001", "-1", "x", ""] {
            let wrong = parameters(&[("state", "old"), ("limit", limit)]);
            assert_eq!(faults(read_document_query(&wrong).expect_err("is refused")), ["state", "limit"]);
        }
    }

    #[test]
    fn facts_become_texts_and_faulty_ones_are_named() {
        let json =
            br#" {"document": "a.md", "text": "x", "metadata": {"a": "b", "n": 1.5, "t": true, "l": ["x", 2]}} "#;
        let written = read_document(json).expect("is read");
        let expected = [("a", "b"), ("l", "x\u{1f}2"), ("n", "1.5"), ("t", "true")];
        assert_eq!(written.metadata, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(facts_json(&written.metadata), json!({"a": "b", "n": "1.5", "t": "true", "l": ["x", "2"]}));
        assert_eq!((written.name.as_deref(), written.text.as_str()), (Some("a.md"), "x"));
        let wrong = format!(r#"{{"document": 1, "metadata": {{"o": {{}}, "long": "{}"}}}}"#, "x".repeat(1_001));
        let wrong = read_document(wrong.as_bytes()).expect_err("is refused");
        assert_eq!(faults(wrong), ["text", "document", "metadata.long", "metadata.o"]);
        assert!(read_document(b"[]").is_err() && read_document(b"{").is_err() && read_facts("{\"a\": 1}").is_ok());
        assert_eq!(faults(read_facts("a=b").expect_err("is refused")), ["metadata"]);
    }

    #[test]
    fn pages_are_cut_where_they_begin() {
        let page = |number| page_json(&[0, 4, 4], "one\ntwo", number);
        assert_eq!(page(1).expect("a page")["text"], "one\n");
        assert_eq!(page(2).expect("a page")["text"], "");
        assert_eq!(page(3).expect("a page")["end"], 7);
        assert!(page(0).is_none() && page(4).is_none() && page_json(&[], "one", 1).is_none());
    }
}
