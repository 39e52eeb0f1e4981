//! The vector index: HNSW (Malkov and Yashunin, 2018) by usearch, one file for each state it was built at.
//!
//! A file is written under another name, synced and renamed, so a file with the right name is whole. Its name
//! says which change it includes last. Readers map it into memory and keep it as long as they need it, even when
//! a newer one has replaced it on disk.

use std::path::{Path, PathBuf};

use qanda_core::StoreError;
use usearch::Index;
use usearch::ffi::{IndexOptions, MetricKind, ScalarKind};

use crate::embedded::SEARCHES;
use crate::embedded::crash_point::crash_point;
use crate::embedded::vector::Vector;
use crate::embedded::wanted::Wanted;

/// Neighbours of a vector in the graph.
const CONNECTIVITY: usize = 16;
/// Candidates looked at when a vector is added.
const EXPANSION_ADD: usize = 128;
/// Candidates looked at in a search: recall against speed, see docs/benchmarks.md.
const EXPANSION_SEARCH: usize = 256;

/// A graph to search in.
pub(in super::super) struct Graph {
    index: Index,
    sequence: i64,
}

/// Folder with the files of one epoch: vectors of different embedders never meet.
pub(in super::super) struct GraphFolder {
    /// The folder of all derived indexes.
    parent: PathBuf,
    name: String,
}

impl GraphFolder {
    pub(in super::super) fn new(directory: &Path, epoch: i64) -> Self {
        let name = if epoch == 0 { "vectors".to_owned() } else { format!("vectors-{epoch}") };
        Self { parent: directory.join("index"), name }
    }

    fn path(&self) -> PathBuf {
        self.parent.join(&self.name)
    }

    fn file(&self, sequence: i64) -> PathBuf {
        self.path().join(format!("{sequence}.usearch"))
    }

    /// Sequences of the files that are there, newest first.
    fn sequences(&self) -> Vec<i64> {
        let Ok(files) = std::fs::read_dir(self.path()) else { return Vec::new() };
        let name = |file: std::fs::DirEntry| file.file_name().to_str()?.strip_suffix(".usearch")?.parse().ok();
        let mut sequences: Vec<i64> = files.flatten().filter_map(name).collect();
        sequences.sort_unstable_by(|a, b| b.cmp(a));
        sequences
    }

    /// Removes the folders of other epochs. One that cannot be removed is only in the way.
    pub(in super::super) fn remove_others(&self) {
        let Ok(folders) = std::fs::read_dir(&self.parent) else { return };
        for folder in folders.flatten() {
            let name = folder.file_name();
            if name.to_string_lossy().starts_with("vectors") && name != self.name.as_str() {
                let _ = std::fs::remove_dir_all(folder.path());
            }
        }
    }
}

fn new_index(dimension: usize) -> Result<Index, StoreError> {
    let options = IndexOptions {
        dimensions: dimension,
        metric: MetricKind::IP,
        quantization: ScalarKind::F16,
        connectivity: CONNECTIVITY,
        expansion_add: EXPANSION_ADD,
        expansion_search: EXPANSION_SEARCH,
        multi: false,
    };
    Index::new(&options).map_err(|cause| StoreError::failed("making a vector index", cause))
}

/// The kind of an entry is the last bit of its key, so that a search for one kind needs no look-up.
fn key(id: u64, kind: i64) -> u64 {
    (id << 1) | u64::from(kind != 0)
}

impl Graph {
    /// Opens the newest file that can be read; `None` where there is none.
    pub(super) fn open_newest(folder: &GraphFolder) -> Option<Self> {
        folder.sequences().into_iter().find_map(|sequence| {
            let path = folder.file(sequence);
            Self::open(&path, sequence)
                .inspect_err(|error| tracing::warn!(path = %path.display(), %error, "a vector index cannot be read"))
                .ok()
        })
    }

    /// The last change that is in the newest file.
    pub(in super::super) fn newest_sequence(folder: &GraphFolder) -> Option<i64> {
        folder.sequences().first().copied()
    }

    fn open(path: &Path, sequence: i64) -> Result<Self, StoreError> {
        let failed = |cause: String| StoreError::failed("opening the vector index", cause);
        let name = path.to_str().ok_or_else(|| failed("its path is not valid UTF-8".to_owned()))?;
        let metadata = Index::metadata(name).map_err(|cause| failed(cause.to_string()))?;
        let index = new_index(usize::try_from(metadata.dimensions).unwrap_or(0))?;
        index.reserve_capacity_and_threads(1, SEARCHES).map_err(|cause| failed(cause.to_string()))?;
        index.view(name).map_err(|cause| failed(cause.to_string()))?;
        index.change_expansion_search(EXPANSION_SEARCH);
        Ok(Self { index, sequence })
    }

    /// The last change that is in it.
    pub(super) const fn sequence(&self) -> i64 {
        self.sequence
    }

    pub(super) fn size(&self) -> u64 {
        self.index.size() as u64
    }

    /// Vectors near the query, nearly always the nearest ones.
    pub(super) fn nearest(
        &self,
        query: &Vector,
        limit: usize,
        wanted: Wanted<'_>,
    ) -> Result<Vec<(u64, f32)>, StoreError> {
        let query = query.to_f32();
        let allows = |key: u64| wanted.allows(key >> 1, i64::from(key & 1 == 1));
        let matches = if wanted.is_everything() {
            self.index.search(&query, limit)
        } else {
            self.index.filtered_search(&query, limit, allows)
        };
        let matches = matches.map_err(|cause| StoreError::failed("searching the vector index", cause))?;
        // The distance of usearch's inner product is 1 - cosine.
        Ok(matches.keys.iter().zip(&matches.distances).map(|(key, distance)| (key >> 1, 1.0 - distance)).collect())
    }
}

/// A graph that is being written.
pub(in super::super) struct GraphBuilder {
    index: Index,
    folder: GraphFolder,
}

impl GraphBuilder {
    /// Starts from the newest file, or afresh; returns the change it includes last.
    pub(in super::super) fn start(folder: GraphFolder, dimension: usize) -> Result<(Self, i64), StoreError> {
        let index = new_index(dimension)?;
        let newest = folder.sequences().into_iter().find(|sequence| {
            let path = folder.file(*sequence);
            let same = |name| Index::metadata(name).is_ok_and(|found| found.dimensions as usize == dimension);
            path.to_str().is_some_and(|name| same(name) && index.load(name).is_ok())
        });
        Ok((Self { index, folder }, newest.unwrap_or(0)))
    }

    /// Adds vectors on as many threads as there are cores.
    pub(in super::super) fn add(&self, vectors: &[(u64, i64, Vector)]) -> Result<(), StoreError> {
        let failed = |cause: String| StoreError::failed("writing the vector index", cause);
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let room = self.index.size() + vectors.len();
        self.index.reserve_capacity_and_threads(room, threads).map_err(|cause| failed(cause.to_string()))?;
        std::thread::scope(|scope| {
            let parts: Vec<_> = vectors
                .chunks(vectors.len().div_ceil(threads).max(1))
                .map(|part| {
                    scope.spawn(|| {
                        part.iter().try_for_each(|(id, kind, vector)| {
                            let added = self.index.add(key(*id, *kind), &vector.to_f32());
                            added.map_err(|cause| failed(cause.to_string()))
                        })
                    })
                })
                .collect();
            parts.into_iter().try_for_each(|part| {
                part.join().map_err(|_| StoreError::failed("writing the vector index", "a thread of it panicked"))?
            })
        })
    }

    /// Takes entries out.
    pub(in super::super) fn remove(&self, ids: &[u64]) -> Result<(), StoreError> {
        for key in ids.iter().flat_map(|id| [key(*id, 0), key(*id, 1)]) {
            self.index.remove(key).map_err(|cause| StoreError::failed("writing the vector index", cause))?;
        }
        Ok(())
    }

    /// Writes the file for the state after `sequence` and deletes older ones.
    pub(in super::super) fn save(self, sequence: i64) -> Result<(), StoreError> {
        let failed = |cause: std::io::Error| match cause.kind() {
            std::io::ErrorKind::StorageFull => StoreError::DiskFull { place: "the vector index".to_owned() },
            _ => StoreError::failed("writing the vector index", cause),
        };
        std::fs::create_dir_all(self.folder.path()).map_err(failed)?;
        let unfinished = self.folder.path().join("unfinished");
        let name = unfinished.to_str().ok_or_else(|| failed(std::io::Error::other("path is not valid UTF-8")))?;
        self.index.save(name).map_err(|cause| StoreError::failed("writing the vector index", cause))?;
        std::fs::File::open(&unfinished).and_then(|file| file.sync_all()).map_err(failed)?;
        crash_point("before the graph is renamed");
        std::fs::rename(&unfinished, self.folder.file(sequence)).map_err(failed)?;
        crash_point("after the graph is renamed");
        for old in self.folder.sequences().into_iter().filter(|other| *other != sequence) {
            // A reader may be about to open it: it falls back to what it finds. On Unix those who have it keep it.
            let _ = std::fs::remove_file(self.folder.file(old));
        }
        Ok(())
    }
}
