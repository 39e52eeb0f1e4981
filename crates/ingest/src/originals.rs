//! The bytes of what was handed in, each file named by the hash of its content.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Folder of originals.
#[derive(Debug)]
pub(crate) struct Originals {
    folder: PathBuf,
    /// Files written so far, for names that no other thread takes.
    number: AtomicU64,
}

/// Held while files are written that no job and no document knows yet: none is swept away meanwhile.
#[derive(Debug)]
pub(crate) struct Writing(#[allow(dead_code, reason = "held for its lock")] File);

/// The file that processes lock.
const LOCK: &str = "lock";

impl Originals {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, number: AtomicU64::new(0) }
    }

    /// The place of an original, there or not.
    pub(crate) fn place(&self, content: &str) -> PathBuf {
        self.folder.join(content)
    }

    /// Keeps files from being swept away until it is dropped. Waits for who sweeps.
    pub(crate) fn begin_writing(&self) -> io::Result<Writing> {
        let lock = self.lock_file()?;
        lock.lock_shared()?;
        Ok(Writing(lock))
    }

    /// Writes an original. It is on the disk, whole, when this returns; at no moment is there a part of it.
    pub(crate) fn keep(&self, _: &Writing, content: &str, bytes: &[u8]) -> io::Result<()> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let temporary = self.folder.join(format!("{}-{number}.tmp", std::process::id()));
        let written = File::create(&temporary).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        let renamed = written.and_then(|()| fs::rename(&temporary, self.place(content)));
        if renamed.is_err() {
            // What could not be written must not stay; the first error is the one to tell.
            let _ = fs::remove_file(&temporary);
        }
        renamed?;
        // The name is in the folder, which is a file of its own.
        File::open(&self.folder)?.sync_all()
    }

    /// Keeps everybody from writing until it is dropped. Waits for who writes.
    pub(crate) fn begin_sweeping(&self) -> io::Result<Writing> {
        let lock = self.lock_file()?;
        lock.lock()?;
        Ok(Writing(lock))
    }

    /// Removes all files but the wanted ones, and what is left of writes that were cut off.
    pub(crate) fn sweep(&self, _: &Writing, wanted: &HashSet<String>) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_wanted = name.to_str().is_some_and(|name| name == LOCK || wanted.contains(name));
            if !is_wanted && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn lock_file(&self) -> io::Result<File> {
        fs::create_dir_all(&self.folder)?;
        File::options().create(true).append(true).open(self.folder.join(LOCK))
    }
}

/// Opens a file that must be one, and no link to another.
pub(crate) fn open_file(path: &Path) -> io::Result<Option<File>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => File::open(path).map(Some),
        Ok(_) => Ok(None),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wanted_survives_a_sweep() {
        let folder = tempfile::TempDir::new().unwrap();
        let originals = Originals::new(folder.path().join("originals"));
        let writing = originals.begin_writing().unwrap();
        for (content, bytes) in [("aa", "one"), ("bb", "two"), ("aa", "one")] {
            originals.keep(&writing, content, bytes.as_bytes()).unwrap();
        }
        drop(writing);
        fs::write(originals.place("7-1.tmp"), "cut").unwrap();
        let sweeping = originals.begin_sweeping().unwrap();
        originals.sweep(&sweeping, &HashSet::from(["aa".to_owned()])).unwrap();
        assert_eq!(fs::read(originals.place("aa")).unwrap(), b"one");
        let mut left: Vec<_> =
            fs::read_dir(folder.path().join("originals")).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort_unstable();
        assert_eq!(left, ["aa", "lock"]);
    }

    #[test]
    fn links_and_folders_are_no_originals() {
        let folder = tempfile::TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "x").unwrap();
        std::os::unix::fs::symlink(at("a"), at("link")).unwrap();
        assert!(open_file(&at("a")).unwrap().is_some());
        for none in ["link", "gone", "a/below", "."] {
            assert!(open_file(&at(none)).unwrap().is_none(), "{none}");
        }
    }
}
