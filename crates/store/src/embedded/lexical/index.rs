//! The tantivy index on disk.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use qanda_core::StoreError;
use qanda_core::document::with_context;
use qanda_core::language::Language;
use rusqlite::Connection;
use tantivy::collector::{FilterCollector, TopDocs};
use tantivy::columnar::Column;
use tantivy::directory::error::{LockError, OpenDirectoryError, OpenReadError, OpenWriteError};
use tantivy::query::{Bm25StatisticsProvider, BooleanQuery, ConstScoreQuery, Occur, Query, TermQuery};
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::{
    DocAddress, Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, TantivyDocument, TantivyError, Term,
};

use super::tail::Statistics;
use crate::analysis::{ANALYSER, analyser, taken_apart};
use crate::embedded::crash_point::crash_point;
use crate::embedded::entries::Entry;
use crate::embedded::failure::{self, unreadable_now};
use crate::embedded::origin::Origin;
use crate::embedded::wanted::Wanted;

/// Memory for writing, in bytes: a segment is written when it is full.
const WRITER_MEMORY: usize = 64 << 20;

/// Up to so many removed entries are passed over after a search for more; for more of them the search itself does so.
const FEW_REMOVED: usize = 1_000;

#[derive(Clone, Copy)]
struct Fields {
    id: Field,
    kind: Field,
    text: Field,
    language: Field,
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let indexing = TextFieldIndexing::default().set_tokenizer(ANALYSER).set_index_option(IndexRecordOption::WithFreqs);
    let fields = Fields {
        id: builder.add_u64_field("id", FAST | INDEXED),
        kind: builder.add_u64_field("kind", INDEXED),
        text: builder.add_text_field("text", TextOptions::default().set_indexing_options(indexing)),
        language: builder.add_text_field("language", STRING),
    };
    (builder.build(), fields)
}

fn folder(directory: &Path) -> PathBuf {
    directory.join("index").join("lexical")
}

fn failed(doing: &str) -> impl Fn(TantivyError) -> StoreError + '_ {
    move |cause| StoreError::failed(doing, cause)
}

/// The index opened for reading, at one state.
pub(in super::super) struct LexicalIndex {
    searcher: Searcher,
    fields: Fields,
    origin: Option<Origin>,
    /// Ids of the entries, by segment: opening a column costs more than reading a few numbers of it.
    ids: Vec<Column<u64>>,
    /// Terms of all entries together.
    terms: u64,
    /// Languages of the entries.
    languages: Vec<Language>,
}

impl LexicalIndex {
    /// Opens the index; `None` where there is none, or a damaged one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the operating system refuses at the moment.
    pub(in super::super) fn open(directory: &Path) -> Result<Option<Self>, StoreError> {
        if !Self::is_there(directory) {
            return Ok(None);
        }
        match Self::try_open(directory) {
            Ok(index) => Ok(Some(index)),
            Err(error) if may_pass(&error) => Err(unreadable_now("lexical index", error)),
            Err(error) => {
                tracing::warn!(%error, "the lexical index cannot be read; it will be made anew");
                Ok(None)
            }
        }
    }

    fn try_open(directory: &Path) -> tantivy::Result<Self> {
        let index = open_index(directory)?;
        // Before the reader: should a commit come between, the tail holds some entries twice, which is harmless,
        // rather than none at all.
        let origin = committed(&index)?;
        let reader: IndexReader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let (searcher, fields) = (reader.searcher(), schema().1);
        let segments = searcher.segment_readers();
        let ids = segments.iter().map(|segment| segment.fast_fields().u64("id")).collect::<tantivy::Result<_>>()?;
        let indexes = segments.iter().filter_map(|segment| segment.inverted_index(fields.text).ok());
        let terms = indexes.map(|index| index.total_num_tokens()).sum();
        let languages = languages(&searcher, fields)?;
        Ok(Self { searcher, fields, origin, ids, terms, languages })
    }

    /// The state that it was made of.
    pub(in super::super) const fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// Whether there is one, readable or not.
    pub(in super::super) fn is_there(directory: &Path) -> bool {
        folder(directory).join("meta.json").exists()
    }

    /// Number of files whose checksum is another than when they were written, or that cannot be read.
    pub(in super::super) fn damaged_files(&self) -> usize {
        self.searcher.index().validate_checksum().map_or(1, |damaged| damaged.len())
    }

    /// Ids of all its entries.
    pub(in super::super) fn ids(&self) -> Vec<u64> {
        let segments = self.searcher.segment_readers().iter().zip(&self.ids);
        segments
            .flat_map(|(segment, ids)| segment.doc_ids_alive().filter_map(|row| ids.first(row)).collect::<Vec<_>>())
            .collect()
    }

    pub(super) fn size(&self) -> u64 {
        self.searcher.num_docs()
    }

    /// Entries that were written, those that are gone among them.
    pub(super) fn written(&self) -> u64 {
        self.searcher.segment_readers().iter().map(|segment| u64::from(segment.max_doc())).sum()
    }

    /// Terms of all entries together.
    pub(super) const fn terms(&self) -> u64 {
        self.terms
    }

    /// Languages of the entries; also of some that are gone, which does no harm.
    pub(super) fn languages(&self) -> &[Language] {
        &self.languages
    }

    pub(super) fn entries_with(&self, term: &str) -> Result<u64, StoreError> {
        let term = Term::from_field_text(self.fields.text, term);
        self.searcher.doc_freq(&term).map_err(failed("searching the lexical index"))
    }

    /// The best allowed entries with at least one of the terms.
    pub(super) fn search(
        &self,
        terms: &[String],
        statistics: &Statistics,
        limit: usize,
        wanted: &Wanted,
    ) -> Result<Vec<(u64, f32)>, StoreError> {
        if terms.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let query = self.query(terms, wanted.kind);
        let joint = Joint { statistics, index: self };
        let best = if wanted.among.is_none() && wanted.removed.len() <= FEW_REMOVED {
            // So many more are asked for as may be gone: that is quicker than asking about each that has the words.
            let best = TopDocs::with_limit(limit + wanted.removed.len()).order_by_score();
            self.searcher.search_with_statistics_provider(&query, &best, &joint)
        } else {
            let allowed = wanted.clone();
            let allowed = move |id: u64| allowed.allows_of_any_kind(id);
            let best = TopDocs::with_limit(limit).order_by_score();
            let best = FilterCollector::new("id".to_owned(), allowed, best);
            self.searcher.search_with_statistics_provider(&query, &best, &joint)
        };
        let best = best.map_err(failed("searching the lexical index"))?;
        let id = |address: DocAddress| self.ids[address.segment_ord as usize].first(address.doc_id);
        let best = best.into_iter().map(|(score, address)| (id(address).unwrap_or_default(), score));
        Ok(best.filter(|(id, _)| !wanted.removed.contains(id)).take(limit).collect())
    }

    fn query(&self, terms: &[String], kind: Option<i64>) -> BooleanQuery {
        let words = terms.iter().map(|term| -> Box<dyn Query> {
            let term = Term::from_field_text(self.fields.text, term);
            Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))
        });
        let words = BooleanQuery::union(words.collect());
        let Some(kind) = kind else { return words };
        // The condition must hold, but does not count.
        let kind = Term::from_field_u64(self.fields.kind, kind.unsigned_abs());
        let kind = ConstScoreQuery::new(Box::new(TermQuery::new(kind, IndexRecordOption::Basic)), 0.0);
        BooleanQuery::new(vec![(Occur::Must, Box::new(kind) as _), (Occur::Must, Box::new(words) as _)])
    }
}

/// Statistics of the index and of what is newer than it.
struct Joint<'a> {
    statistics: &'a Statistics,
    index: &'a LexicalIndex,
}

impl Bm25StatisticsProvider for Joint<'_> {
    fn total_num_tokens(&self, _: Field) -> tantivy::Result<u64> {
        Ok(self.statistics.tokens)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.statistics.entries)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        let of_question = term.value().as_str().and_then(|word| self.statistics.entries_with(word));
        match of_question.filter(|_| term.field() == self.index.fields.text) {
            Some(entries) => Ok(entries),
            // A condition, which does not count.
            None => self.index.searcher.doc_freq(term),
        }
    }
}

fn languages(searcher: &Searcher, fields: Fields) -> tantivy::Result<Vec<Language>> {
    let mut found = Vec::new();
    for segment in searcher.segment_readers() {
        let index = segment.inverted_index(fields.language)?;
        let mut tags = index.terms().stream()?;
        while tags.advance() {
            found.extend(std::str::from_utf8(tags.key()).ok().map(|tag| Language::of_tag(Some(tag))));
        }
    }
    Ok(found)
}

fn open_index(directory: &Path) -> tantivy::Result<Index> {
    let index = Index::open_in_dir(folder(directory))?;
    index.tokenizers().register(ANALYSER, analyser());
    if index.schema() != schema().0 {
        return Err(TantivyError::SchemaError("it is of another version".to_owned()));
    }
    Ok(index)
}

/// The state that a commit was made of travels with the commit.
fn committed(index: &Index) -> tantivy::Result<Option<Origin>> {
    Ok(index.load_metas()?.payload.and_then(|payload| payload.parse().ok()))
}

/// Whether the operating system refused, rather than the index being damaged.
fn may_pass(error: &TantivyError) -> bool {
    let cause = match error {
        TantivyError::IoError(cause)
        | TantivyError::OpenDirectoryError(OpenDirectoryError::IoError { io_error: cause, .. })
        | TantivyError::OpenReadError(OpenReadError::IoError { io_error: cause, .. })
        | TantivyError::OpenWriteError(OpenWriteError::IoError { io_error: cause, .. })
        | TantivyError::LockFailure(LockError::IoError(cause), _) => cause,
        TantivyError::LockFailure(LockError::LockBusy, _) | TantivyError::SystemError(_) => return true,
        _ => return false,
    };
    failure::may_pass(cause)
}

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
