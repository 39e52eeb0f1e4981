//! The tantivy index on disk.

use std::path::{Path, PathBuf};

use qanda_core::document::with_context;
use qanda_core::language::Language;
use qanda_core::{Filter, StoreError};
use tantivy::collector::TopDocs;
use tantivy::columnar::Column;
use tantivy::query::{BooleanQuery, ConstScoreQuery, Occur, Query, TermQuery};
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::{DocAddress, Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, TantivyDocument, Term};

use crate::analysis::{ANALYSER, analyser, taken_apart};
use crate::embedded::crash_point::crash_point;
use crate::embedded::entries::Entry;

/// Memory for writing, in bytes: a segment is written when it is full.
const WRITER_MEMORY: usize = 64 << 20;

#[derive(Clone, Copy)]
struct Fields {
    id: Field,
    kind: Field,
    text: Field,
    metadata: Field,
    language: Field,
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let indexing = TextFieldIndexing::default().set_tokenizer(ANALYSER).set_index_option(IndexRecordOption::WithFreqs);
    let fields = Fields {
        id: builder.add_u64_field("id", FAST | INDEXED),
        kind: builder.add_u64_field("kind", INDEXED),
        text: builder.add_text_field("text", TextOptions::default().set_indexing_options(indexing)),
        metadata: builder.add_text_field("metadata", STRING),
        language: builder.add_text_field("language", STRING),
    };
    (builder.build(), fields)
}

fn folder(directory: &Path) -> PathBuf {
    directory.join("index").join("lexical")
}

fn failed(doing: &str) -> impl Fn(tantivy::TantivyError) -> StoreError + '_ {
    move |cause| StoreError::failed(doing, cause)
}

fn metadata_term(fields: Fields, name: &str, value: &str) -> Term {
    Term::from_field_text(fields.metadata, &format!("{name}\0{value}"))
}

/// The index opened for reading, at one state.
pub(super) struct LexicalIndex {
    searcher: Searcher,
    fields: Fields,
    sequence: i64,
    /// Ids of the entries, by segment: opening a column costs more than reading a few numbers of it.
    ids: Vec<Column<u64>>,
    /// Terms of all entries together.
    terms: u64,
    /// Languages of the entries.
    languages: Vec<Language>,
}

impl LexicalIndex {
    /// Opens the index; `None` where there is none that can be read.
    pub(super) fn open(directory: &Path) -> Option<Self> {
        if !folder(directory).join("meta.json").exists() {
            return None;
        }
        Self::try_open(directory)
            .inspect_err(|error| tracing::warn!(%error, "the lexical index cannot be read; it will be made anew"))
            .ok()
    }

    fn try_open(directory: &Path) -> tantivy::Result<Self> {
        let index = open_index(directory)?;
        // Before the reader: should a commit come between, the tail holds some entries twice, which is harmless,
        // rather than none at all.
        let sequence = committed(&index)?;
        let reader: IndexReader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let (searcher, fields) = (reader.searcher(), schema().1);
        let segments = searcher.segment_readers();
        let ids = segments.iter().map(|segment| segment.fast_fields().u64("id")).collect::<tantivy::Result<_>>()?;
        let indexes = segments.iter().filter_map(|segment| segment.inverted_index(fields.text).ok());
        let terms = indexes.map(|index| index.total_num_tokens()).sum();
        let languages = languages(&searcher, fields)?;
        Ok(Self { searcher, fields, sequence, ids, terms, languages })
    }

    pub(super) const fn sequence(&self) -> i64 {
        self.sequence
    }

    pub(super) fn size(&self) -> u64 {
        self.searcher.num_docs()
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

    /// The best entries with at least one of the terms.
    pub(super) fn search(
        &self,
        terms: &[String],
        limit: usize,
        kind: Option<i64>,
        filter: &Filter,
    ) -> Result<Vec<(u64, f32)>, StoreError> {
        if terms.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let query = self.query(terms, kind, filter);
        let best = TopDocs::with_limit(limit).order_by_score();
        let best = self.searcher.search(&query, &best).map_err(failed("searching the lexical index"))?;
        let id = |address: DocAddress| self.ids[address.segment_ord as usize].first(address.doc_id);
        Ok(best.into_iter().map(|(score, address)| (id(address).unwrap_or_default(), score)).collect())
    }

    fn query(&self, terms: &[String], kind: Option<i64>, filter: &Filter) -> BooleanQuery {
        let words = terms.iter().map(|term| -> Box<dyn Query> {
            let term = Term::from_field_text(self.fields.text, term);
            Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))
        });
        let words = BooleanQuery::union(words.collect());
        if kind.is_none() && filter.is_empty() {
            return words;
        }
        // Conditions must hold, but do not count.
        let condition = |term: Term| -> (Occur, Box<dyn Query>) {
            let query = TermQuery::new(term, IndexRecordOption::Basic);
            (Occur::Must, Box::new(ConstScoreQuery::new(Box::new(query), 0.0)))
        };
        let kind = kind.map(|kind| condition(Term::from_field_u64(self.fields.kind, kind.unsigned_abs())));
        let metadata = filter.iter().map(|(name, value)| condition(metadata_term(self.fields, name, value)));
        BooleanQuery::new(kind.into_iter().chain(metadata).chain([(Occur::Must, Box::new(words) as _)]).collect())
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
        return Err(tantivy::TantivyError::SchemaError("it is of another version".to_owned()));
    }
    Ok(index)
}

/// The last change that a commit includes travels with the commit.
fn committed(index: &Index) -> tantivy::Result<i64> {
    let payload = index.load_metas()?.payload;
    Ok(payload.and_then(|payload| payload.parse().ok()).unwrap_or(0))
}

/// The index opened for writing; the caller holds the lock that keeps other writers out.
pub(in super::super) struct IndexBuilder {
    writer: IndexWriter,
    fields: Fields,
}

impl IndexBuilder {
    /// Opens the index, or makes it anew where it is missing or broken; returns the change it includes last.
    pub(in super::super) fn start(directory: &Path) -> Result<(Self, i64), StoreError> {
        let fail = failed("opening the lexical index");
        let open = || -> tantivy::Result<(Index, i64)> {
            let index = open_index(directory)?;
            let sequence = committed(&index)?;
            Ok((index, sequence))
        };
        let (index, sequence) = match open() {
            Ok(opened) => opened,
            Err(_) => (create(directory)?, 0),
        };
        // One thread: entries arrive as fast as one analyses them, and few segments make quick searches.
        let writer = index.writer_with_num_threads(1, WRITER_MEMORY).map_err(&fail)?;
        Ok((Self { writer, fields: schema().1 }, sequence))
    }

    pub(in super::super) fn add(&self, entry: &Entry) -> Result<(), StoreError> {
        let mut document = TantivyDocument::default();
        document.add_u64(self.fields.id, entry.id);
        document.add_u64(self.fields.kind, entry.kind.unsigned_abs());
        let text = with_context(&entry.title, &entry.headings, &entry.text);
        document.add_pre_tokenized_text(self.fields.text, taken_apart(&text, entry.language));
        document.add_text(self.fields.language, entry.language.tag());
        for (name, value) in &entry.metadata {
            document.add_text(self.fields.metadata, format!("{name}\0{value}"));
        }
        self.writer.add_document(document).map(drop).map_err(failed("writing the lexical index"))
    }

    pub(in super::super) fn remove(&self, ids: &[u64]) {
        for id in ids {
            self.writer.delete_term(Term::from_field_u64(self.fields.id, *id));
        }
    }

    /// Makes what was added durable, as the state after `sequence`.
    pub(in super::super) fn commit(mut self, sequence: i64) -> Result<(), StoreError> {
        let fail = failed("writing the lexical index");
        let mut commit = self.writer.prepare_commit().map_err(&fail)?;
        commit.set_payload(&sequence.to_string());
        crash_point("before the lexical index is committed");
        commit.commit().map_err(&fail)?;
        crash_point("after the lexical index is committed");
        self.writer.wait_merging_threads().map_err(fail)
    }
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
