//! The vector index: HNSW (Malkov and Yashunin, 2018) by usearch, one file for each state it was built at.
//!
//! A file is written under another name, synced and renamed, so a file with the right name is whole. Its name is
//! `ORIGIN-CRC32.usearch`: the state of the store that it was made of, and the checksum of its bytes, because a damaged
//! graph leads a search anywhere. Readers map it into memory and keep it as long as they need it, even when a newer one
//! has replaced it on disk.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use qanda_core::StoreError;
use rusqlite::Connection;
use usearch::Index;
use usearch::ffi::{IndexOptions, MetricKind, ScalarKind};

use crate::embedded::SEARCHES;
use crate::embedded::crash_point::crash_point;
use crate::embedded::failure::{may_pass, unreadable_now};
use crate::embedded::origin::Origin;
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
    origin: Origin,
}

/// A file of the folder.
#[derive(Debug, Clone)]
struct GraphFile {
    path: PathBuf,
    origin: Origin,
    checksum: u32,
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

    fn file(&self, origin: &Origin, checksum: u32) -> PathBuf {
        self.path().join(format!("{origin}-{checksum:08x}.usearch"))
    }

    /// The files that were made of the store's own states, newest first.
    fn own_files(&self, connection: &Connection) -> Result<Vec<GraphFile>, StoreError> {
        let listed = match std::fs::read_dir(self.path()) {
            Ok(listed) => listed,
            Err(cause) if may_pass(&cause) => return Err(unreadable_now("vector index", cause)),
            Err(_) => return Ok(Vec::new()),
        };
        let mut own = Vec::new();
        for file in listed.flatten().filter_map(|file| GraphFile::named(file.path())) {
            if file.origin.is_of(connection)? {
                own.push(file);
            }
        }
        own.sort_unstable_by_key(|file| std::cmp::Reverse(file.origin.sequence));
        Ok(own)
    }

    /// The last change that is in the newest own file.
    pub(in super::super) fn newest_sequence(&self, connection: &Connection) -> Result<Option<i64>, StoreError> {
        Ok(self.own_files(connection)?.first().map(|file| file.origin.sequence))
    }

    /// Removes everything but a file: older ones, and those of another history. One that cannot be removed is only in
    /// the way. A reader may be about to open it: it falls back to what it finds. On Unix those who have it keep it.
    fn keep_only(&self, newest: &Path) {
        let Ok(files) = std::fs::read_dir(self.path()) else { return };
        for file in files.flatten().map(|file| file.path()).filter(|path| path != newest) {
            let _ = std::fs::remove_file(file);
        }
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
    /// Opens the newest own file that is whole; `None` where there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the operating system refuses at the moment.
    pub(in super::super) fn open_newest(
        folder: &GraphFolder,
        connection: &Connection,
    ) -> Result<Option<Self>, StoreError> {
        for file in folder.own_files(connection)? {
            if !file.is_whole()? {
                continue;
            }
            match Self::open(&file) {
                Ok(graph) => return Ok(Some(graph)),
                Err(error) => {
                    let path = file.path.display();
                    tracing::warn!(%path, %error, "a vector index cannot be read; it will be made anew");
                }
            }
        }
        Ok(None)
    }

    fn open(file: &GraphFile) -> Result<Self, StoreError> {
        let failed = |cause: String| StoreError::failed("opening the vector index", cause);
        let name = file.path.to_str().ok_or_else(|| failed("its path is not valid UTF-8".to_owned()))?;
        let metadata = Index::metadata(name).map_err(|cause| failed(cause.to_string()))?;
        let index = new_index(usize::try_from(metadata.dimensions).unwrap_or(0))?;
        index.reserve_capacity_and_threads(1, SEARCHES).map_err(|cause| failed(cause.to_string()))?;
        index.view(name).map_err(|cause| failed(cause.to_string()))?;
        index.change_expansion_search(EXPANSION_SEARCH);
        Ok(Self { index, origin: file.origin.clone() })
    }

    /// The state of the store that it was made of.
    pub(in super::super) const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether an entry is in it.
    pub(in super::super) fn contains(&self, id: u64, kind: i64) -> bool {
        self.index.contains(key(id, kind))
    }

    pub(super) fn size(&self) -> u64 {
        self.index.size() as u64
    }

    /// Vectors near the query, nearly always the nearest ones.
    pub(super) fn nearest(&self, query: &Vector, limit: usize, wanted: &Wanted) -> Result<Vec<(u64, f32)>, StoreError> {
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

impl GraphFile {
    /// The file at a path; none for another kind of file.
    fn named(path: PathBuf) -> Option<Self> {
        let (origin, checksum) = path.file_name()?.to_str()?.strip_suffix(".usearch")?.rsplit_once('-')?;
        let (origin, checksum) = (origin.parse().ok()?, u32::from_str_radix(checksum, 16).ok()?);
        Some(Self { path, origin, checksum })
    }

    /// Whether its bytes are those that were written. One that somebody has replaced meanwhile is not.
    fn is_whole(&self) -> Result<bool, StoreError> {
        match checksum(&self.path) {
            Ok(found) if found == self.checksum => Ok(true),
            Err(cause) if may_pass(&cause) => Err(unreadable_now("vector index", cause)),
            found => {
                let path = self.path.display();
                tracing::warn!(%path, ?found, "a vector index is damaged or gone; it will be made anew");
                Ok(false)
            }
        }
    }
}

/// CRC-32 of a file's bytes.
fn checksum(path: &Path) -> io::Result<u32> {
    let mut file = File::open(path)?;
    let (mut hasher, mut bytes) = (crc32fast::Hasher::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut bytes)? {
            0 => return Ok(hasher.finalize()),
            read => hasher.update(&bytes[..read]),
        }
    }
}

/// A graph that is being written.
pub(in super::super) struct GraphBuilder {
    index: Index,
    folder: GraphFolder,
}

impl GraphBuilder {
    /// Starts from the newest own file, or afresh; returns the change it includes last.
    pub(in super::super) fn start(
        folder: GraphFolder,
        dimension: usize,
        connection: &Connection,
    ) -> Result<(Self, i64), StoreError> {
        let index = new_index(dimension)?;
        let same = |name: &str| Index::metadata(name).is_ok_and(|found| found.dimensions as usize == dimension);
        for file in folder.own_files(connection)? {
            let Some(name) = file.path.to_str() else { continue };
            if file.is_whole()? && same(name) && index.load(name).is_ok() {
                return Ok((Self { index, folder }, file.origin.sequence));
            }
        }
        Ok((Self { index, folder }, 0))
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

    /// Writes the file for a state of the store and deletes all others.
    pub(in super::super) fn save(self, origin: &Origin) -> Result<(), StoreError> {
        let failed = |cause: io::Error| match cause.kind() {
            io::ErrorKind::StorageFull => StoreError::DiskFull { place: "the vector index".to_owned() },
            _ => StoreError::failed("writing the vector index", cause),
        };
        std::fs::create_dir_all(self.folder.path()).map_err(failed)?;
        let unfinished = self.folder.path().join("unfinished");
        let name = unfinished.to_str().ok_or_else(|| failed(io::Error::other("path is not valid UTF-8")))?;
        self.index.save(name).map_err(|cause| StoreError::failed("writing the vector index", cause))?;
        File::open(&unfinished).and_then(|file| file.sync_all()).map_err(failed)?;
        let finished = self.folder.file(origin, checksum(&unfinished).map_err(failed)?);
        crash_point("before the graph is renamed");
        std::fs::rename(&unfinished, &finished).map_err(failed)?;
        crash_point("after the graph is renamed");
        self.folder.keep_only(&finished);
        Ok(())
    }
}
