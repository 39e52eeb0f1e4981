use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use qanda_bench::{Ratio, Report, time};

use crate::terminal::{self, BOLD, DIM, Text};

/// Show the figures of two runs side by side
///
/// Both files are of `qanda bench --json`. The last column is the second run over the first.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The run that is compared with
    #[arg(value_name = "A.json")]
    a: PathBuf,
    /// The other run
    #[arg(value_name = "B.json")]
    b: PathBuf,
}

impl Compare {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (a, b) = (Report::read(&self.a)?, Report::read(&self.b)?);
        terminal::line(format!("A {}: {}", self.a.display(), a.load.sentence()));
        terminal::line(format!("B {}: {}", self.b.display(), b.load.sentence()));
        terminal::line(Text::styled(BOLD, format!("{:<20} {:>10} {:>10} {:>8}", "", "A", "B", "B / A")));
        for row in qanda_bench::compare(&a, &b) {
            let ratio = row.ratio().map_or("-".to_owned(), |ratio| format!("{ratio:.3}"));
            let (first, second) = (value(&row, row.a), value(&row, row.b));
            terminal::line(format!("{:<20} {first:>10} {second:>10} {ratio:>8}", row.name));
        }
        let different = qanda_bench::differences(&a, &b);
        if !different.is_empty() {
            terminal::line(Text::styled(DIM, format!("the loads differ in {}", different.join("; "))));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn value(row: &Ratio, value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(seconds) if row.seconds => time::show(seconds),
        Some(count) if count.fract() == 0.0 => format!("{count:.0}"),
        Some(count) => format!("{count:.1}"),
    }
}
