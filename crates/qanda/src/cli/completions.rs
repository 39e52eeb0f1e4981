use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use clap_complete::{Shell, generate};

use crate::terminal;

/// Print what a shell needs to complete qanda's commands and flags
///
/// For bash: qanda completions bash > /usr/share/bash-completion/completions/qanda
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        // Made whole first: what writes it takes a reader that has gone for an error that cannot happen.
        let mut script = Vec::new();
        generate(self.shell, &mut super::command(), "qanda", &mut script);
        let _ = terminal::export().write_all(&script);
        Ok(ExitCode::SUCCESS)
    }
}
