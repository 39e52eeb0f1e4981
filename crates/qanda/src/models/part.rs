use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

/// A file on its way. What an earlier run got of it is still there; nobody else writes it meanwhile.
pub(super) struct Part {
    file: File,
    path: PathBuf,
    length: u64,
}

impl Part {
    /// Opens the beginning of a file that will be called `name` in `folder`, empty where there is none. `contents`
    /// tells its bytes from those of another version (a hash), so that no two are ever mixed.
    ///
    /// # Errors
    /// When it cannot be opened, or another process is at it.
    pub(super) fn open(folder: &Path, name: &str, contents: &str) -> anyhow::Result<Self> {
        // Hashes come from servers, and this becomes a part of a path.
        let short: String = contents.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        let path = folder.join(format!(".{name}.{short}.part"));
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => anyhow::bail!("another process is downloading {name}"),
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the download"),
        }
        let length = file.seek(SeekFrom::End(0))?;
        Ok(Self { file, path, length })
    }

    /// Bytes so far.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Throws away all but the first `length` bytes.
    pub(super) fn cut(&mut self, length: u64) -> anyhow::Result<()> {
        self.file.set_len(length)?;
        self.length = self.file.seek(SeekFrom::Start(length))?;
        Ok(())
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.file.write_all(bytes).with_context(|| format!("cannot write {}", self.path.display()))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Compares it with what it must be.
    ///
    /// # Errors
    /// When it differs. Then it is empty again: going on from something wrong would never end well.
    pub(super) fn check(&mut self, sha256: &str) -> anyhow::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        let hash = sha256_of(&mut self.file)?;
        if hash == sha256 {
            return Ok(());
        }
        self.cut(0)?;
        anyhow::bail!("the download has the SHA-256 {hash}, but {sha256} was expected; it was thrown away")
    }

    /// Puts it in its place, complete.
    pub(super) fn install(self, destination: &Path) -> anyhow::Result<()> {
        let installed = self.file.sync_all().and_then(|()| fs::rename(&self.path, destination));
        installed.with_context(|| format!("cannot install {}", destination.display()))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // There is nothing to go on with.
        if self.length == 0 {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// SHA-256 of what is left to read, in hexadecimal digits.
pub(super) fn sha256_of(file: &mut impl Read) -> std::io::Result<String> {
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    #[test]
    fn a_part_goes_on_where_it_was_and_only_the_right_bytes_are_installed() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut part = Part::open(folder.path(), "a.gguf", HELLO).expect("opens");
        part.append(b"hell").expect("writes");
        assert!(Part::open(folder.path(), "a.gguf", HELLO).is_err(), "two at once");
        drop(part);
        let mut part = Part::open(folder.path(), "a.gguf", HELLO).expect("opens");
        assert_eq!(part.length(), 4);
        part.append(b"!").expect("writes");
        assert!(part.check(HELLO).is_err());
        assert_eq!(part.length(), 0, "wrong bytes are thrown away");
        part.append(b"hello").expect("writes");
        part.check(HELLO).expect("is right");
        let installed = folder.path().join("a.gguf");
        part.install(&installed).expect("installs");
        assert_eq!(fs::read(installed).expect("is there"), b"hello");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left over");
    }
}
