//! Tables of the store, and the way from older versions of them.

use qanda_core::StoreError;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::failure::failed;

/// Version of the schema, in `PRAGMA user_version`.
const VERSION: i64 = 4;

/// Steps that bring a store from one version to the next; a new store takes all of them, so there is one truth about
/// what the tables look like.
const STEPS: [&str; VERSION as usize] = [FIRST, PAIRS, RECORDS, ORIGINS];

/// Version 1. Entries are what is searched: passages (`kind` 0) and question/answer pairs (`kind` 1). Ids are never
/// used twice, so an index that still knows a removed entry can do no harm.
const FIRST: &str = "
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE documents (
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        location    TEXT NOT NULL UNIQUE,
        path        TEXT NOT NULL,
        title       TEXT NOT NULL,
        fingerprint TEXT NOT NULL
    );
    CREATE TABLE document_texts (document_id INTEGER PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE document_metadata (
        document_id INTEGER NOT NULL,
        name        TEXT NOT NULL,
        value       TEXT NOT NULL,
        PRIMARY KEY (document_id, name)
    ) WITHOUT ROWID;
    CREATE INDEX document_metadata_by_value ON document_metadata (name, value);
    CREATE TABLE entries (
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        kind        INTEGER NOT NULL,
        document_id INTEGER NOT NULL,
        start_byte  INTEGER NOT NULL,
        end_byte    INTEGER NOT NULL,
        headings    TEXT NOT NULL,
        text        TEXT NOT NULL
    );
    CREATE INDEX entries_by_document ON entries (document_id);
    CREATE INDEX pairs ON entries (id) WHERE kind = 1;
    CREATE TABLE vectors (entry_id INTEGER PRIMARY KEY, vector BLOB NOT NULL);
    CREATE TABLE changes (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        entry_id INTEGER NOT NULL,
        kind     INTEGER NOT NULL,
        added    INTEGER NOT NULL
    );
";

/// Version 2: the rest of a pair, whose question is the text of its entry. `document` is the path that it was
/// imported for.
const PAIRS: &str = "
    DROP INDEX pairs;
    CREATE INDEX entries_that_are_pairs ON entries (id) WHERE kind = 1;
    CREATE TABLE pairs (
        entry_id   INTEGER PRIMARY KEY,
        key        TEXT NOT NULL UNIQUE,
        answer     TEXT NOT NULL,
        context_id INTEGER,
        document   TEXT,
        written_by TEXT
    );
    CREATE INDEX pairs_by_context ON pairs (context_id);
    CREATE INDEX pairs_by_document ON pairs (document);
";

/// Version 3: a path belongs to one document, the recipe is kept apart from the hash of the content, and there is room
/// for more facts about a document and for vectors that are being made anew. Old fingerprints tell neither content nor
/// recipe: such a document is read again once, by the next ingest.
const RECORDS: &str = "
    UPDATE documents SET path = location WHERE id NOT IN (SELECT min(id) FROM documents GROUP BY path);
    CREATE UNIQUE INDEX documents_by_path ON documents (path);
    ALTER TABLE documents DROP COLUMN fingerprint;
    ALTER TABLE documents ADD COLUMN content_hash   TEXT;
    ALTER TABLE documents ADD COLUMN chunker        INTEGER;
    ALTER TABLE documents ADD COLUMN passage_tokens INTEGER;
    ALTER TABLE documents ADD COLUMN embedder       TEXT;
    ALTER TABLE documents ADD COLUMN media_type     TEXT;
    ALTER TABLE documents ADD COLUMN language       TEXT;
    ALTER TABLE documents ADD COLUMN valid_from     TEXT;
    ALTER TABLE documents ADD COLUMN valid_until    TEXT;
    ALTER TABLE documents ADD COLUMN superseded_by  TEXT;
    ALTER TABLE documents ADD COLUMN pages          TEXT;
    CREATE TABLE next_vectors (entry_id INTEGER PRIMARY KEY, vector BLOB NOT NULL);
";

/// Version 4: what the indexes are bound to ([`super::origin`]), the SHA-256 of a document's text (none for one that an
/// older version stored), and room for the vectors of documents that take several batches to embed.
const ORIGINS: &str = "
    INSERT OR IGNORE INTO settings VALUES ('store', lower(hex(randomblob(8))));
    CREATE TABLE marks (sequence INTEGER PRIMARY KEY, mark INTEGER NOT NULL);
    INSERT INTO marks SELECT max(sequence), random() FROM changes HAVING count(*) > 0;
    ALTER TABLE documents ADD COLUMN text_hash TEXT;
    CREATE TABLE staged_vectors (
        location TEXT NOT NULL,
        number   INTEGER NOT NULL,
        texts    TEXT NOT NULL,
        vector   BLOB NOT NULL,
        PRIMARY KEY (location, number)
    ) WITHOUT ROWID;
";

/// Brings the tables up to this version, or makes them.
pub(super) fn bring_up(connection: &mut Connection, doing: &str) -> Result<(), StoreError> {
    let fail = failed(doing);
    let found = version(connection).map_err(&fail)?;
    if found > VERSION {
        let newer = format!("it was made by a newer version of qanda (schema {found}); update qanda");
        return Err(StoreError::failed(doing, newer));
    }
    if found == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
    migrate(&transaction).map_err(&fail)?;
    transaction.commit().map_err(&fail)
}

fn migrate(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    // Another process may have been quicker.
    let done = usize::try_from(version(transaction)?).unwrap_or(0);
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
