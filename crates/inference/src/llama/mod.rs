//! llama.cpp: what language models, embedders and rerankers in GGUF files have in common.

mod complaints;
mod pooled;
mod waiting;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use qanda_core::ModelError;
use sha2::{Digest, Sha256};

pub(crate) use self::pooled::{Pooled, Size};

/// A model of llama.cpp. It computes on the processor alone.
pub(crate) struct Llama {
    pub(crate) backend: Arc<LlamaBackend>,
    pub(crate) model: Arc<LlamaModel>,
}

impl Llama {
    /// Loads a GGUF file. Takes about as long as reading it.
    ///
    /// # Errors
    /// When there is no such file, or llama.cpp cannot load it, in llama.cpp's words.
    pub(crate) fn load(file: &Path) -> Result<Self, String> {
        if !file.is_file() {
            return Err("there is no such file".to_owned());
        }
        let backend = backend().map_err(|error| error.to_string())?;
        let params = std::pin::pin!(LlamaModelParams::default().with_n_gpu_layers(0));
        let model = LlamaModel::load_from_file(&backend, file, &params).map_err(|cause| {
            let why = complaints::about(&backend, file, &params).unwrap_or_else(|| cause.to_string());
            format!("llama.cpp says: {why}")
        })?;
        Ok(Self { backend, model: Arc::new(model) })
    }

    /// A value in the file's metadata.
    pub(crate) fn meta(&self, key: &str) -> Option<String> {
        self.model.meta_val_str(key).ok()
    }

    /// The same for a key that begins with the architecture's name.
    pub(crate) fn meta_of_architecture(&self, key: &str) -> Option<String> {
        self.meta(&format!("{}.{key}", self.architecture()))
    }

    /// Name of the architecture: `bert`, `qwen3`.
    pub(crate) fn architecture(&self) -> String {
        self.meta("general.architecture").unwrap_or_default()
    }
}

/// Name of a GGUF file, without its ending, for people.
pub(crate) fn name(file: &Path) -> String {
    file.file_stem().map_or_else(|| "model".into(), |name| name.to_string_lossy().into_owned())
}

/// SHA-256 of a file and of a text after it, in hexadecimal digits.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn fingerprint(file: &Path, text: &str) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    std::io::copy(&mut File::open(file)?, &mut hash)?;
    hash.update(text.as_bytes());
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// llama.cpp is initialised once a process and lives as long as any model.
pub(crate) fn backend() -> Result<Arc<LlamaBackend>, ModelError> {
    static BACKEND: Mutex<Weak<LlamaBackend>> = Mutex::new(Weak::new());
    let mut shared = BACKEND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(backend) = shared.upgrade() {
        return Ok(backend);
    }
    waiting::bound();
    let mut backend = LlamaBackend::init().map_err(|cause| ModelError::failed("starting llama.cpp", cause))?;
    // It says a lot; what matters of it is asked for after a failure.
    backend.void_logs();
    let backend = Arc::new(backend);
    *shared = Arc::downgrade(&backend);
    Ok(backend)
}
