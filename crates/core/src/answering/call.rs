//! One call of the language model, as far as it has come.

use std::time::{Duration, Instant};

use futures::StreamExt;

use super::Step;
use super::prompt::Draft;
use super::run::Run;
use crate::ModelError;
use crate::ports::{Finish, Generated, GenerationStream};

/// A call of the model whose text is read piece by piece. Dropping it cancels the generation.
pub(super) struct Call<'r, 'a> {
    run: &'r Run<'a>,
    step: Step,
    began: Instant,
    first_token: Option<Duration>,
    stream: GenerationStream,
    finish: Option<Finish>,
}

impl<'r, 'a> Call<'r, 'a> {
    /// Asks the model.
    pub(super) async fn start(run: &'r Run<'a>, step: Step, draft: Draft) -> Result<Self, ModelError> {
        run.begin(step).await;
        let began = Instant::now();
        run.count_call(draft.tokens);
        let stream = run.with.model.generate(run.context, draft.prompt).await?;
        Ok(Self { run, step, began, first_token: None, stream, finish: None })
    }

    /// The next piece of its text; none at its end.
    pub(super) async fn next(&mut self) -> Result<Option<String>, ModelError> {
        if self.finish.is_some() {
            return Ok(None);
        }
        // A stream that runs dry without an end has lost its model.
        match self.stream.next().await.unwrap_or(Err(ModelError::Stopped))? {
            Generated::Text(text) => {
                self.first_token.get_or_insert_with(|| self.began.elapsed());
                self.run.count_token();
                Ok(Some(text))
            }
            Generated::End(finish) => {
                self.finish = Some(finish);
                Ok(None)
            }
        }
    }

    /// Ends the call; what the model has not said by now is not wanted. Returns how long its first token took.
    pub(super) async fn end(self) -> Duration {
        let took = self.began.elapsed();
        self.run.finished(self.finish.unwrap_or(Finish::Cancelled));
        self.run.end(self.step, took).await;
        self.first_token.unwrap_or(took)
    }

    /// The rest of its text in one piece.
    pub(super) async fn read_to_end(mut self) -> Result<String, ModelError> {
        let mut text = String::new();
        while let Some(piece) = self.next().await? {
            text.push_str(&piece);
        }
        self.end().await;
        Ok(text)
    }
}
