use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;

use clap::Args;
use qanda_core::document::{Details, DocumentState, Fingerprint, StoredDocument, StoredVersion};
use qanda_core::ports::{DocumentQuery, StoreStatus};
use qanda_core::validity::{VALID_FROM, VALID_UNTIL};
use qanda_core::{Moment, RequestContext, Store};
use serde_json::{Map, Value, json};

use crate::config::{EndpointArgs, LlmArgs, ModelSettings, RerankerArgs, StorageArgs, StoreSettings};
use crate::terminal::{self, BOLD, DIM, Text, grouped, one_line, sentence};
use crate::wiring;

/// Say what is stored, by which models, and how far the indexes are
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// List the documents that were made of the same bytes, too
    #[arg(long)]
    duplicates: bool,
    #[command(flatten)]
    storage: StorageArgs,
    #[command(flatten)]
    reranker: RerankerArgs,
    #[command(flatten)]
    llm: LlmArgs,
    #[command(flatten)]
    endpoint: EndpointArgs,
}

impl Status {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let settings = self.storage.resolve()?;
        let model = self.llm.resolve(&self.endpoint).map(|llm| llm.model);
        let reranker = self.reranker.source()?;
        let reranker = reranker.place().map(|place| place.display().to_string());
        let (place, there) = match &settings {
            // To look must not make: a mistyped directory would become an empty store.
            StoreSettings::Embedded { directory, .. } => {
                (directory.display().to_string(), directory.join("qanda.sqlite").exists())
            }
            StoreSettings::Chroma(chroma) => {
                (format!("Chroma at {}:{}, collection {}", chroma.host, chroma.port, chroma.collection), true)
            }
        };
        let (status, copies, not_current) = if there {
            super::runtime()?.block_on(async {
                let store = wiring::store(&settings, None)?;
                let stored =
                    if self.duplicates { store.versions(&RequestContext::local()).await? } else { HashMap::new() };
                let not_current = not_current(&*store).await?;
                anyhow::Ok((store.status().await?, duplicates(stored.into_values()), not_current))
            })?
        } else {
            (
                StoreStatus { documents: 0, passages: 0, pairs: 0, embedder: None, indexes: Vec::new() },
                Vec::new(),
                Vec::new(),
            )
        };
        let name = model.as_ref().ok().map(ModelSettings::name);
        if self.json {
            let mut json = to_json(&status, name.as_deref(), reranker.as_deref());
            for (state, documents) in &not_current {
                json[state.as_str()] = documents.iter().map(document_json).collect();
            }
            if self.duplicates {
                json["duplicates"] = json!(copies);
            }
            terminal::pretty_json(&json)?;
            return Ok(ExitCode::SUCCESS);
        }
        let show = |name: &str, value: String| {
            terminal::line(Text::styled(BOLD, format!("{name:<12}")).and(" ").and(one_line(&value)));
        };
        show("store", place);
        show("documents", grouped(status.documents));
        show("passages", grouped(status.passages));
        show("pairs", grouped(status.pairs));
        let embedder = status.embedder.map(|(name, dimension)| format!("{name}, {dimension} dimensions"));
        show("embedder", embedder.unwrap_or_else(|| "none yet".to_owned()));
        show("model", model.map_or_else(|error| sentence(&error), |model| model.place()));
        if let Some(reranker) = reranker {
            show("reranker", reranker);
        }
        for index in &status.indexes {
            let behind = format!("{} newer ones are scanned", grouped(index.behind));
            show(index.name, format!("{} indexed, {behind}", grouped(index.indexed)));
        }
        for (state, documents) in &not_current {
            for document in documents {
                show(state.as_str(), described(document));
            }
        }
        for copies in &copies {
            show("the same", copies.join(", "));
        }
        if self.duplicates && copies.is_empty() {
            show("the same", "no two documents".to_owned());
        }
        if status.documents == 0 {
            terminal::line(Text::styled(DIM, "Nothing is stored yet: qanda ingest FOLDER"));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The documents that do not hold now, by their state.
async fn not_current(store: &dyn Store) -> anyhow::Result<Vec<(DocumentState, Vec<StoredDocument>)>> {
    let here = RequestContext::local();
    let mut found = Vec::new();
    for state in [DocumentState::Expired, DocumentState::Superseded, DocumentState::Upcoming] {
        let (mut documents, mut after) = (Vec::new(), None);
        loop {
            let query = DocumentQuery { state: Some(state), ..DocumentQuery::all(after, 1_000) };
            let page = store.list(&here, query).await?;
            documents.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        found.push((state, documents));
    }
    Ok(found)
}

/// A document that does not hold, and why.
fn described(document: &StoredDocument) -> String {
    let Details { valid_from, valid_until, superseded_by, .. } = &document.details;
    let stated = |name: &str| document.metadata.get(name).map_or("", String::as_str);
    let now = Moment::now();
    match document.details.state_at(now) {
        DocumentState::Expired if valid_until.is_some() => format!("{}, until {}", document.path, stated(VALID_UNTIL)),
        DocumentState::Upcoming if valid_from.is_some() => format!("{}, from {}", document.path, stated(VALID_FROM)),
        _ => format!("{}, by {}", document.path, superseded_by.as_deref().unwrap_or_default()),
    }
}

fn document_json(document: &StoredDocument) -> Value {
    let Details { valid_from, valid_until, superseded_by, .. } = &document.details;
    json!({
        "document": document.path,
        "valid_from": valid_from.map(|moment| moment.to_string()),
        "valid_until": valid_until.map(|moment| moment.to_string()),
        "superseded_by": superseded_by,
    })
}

/// Paths of the documents that were made of the same bytes, a list for each.
fn duplicates(stored: impl Iterator<Item = StoredVersion>) -> Vec<Vec<String>> {
    let mut by_content: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for StoredVersion { path, fingerprint, .. } in stored {
        if let Some(Fingerprint { content, .. }) = fingerprint {
            by_content.entry(content).or_default().push(path);
        }
    }
    let mut groups: Vec<_> = by_content.into_values().filter(|paths| paths.len() > 1).collect();
    groups.iter_mut().for_each(|paths| paths.sort_unstable());
    groups.sort_unstable();
    groups
}

fn to_json(status: &StoreStatus, model: Option<&str>, reranker: Option<&str>) -> Value {
    let index: Map<String, Value> = status
        .indexes
        .iter()
        .map(|index| (index.name.to_owned(), json!({"indexed": index.indexed, "behind": index.behind})))
        .collect();
    json!({
        "documents": status.documents,
        "passages": status.passages,
        "pairs": status.pairs,
        "embedder": status.embedder.as_ref().map(|(name, _)| name),
        "dimension": status.embedder.as_ref().map(|(_, dimension)| dimension),
        "model": model,
        "reranker": reranker,
        "index": index,
    })
}
