//! Vectors that no graph holds yet, scanned one by one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use numkong::f16;
use qanda_core::StoreError;
use rusqlite::Connection;

use crate::embedded::entries;
use crate::embedded::vector::{Vector, dot, halves};
use crate::embedded::wanted::Wanted;
use crate::fusion::sort;

/// Vectors in the order in which they were stored. Cheap to extend: what is there is shared, not copied.
#[derive(Default)]
pub(super) struct Tail {
    chunks: Vec<Arc<Chunk>>,
}

#[derive(Default, Clone)]
struct Chunk {
    /// Ascending, like the changes that added them.
    ids: Vec<u64>,
    kinds: Vec<u8>,
    /// `[ids.len()][dimension]`, one after the other.
    numbers: Vec<f16>,
}

/// Vectors from which on a scan is worth a second thread.
const WORTH_A_THREAD: usize = 10_000;

impl Tail {
    /// This tail and the vectors added after a change.
    pub(super) fn extended(&self, connection: &Connection, sequence: i64) -> Result<Self, StoreError> {
        let mut chunk = Chunk::default();
        entries::each_vector_in(connection, &entries::after(sequence), |id, kind, bytes| {
            chunk.ids.push(id);
            chunk.kinds.push(u8::try_from(kind).unwrap_or(u8::MAX));
            chunk.numbers.extend(halves(bytes));
        })?;
        let mut chunks = self.chunks.clone();
        if !chunk.ids.is_empty() {
            // Chunks of similar size are joined, so there are few of them and each vector is copied a few times
            // at most, however many small commits there were.
            while let Some(last) = chunks.pop_if(|last| last.ids.len() < 2 * chunk.ids.len()) {
                chunk = last.joined(&chunk);
            }
            chunks.push(Arc::new(chunk));
        }
        Ok(Self { chunks })
    }

    pub(super) fn len(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.ids.len() as u64).sum()
    }

    /// The cosine of one entry, if its vector is here.
    pub(super) fn cosine(&self, query: &Vector, id: u64) -> Option<f32> {
        self.chunks.iter().find_map(|chunk| {
            let row = chunk.ids.binary_search(&id).ok()?;
            let dimension = chunk.numbers.len() / chunk.ids.len();
            Some(dot(query.numbers(), &chunk.numbers[row * dimension..][..dimension]))
        })
    }

    /// The `limit` nearest vectors, exactly, best first.
    pub(super) fn nearest(&self, query: &Vector, limit: usize, wanted: &Wanted) -> Vec<(u64, f32)> {
        let mut found = Vec::new();
        for chunk in &self.chunks {
            found.extend(chunk.nearest(query.numbers(), limit, wanted));
        }
        sort(&mut found);
        found.truncate(limit);
        found
    }
}

impl Chunk {
    fn joined(&self, newer: &Self) -> Self {
        Self {
            ids: [self.ids.as_slice(), &newer.ids].concat(),
            kinds: [self.kinds.as_slice(), &newer.kinds].concat(),
            numbers: [self.numbers.as_slice(), &newer.numbers].concat(),
        }
    }

    fn nearest(&self, query: &[f16], limit: usize, wanted: &Wanted) -> Vec<(u64, f32)> {
        let all = 0..self.ids.len();
        if all.len() < WORTH_A_THREAD {
            return self.nearest_in(all, query, limit, wanted);
        }
        let middle = all.len() / 2;
        std::thread::scope(|scope| {
            let first = scope.spawn(|| self.nearest_in(0..middle, query, limit, wanted));
            let mut found = self.nearest_in(middle..all.end, query, limit, wanted);
            // The other half cannot panic other than this one would: it runs the same code.
            found.extend(first.join().unwrap_or_default());
            found
        })
    }

    fn nearest_in(
        &self,
        range: std::ops::Range<usize>,
        query: &[f16],
        limit: usize,
        wanted: &Wanted,
    ) -> Vec<(u64, f32)> {
        // The worst of the best is on top, to be thrown out by a better one.
        let mut best: BinaryHeap<Reverse<(Ordered, Reverse<u64>)>> = BinaryHeap::with_capacity(limit + 1);
        let everything = wanted.is_everything();
        for row in range {
            if !everything && !wanted.allows(self.ids[row], i64::from(self.kinds[row])) {
                continue;
            }
            let cosine = dot(query, &self.numbers[row * query.len()..][..query.len()]);
            if best.len() == limit {
                if best.peek().is_some_and(|Reverse((worst, _))| worst.0 >= cosine) {
                    continue;
                }
                best.pop();
            }
            best.push(Reverse((Ordered(cosine), Reverse(self.ids[row]))));
        }
        best.into_iter().map(|Reverse((cosine, Reverse(id)))| (id, cosine.0)).collect()
    }
}

/// A score with the total order of `f32::total_cmp`.
#[derive(PartialEq)]
struct Ordered(f32);

impl Eq for Ordered {}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
