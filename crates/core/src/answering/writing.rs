//! The answer's text on its way from the model to the caller.

use super::call::Call;
use super::prompt::Draft;
use super::quoting::Quotation;
use super::run::Run;
use super::{AnswerEvent, Step};
use crate::ModelError;
use crate::ports::Hit;
use crate::verification::{CitationWriter, Evidence, Written};

/// Text of an answer, told as it settles, with every passage that it cites.
pub(super) struct Writing<'r, 'a> {
    run: &'r Run<'a>,
    writer: CitationWriter,
}

impl<'r, 'a> Writing<'r, 'a> {
    /// An answer that may cite these passages.
    pub(super) fn over(run: &'r Run<'a>, passages: &[Hit]) -> Self {
        let evidence = passages.iter().cloned().map(Evidence::new).collect();
        let writer = CitationWriter::new(evidence, run.with.generation.grounding, &run.question.content);
        Self { run, writer }
    }

    /// Calls the model and lets its text through as it streams.
    pub(super) async fn write(&mut self, draft: Draft) -> Result<(), ModelError> {
        let mut call = Call::start(self.run, Step::Generate, draft).await?;
        while let Some(piece) = call.next().await? {
            self.push(&piece).await;
            if self.is_lost() {
                break;
            }
        }
        let first_token = call.end().await;
        self.run.record("first_token", first_token);
        self.end().await;
        Ok(())
    }

    /// Takes more of the model's text.
    pub(super) async fn push(&mut self, piece: &str) {
        let settled = self.writer.push(piece);
        self.tell(settled).await;
    }

    /// Ends the model's text.
    pub(super) async fn end(&mut self) {
        let settled = self.writer.end();
        self.tell(settled).await;
    }

    /// Adds words of the documents, if there are any to add.
    pub(super) async fn quote(&mut self, quotations: &[Quotation]) {
        let disagree = quotations.iter().skip(1).any(|quotation| quotation.disagrees);
        for (at, Quotation { hit, unit, yes, disagrees }) in quotations.iter().enumerate() {
            let gap = if self.writer.text().is_empty() { "" } else { "\n\n" };
            let before = match (at, yes) {
                (0, _) if disagree => "The documents disagree. One says: ",
                (0, Some(true)) if gap.is_empty() => "Yes. The documents say: ",
                (0, Some(false)) if gap.is_empty() => "No. The documents say: ",
                (0, _) => "The documents say: ",
                _ if *disagrees => "Another says: ",
                _ => "They also say: ",
            };
            let before = format!("{gap}{before}");
            let quotation = self.writer.quote(&before, *hit, unit.span, &unit.shown);
            self.tell(quotation).await;
        }
    }

    /// Verifies a text beside the answer.
    pub(super) async fn aside(&mut self, text: &str) -> String {
        let verified = self.writer.aside(text);
        self.tell(String::new()).await;
        verified
    }

    /// The text let through so far.
    pub(super) fn text(&self) -> &str {
        self.writer.text()
    }

    /// Whether nothing has been cited so far.
    pub(super) fn is_uncited(&self) -> bool {
        self.writer.is_uncited()
    }

    /// Whether the model has lost the thread, so that the rest is not worth waiting for.
    pub(super) fn is_lost(&self) -> bool {
        self.writer.is_lost()
    }

    /// The finished text, its citations, and what no passage backs.
    pub(super) fn finish(self) -> Written {
        self.writer.finish()
    }

    async fn tell(&mut self, settled: String) {
        if !settled.is_empty() {
            self.run.tell(AnswerEvent::Text(settled)).await;
        }
        for citation in self.writer.newly_cited() {
            self.run.tell(AnswerEvent::Citation(citation)).await;
        }
    }
}
