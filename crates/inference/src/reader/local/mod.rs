//! Extractive readers computed here: a BERT encoder with a head that points at the first and the last word of an answer.

mod built_in;
mod model;
mod package;
#[cfg(test)]
mod reference;
mod spans;
#[cfg(test)]
mod tests;
mod text;
mod windows;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use qanda_core::ports::{Readable, Reading};
use qanda_core::{ModelError, Reader, RequestContext};

use self::model::Model;
pub use self::package::Bases;
use self::package::Package;
use self::spans::WindowReading;
use self::windows::Window;
use crate::batcher::{Batcher, Class, Limits};

/// A reader in this process.
///
/// It reads the question and a passage together: `[CLS] question [SEP] heading: text [SEP]`, the passage in overlapping
/// windows where it is longer than the model reads. Each token gets a score for being the first of the answer and one
/// for being the last; the position of `[CLS]` stands for "not here" (Devlin et al., "BERT", 2019, section 4.3).
pub struct LocalReader {
    name: String,
    model: Arc<Model>,
    batcher: Batcher<Window, WindowReading>,
}

/// Size of a batch in tokens: about one passage, so that a few of them keep all threads busy.
const LIMITS: Limits<Window> = Limits { name: "read", batch: 384, size: Window::tokens };

impl LocalReader {
    /// Loads the reader that is built in and starts `threads` threads for it.
    ///
    /// # Errors
    /// When none of `bases` is the encoder that it stands on.
    pub fn built_in(bases: Bases<'_>, threads: usize) -> Result<Self, ModelError> {
        Self::start(built_in::package()?.unpack(bases)?, threads)
    }

    /// Loads the reader in `directory` and starts `threads` threads for it.
    ///
    /// It is of the form that `training/export.py` writes, `reader.json` and `reader.safetensors`, which holds the upper
    /// layers on top of one of `bases`; or a BERT checkpoint for extractive question answering as Hugging Face's
    /// transformers saves it: `config.json`, `model.safetensors` with `qa_outputs`, `tokenizer.json`. The latter has no
    /// calibration; its confidence is the logistic function of the best span's score above "not here", the odds of both
    /// by the model's own account.
    ///
    /// # Errors
    /// When it is neither, or none of `bases` is the encoder that it stands on.
    pub fn load(directory: &Path, bases: Bases<'_>, threads: usize) -> Result<Self, ModelError> {
        let model = match Package::open(directory)? {
            Some(package) => package.unpack(bases)?,
            None => Model::load(directory)?,
        };
        Self::start(model, threads)
    }

    fn start(model: Model, threads: usize) -> Result<Self, ModelError> {
        let (name, model) = (model.name.clone(), Arc::new(model));
        let compute = Arc::clone(&model);
        let batcher = Batcher::start(threads, LIMITS, Arc::new(move |windows: &[Window]| compute.read(windows)))
            .map_err(|cause| ModelError::failed("starting the reader's threads", cause))?;
        Ok(Self { name, model, batcher })
    }
}

#[async_trait]
impl Reader for LocalReader {
    fn name(&self) -> &str {
        &self.name
    }

    async fn read(
        &self,
        _: &RequestContext,
        question: &str,
        passages: Vec<Readable>,
    ) -> Result<Vec<Reading>, ModelError> {
        let (model, question) = (Arc::clone(&self.model), question.to_owned());
        let cut = tokio::task::spawn_blocking(move || model.cutter.cut(&question, &passages));
        let windows = cut.await.map_err(|_| ModelError::Stopped)??;
        let numbers: Vec<usize> = windows.iter().map(Vec::len).collect();
        let read = self.batcher.compute(windows.into_iter().flatten().collect(), Class::Question).await?;
        let mut read = read.into_iter();
        Ok(numbers.iter().map(|number| self.model.calibration.join(read.by_ref().take(*number).collect())).collect())
    }
}
