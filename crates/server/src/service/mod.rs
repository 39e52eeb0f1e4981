//! Answering: the one place that runs pipelines, whatever protocol a question comes by.
//!
//! An answer runs on a task of its own. It ends at its deadline, or when its caller goes away: then its future is
//! dropped, and with it everything that it has started.

mod stream;
mod task;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use qanda_core::answering::{Pipeline, PipelineName, Unheard};
use qanda_core::retrieval::{Finder, Ranked};
use qanda_core::{Answer, AnswerError, Documents, Embedder, Intake, LanguageModel, Question, RequestContext, Upkeep};

pub(crate) use self::stream::AnswerStream;
use self::task::{Task, in_time};

/// Everything that answers, once it is loaded.
pub struct BackEnds {
    /// Pipelines by name.
    pub pipelines: BTreeMap<PipelineName, Arc<dyn Pipeline>>,
    /// The pipeline for questions that name none.
    pub default_pipeline: PipelineName,
    /// Finds passages without answering.
    pub finder: Finder,
    /// The documents.
    pub documents: Arc<dyn Documents>,
    /// Takes documents in, and tells of jobs; none where documents are only read.
    pub intake: Option<Arc<dyn Intake>>,
    /// The store, asked for its state by `/readyz`.
    pub store: Arc<dyn Upkeep>,
    /// The language model, asked for its state by `/readyz`.
    pub model: Arc<dyn LanguageModel>,
}

/// The service: without back ends while models load. It takes requests from the start; `/readyz` tells when it can
/// answer.
#[derive(Clone, Default)]
pub struct Service(Arc<OnceLock<BackEnds>>);

impl Service {
    /// Makes the back ends available. Later calls are ignored.
    pub fn start(&self, back_ends: BackEnds) {
        // Only one loader exists.
        let _ = self.0.set(back_ends);
    }

    /// The store.
    pub(crate) fn store(&self) -> Result<&dyn Upkeep, Failure> {
        Ok(&*self.back_ends()?.store)
    }

    /// The language model.
    pub(crate) fn model(&self) -> Result<&dyn LanguageModel, Failure> {
        Ok(&*self.back_ends()?.model)
    }

    /// The documents.
    pub(crate) fn documents(&self) -> Result<&dyn Documents, Failure> {
        Ok(&*self.back_ends()?.documents)
    }

    /// What takes documents in.
    pub(crate) fn intake(&self) -> Result<&dyn Intake, Failure> {
        self.back_ends()?.intake.as_deref().ok_or(Failure::ReadOnly)
    }

    /// A pipeline by its name, or the default one.
    pub(crate) fn pipeline(&self, name: Option<PipelineName>) -> Result<Arc<dyn Pipeline>, Failure> {
        let back_ends = self.back_ends()?;
        let name = name.unwrap_or(back_ends.default_pipeline);
        back_ends.pipelines.get(&name).cloned().ok_or(Failure::Missing(name))
    }

    /// What finds passages.
    pub(crate) fn finder(&self) -> Result<Finder, Failure> {
        Ok(self.back_ends()?.finder.clone())
    }

    fn back_ends(&self) -> Result<&BackEnds, Failure> {
        self.0.get().ok_or(Failure::Starting)
    }
}

/// Answers a question for somebody who wants the finished answer only.
///
/// # Errors
/// Every reason for which there is none.
pub(crate) async fn answer(
    pipeline: Arc<dyn Pipeline>,
    context: RequestContext,
    question: Question,
) -> Result<Answer, Failure> {
    let answering = async move { in_time(&context, pipeline.answer(&context, question, &Unheard)).await };
    Task::spawn(answering).join().await
}

/// Finds the passages for a question.
///
/// # Errors
/// Every reason for which there are none to be had.
pub(crate) async fn search(
    finder: Finder,
    context: RequestContext,
    question: Question,
) -> Result<Vec<Ranked>, Failure> {
    Task::spawn(async move { in_time(&context, finder.ranked(&context, &question)).await }).join().await
}

/// Embeds texts as passages are embedded.
///
/// # Errors
/// Every reason for which there are no vectors.
pub(crate) async fn embed(
    embedder: Arc<dyn Embedder>,
    context: RequestContext,
    texts: Vec<String>,
) -> Result<Vec<Vec<f32>>, Failure> {
    let embedding = async move {
        in_time(&context, async { embedder.embed_passages(&context, texts).await.map_err(AnswerError::Model) }).await
    };
    Task::spawn(embedding).join().await
}

/// Answers a question for somebody who wants to see how it comes about.
pub(crate) fn stream(pipeline: Arc<dyn Pipeline>, context: RequestContext, question: Question) -> AnswerStream {
    AnswerStream::start(pipeline, context, question)
}

/// Reason why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The back ends are still loading.
    Starting,
    /// No documents are taken in.
    ReadOnly,
    /// The pipeline is not there.
    Missing(PipelineName),
    /// The deadline passed.
    Late,
    /// Answering panicked.
    Panicked,
    /// The pipeline failed.
    Answer(AnswerError),
}
