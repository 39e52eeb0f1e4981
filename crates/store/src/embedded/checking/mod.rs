//! Whether a store is what it should be: SQLite's own integrity, parts without their whole, texts against their hashes,
//! and the derived indexes against all that. What is derived can be made anew.

mod content;
mod indexes;
mod repair;

use std::fmt;
use std::path::Path;

use qanda_core::StoreError;

pub use self::repair::repair;
use super::database::{Database, snapshot};
use super::documents;

/// Part of a store that a problem is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The file `qanda.sqlite` itself.
    Database,
    /// Documents, passages, pairs and vectors.
    Content,
    /// The lexical index.
    LexicalIndex,
    /// The vector index.
    VectorIndex,
}

impl Part {
    /// Name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Content => "content",
            Self::LexicalIndex => "lexical index",
            Self::VectorIndex => "vector index",
        }
    }
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is.
    pub part: Part,
    /// What it is, for people.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part.as_str(), self.what)
    }
}

/// Outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// Documents, passages and pairs that were looked at.
    pub counts: [u64; 3],
    /// Everything that was found; nothing for a sound store.
    pub problems: Vec<Problem>,
}

impl CheckReport {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    fn add(&mut self, part: Part, what: impl Into<String>) {
        self.problems.push(Problem { part, what: what.into() });
    }

    fn has(&self, part: Part) -> bool {
        self.problems.iter().any(|problem| problem.part == part)
    }
}

/// Checks the store in `directory`, also beside processes that use it. Changes nothing. Reads everything that is stored,
/// and blocks.
///
/// # Errors
/// [`StoreError`] when it could not be checked; what is wrong with the store is in the report.
pub fn check(directory: &Path) -> Result<CheckReport, StoreError> {
    let mut report = CheckReport::default();
    let database = match Database::open(directory) {
        Ok(database) => database,
        Err(error @ StoreError::Failed { .. }) => {
            report.add(Part::Database, error.to_string());
            return Ok(report);
        }
        Err(error) => return Err(error),
    };
    database.with(|connection| {
        if !content::is_readable(connection, &mut report)? {
            return Ok(());
        }
        // The indexes first: a snapshot that is begun later holds all that they do.
        let opened = indexes::open(directory, connection, &mut report)?;
        let snapshot = snapshot(connection)?;
        report.counts = documents::counts(&snapshot)?;
        content::check(&snapshot, &mut report)?;
        indexes::check(&opened, &snapshot, &mut report)
    })?;
    report.problems.sort_by_key(|problem| problem.part);
    Ok(report)
}

#[cfg(test)]
mod tests;
