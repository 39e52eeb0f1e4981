//! `.env`: variables for those that are not set.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context;

/// Names of the variables that came from the file.
#[derive(Debug, Default)]
pub(crate) struct EnvFile {
    names: BTreeSet<String>,
}

impl EnvFile {
    /// Sets what `.env` in the current directory says, or the file in `QANDA_ENV_FILE`, without replacing what is
    /// set. Called before there is a second thread.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let given = std::env::var_os("QANDA_ENV_FILE").map(PathBuf::from);
        let path = given.clone().unwrap_or_else(|| PathBuf::from(".env"));
        if given.is_none() && !path.exists() {
            return Ok(Self::default());
        }
        let doing = || format!("cannot read {}", path.display());
        let mut names = BTreeSet::new();
        // The client's message would quote the line, which may hold a key.
        let wrong = |number: usize| anyhow::anyhow!("{}: entry {number} is not NAME=value", path.display());
        for (number, entry) in (1..).zip(dotenvy::from_path_iter(&path).with_context(doing)?) {
            let (name, _) = entry.map_err(|_| wrong(number))?;
            if std::env::var_os(&name).is_none() {
                names.insert(name);
            }
        }
        dotenvy::from_path(&path).with_context(doing)?;
        Ok(Self { names })
    }

    /// The variables that came from the file.
    pub(crate) fn names(&self) -> Vec<String> {
        self.names.iter().cloned().collect()
    }

    /// Whether a variable came from the file.
    pub(crate) fn has_set(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}
