//! Search by meaning: a graph over most vectors, an exact scan of those that are newer.

mod graph;
mod tail;

use std::sync::Arc;

use qanda_core::StoreError;
use rusqlite::Connection;

pub(super) use self::graph::{Graph, GraphBuilder, GraphFolder};
use self::tail::Tail;
use super::entries;
use super::vector::Vector;
use super::wanted::Wanted;
use crate::fusion::sort;

/// Fewer vectors than this are quicker to scan than to look up in a graph, and exactly right.
pub(super) const WORTH_A_GRAPH: u64 = 50_000;

/// The vector side of a view.
pub(super) struct DenseView {
    /// Graph, once it is quicker than a scan.
    graph: Option<Arc<Graph>>,
    tail: Tail,
}

impl DenseView {
    /// Takes the graph, if it is the store's own, and reads the vectors that are newer.
    pub(super) fn load(opened: Option<Graph>, connection: &Connection) -> Result<Self, StoreError> {
        let own = match &opened {
            Some(graph) => graph.origin().is_of(connection)?,
            None => false,
        };
        let graph = opened.filter(|_| own).map(Arc::new);
        let since = graph.as_ref().map_or(0, |graph| graph.origin().sequence);
        Ok(Self { graph, tail: Tail::default().extended(connection, since)? })
    }

    /// The same with the vectors committed since `sequence`.
    pub(super) fn refreshed(&self, connection: &Connection, sequence: i64) -> Result<Self, StoreError> {
        Ok(Self { graph: self.graph.clone(), tail: self.tail.extended(connection, sequence)? })
    }

    /// The last change that the graph includes, if there is one.
    pub(super) fn sequence(&self) -> Option<i64> {
        self.graph.as_ref().map(|graph| graph.origin().sequence)
    }

    /// The `limit` nearest vectors with their cosines, best first, among those that `wanted` allows.
    pub(super) fn search(&self, query: &Vector, limit: usize, wanted: &Wanted) -> Result<Vec<(u64, f32)>, StoreError> {
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
            None => Ok(entries::vector(connection, id)?.map(|vector| query.dot(&vector))),
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
