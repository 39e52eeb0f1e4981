//! The models in the folder of models, whoever put them there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::catalogue::{ALL, Model, Purpose};
use super::header::{purpose_of_directory, purpose_of_gguf};

/// Ending of the name of a receipt, after the name of its model.
const RECEIPT: &str = ".receipt.json";

/// Note beside a model of where it came from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// `hub:OWNER/REPO/FILE`, or the packages that carried it.
    pub(crate) source: String,
    /// Commit on the hub.
    #[serde(default)]
    pub(crate) revision: Option<String>,
    /// SHA-256 of a model in one file.
    #[serde(default)]
    pub(crate) sha256: Option<String>,
    #[serde(default)]
    pub(crate) licence: Option<String>,
}

/// A model in the folder.
#[derive(Debug)]
pub(crate) struct Installed {
    pub(crate) name: String,
    pub(crate) purpose: Purpose,
    pub(crate) path: PathBuf,
    /// Size on disk.
    pub(crate) bytes: u64,
    pub(crate) known: Option<&'static Model>,
    pub(crate) receipt: Option<Receipt>,
}

impl Installed {
    /// Whether somebody who says `name` means this one: its name, its file, or its place on a hub.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let file = self.path.file_name().unwrap_or_default().to_string_lossy();
        let source = self.receipt.as_ref().map(|receipt| receipt.source.as_str());
        self.name.eq_ignore_ascii_case(name)
            || stem(&file).eq_ignore_ascii_case(name)
            || file.eq_ignore_ascii_case(name)
            || source.is_some_and(|source| source == name || source.starts_with(&format!("{name}/")))
    }

    /// The licence, where it is known.
    pub(crate) fn licence(&self) -> Option<&str> {
        let receipt = self.receipt.as_ref().and_then(|receipt| receipt.licence.as_deref());
        self.known.map(|model| model.licence).or(receipt)
    }

    /// Removes it with its receipt.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn remove(&self) -> anyhow::Result<()> {
        let removed = if self.path.is_dir() { fs::remove_dir_all(&self.path) } else { fs::remove_file(&self.path) };
        removed.with_context(|| format!("cannot remove {}", self.path.display()))?;
        // Models of older versions have none.
        let _ = fs::remove_file(receipt_of(&self.path));
        Ok(())
    }
}

/// All models in a folder, by name. There are none in a folder that does not exist.
pub(crate) fn all(models: &Path) -> Vec<Installed> {
    let entries = fs::read_dir(models).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries.filter_map(|entry| read(&entry.path())).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// The model that is called so.
pub(crate) fn find(models: &Path, name: &str) -> Option<Installed> {
    all(models).into_iter().find(|model| model.is_called(name))
}

/// Notes where a model came from.
pub(super) fn note(path: &Path, receipt: &Receipt) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(receipt)?;
    fs::write(receipt_of(path), text).with_context(|| format!("cannot write beside {}", path.display()))
}

fn read(path: &Path) -> Option<Installed> {
    let file = path.file_name()?.to_str()?;
    let purpose = match path {
        _ if file.starts_with('.') => return None,
        path if path.is_dir() => purpose_of_directory(path)?,
        path if is_gguf(path) => purpose_of_gguf(path),
        _ => return None,
    };
    let known = ALL.into_iter().find(|model| model.installed == file);
    let name = known.map_or_else(|| stem(file).to_owned(), |model| model.name.to_owned());
    let receipt = fs::read(receipt_of(path)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let purpose = known.map_or(purpose, |model| model.purpose);
    Some(Installed { name, purpose, path: path.to_owned(), bytes: size(path), known, receipt })
}

/// Whether a path is named like a GGUF file.
pub(crate) fn is_gguf(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"))
}

/// A name without the ending of a GGUF file. Dots of versions are no endings.
fn stem(file: &str) -> &str {
    let ending = file.len().saturating_sub(".gguf".len());
    match file.get(ending..) {
        Some(last) if last.eq_ignore_ascii_case(".gguf") => &file[..ending],
        _ => file,
    }
}

fn receipt_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(RECEIPT);
    name.into()
}

/// Bytes of a file, or of all files in a folder.
fn size(path: &Path) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    if path.is_dir() { entries.map(|entry| size(&entry.path())).sum() } else { path.metadata().map_or(0, |m| m.len()) }
}
