//! View that a search looks at: both indexes with what is newer than they are, at one state of the store.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use qanda_core::StoreError;
use rusqlite::Connection;

use super::dense::{DenseView, Graph, GraphFolder};
use super::lexical::{LexicalIndex, LexicalView};
use super::settings::{self, State};
use super::{database, entries};

/// Times that the indexes are opened, at most, while other processes replace them.
const MOST_TRIES: usize = 3;
/// Removed entries from which on everything is read anew.
const MOST_REMOVED: usize = 20_000;

/// Both indexes at one state.
pub(super) struct View {
    state: State,
    /// Epoch of the vectors.
    epoch: i64,
    pub(super) lexical: Arc<LexicalView>,
    pub(super) dense: Arc<DenseView>,
    /// Entries that an index may still know although they are gone.
    pub(super) removed: Arc<HashSet<u64>>,
}

impl View {
    /// Opens the indexes and reads everything that is newer.
    pub(super) fn load(directory: &Path, connection: &Connection) -> Result<Self, StoreError> {
        let mut tries = 0;
        loop {
            // The indexes first: they are made of what is committed, so a later snapshot holds all that they do.
            let lexical = LexicalIndex::open(directory)?;
            let epoch = settings::vectors_epoch(connection)?;
            let graph = Graph::open_newest(&GraphFolder::new(directory, epoch), connection)?;
            // One snapshot, so that both indexes end at the same change.
            let snapshot = database::snapshot(connection)?;
            let state = settings::state(&snapshot)?;
            let there = lexical.is_some();
            let lexical = LexicalView::load(lexical, &snapshot)?;
            tries += 1;
            // Another process may have put a newer one in its place, and forgotten what the old one was made of.
            if there && lexical.sequence().is_none() && tries < MOST_TRIES {
                continue;
            }
            let same_vectors = settings::vectors_epoch(&snapshot)? == epoch;
            let dense = DenseView::load(graph.filter(|_| same_vectors), &snapshot)?;
            // What was scanned just now is alive; only an index can be older than a removal.
            let oldest = [lexical.sequence(), dense.sequence()].into_iter().flatten().min().unwrap_or(state.sequence);
            let removed = Arc::new(entries::removed_in(&snapshot, &entries::after(oldest))?.into_iter().collect());
            let (lexical, dense) = (Arc::new(lexical), Arc::new(dense));
            return Ok(Self { state, epoch, lexical, dense, removed });
        }
    }

    /// The state that it is at.
    pub(super) const fn state(&self) -> &State {
        &self.state
    }

    /// Whether everything committed up to a state is in this view.
    pub(super) fn covers(&self, state: &State) -> bool {
        self.state.store == state.store
            && self.state.sequence >= state.sequence
            && self.state.generation >= state.generation
    }

    /// This view with what has been committed since.
    pub(super) fn refreshed(&self, directory: &Path, connection: &Connection) -> Result<Self, StoreError> {
        // Before the snapshot, as above.
        let generation = settings::state(connection)?.generation;
        let caught_up = generation > self.state.generation;
        let graph = GraphFolder::new(directory, self.epoch).newest_sequence(connection)?;
        let lexical = if caught_up { LexicalIndex::open(directory)? } else { None };
        let snapshot = database::snapshot(connection)?;
        let state = settings::state(&snapshot)?;
        let since = self.state.sequence;
        let is_other = state.store != self.state.store
            || state.generation != generation
            || settings::vectors_epoch(&snapshot)? != self.epoch
            || graph != self.dense.sequence()
            // What was removed since is not told any more, or is more than is worth passing over.
            || settings::compacted(&snapshot)? > since
            || self.removed.len() > MOST_REMOVED;
        if is_other {
            drop(snapshot);
            return Self::load(directory, connection);
        }
        let mut removed = Arc::clone(&self.removed);
        let gone = entries::removed_in(&snapshot, &entries::after(since))?;
        if !gone.is_empty() {
            Arc::make_mut(&mut removed).extend(gone);
        }
        // Vectors that are in memory stay there: only the lexical index has caught up.
        let lexical = if caught_up {
            LexicalView::load(lexical, &snapshot)?
        } else {
            self.lexical.refreshed(&snapshot, since)?
        };
        let dense = Arc::new(self.dense.refreshed(&snapshot, since)?);
        Ok(Self { state, epoch: self.epoch, lexical: Arc::new(lexical), dense, removed })
    }
}
