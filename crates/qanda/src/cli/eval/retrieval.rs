use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, ValueEnum};
use futures::{StreamExt, TryStreamExt};
use qanda_core::answering::Classic;
use qanda_core::document::{Details, with_context};
use qanda_core::language::language_of_document;
use qanda_core::ports::{Hit, Mode, SearchQuery};
use qanda_core::{
    Document, Embedder, Filter, NewDocument, NewPassage, Question, RequestContext, Reranker, Source, Span, Store,
    retrieval,
};
use qanda_store::Fusion;
use serde_json::json;

use super::beir::{self, Entry, Judgements, Query};
use super::metrics::Means;
use super::parts::Selection;
use super::turns::turns;
use crate::config::{AnswerArgs, AnswerSettings, StoreSettings};
use crate::terminal::{self, BOLD, Text};
use crate::wiring::{Parts, Patience, Search};
use crate::{logging, wiring};

/// Search a judged collection in BEIR's form: nDCG, recall, MRR
///
/// Each entry of the corpus is stored as one passage, through the same store, embedder and search that answer
/// questions. A reranker puts the first forty hits of a hybrid search into its order.
#[derive(Debug, Args)]
pub(super) struct Retrieval {
    /// Documents: lines of {"_id", "title", "text"}
    #[arg(long, value_name = "FILE")]
    corpus: PathBuf,
    /// Queries: lines of {"_id", "text"}; with a "history" of {"role", "content"} they are searched as follow-ups in
    /// hybrid mode, and those of the same "group" are in the same part
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    /// Judgements: query-id, corpus-id, score separated by tabs, below a line of headings
    #[arg(long, value_name = "FILE")]
    qrels: PathBuf,
    /// How to search; `all` measures the three of them over one store
    #[arg(long, value_enum, default_value = "hybrid")]
    mode: ModeArg,
    /// How a hybrid search makes one ranking from two: `rrf`, or the dense side's weight from 0 to 1
    #[arg(long, value_name = "rrf|WEIGHT", value_parser = fusion)]
    fusion: Option<Fusion>,
    /// Keep the store here and use it again the next time, to compare settings quickly
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Search with the search term that the first step of the classic pipeline makes of each query
    #[arg(long)]
    condense: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    answers: AnswerArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ModeArg {
    /// By meaning
    Dense,
    /// By words
    Lexical,
    /// By both
    Hybrid,
    /// Each of them in turn
    All,
}

impl ModeArg {
    /// The modes to measure, by name.
    fn modes(self) -> Vec<(&'static str, Mode)> {
        let all = [
            (Self::Dense, "dense", Mode::Dense),
            (Self::Lexical, "lexical", Mode::Lexical),
            (Self::Hybrid, "hybrid", Mode::Hybrid),
        ];
        let wanted = all.into_iter().filter(|(mode, ..)| self == Self::All || self == *mode);
        wanted.map(|(_, name, mode)| (name, mode)).collect()
    }
}

fn fusion(given: &str) -> Result<Fusion, String> {
    if given == "rrf" {
        return Ok(Fusion::ReciprocalRank { k: 60.0 });
    }
    let dense = given.parse().ok().filter(|weight| (0.0..=1.0).contains(weight));
    Ok(Fusion::NormalisedScore { dense: dense.ok_or("it must be rrf or a number from 0 to 1")? })
}

/// Passages found for each query: recall is measured down to here.
const DEPTH: usize = 100;

impl Retrieval {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        logging::start("warn");
        let judgements = beir::judgements(&self.qrels)?;
        let queries = beir::judged(beir::lines::<Query>(&self.queries)?, &judgements);
        anyhow::ensure!(!queries.is_empty(), "no query of {} has a judgement", self.queries.display());
        let queries =
            self.selection.of(queries, |query| &query.id, |query| query.group.as_ref().unwrap_or(&query.id))?;
        let mut settings = self.answers.resolve()?;
        let temporary = std::env::temp_dir().join(format!("qanda-eval-{}", std::process::id()));
        // Never the store that answers questions: the collection judged here would be found there.
        settings.search.store = StoreSettings::Embedded {
            directory: self.keep.clone().unwrap_or_else(|| temporary.clone()),
            fusion: self.fusion.unwrap_or_default(),
        };
        let result = super::super::runtime()?.block_on(async {
            let reranker = wiring::reranker(settings.reranker.clone()).await?;
            let (search, queries) = self.prepare(settings, queries).await?;
            self.fill(&search).await?;
            let mut measured = Vec::new();
            for (name, mode) in self.mode.modes() {
                measured.push((name, measure(mode, &search, reranker.as_deref(), &queries, &judgements).await?));
            }
            anyhow::Ok(measured)
        });
        // A store that is not to be kept leaves nothing behind, whether or not it went well.
        let _ = std::fs::remove_dir_all(&temporary);
        self.report(&result?)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Opens what searches, and turns the queries into search terms if that is wanted.
    async fn prepare(&self, settings: AnswerSettings, queries: Vec<Query>) -> anyhow::Result<(Search, Vec<Query>)> {
        if !self.condense {
            return Ok((wiring::search(settings.search, Patience::None).await?, queries));
        }
        let Parts { search, resources, .. } = wiring::parts(settings, Patience::None).await?;
        let classic = Classic(resources);
        let began = Instant::now();
        let condense = async |query: Query| {
            let text = classic.search_term(&RequestContext::local(), &Question::new(query.text)).await?;
            anyhow::Ok(Query { text, ..query })
        };
        let queries = futures::stream::iter(queries).map(condense).buffered(8).try_collect::<Vec<_>>().await?;
        terminal::note(format!("{} search terms in {:.1} s", queries.len(), began.elapsed().as_secs_f64()));
        Ok((search, queries))
    }

    /// Stores the corpus, unless it is there from the last time.
    async fn fill(&self, Search { store, embedder, .. }: &Search) -> anyhow::Result<()> {
        let entries = beir::lines::<Entry>(&self.corpus)?;
        if store.status().await?.documents == entries.len() as u64 {
            return Ok(());
        }
        terminal::note(format!("storing {} documents", terminal::grouped(entries.len())));
        store.claim(embedder.identity().clone()).await?;
        for batch in entries.chunks(256) {
            let texts = batch.iter().map(|entry| with_context(&entry.title, &[], &entry.text)).collect();
            let vectors = if self.needs_vectors() {
                embedder.embed_passages(&RequestContext::local(), texts).await?
            } else {
                vec![vec![0.0; embedder.identity().dimension]; batch.len()]
            };
            let documents = batch.iter().zip(vectors).map(|(entry, vector)| document(entry, vector));
            store.put(&RequestContext::local(), documents.collect()).await?;
        }
        Ok(store.optimise().await?)
    }

    /// Words are found without vectors; a store that is kept should have them all the same.
    fn needs_vectors(&self) -> bool {
        self.mode != ModeArg::Lexical || self.keep.is_some()
    }

    fn report(&self, measured: &[(&'static str, Measured)]) -> anyhow::Result<()> {
        if !self.json {
            measured.iter().for_each(|(name, figures)| figures.show(name));
            return Ok(());
        }
        match measured {
            [(_, figures)] => terminal::json(&figures.to_json()),
            all => {
                let by_mode = all.iter().map(|(name, figures)| ((*name).to_owned(), figures.to_json()));
                terminal::json(&by_mode.collect::<serde_json::Map<_, _>>())
            }
        }
    }
}

/// Searches for every query in one mode.
async fn measure(
    mode: Mode,
    Search { store, embedder, .. }: &Search,
    reranker: Option<&dyn Reranker>,
    queries: &[Query],
    judgements: &Judgements,
) -> anyhow::Result<Measured> {
    let started = Instant::now();
    let mut rankings = Vec::with_capacity(queries.len());
    for query in queries {
        let hits = find(mode, store.as_ref(), embedder.as_ref(), reranker, query).await?;
        rankings.push(hits.into_iter().map(|hit| hit.passage.document).collect::<Vec<_>>());
    }
    let seconds = started.elapsed().as_secs_f64();
    let judged = queries.iter().zip(&rankings).map(|(query, ranking)| (ranking.as_slice(), &judgements[&query.id]));
    Ok(Measured { means: Means::over(judged), queries: queries.len(), seconds })
}

/// Searches for a query: as questions are searched, or by one of the sides alone.
async fn find(
    mode: Mode,
    store: &dyn Store,
    embedder: &dyn Embedder,
    reranker: Option<&dyn Reranker>,
    query: &Query,
) -> anyhow::Result<Vec<Hit>> {
    let context = RequestContext::local();
    if mode == Mode::Hybrid {
        let history = turns(&query.history);
        let question = Question { history, n_results: DEPTH, ..Question::new(query.text.clone()) };
        return Ok(retrieval::find(store, embedder, reranker, &context, &question).await?);
    }
    let vector = if mode == Mode::Lexical { Vec::new() } else { embedder.embed_query(&context, &query.text).await? };
    let search = SearchQuery {
        text: query.text.clone(),
        vector,
        mode,
        source: Source::Context,
        filter: Filter::new(),
        limit: DEPTH,
        as_of: None,
    };
    Ok(store.search(&context, search).await?)
}

/// Figures of one mode.
struct Measured {
    means: Means,
    queries: usize,
    /// Of all searches, with their queries' embedding.
    seconds: f64,
}

impl Measured {
    fn to_json(&self) -> serde_json::Value {
        let Means { ndcg_at_10, recall_at_10, recall_at_100, mrr_at_10 } = self.means;
        json!({
            "ndcg_at_10": ndcg_at_10, "recall_at_10": recall_at_10, "recall_at_100": recall_at_100,
            "mrr_at_10": mrr_at_10, "queries": self.queries, "seconds": self.seconds,
        })
    }

    fn show(&self, mode: &str) {
        let means = [
            ("nDCG@10", self.means.ndcg_at_10),
            ("recall@10", self.means.recall_at_10),
            ("recall@100", self.means.recall_at_100),
            ("MRR@10", self.means.mrr_at_10),
        ];
        terminal::line(Text::styled(BOLD, mode));
        for (name, value) in means {
            terminal::line(format!("  {name:<11} {value:.4}"));
        }
        terminal::line(format!("  {} queries in {:.1} s", self.queries, self.seconds));
    }
}

/// An entry of the corpus as a document of one passage. Its path is its id.
fn document(entry: &Entry, vector: Vec<f32>) -> NewDocument {
    let language = language_of_document(&entry.text).map(|language| language.tag().to_owned());
    NewDocument {
        passages: vec![NewPassage { span: Span::new(0, entry.text.len()), headings: Vec::new(), vector }],
        document: Document {
            location: entry.id.clone(),
            path: entry.id.clone(),
            title: entry.title.clone(),
            text: entry.text.clone(),
            details: Details { language, ..Details::default() },
            ..Document::default()
        },
    }
}
