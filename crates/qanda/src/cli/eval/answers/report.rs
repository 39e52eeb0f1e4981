//! The figures and judged questions of a run: as a file, and as a table for people.

use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::figures::Figures;
use super::judge::Judged;
use crate::terminal::{self, BOLD, Text};

/// Figures and judged questions of a run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) about: About,
    pub(crate) judged: Vec<Judged>,
    pub(crate) all: Figures,
    /// By kind of question, in the order in which they first come.
    pub(crate) kinds: Vec<(String, Figures)>,
}

/// Subject of a run: the questions and the service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct About {
    /// Name of the file with the questions.
    pub(crate) questions: String,
    pub(crate) part: String,
    /// Address of the server, or the model of this process.
    pub(crate) service: String,
}

/// The part of a file that is read again.
#[derive(Deserialize)]
struct Stored {
    about: About,
    results: Vec<Judged>,
}

impl Report {
    pub(crate) fn new(about: About, judged: Vec<Judged>) -> Self {
        let mut names: Vec<&str> = Vec::new();
        for one in &judged {
            if !names.contains(&one.kind.as_str()) {
                names.push(&one.kind);
            }
        }
        let of_kind = |name: &str| Figures::over(&judged.iter().filter(|one| one.kind == name).collect::<Vec<_>>());
        let kinds = names.iter().map(|name| ((*name).to_owned(), of_kind(name))).collect();
        Self { about, all: Figures::over(&judged.iter().collect::<Vec<_>>()), kinds, judged }
    }

    /// Reads a file that [`Report::json`] made.
    ///
    /// # Errors
    /// When it cannot be read or is no such file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let stored: Stored = serde_json::from_str(&text)
            .with_context(|| format!("{} is no report of qanda eval answers", path.display()))?;
        Ok(Self::new(stored.about, stored.results))
    }

    pub(crate) fn json(&self) -> Value {
        let kinds: Map<String, Value> =
            self.kinds.iter().map(|(kind, figures)| (kind.clone(), figures.json())).collect();
        json!({"about": self.about, "all": self.all.json(), "kinds": kinds, "results": self.judged})
    }

    /// Whether there is more than one kind to tell apart.
    pub(crate) fn has_kinds(&self) -> bool {
        self.kinds.len() > 1
    }

    /// Shows the figures as a table.
    pub(crate) fn show(&self) {
        for one in self.judged.iter().filter_map(|one| Some((one, one.reply.error.as_ref()?))).take(3) {
            terminal::note(format!("{} failed: {}", one.0.id, one.1));
        }
        let heads: Vec<String> = COLUMNS.iter().map(|(_, head)| format!("{head:>8}")).collect();
        terminal::line(Text::styled(BOLD, format!("{:<15}{}", "", heads.concat())));
        if self.has_kinds() {
            self.kinds.iter().for_each(|(kind, figures)| row(kind, figures));
        }
        row("all", &self.all);
    }
}

/// Figures in the table, with their heads.
const COLUMNS: [(&str, &str); 12] = [
    ("questions", "number"),
    ("correct", "correct"),
    ("right", "right"),
    ("f1", "F1"),
    ("false_refusals", "refused"),
    ("false_answers", "invented"),
    ("citation_precision", "cit. p"),
    ("citation_recall", "cit. r"),
    ("unsupported", "unsupp."),
    ("ece", "ECE"),
    ("seconds_median", "s p50"),
    ("seconds_p90", "s p90"),
];

fn row(name: &str, figures: &Figures) {
    let cell = |(figure, _): &(&str, &str)| match figures.get(figure) {
        None => format!("{:>8}", "-"),
        Some(number) if *figure == "questions" => format!("{number:>8.0}"),
        Some(value) => format!("{value:>8.2}"),
    };
    terminal::line(format!("{name:<15}{}", COLUMNS.iter().map(cell).collect::<String>()));
}
