use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use qanda_server::{Service, mcp_over_stdio};

use crate::config::AnswerArgs;
use crate::wiring::Patience;
use crate::{logging, wiring};

/// Serve assistants that speak the Model Context Protocol over standard input and output
///
/// An assistant on this machine starts this command itself and asks through it. A server answers the same at /mcp.
#[derive(Debug, Args)]
pub(crate) struct Mcp {
    #[command(flatten)]
    answers: AnswerArgs,
}

impl Mcp {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        // To standard error; standard output belongs to the protocol.
        logging::start("warn");
        let settings = self.answers.resolve()?;
        super::runtime()?.block_on(async {
            let parts = wiring::parts(settings, Patience::None).await?;
            let service = Service::default();
            service.start(parts.back_ends(None));
            mcp_over_stdio(service).await.context("the protocol ended early")
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
