//! A disk that is soon full.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::data::{argument, folder};

/// A file system of a few MiB in memory. Unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// Mounts one of this many KiB; `None`, said aloud, where that is not allowed.
    #[must_use]
    pub fn mount(kib: usize) -> Option<Self> {
        let folder = folder();
        let size = format!("size={kib}k");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs", argument(folder.path())]).stderr(Stdio::null());
        if !mount.status().is_ok_and(|status| status.success()) {
            crate::skip("no small disk can be mounted here (only root may)");
            return None;
        }
        Some(Self(folder))
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file that takes all room but this many bytes.
    pub fn fill(&self, name: &str, room: u64) {
        let path = self.path().join(name);
        let mut file = OpenOptions::new().create(true).append(true).open(path).expect("a file is made");
        while file.write_all(&[b'x'; 512]).is_ok() {}
        let size = file.metadata().expect("it is there").len();
        file.set_len(size - room).expect("it is cut");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: what still has a file open on it must not keep it mounted for ever.
        let _ = Command::new("umount").args(["-l", argument(self.path())]).status();
    }
}
