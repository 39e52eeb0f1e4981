//! Pairs in files: JSON lines, or CSV with a line of headings.

use std::io::{BufRead, BufReader, Read, Write};

use qanda_core::{EntryId, NewPair, Pair};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    JsonLines,
    /// Comma-separated values below a line of headings.
    Csv,
}

/// A pair in a file. Fields that are not known are ignored, so that other tools' files can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Identity; a hash of the words where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Question.
    pub question: String,
    /// Answer.
    pub answer: String,
    /// Path of the document that it is about.
    #[serde(default, alias = "guideline", skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Id of the passage that it was written for, in the store that it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_id: Option<String>,
    /// Hash of that passage's words: ids mean nothing to another store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_hash: Option<String>,
    /// The model that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_by: Option<String>,
}

/// A file of pairs cannot be read or written.
#[derive(Debug, Error)]
pub enum PairsError {
    /// A record is not one.
    #[error("line {line}: {message}")]
    Record {
        /// Number of the line, from 1.
        line: u64,
        /// Fault, and what is needed instead.
        message: String,
    },
    /// The file as a whole.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// CSV could not be written.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// JSON could not be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl Record {
    pub(super) fn key(&self) -> String {
        self.id.clone().unwrap_or_else(|| super::key(&self.question, &self.answer))
    }

    /// Whether this is what is stored. The store knows a document by its whole path.
    pub(super) fn is(&self, pair: &Pair) -> bool {
        let same_document = match (&self.document, &pair.document) {
            (Some(named), Some(stored)) => {
                stored.strip_suffix(named.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
            }
            (named, _) => named.is_none(),
        };
        same_document
            && (&self.question, &self.answer, &self.written_by) == (&pair.question, &pair.answer, &pair.written_by)
    }

    pub(super) fn to_pair(&self, key: String, context: Option<EntryId>, vector: Vec<f32>) -> NewPair {
        NewPair {
            key,
            question: self.question.clone(),
            answer: self.answer.clone(),
            context,
            document: self.document.clone(),
            written_by: self.written_by.clone(),
            vector,
        }
    }

    /// The record of a stored pair; `context_hash` is that of its passage.
    pub(super) fn of(pair: Pair, context_hash: Option<String>) -> Self {
        Self {
            id: Some(pair.key),
            question: pair.question,
            answer: pair.answer,
            document: pair.document,
            context_id: pair.context.map(|id| id.to_string()),
            context_hash,
            written_by: pair.written_by,
        }
    }

    fn check(self, line: u64) -> Result<Self, PairsError> {
        for (name, value) in [("question", &self.question), ("answer", &self.answer)] {
            if value.trim().is_empty() {
                return Err(PairsError::Record { line, message: format!("\"{name}\" is empty") });
            }
        }
        let given = |value: Option<String>| value.filter(|value| !value.is_empty());
        Ok(Self {
            id: given(self.id),
            document: given(self.document),
            context_id: given(self.context_id),
            context_hash: given(self.context_hash),
            written_by: given(self.written_by),
            ..self
        })
    }
}

/// Reads all records of a file.
///
/// # Errors
/// Names the first line that is no record; nothing is returned then.
pub fn read(file: impl Read, format: Format) -> Result<Vec<Record>, PairsError> {
    match format {
        Format::JsonLines => json_lines(BufReader::new(file)),
        Format::Csv => comma_separated(file),
    }
}

fn json_lines(file: impl BufRead) -> Result<Vec<Record>, PairsError> {
    let mut records = Vec::new();
    for (line, text) in (1..).zip(file.lines()) {
        let text = text?;
        // Some editors put a mark before the first line.
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            continue;
        }
        let record: Record = serde_json::from_str(text).map_err(|cause| PairsError::Record {
            line,
            message: format!("{cause}; an object with \"question\" and \"answer\" is needed"),
        })?;
        records.push(record.check(line)?);
    }
    Ok(records)
}

fn comma_separated(file: impl Read) -> Result<Vec<Record>, PairsError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(file);
    let mut records = Vec::new();
    for (line, record) in (2..).zip(reader.deserialize::<Record>()) {
        let line = record.as_ref().err().and_then(|error| error.position()).map_or(line, csv::Position::line);
        let record = record.map_err(|cause| PairsError::Record {
            line,
            message: format!("{cause}; the first line has to name the columns \"question\" and \"answer\""),
        })?;
        records.push(record.check(line)?);
    }
    Ok(records)
}

/// Writes records.
///
/// # Errors
/// When the file cannot be written.
pub fn write(file: impl Write, format: Format, records: impl Iterator<Item = Record>) -> Result<(), PairsError> {
    match format {
        Format::JsonLines => {
            let mut file = std::io::BufWriter::new(file);
            for record in records {
                serde_json::to_writer(&mut file, &record)?;
                file.write_all(b"\n")?;
            }
            Ok(file.flush()?)
        }
        Format::Csv => {
            let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(file);
            writer.write_record([
                "id",
                "question",
                "answer",
                "document",
                "context_id",
                "context_hash",
                "written_by",
            ])?;
            for record in records {
                writer.serialize((
                    record.id,
                    record.question,
                    record.answer,
                    record.document,
                    record.context_id,
                    record.context_hash,
                    record.written_by,
                ))?;
            }
            Ok(writer.flush()?)
        }
    }
}
