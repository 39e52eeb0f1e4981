//! Search by meaning: a graph over most vectors, an exact scan of those that are newer.

mod graph;
mod tail;
mod vector;

use std::path::Path;
use std::sync::Arc;

use qanda_core::StoreError;
use rusqlite::Connection;

pub(super) use self::graph::{Graph, GraphBuilder};
use self::tail::Tail;
pub(super) use self::vector::Vector;
use super::rows;
use crate::fusion::sort;

/// Fewer vectors than this are quicker to scan than to look up in a graph, and exactly right.
pub(super) const WORTH_A_GRAPH: u64 = 50_000;

/// The vector side of a view.
pub(super) struct DenseView {
    /// None as long as a scan is quicker.
    graph: Option<Arc<Graph>>,
    tail: Tail,
}

impl DenseView {
    /// Opens the graph, if there is a usable one, and reads the vectors that are newer.
    pub(super) fn load(directory: &Path, connection: &Connection) -> Result<Self, StoreError> {
        let graph = Graph::open_newest(directory).map(Arc::new);
        let tail = Tail::default().extended(connection, graph.as_ref().map_or(0, |graph| graph.sequence()))?;
        Ok(Self { graph, tail })
    }

    /// The same with the vectors committed since `sequence`.
    pub(super) fn refreshed(&self, connection: &Connection, sequence: i64) -> Result<Self, StoreError> {
        Ok(Self { graph: self.graph.clone(), tail: self.tail.extended(connection, sequence)? })
    }

    /// The last change that the graph includes, if there is one.
    pub(super) fn sequence(&self) -> Option<i64> {
        self.graph.as_ref().map(|graph| graph.sequence())
    }

    /// The `limit` nearest vectors with their cosines, best first, among those that `wanted` allows.
    pub(super) fn search(
        &self,
        query: &Vector,
        limit: usize,
        wanted: Wanted<'_>,
    ) -> Result<Vec<(u64, f32)>, StoreError> {
        let mut found = self.tail.nearest(query, limit, wanted);
        if let Some(graph) = &self.graph {
            found.extend(graph.nearest(query, limit, wanted)?);
            sort(&mut found);
            found.truncate(limit);
        }
        Ok(found)
    }

    /// Cosine of one entry; none if there is no vector of it. Out of memory where it is there, which is far quicker
    /// than out of SQLite; one that was removed lately may still be there.
    pub(super) fn cosine(&self, connection: &Connection, query: &Vector, id: u64) -> Result<Option<f32>, StoreError> {
        match self.tail.cosine(query, id) {
            Some(cosine) => Ok(Some(cosine)),
            None => Ok(rows::vector(connection, id)?.map(|vector| query.dot(&vector))),
        }
    }

    /// Cosines of single entries, without those that have no vector.
    pub(super) fn cosines(
        &self,
        connection: &Connection,
        query: &Vector,
        ids: impl Iterator<Item = u64>,
    ) -> Result<Vec<(u64, f32)>, StoreError> {
        let cosine = |id: u64| Ok(self.cosine(connection, query, id)?.map(|cosine| (id, cosine)));
        ids.map(cosine).filter_map(Result::transpose).collect()
    }

    /// Vectors in the graph.
    pub(super) fn indexed(&self) -> u64 {
        self.graph.as_ref().map_or(0, |graph| graph.size())
    }

    /// Vectors that are scanned.
    pub(super) fn behind(&self) -> u64 {
        self.tail.len()
    }
}

/// Which entries a search may return.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Only this kind, if given.
    pub(super) kind: Option<i64>,
    /// Only these, if given.
    pub(super) among: Option<&'a std::collections::HashSet<u64>>,
    /// None of these: they are gone.
    pub(super) removed: &'a std::collections::HashSet<u64>,
}

impl Wanted<'_> {
    pub(super) fn allows(&self, id: u64, kind: i64) -> bool {
        self.kind.is_none_or(|wanted| wanted == kind)
            && self.among.is_none_or(|among| among.contains(&id))
            && !self.removed.contains(&id)
    }

    /// Whether everything that is stored is allowed.
    pub(super) fn is_everything(&self) -> bool {
        self.kind.is_none() && self.among.is_none() && self.removed.is_empty()
    }
}
