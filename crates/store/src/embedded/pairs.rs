//! Question/answer pairs in SQLite.
//!
//! A pair is an entry whose text is its question; the rest stands in `pairs`. It belongs to a document (the one of
//! its passage, or the one named when it was imported) and follows it: a changed document keeps the pairs whose
//! passages are still there, word for word, and a removed one takes its pairs along.

use std::collections::HashMap;

use qanda_core::document::Span;
use qanda_core::language::find_words;
use qanda_core::ports::{Page, PairLink};
use qanda_core::{EntryId, Metadata, NewPair, Pair, Passage, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::database::{self, failed};
use super::dense::{DenseView, Vector};
use super::rows::{self, PAIR, PASSAGE};

/// A stored pair with what is needed to store it again under another version of its document.
pub(super) struct Kept {
    pair: NewPair,
    vector: Vec<u8>,
    /// Headings and text of its passage.
    context: Option<(String, String)>,
}

/// Stores pairs, all or none.
pub(super) fn put(connection: &mut Connection, pairs: &[NewPair]) -> Result<(), StoreError> {
    let fail = failed("storing pairs");
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
    let store = || -> rusqlite::Result<()> {
        let documents = Documents::read(&transaction, pairs)?;
        for pair in pairs {
            remove_one(&transaction, &pair.key)?;
            let context = pair.context.as_ref().and_then(row_id);
            let document = match context {
                Some(context) => document_of(&transaction, context)?,
                None => pair.document.as_deref().and_then(|path| documents.find(path)),
            };
            let vector = Vector::from_f32(&pair.vector).to_bytes();
            // The passage may have gone while the pair was being written: then it stands for itself.
            insert(&transaction, pair, &vector, document, context.filter(|_| document.is_some()))?;
        }
        Ok(())
    };
    store().map_err(&fail)?;
    transaction.commit().map_err(&fail)
}

/// Removes pairs by key; returns how many there were.
pub(super) fn remove(connection: &mut Connection, keys: &[String]) -> Result<usize, StoreError> {
    let fail = failed("removing pairs");
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
    let mut removed = 0;
    for key in keys {
        removed += usize::from(remove_one(&transaction, key).map_err(&fail)?);
    }
    transaction.commit().map_err(&fail)?;
    Ok(removed)
}

fn remove_one(transaction: &Transaction<'_>, key: &str) -> rusqlite::Result<bool> {
    let find = "SELECT entry_id FROM pairs WHERE key = ?1";
    let entry: Option<i64> = transaction.prepare_cached(find)?.query_row([key], |row| row.get(0)).optional()?;
    let Some(entry) = entry else { return Ok(false) };
    for sql in [
        "INSERT INTO changes (entry_id, kind, added) SELECT id, kind, 0 FROM entries WHERE id = ?1",
        "DELETE FROM vectors WHERE entry_id = ?1",
        "DELETE FROM pairs WHERE entry_id = ?1",
        "DELETE FROM entries WHERE id = ?1",
    ] {
        transaction.prepare_cached(sql)?.execute([entry])?;
    }
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
    let Span { start, end } = place.unwrap_or(Span::new(0, 0));
    transaction
        .prepare_cached(
            "INSERT INTO entries (kind, document_id, start_byte, end_byte, headings, text)
             VALUES (?1, ?2, ?3, ?4, '[]', ?5)",
        )?
        .execute(params![PAIR, document.unwrap_or(0), rows::offset(start), rows::offset(end), pair.question])?;
    let entry = transaction.last_insert_rowid();
    transaction
        .prepare_cached(
            "INSERT INTO pairs (entry_id, key, answer, context_id, document, written_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![entry, pair.key, pair.answer, context, pair.document, pair.written_by])?;
    transaction.prepare_cached("INSERT INTO vectors VALUES (?1, ?2)")?.execute(params![entry, vector])?;
    let sql = "INSERT INTO changes (entry_id, kind, added) VALUES (?1, ?2, 1)";
    transaction.prepare_cached(sql)?.execute(params![entry, PAIR]).map(drop)
}

/// Where the answer stands word for word in the document: behind its question, if that is there too.
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
    let range = params![document, PASSAGE, rows::offset(place.start), rows::offset(place.end)];
    connection.prepare_cached(sql)?.query_row(range, |row| row.get(0)).optional()
}

fn document_of(connection: &Connection, passage: i64) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT document_id FROM entries WHERE id = ?1 AND kind = ?2";
    connection.prepare_cached(sql)?.query_row(params![passage, PASSAGE], |row| row.get(0)).optional()
}

/// Takes the pairs of a document that is about to be replaced.
pub(super) fn keep(transaction: &Transaction<'_>, document: i64) -> rusqlite::Result<Vec<Kept>> {
    let sql = "SELECT p.key, e.text, p.answer, p.document, p.written_by, v.vector, c.headings, c.text
               FROM entries e JOIN pairs p ON p.entry_id = e.id JOIN vectors v ON v.entry_id = e.id
               LEFT JOIN entries c ON c.id = p.context_id WHERE e.document_id = ?1 AND e.kind = ?2";
    let mut statement = transaction.prepare_cached(sql)?;
    statement.query_map(params![document, PAIR], kept)?.collect()
}

/// Takes the pairs that were imported for a document before it came.
pub(super) fn keep_waiting(transaction: &Transaction<'_>, path: &str) -> rusqlite::Result<Vec<Kept>> {
    let sql = "SELECT p.key, e.text, p.answer, p.document, p.written_by, v.vector, NULL, NULL
               FROM pairs p JOIN entries e ON e.id = p.entry_id JOIN vectors v ON v.entry_id = e.id
               WHERE e.document_id = 0 AND e.kind = 1
               AND (p.document = ?1 OR substr(?1, -length(p.document) - 1) = '/' || p.document)";
    let mut statement = transaction.prepare_cached(sql)?;
    statement.query_map([path], kept)?.collect()
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
pub(super) fn put_back(transaction: &Transaction<'_>, document: i64, kept: Vec<Kept>) -> rusqlite::Result<()> {
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

/// A pair's rest, and the pair as a passage that can be cited.
pub(super) fn as_passage(connection: &Connection, entry: u64) -> rusqlite::Result<Option<(Passage, PairLink)>> {
    let sql = "SELECT e.text, p.answer, p.key, p.context_id, d.path, d.title, e.start_byte, e.end_byte, e.document_id,
                      substr(CAST(t.text AS BLOB), e.start_byte + 1, e.end_byte - e.start_byte)
               FROM entries e JOIN pairs p ON p.entry_id = e.id
               LEFT JOIN documents d ON d.id = e.document_id LEFT JOIN document_texts t ON t.document_id = d.id
               WHERE e.id = ?1";
    let read = |row: &Row<'_>| {
        let (question, answer, key): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let context = row.get::<_, Option<i64>>(3)?.map(|id| EntryId::from(id.unsigned_abs()));
        let span = Span::new(rows::bytes(row.get(6)?), rows::bytes(row.get(7)?));
        let link = PairLink { question: question.clone(), context };
        let quoted = row.get::<_, Option<Vec<u8>>>(9)?.and_then(|bytes| String::from_utf8(bytes).ok());
        let (document, title, headings, text, span) = match (row.get(4)?, row.get(5)?, quoted) {
            (Some(path), Some(title), Some(text)) if !span.is_empty() => (path, title, vec![question], text, span),
            _ => (format!("qa:{key}"), question, Vec::new(), answer.clone(), Span::new(0, answer.len())),
        };
        let passage = Passage { id: entry.into(), document, title, headings, text, span, metadata: Metadata::new() };
        Ok((passage, link, row.get::<_, i64>(8)?))
    };
    let found = connection.prepare_cached(sql)?.query_row([entry.cast_signed()], read).optional()?;
    let Some((mut passage, link, document)) = found else { return Ok(None) };
    passage.metadata = rows::metadata_of(connection, document)?;
    Ok(Some((passage, link)))
}

/// The pairs written for any of these passages, the nearest questions first.
pub(super) fn written_for(
    connection: &Connection,
    dense: &DenseView,
    contexts: &[EntryId],
    vector: &Vector,
    limit: usize,
) -> Result<Vec<Pair>, StoreError> {
    let connection = &*database::snapshot(connection)?;
    let ids = written(connection, contexts).map_err(failed("reading pairs"))?;
    let mut found = dense.cosines(connection, vector, ids.into_iter())?;
    crate::fusion::sort(&mut found);
    found.truncate(limit);
    let read = |(id, _): (u64, f32)| one(connection, id.cast_signed());
    found.into_iter().map(read).collect::<Result<_, _>>().map_err(failed("reading pairs"))
}

fn written(connection: &Connection, contexts: &[EntryId]) -> rusqlite::Result<Vec<u64>> {
    let ids: Vec<i64> = contexts.iter().filter_map(row_id).collect();
    let places = vec!["?"; ids.len()].join(", ");
    let sql = format!("SELECT entry_id FROM pairs WHERE context_id IN ({places})");
    let mut statement = connection.prepare_cached(&sql)?;
    let id = |row: &Row<'_>| Ok(row.get::<_, i64>(0)?.unsigned_abs());
    statement.query_map(rusqlite::params_from_iter(ids), id)?.collect()
}

const PAIR_COLUMNS: &str = "SELECT p.key, e.text, p.answer, p.context_id, coalesce(d.path, p.document), p.written_by,
                                   e.document_id, e.id
                            FROM pairs p JOIN entries e ON e.id = p.entry_id LEFT JOIN documents d ON d.id = e.document_id";

fn one(connection: &Connection, entry: i64) -> rusqlite::Result<Pair> {
    let sql = format!("{PAIR_COLUMNS} WHERE e.id = ?1");
    let (pair, document, _) = connection.prepare_cached(&sql)?.query_row([entry], pair)?;
    Ok(Pair { metadata: rows::metadata_of(connection, document)?, ..pair })
}

fn pair(row: &Row<'_>) -> rusqlite::Result<(Pair, i64, i64)> {
    let pair = Pair {
        key: row.get(0)?,
        question: row.get(1)?,
        answer: row.get(2)?,
        context: row.get::<_, Option<i64>>(3)?.map(|id| EntryId::from(id.unsigned_abs())),
        document: row.get(4)?,
        written_by: row.get(5)?,
        metadata: Metadata::new(),
    };
    Ok((pair, row.get(6)?, row.get(7)?))
}

/// Items on a page of a list.
const PAGE: usize = 1_000;

/// All pairs in the order in which they came, page by page.
pub(super) fn list(connection: &Connection, after: Option<&str>) -> Result<Page<Pair>, StoreError> {
    let read = || -> rusqlite::Result<Page<Pair>> {
        let sql = format!("{PAIR_COLUMNS} WHERE e.id > ?1 ORDER BY e.id LIMIT {PAGE}");
        let mut statement = connection.prepare_cached(&sql)?;
        let found: Vec<_> = statement.query_map([cursor(after)], pair)?.collect::<Result<_, _>>()?;
        let next = found.last().filter(|_| found.len() == PAGE).map(|(_, _, id)| id.to_string());
        let whole = |(pair, document, _)| Ok(Pair { metadata: rows::metadata_of(connection, document)?, ..pair });
        Ok(Page { items: found.into_iter().map(whole).collect::<rusqlite::Result<_>>()?, next })
    };
    read().map_err(failed("listing pairs"))
}

/// All passages in the order in which they came, page by page.
pub(super) fn list_passages(connection: &Connection, after: Option<&str>) -> Result<Page<Passage>, StoreError> {
    let read = || -> rusqlite::Result<Vec<i64>> {
        let sql = format!("SELECT id FROM entries WHERE kind = {PASSAGE} AND id > ?1 ORDER BY id LIMIT {PAGE}");
        let mut statement = connection.prepare_cached(&sql)?;
        statement.query_map([cursor(after)], |row| row.get(0))?.collect()
    };
    let ids = read().map_err(failed("listing passages"))?;
    let next = ids.last().filter(|_| ids.len() == PAGE).map(ToString::to_string);
    let passages = ids.into_iter().map(|id| rows::passage(connection, id.unsigned_abs()));
    Ok(Page { items: passages.filter_map(Result::transpose).collect::<Result<_, _>>()?, next })
}

fn cursor(after: Option<&str>) -> i64 {
    after.and_then(|id| id.parse().ok()).unwrap_or(0)
}

/// The row of an id that this store gave out.
pub(super) fn row_id(id: &EntryId) -> Option<i64> {
    id.as_str().parse().ok()
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The stored documents by the last part of their path, for pairs that name theirs in another way than we do.
struct Documents(HashMap<String, Vec<(String, i64)>>);

impl Documents {
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
