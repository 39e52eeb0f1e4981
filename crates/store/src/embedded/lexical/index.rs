//! The tantivy index on disk.

use std::path::{Path, PathBuf};

use qanda_core::StoreError;
use qanda_core::language::Language;
use tantivy::collector::{FilterCollector, TopDocs};
use tantivy::columnar::Column;
use tantivy::directory::error::{LockError, OpenDirectoryError, OpenReadError, OpenWriteError};
use tantivy::query::{Bm25StatisticsProvider, BooleanQuery, ConstScoreQuery, Occur, Query, TermQuery};
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::{DocAddress, Index, IndexReader, ReloadPolicy, Searcher, TantivyError, Term};

use super::tail::Statistics;
use crate::analysis::{ANALYSER, analyser};
use crate::embedded::failure::{self, unreadable_now};
use crate::embedded::origin::Origin;
use crate::embedded::wanted::Wanted;

/// Memory for writing, in bytes: a segment is written when it is full.
pub(super) const WRITER_MEMORY: usize = 64 << 20;

/// Up to so many entries that are gone or held back are passed over after a search for more; for more of them the search
/// itself does so.
const FEW_LEFT_OUT: usize = 1_000;

#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub(super) id: Field,
    pub(super) kind: Field,
    pub(super) text: Field,
    pub(super) language: Field,
}

pub(super) fn schema() -> (Schema, Fields) {
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

pub(super) fn folder(directory: &Path) -> PathBuf {
    directory.join("index").join("lexical")
}

pub(super) fn failed(doing: &str) -> impl Fn(TantivyError) -> StoreError + '_ {
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
        let left_out = wanted.left_out();
        let best = if wanted.among.is_none() && left_out <= FEW_LEFT_OUT {
            // So many more are asked for as may be left out: quicker than asking about each that has the words.
            let best = TopDocs::with_limit(limit + left_out).order_by_score();
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
        Ok(best.filter(|(id, _)| !wanted.leaves_out(*id)).take(limit).collect())
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

pub(super) fn open_index(directory: &Path) -> tantivy::Result<Index> {
    let index = Index::open_in_dir(folder(directory))?;
    index.tokenizers().register(ANALYSER, analyser());
    if index.schema() != schema().0 {
        return Err(TantivyError::SchemaError("it is of another version".to_owned()));
    }
    Ok(index)
}

/// The state that a commit was made of travels with the commit.
pub(super) fn committed(index: &Index) -> tantivy::Result<Option<Origin>> {
    Ok(index.load_metas()?.payload.and_then(|payload| payload.parse().ok()))
}

/// Whether the operating system refused, rather than the index being damaged.
pub(super) fn may_pass(error: &TantivyError) -> bool {
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
