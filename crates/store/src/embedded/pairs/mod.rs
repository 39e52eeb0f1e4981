//! Question/answer pairs in SQLite.
//!
//! A pair is an entry whose text is its question; the rest stands in `pairs`. It belongs to a document (the one of
//! its passage, or the one named when it was imported) and follows it: a changed document keeps the pairs whose
//! passages are still there, word for word, and a removed one takes its pairs along.

pub(super) mod follow;
mod read;

use std::collections::HashMap;

use qanda_core::NewPair;
use qanda_core::document::Span;
use qanda_core::language::find_words;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

pub(super) use self::read::{as_passage, list, written_for};
use super::entries::{self, NewEntry, PAIR, PASSAGE, offset, row_id};
use super::vector::Vector;

/// Stores pairs; one whose key is stored already is replaced.
pub(super) fn put(transaction: &Transaction<'_>, pairs: &[NewPair]) -> rusqlite::Result<()> {
    let documents = DocumentsByName::read(transaction, pairs)?;
    for pair in pairs {
        remove_one(transaction, &pair.key)?;
        let context = pair.context.as_ref().and_then(row_id);
        let document = match context {
            Some(context) => document_of(transaction, context)?,
            None => pair.document.as_deref().and_then(|path| documents.find(path)),
        };
        let vector = Vector::from_f32(&pair.vector).to_bytes();
        // The passage may have gone while the pair was being written: then it stands for itself.
        insert(transaction, pair, &vector, document, context.filter(|_| document.is_some()))?;
    }
    Ok(())
}

/// Removes pairs by key; returns how many there were.
pub(super) fn remove(transaction: &Transaction<'_>, keys: &[String]) -> rusqlite::Result<usize> {
    let mut removed = 0;
    for key in keys {
        removed += usize::from(remove_one(transaction, key)?);
    }
    Ok(removed)
}

fn remove_one(transaction: &Transaction<'_>, key: &str) -> rusqlite::Result<bool> {
    let find = "SELECT entry_id FROM pairs WHERE key = ?1";
    let entry: Option<i64> = transaction.prepare_cached(find)?.query_row([key], |row| row.get(0)).optional()?;
    let Some(entry) = entry else { return Ok(false) };
    entries::remove(transaction, entry)?;
    Ok(true)
}

/// Inserts a pair under a document (a row id; none for a pair that stands for itself).
fn insert(
    transaction: &Transaction<'_>,
    pair: &NewPair,
    vector: &[u8],
    document: Option<i64>,
    context: Option<i64>,
) -> rusqlite::Result<()> {
    let place = match document {
        Some(document) => find_answer(transaction, document, pair)?,
        None => None,
    };
    let context = match (context, document, place) {
        (None, Some(document), Some(place)) => passage_at(transaction, document, place)?,
        (context, ..) => context,
    };
    let span = place.unwrap_or(Span::new(0, 0));
    let document = document.unwrap_or(0);
    let new = NewEntry { kind: PAIR, document, span, headings: "[]", text: &pair.question, vector };
    let entry = entries::insert(transaction, &new)?;
    transaction
        .prepare_cached(
            "INSERT INTO pairs (entry_id, key, answer, context_id, document, written_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![entry, pair.key, pair.answer, context, pair.document, pair.written_by])?;
    Ok(())
}

/// Place where the answer stands word for word in the document: behind its question, if that is there too.
fn find_answer(connection: &Connection, document: i64, pair: &NewPair) -> rusqlite::Result<Option<Span>> {
    let sql = "SELECT text FROM document_texts WHERE document_id = ?1";
    let text: String = connection.prepare_cached(sql)?.query_row([document], |row| row.get(0))?;
    let asked = text.find(pair.question.trim()).unwrap_or(0);
    Ok(find_words(&text, &pair.answer, asked).or_else(|| find_words(&text, &pair.answer, 0)))
}

/// The passage in which a place begins, or the first one that touches it.
fn passage_at(connection: &Connection, document: i64, place: Span) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT id FROM entries WHERE document_id = ?1 AND kind = ?2 AND end_byte > ?3 AND start_byte < ?4
               ORDER BY start_byte LIMIT 1";
    let range = params![document, PASSAGE, offset(place.start), offset(place.end)];
    connection.prepare_cached(sql)?.query_row(range, |row| row.get(0)).optional()
}

fn document_of(connection: &Connection, passage: i64) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT document_id FROM entries WHERE id = ?1 AND kind = ?2";
    connection.prepare_cached(sql)?.query_row(params![passage, PASSAGE], |row| row.get(0)).optional()
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The stored documents by the last part of their path, for pairs that name theirs in another way than we do.
struct DocumentsByName(HashMap<String, Vec<(String, i64)>>);

impl DocumentsByName {
    fn read(connection: &Connection, pairs: &[NewPair]) -> rusqlite::Result<Self> {
        let mut documents: HashMap<String, Vec<(String, i64)>> = HashMap::new();
        if pairs.iter().any(|pair| pair.document.is_some()) {
            let mut statement = connection.prepare_cached("SELECT path, id FROM documents")?;
            let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
            for row in rows {
                let (path, id) = row?;
                documents.entry(last_part(&path).to_owned()).or_default().push((path, id));
            }
        }
        Ok(Self(documents))
    }

    /// The document with this path, or the only one whose path ends with it.
    fn find(&self, path: &str) -> Option<i64> {
        let alike = self.0.get(last_part(path))?;
        let ends = |stored: &str| stored.strip_suffix(path).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        let exact = alike.iter().find(|(stored, _)| stored == path).map(|(_, id)| *id);
        let mut ending = alike.iter().filter(|(stored, _)| ends(stored)).map(|(_, id)| *id);
        exact.or_else(|| ending.next().filter(|_| ending.next().is_none()))
    }
}
