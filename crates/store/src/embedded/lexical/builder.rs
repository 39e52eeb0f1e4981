//! The tantivy index opened for writing.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use qanda_core::StoreError;
use qanda_core::document::with_context;
use rusqlite::Connection;
use tantivy::index::SegmentComponent;
use tantivy::{Index, IndexWriter, TantivyDocument, Term};

use super::index::{Fields, WRITER_MEMORY, committed, failed, folder, may_pass, open_index, schema};
use crate::analysis::{ANALYSER, analyser, taken_apart};
use crate::embedded::crash_point::crash_point;
use crate::embedded::entries::Entry;
use crate::embedded::failure::unreadable_now;
use crate::embedded::origin::Origin;

/// The index opened for writing; the caller holds the lock that keeps other writers out.
pub(in super::super) struct IndexBuilder {
    writer: IndexWriter,
    fields: Fields,
}

impl IndexBuilder {
    /// Opens the index, or makes it anew where it is missing, broken or of another history than the store; returns the
    /// last change that it includes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], and nothing deleted, when the operating system refuses at the moment.
    pub(in super::super) fn start(directory: &Path, connection: &Connection) -> Result<(Self, i64), StoreError> {
        let open = || -> tantivy::Result<(Index, Option<Origin>)> {
            let index = open_index(directory)?;
            let origin = committed(&index)?;
            Ok((index, origin))
        };
        let own = match open() {
            Ok((index, Some(origin))) => origin.is_of(connection)?.then_some((index, origin.sequence)),
            Ok((_, None)) => None,
            Err(error) if may_pass(&error) => return Err(unreadable_now("lexical index", error)),
            Err(_) => None,
        };
        let (index, sequence) = match own {
            Some(own) => own,
            None => (create(directory)?, 0),
        };
        remove_strays(directory, &index)?;
        // One thread: entries arrive as fast as one analyses them, and few segments make quick searches.
        let writer = index.writer_with_num_threads(1, WRITER_MEMORY).map_err(failed("opening the lexical index"))?;
        Ok((Self { writer, fields: schema().1 }, sequence))
    }

    pub(in super::super) fn add(&self, entry: &Entry) -> Result<(), StoreError> {
        let mut document = TantivyDocument::default();
        document.add_u64(self.fields.id, entry.id);
        document.add_u64(self.fields.kind, entry.kind.unsigned_abs());
        let text = with_context(&entry.title, &entry.headings, &entry.text);
        document.add_pre_tokenized_text(self.fields.text, taken_apart(&text, entry.language));
        document.add_text(self.fields.language, entry.language.tag());
        self.writer.add_document(document).map(drop).map_err(failed("writing the lexical index"))
    }

    pub(in super::super) fn remove(&self, ids: &[u64]) {
        for id in ids {
            self.writer.delete_term(Term::from_field_u64(self.fields.id, *id));
        }
    }

    /// Makes what was added durable, as a state of the store.
    pub(in super::super) fn commit(&mut self, origin: &Origin) -> Result<(), StoreError> {
        let fail = failed("writing the lexical index");
        let mut commit = self.writer.prepare_commit().map_err(&fail)?;
        commit.set_payload(&origin.to_string());
        crash_point("before the lexical index is committed");
        commit.commit().map_err(&fail)?;
        crash_point("after the lexical index is committed");
        Ok(())
    }

    /// Waits for what goes on behind the commits.
    pub(in super::super) fn finish(self) -> Result<(), StoreError> {
        self.writer.wait_merging_threads().map_err(failed("writing the lexical index"))
    }
}

/// Removes files that no commit knows. A writer that died leaves them behind, and the next one gives its files the same
/// names and fails because they are there.
fn remove_strays(directory: &Path, index: &Index) -> Result<(), StoreError> {
    let failed_io = |cause: std::io::Error| StoreError::failed("clearing up the lexical index", cause);
    let segments = index.searchable_segment_metas().map_err(failed("opening the lexical index"))?;
    let ids: HashSet<String> = segments.iter().map(|segment| segment.id().uuid_string()).collect();
    let deletes: HashSet<PathBuf> = segments
        .iter()
        .filter(|segment| segment.has_deletes())
        .map(|segment| segment.relative_path(SegmentComponent::Delete))
        .collect();
    for file in std::fs::read_dir(folder(directory)).map_err(failed_io)? {
        let file = file.map_err(failed_io)?;
        let name = PathBuf::from(file.file_name());
        let spelt = name.to_string_lossy();
        // Those of the folder as a whole: `meta.json`, `.managed.json` and locks.
        if spelt.starts_with('.') || spelt == "meta.json" {
            continue;
        }
        let of_segment = spelt.split('.').next().is_some_and(|id| ids.contains(id));
        if !of_segment || (spelt.ends_with(".del") && !deletes.contains(&name)) {
            std::fs::remove_file(file.path()).map_err(failed_io)?;
        }
    }
    Ok(())
}

fn create(directory: &Path) -> Result<Index, StoreError> {
    let failed_io = |cause: std::io::Error| StoreError::failed("making the lexical index", cause);
    let folder = folder(directory);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(failed_io)?;
    }
    std::fs::create_dir_all(&folder).map_err(failed_io)?;
    let index = Index::create_in_dir(&folder, schema().0).map_err(failed("making the lexical index"))?;
    index.tokenizers().register(ANALYSER, analyser());
    Ok(index)
}

/// Puts an empty index in place of the one there is, as version 1 of the terms had it, which says that it holds all.
#[cfg(test)]
pub(in super::super) fn make_as_before(directory: &Path) {
    use tantivy::schema::{FAST, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions};

    let folder = folder(directory);
    std::fs::remove_dir_all(&folder).expect("is removed");
    std::fs::create_dir_all(&folder).expect("is made");
    let mut builder = Schema::builder();
    let indexing = TextFieldIndexing::default().set_tokenizer("qanda-1").set_index_option(IndexRecordOption::WithFreqs);
    builder.add_u64_field("id", FAST | INDEXED);
    builder.add_u64_field("kind", INDEXED);
    builder.add_text_field("text", TextOptions::default().set_indexing_options(indexing));
    builder.add_text_field("metadata", STRING);
    let index = Index::create_in_dir(&folder, builder.build()).expect("is made");
    let mut writer: IndexWriter = index.writer_with_num_threads(1, WRITER_MEMORY).expect("writes");
    let mut commit = writer.prepare_commit().expect("commits");
    commit.set_payload("1000000");
    commit.commit().expect("commits");
}
