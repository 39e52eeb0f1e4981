//! The state of the store that a derived index was made of, so that no index is taken for one of another history.
//!
//! Every store has a random id, and every commit that changes entries gets a random mark, kept with the number of its last
//! change. An index carries the three. If the store holds the same mark under the same number, everything up to there is
//! the same; an index that is newer than the store, or of another store, finds no such mark: somebody has put back an
//! older `qanda.sqlite`, or copied the folder of another store.

use std::fmt;
use std::str::FromStr;

use qanda_core::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::failure::failed;
use super::settings;

/// A state of a store, after one of its commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// Id of the store.
    store: String,
    /// Number of the last change.
    pub(super) sequence: i64,
    /// Mark of the commit that made it.
    mark: i64,
}

impl Origin {
    /// The state as it is now; none as long as nothing was ever stored.
    pub(super) fn of(connection: &Connection) -> Result<Option<Self>, StoreError> {
        Self::read(connection, "SELECT sequence, mark FROM marks ORDER BY sequence DESC LIMIT 1", [])
    }

    /// The first state that has at least `sequence` changes; none if there are not so many.
    pub(super) fn reaching(connection: &Connection, sequence: i64) -> Result<Option<Self>, StoreError> {
        let sql = "SELECT sequence, mark FROM marks WHERE sequence >= ?1 ORDER BY sequence LIMIT 1";
        Self::read(connection, sql, [sequence])
    }

    fn read(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<Option<Self>, StoreError> {
        let read = || -> rusqlite::Result<Option<Self>> {
            let mark = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
            let found = connection.prepare_cached(sql)?.query_row(parameters, mark).optional()?;
            let store = settings::text(connection, settings::STORE)?.unwrap_or_default();
            Ok(found.map(|(sequence, mark)| Self { store, sequence, mark }))
        };
        read().map_err(failed("reading the state of the store"))
    }

    /// Whether this is a state that the store is in or has been in.
    pub(super) fn is_of(&self, connection: &Connection) -> Result<bool, StoreError> {
        let read = || -> rusqlite::Result<bool> {
            let sql = "SELECT EXISTS (SELECT 1 FROM marks WHERE sequence = ?1 AND mark = ?2)
                       AND EXISTS (SELECT 1 FROM settings WHERE name = ?3 AND value = ?4)";
            let parameters = (self.sequence, self.mark, settings::STORE, &self.store);
            connection.prepare_cached(sql)?.query_row(parameters, |row| row.get(0))
        };
        read().map_err(failed("reading the state of the store"))
    }
}

/// Marks the state that a transaction is about to commit.
pub(super) fn mark(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let sql = "INSERT OR IGNORE INTO marks SELECT max(sequence), random() FROM changes HAVING count(*) > 0";
    transaction.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// As indexes carry it: `STORE-SEQUENCE-MARK`, fit for the name of a file.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:016x}", self.store, self.sequence, self.mark)
    }
}

impl FromStr for Origin {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('-');
        let (Some(store), Some(sequence), Some(mark), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(());
        };
        let mark = u64::from_str_radix(mark, 16).map_err(drop)?.cast_signed();
        Ok(Self { store: store.to_owned(), sequence: sequence.parse().map_err(drop)?, mark })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_as_it_was_written() {
        for mark in [0, 1, -1, i64::MIN] {
            let origin = Origin { store: "0a1b".to_owned(), sequence: 7, mark };
            assert_eq!(origin.to_string().parse(), Ok(origin));
        }
        for other in ["", "7", "a-b-c", "a-1-2-3"] {
            assert!(other.parse::<Origin>().is_err(), "{other}");
        }
    }
}
