//! View that a search looks at: both indexes with what is newer than they are, at one state of the store.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use qanda_core::StoreError;
use rusqlite::Connection;

use super::dense::DenseView;
use super::lexical::LexicalView;
use super::settings::{self, State};
use super::{database, entries};

/// Both indexes at one state.
pub(super) struct View {
    state: State,
    pub(super) lexical: Arc<LexicalView>,
    pub(super) dense: Arc<DenseView>,
    /// Entries that an index may still know although they are gone.
    pub(super) removed: Arc<HashSet<u64>>,
}

impl View {
    /// Opens the indexes and reads everything that is newer.
    pub(super) fn load(directory: &Path, connection: &Connection) -> Result<Self, StoreError> {
        // One snapshot, so that both indexes end at the same change.
        let snapshot = database::snapshot(connection)?;
        let state = settings::state(&snapshot)?;
        let lexical = Arc::new(LexicalView::load(directory, &snapshot)?);
        let dense = Arc::new(DenseView::load(directory, settings::vectors_epoch(&snapshot)?, &snapshot)?);
        // What was scanned just now is alive; only an index can be older than a removal.
        let oldest = [lexical.sequence(), dense.sequence()].into_iter().flatten().min().unwrap_or(state.sequence);
        let removed = Arc::new(entries::removed_after(&snapshot, oldest)?.into_iter().collect());
        Ok(Self { state, lexical, dense, removed })
    }

    /// Whether everything committed up to a state is in this view.
    pub(super) fn covers(&self, state: State) -> bool {
        self.state.sequence >= state.sequence && self.state.generation >= state.generation
    }

    /// This view with what has been committed since.
    pub(super) fn refreshed(&self, directory: &Path, connection: &Connection) -> Result<Self, StoreError> {
        let snapshot = database::snapshot(connection)?;
        let state = settings::state(&snapshot)?;
        let since = self.state.sequence;
        if state.generation > self.state.generation {
            drop(snapshot);
            return Self::load(directory, connection);
        }
        let mut removed = Arc::clone(&self.removed);
        let gone = entries::removed_after(&snapshot, since)?;
        if !gone.is_empty() {
            Arc::make_mut(&mut removed).extend(gone);
        }
        Ok(Self {
            state,
            lexical: Arc::new(self.lexical.refreshed(&snapshot, since)?),
            dense: Arc::new(self.dense.refreshed(&snapshot, since)?),
            removed,
        })
    }
}
