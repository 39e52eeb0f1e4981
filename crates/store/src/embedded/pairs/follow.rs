//! Pairs that follow their document from version to version.

use std::collections::{HashMap, HashSet};

use qanda_core::{Document, NewDocument, NewPair};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{insert, remove_one};
use crate::embedded::entries::{PAIR, PASSAGE};

/// A stored pair with what is needed to store it again under another version of its document.
pub(in super::super) struct Kept {
    pair: NewPair,
    vector: Vec<u8>,
    /// Headings and text of its passage.
    context: Option<(String, String)>,
}

/// Takes the pairs of a document that is about to be replaced.
pub(in super::super) fn take(transaction: &Transaction<'_>, document: i64) -> rusqlite::Result<Vec<Kept>> {
    let sql = "SELECT p.key, e.text, p.answer, p.document, p.written_by, v.vector, c.headings, c.text
               FROM entries e JOIN pairs p ON p.entry_id = e.id JOIN vectors v ON v.entry_id = e.id
               LEFT JOIN entries c ON c.id = p.context_id WHERE e.document_id = ?1 AND e.kind = ?2";
    let mut statement = transaction.prepare_cached(sql)?;
    statement.query_map(params![document, PAIR], kept)?.collect()
}

/// Takes the pairs that were imported for documents before these came, by location.
///
/// A pair belongs to the document whose path or location it names. Another file of that name is another document: only
/// where documents lie outside of the base folder, so that their paths are absolute, the end of one is enough, and the
/// one that is nearest to the top gets the pair.
pub(in super::super) fn take_waiting(
    transaction: &Transaction<'_>,
    documents: &[NewDocument],
) -> rusqlite::Result<HashMap<String, Vec<Kept>>> {
    let mut statement = transaction.prepare_cached(
        "SELECT p.key, e.text, p.answer, p.document, p.written_by, v.vector, NULL, NULL
         FROM pairs p JOIN entries e ON e.id = p.entry_id JOIN vectors v ON v.entry_id = e.id
         WHERE e.document_id = 0 AND e.kind = 1 AND (p.document IN (?1, ?2)
             OR (substr(?1, 1, 1) = '/' AND substr(?1, -length(p.document) - 1) = '/' || p.document))",
    )?;
    let mut taken = HashSet::new();
    let mut waiting: HashMap<String, Vec<Kept>> = HashMap::new();
    let mut documents: Vec<&Document> = documents.iter().map(|new| &new.document).collect();
    documents.sort_by_key(|document| document.path.len());
    for Document { path, location, .. } in documents {
        for kept in statement.query_map([path, location], kept)? {
            let kept = kept?;
            if taken.insert(kept.pair.key.clone()) {
                waiting.entry(location.clone()).or_default().push(kept);
            }
        }
    }
    Ok(waiting)
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let context: (Option<String>, Option<String>) = (row.get(6)?, row.get(7)?);
    let pair = NewPair {
        key: row.get(0)?,
        question: row.get(1)?,
        answer: row.get(2)?,
        context: None,
        document: row.get(3)?,
        written_by: row.get(4)?,
        vector: Vec::new(),
    };
    Ok(Kept { pair, vector: row.get(5)?, context: context.0.zip(context.1) })
}

/// Stores pairs again under the new version of their document: a pair that a model wrote only if its passage is
/// still there.
pub(in super::super) fn put_back(
    transaction: &Transaction<'_>,
    document: i64,
    kept: Vec<Kept>,
) -> rusqlite::Result<()> {
    for Kept { pair, vector, context } in kept {
        let context = match context {
            Some((headings, text)) => {
                let sql = "SELECT id FROM entries WHERE document_id = ?1 AND kind = ?2 AND headings = ?3 AND text = ?4";
                let same = params![document, PASSAGE, headings, text];
                transaction.prepare_cached(sql)?.query_row(same, |row| row.get(0)).optional()?
            }
            None => None,
        };
        if context.is_some() || pair.written_by.is_none() {
            remove_one(transaction, &pair.key)?;
            insert(transaction, &pair, &vector, Some(document), context)?;
        }
    }
    Ok(())
}
