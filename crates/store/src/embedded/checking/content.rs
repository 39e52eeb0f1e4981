//! What SQLite holds.

use qanda_core::StoreError;
use rusqlite::{Connection, Row, params};

use super::{CheckReport, Part};
use crate::embedded::entries::{PASSAGE, bytes};
use crate::embedded::failure::failed;
use crate::embedded::vector::Vector;
use crate::embedded::{documents, settings};

/// Faults of SQLite that are listed.
const MOST_FAULTS: usize = 10;

/// Rows that belong to nothing: what they are, and where they stand.
pub(super) const ORPHANS: [(&str, &str); 8] = [
    (
        "passages or pairs of documents that are gone",
        "entries WHERE (document_id <> 0 OR kind = 0) AND document_id NOT IN (SELECT id FROM documents)",
    ),
    ("questions without their pair", "entries WHERE kind = 1 AND id NOT IN (SELECT entry_id FROM pairs)"),
    ("pairs without their question", "pairs WHERE entry_id NOT IN (SELECT id FROM entries WHERE kind = 1)"),
    ("vectors of nothing", "vectors WHERE entry_id NOT IN (SELECT id FROM entries)"),
    ("new vectors of nothing", "next_vectors WHERE entry_id NOT IN (SELECT id FROM entries)"),
    ("texts of documents that are gone", "document_texts WHERE document_id NOT IN (SELECT id FROM documents)"),
    ("metadata of documents that are gone", "document_metadata WHERE document_id NOT IN (SELECT id FROM documents)"),
    (
        "links of pairs to passages that are gone",
        "pairs WHERE context_id IS NOT NULL AND context_id NOT IN (SELECT id FROM entries WHERE kind = 0)",
    ),
];

/// Entries that no index would learn of.
pub(super) const UNANNOUNCED: &str = "entries WHERE id NOT IN (SELECT entry_id FROM changes WHERE added = 1)";

/// Asks SQLite whether the file is sound. False for one of which nothing more can be read.
pub(super) fn is_readable(connection: &Connection, report: &mut CheckReport) -> Result<bool, StoreError> {
    let read = || -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MOST_FAULTS})"))?;
        statement.query_map([], |row| row.get(0))?.collect()
    };
    match read() {
        Ok(faults) => {
            let faults: Vec<String> = faults.into_iter().filter(|fault| fault != "ok").collect();
            let sound = faults.is_empty();
            faults.into_iter().for_each(|fault| report.add(Part::Database, fault));
            Ok(sound)
        }
        Err(cause) => match failed("checking the database")(cause) {
            // Busy, or no room: it could not be checked.
            error @ (StoreError::Unavailable { .. } | StoreError::DiskFull { .. }) => Err(error),
            error => {
                report.add(Part::Database, error.to_string());
                Ok(false)
            }
        },
    }
}

/// Checks everything that is stored.
pub(super) fn check(snapshot: &Connection, report: &mut CheckReport) -> Result<(), StoreError> {
    let fail = failed("checking the store");
    let unannounced = ("passages or pairs that no index learns of", UNANNOUNCED);
    for (what, rows) in ORPHANS.into_iter().chain([unannounced]) {
        let sql = format!("SELECT count(*) FROM {rows}");
        let found: i64 = snapshot.query_row(&sql, [], |row| row.get(0)).map_err(&fail)?;
        if found > 0 {
            report.add(Part::Content, format!("{found} {what}"));
        }
    }
    for Faulty { path, what, .. } in faulty_documents(snapshot)? {
        report.add(Part::Content, format!("{path}: {what}"));
    }
    vectors(snapshot, report)
}

/// A document whose text and passages do not fit.
pub(super) struct Faulty {
    pub(super) row: i64,
    pub(super) path: String,
    pub(super) what: &'static str,
    /// Whether the text is right, so that the passages can be cut out of it again.
    pub(super) text_is_right: bool,
}

/// Compares the text of every document with its hash, and its passages with the text.
pub(super) fn faulty_documents(snapshot: &Connection) -> Result<Vec<Faulty>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Faulty>> {
        let sql = "SELECT d.id, d.path, d.text_hash, t.text
                   FROM documents d LEFT JOIN document_texts t ON t.document_id = d.id";
        let mut statement = snapshot.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut faulty = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, path): (i64, String) = (row.get(0)?, row.get(1)?);
            let (hash, text): (Option<String>, Option<String>) = (row.get(2)?, row.get(3).unwrap_or_default());
            let mut note =
                |what, text_is_right| faulty.push(Faulty { row: id, path: path.clone(), what, text_is_right });
            match (hash, text) {
                (_, None) => note("its text is missing", false),
                (Some(hash), Some(text)) if documents::text_hash(&text) != hash => {
                    note("its text is not the one that was stored", false);
                }
                (_, Some(text)) if !passages_stand_in(snapshot, id, &text)? => {
                    note("a passage is not what stands in its text", true);
                }
                _ => {}
            }
        }
        Ok(faulty)
    };
    read().map_err(failed("checking the texts"))
}

fn passages_stand_in(snapshot: &Connection, document: i64, text: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT start_byte, end_byte, text FROM entries WHERE document_id = ?1 AND kind = ?2";
    let mut statement = snapshot.prepare_cached(sql)?;
    let stands = |row: &Row<'_>| -> rusqlite::Result<bool> {
        let (start, end) = (bytes(row.get(0)?), bytes(row.get(1)?));
        Ok(text.get(start..end).is_some_and(|words| row.get_ref(2).is_ok_and(|stored| stored.as_str() == Ok(words))))
    };
    let found: Vec<bool> = statement.query_map(params![document, PASSAGE], stands)?.collect::<Result<_, _>>()?;
    Ok(found.into_iter().all(|stands| stands))
}

fn vectors(snapshot: &Connection, report: &mut CheckReport) -> Result<(), StoreError> {
    let dimension = settings::embedder(snapshot)?.map(|embedder| embedder.dimension);
    let read = || -> rusqlite::Result<[u64; 2]> {
        let sql = "SELECT v.vector FROM entries e LEFT JOIN vectors v ON v.entry_id = e.id";
        let mut statement = snapshot.prepare(sql)?;
        let mut rows = statement.query([])?;
        let (mut missing, mut wrong) = (0, 0);
        while let Some(row) = rows.next()? {
            match row.get_ref(0)?.as_blob() {
                Err(_) => missing += 1,
                Ok(stored) if !is_vector(stored, dimension) => wrong += 1,
                Ok(_) => {}
            }
        }
        Ok([missing, wrong])
    };
    let [missing, wrong] = read().map_err(failed("checking the vectors"))?;
    for (number, what) in [(missing, "passages or pairs without a vector"), (wrong, "vectors that are none")] {
        if number > 0 {
            report.add(Part::Content, format!("{number} {what}"));
        }
    }
    Ok(())
}

/// Whether bytes are a vector of this many numbers.
pub(super) fn is_vector(stored: &[u8], dimension: Option<usize>) -> bool {
    let length_fits = dimension.is_none_or(|dimension| stored.len() == 2 * dimension);
    length_fits && Vector::from_bytes(stored).to_f32().iter().all(|number| number.is_finite())
}
