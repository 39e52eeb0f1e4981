//! `qanda eval chunking`: how much of the text that answers a question is in the passages that are found, and how much
//! else.
//!
//! Recall, precision and intersection over union of tokens, after Smith and Troynikov, "Evaluating Chunking Strategies
//! for Retrieval", Chroma 2024. Passages are cut as documents are ingested; an overlap, which ingesting does not have, is
//! put before them here, so that it can be judged.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use qanda_core::document::with_context;
use qanda_core::language::sentences_within;
use qanda_core::ports::{Hit, TokenCounter};
use qanda_core::{NewDocument, NewPassage, Question, RequestContext, Reranker, Span, retrieval};
use qanda_ingest::{Chunk, Prepared, Preparer, folder};
use serde_json::json;

use super::answers::questions::{self, KnownQuestion, Place};
use super::parts::Selection;
use crate::config::{AnswerArgs, StoreSettings};
use crate::terminal;
use crate::wiring::{Patience, Search};
use crate::{logging, reading, wiring};

/// Time that reading one document may take, as where they are ingested.
const LONGEST_READING: Duration = Duration::from_secs(120);

/// Measure the size and overlap of passages: how well those that are found cover what answers a question
///
/// The questions are those of qanda eval answers; their places are what should be found.
#[derive(Debug, Args)]
pub(super) struct Chunking {
    /// Folder with the documents
    #[arg(long, value_name = "DIR")]
    documents: PathBuf,
    /// Questions with the places that answer them, as for qanda eval answers
    #[arg(long, value_name = "FILE")]
    questions: PathBuf,
    /// Longest passage, in tokens of the embedder, with its overlap
    // Its own id: that of the other commands has its default in words.
    #[arg(id = "size", long = "passage-tokens", value_name = "N", default_value_t = 160)]
    passage_tokens: usize,
    /// Most tokens that a passage repeats of the one before it, in whole sentences
    #[arg(long, value_name = "N", default_value_t = 0)]
    overlap: usize,
    /// Passages found for each question
    #[arg(long, value_name = "N", default_value_t = 5)]
    n_results: usize,
    /// Keep the store here, where qanda eval answers can use it
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    answers: AnswerArgs,
}

impl Chunking {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        logging::start("warn");
        anyhow::ensure!(self.overlap < self.passage_tokens, "the overlap must be smaller than the passages");
        let known = questions::read(&self.questions)?;
        let known = self.selection.of(known, |question| &question.id, KnownQuestion::key)?;
        let temporary = std::env::temp_dir().join(format!("qanda-eval-{}", std::process::id()));
        let settings = self.answers.resolve()?;
        let (mut settings, reranker) = (settings.search, settings.reranker);
        // Never the store that answers questions: these documents would be found there.
        let directory = self.keep.clone().unwrap_or_else(|| temporary.clone());
        settings.store = StoreSettings::Embedded { directory, fusion: qanda_store::Fusion::default() };
        let measured = super::super::runtime()?.block_on(async {
            let reranker = wiring::reranker(reranker).await?;
            let search = wiring::search(settings, Patience::None).await?;
            let documents = self.prepare(&search)?;
            self.fill(&search, &documents).await?;
            self.measure(&search, reranker.as_deref(), &documents, &known).await
        });
        // A store that is not to be kept leaves nothing behind, whether or not it went well.
        let _ = std::fs::remove_dir_all(&temporary);
        measured?.show(self.json)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The documents, cut.
    fn prepare(&self, Search { counter, embedder, .. }: &Search) -> anyhow::Result<Vec<Prepared>> {
        let preparer = Preparer {
            extractor: reading::isolated(LONGEST_READING),
            counter: counter.clone(),
            passage_tokens: self.passage_tokens - self.overlap,
            embedder: embedder.identity().name.clone(),
        };
        let base = self.documents.canonicalize()?;
        let listing = folder::find(std::slice::from_ref(&base), &base.to_string_lossy(), false);
        let prepare = |source: &qanda_ingest::SourceDocument| {
            let mut prepared = preparer.prepare(source, &source.bytes()?)?;
            overlap(&prepared.document.text, &mut prepared.chunks, self.overlap, counter.as_ref());
            anyhow::Ok(prepared)
        };
        listing.documents.iter().map(prepare).collect()
    }

    /// Stores the documents, unless they are there from the last time.
    async fn fill(&self, Search { store, embedder, .. }: &Search, documents: &[Prepared]) -> anyhow::Result<()> {
        if store.status().await?.documents == documents.len() as u64 {
            return Ok(());
        }
        store.claim(embedder.identity().clone()).await?;
        let context = RequestContext::local();
        for prepared in documents {
            let mut passages = Vec::with_capacity(prepared.chunks.len());
            for chunks in prepared.chunks.chunks(256) {
                let Prepared { document, .. } = prepared;
                let text = |chunk: &Chunk| {
                    with_context(&document.title, &chunk.headings, &document.text[chunk.span.start..chunk.span.end])
                };
                let vectors = embedder.embed_passages(&context, chunks.iter().map(text).collect()).await?;
                passages.extend(chunks.iter().zip(vectors).map(|(chunk, vector)| NewPassage {
                    span: chunk.span,
                    headings: chunk.headings.clone(),
                    vector,
                }));
            }
            let document = prepared.document.clone();
            store.put(&context, vec![NewDocument { document, passages }]).await?;
        }
        Ok(store.optimise().await?)
    }

    async fn measure(
        &self,
        Search { store, embedder, counter, .. }: &Search,
        reranker: Option<&dyn Reranker>,
        documents: &[Prepared],
        known: &[KnownQuestion],
    ) -> anyhow::Result<Measured> {
        let mut means =
            Measured { passages: documents.iter().map(|prepared| prepared.chunks.len()).sum(), ..Measured::default() };
        for known in known {
            let question = Question { n_results: self.n_results, ..Question::new(known.question.clone()) };
            let context = RequestContext::local();
            let hits = retrieval::find(store.as_ref(), embedder.as_ref(), reranker, &context, &question).await?;
            let [shared, wanted, found] = sizes(&known.places(), &hits, documents, counter.as_ref());
            means.questions += 1.0;
            means.recall += share(shared, wanted);
            means.precision += share(shared, found);
            means.iou += share(shared, wanted + found - shared);
        }
        Ok(means)
    }
}

/// Puts sentences of the passage before in front of each passage under the same headings, as many as fit.
fn overlap(text: &str, chunks: &mut [Chunk], tokens: usize, counter: &dyn TokenCounter) {
    for at in (1..chunks.len()).rev() {
        let [before, chunk] = &mut chunks[at - 1..=at] else { continue };
        if before.headings != chunk.headings {
            continue;
        }
        let fits = |start: &usize| counter.count_tokens(&text[*start..chunk.span.start]) <= tokens;
        let starts = sentences_within(text, before.span).into_iter().map(|sentence| sentence.start);
        chunk.span.start = starts.rev().take_while(fits).last().unwrap_or(chunk.span.start);
    }
}

/// Tokens that the places and the passages share, of the places, and of the passages.
fn sizes(places: &[Place], hits: &[Hit], documents: &[Prepared], counter: &dyn TokenCounter) -> [usize; 3] {
    let mut sizes = [0; 3];
    for Prepared { document, .. } in documents {
        let tokens = |span: &Span| counter.count_tokens(document.text.get(span.start..span.end).unwrap_or_default());
        let here = |place: &&Place| place.touches(&document.path, 0, usize::MAX);
        let wanted = merged(places.iter().filter(here).map(|place| Span::new(place.start, place.end)).collect());
        let of_document = hits.iter().filter(|hit| hit.passage.document == document.path);
        let found: Vec<Span> = of_document.map(|hit| hit.passage.span).collect();
        let covered = merged(found.clone());
        let shared = wanted.iter().flat_map(|wanted| covered.iter().filter_map(|found| common(*wanted, *found)));
        sizes[0] += shared.map(|span| tokens(&span)).sum::<usize>();
        sizes[1] += wanted.iter().map(tokens).sum::<usize>();
        // What two passages repeat is read twice.
        sizes[2] += found.iter().map(tokens).sum::<usize>();
    }
    sizes
}

/// The bytes that two spans share.
fn common(one: Span, other: Span) -> Option<Span> {
    let (start, end) = (one.start.max(other.start), one.end.min(other.end));
    (start < end).then(|| Span::new(start, end))
}

/// Spans in their order, those that touch each other made one.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| span.start);
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => *last = last.cover(span),
            _ => merged.push(span),
        }
    }
    merged
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Sums over questions.
#[derive(Debug, Default)]
struct Measured {
    passages: usize,
    questions: f64,
    recall: f64,
    precision: f64,
    iou: f64,
}

impl Measured {
    fn show(&self, as_json: bool) -> anyhow::Result<()> {
        let mean = |sum: f64| sum / self.questions.max(1.0);
        let (recall, precision, iou) = (mean(self.recall), mean(self.precision), mean(self.iou));
        if as_json {
            return terminal::json(&json!({
                "recall": recall, "precision": precision, "iou": iou,
                "questions": self.questions, "passages": self.passages,
            }));
        }
        for (name, value) in [("recall", recall), ("precision", precision), ("IoU", iou)] {
            terminal::line(format!("{name:<10} {value:.4}"));
        }
        terminal::line(format!("{} questions, {} passages", self.questions, terminal::grouped(self.passages)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token is a word.
    struct Words;

    impl TokenCounter for Words {
        fn count_tokens(&self, text: &str) -> usize {
            text.split_whitespace().count()
        }

        fn max_tokens(&self) -> usize {
            64
        }
    }

    fn chunk(start: usize, end: usize) -> Chunk {
        Chunk { span: Span::new(start, end), headings: Vec::new() }
    }

    #[test]
    fn a_passage_repeats_whole_sentences_of_the_one_before() {
        let text = "One two three. Four five. Six seven. Eight.";
        let (second, third) = (text.find("Six").expect("there"), text.find("Eight").expect("there"));
        let cut = || vec![chunk(0, second - 1), chunk(second, third - 1), chunk(third, text.len())];
        let starts = |tokens: usize| {
            let mut chunks = cut();
            overlap(text, &mut chunks, tokens, &Words);
            chunks.iter().map(|chunk| &text[chunk.span.start..chunk.span.start + 3]).collect::<Vec<_>>()
        };
        assert_eq!(starts(0), ["One", "Six", "Eig"]);
        assert_eq!(starts(1), ["One", "Six", "Eig"]);
        assert_eq!(starts(2), ["One", "Fou", "Six"]);
        // Never more than the passage before.
        assert_eq!(starts(5), ["One", "One", "Six"]);
    }

    #[test]
    fn what_is_repeated_counts_once_as_found_and_twice_as_read() {
        assert_eq!(
            merged(vec![Span::new(4, 8), Span::new(0, 5), Span::new(9, 10)]),
            [Span::new(0, 8), Span::new(9, 10)]
        );
        assert_eq!(common(Span::new(0, 5), Span::new(3, 9)), Some(Span::new(3, 5)));
        assert_eq!(common(Span::new(0, 5), Span::new(5, 9)), None);
    }
}
