use std::process::ExitCode;

use clap::Args;
use qanda_store::embedded::{self, CheckReport};
use serde_json::json;

use super::backup::own_directory;
use crate::config::StorageArgs;
use crate::terminal::{self, BOLD, RED, Text, counted, one_line};

/// Exit code when something is wrong with the store.
const UNSOUND: u8 = 5;

/// Say whether the store is sound: every document whole, every index in step
///
/// Looks at all that is stored: the integrity of the database, parts without their whole, texts against their hashes,
/// and the indexes against what they are made of. Changes nothing without --repair, and may be run beside a server.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Make anew what is derived from documents, and take out what belongs to nothing
    ///
    /// Documents that cannot be healed out of what is stored are read again by the next `qanda ingest`. A damaged
    /// database is not touched: `qanda restore` puts back a backup.
    #[arg(long)]
    repair: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    storage: StorageArgs,
}

impl Check {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let directory = own_directory(&self.storage, "checked")?;
        let found = embedded::check(&directory)?;
        let left = match self.repair && !found.is_sound() {
            true => {
                embedded::repair(&directory, &found)?;
                embedded::check(&directory)?
            }
            false => found.clone(),
        };
        if self.json {
            terminal::json(&to_json(&found, &left))?;
        } else {
            self.say(&found, &left);
        }
        Ok(if left.is_sound() { ExitCode::SUCCESS } else { ExitCode::from(UNSOUND) })
    }

    fn say(&self, found: &CheckReport, left: &CheckReport) {
        for problem in &found.problems {
            let mark = match left.problems.contains(problem) {
                true => Text::styled(RED, "wrong"),
                false => Text::styled(BOLD, "repaired"),
            };
            terminal::line(mark.and(format!(" {}", one_line(&problem.to_string()))));
        }
        // Repairing may bring to light what was hidden before.
        for problem in left.problems.iter().filter(|problem| !found.problems.contains(problem)) {
            terminal::line(Text::styled(RED, "wrong").and(format!(" {}", one_line(&problem.to_string()))));
        }
        let [documents, passages, pairs] = left.counts.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        let counts =
            format!("{}, {}, {}", counted(documents, "document"), counted(passages, "passage"), counted(pairs, "pair"));
        let verdict = match left.problems.len() {
            0 => "sound".to_owned(),
            number => counted(number, "problem"),
        };
        terminal::line(Text::styled(BOLD, verdict).and(format!(": {counts}")));
        if !left.is_sound() {
            terminal::note(match self.repair {
                true => {
                    "`qanda ingest` reads again what could not be repaired; a damaged database needs `qanda restore`"
                }
                false => "`qanda check --repair` makes anew what is derived",
            });
        }
    }
}

fn to_json(found: &CheckReport, left: &CheckReport) -> serde_json::Value {
    let [documents, passages, pairs] = left.counts;
    let problems = |report: &CheckReport| -> Vec<_> {
        report.problems.iter().map(|problem| json!({"part": problem.part.as_str(), "what": problem.what})).collect()
    };
    let repaired = CheckReport {
        problems: found.problems.iter().filter(|problem| !left.problems.contains(problem)).cloned().collect(),
        ..CheckReport::default()
    };
    json!({
        "sound": left.is_sound(),
        "documents": documents,
        "passages": passages,
        "pairs": pairs,
        "problems": problems(left),
        "repaired": problems(&repaired),
    })
}
