//! Why a file is not read, and why the whole job stops.

use std::io;

use qanda_core::{ModelError, StoreError};
use thiserror::Error;

/// Size up to which a file is read, in bytes: 64 MiB.
pub const MAX_BYTES: u64 = 64 << 20;

/// Why one file was not read. Shown to people as it is, after the file's path.
#[derive(Debug, Error)]
pub enum ReadError {
    /// Zero bytes.
    #[error("the file is empty")]
    Empty,
    /// Bytes, but no words: only white space, or a page whose text is all in images or scripts.
    #[error("no text in it")]
    NoText,
    /// A NUL byte, which text does not have.
    #[error("not a text file: byte {offset} is NUL")]
    Nul {
        /// Offset of the first one.
        offset: usize,
    },
    /// No NUL, and still no text.
    #[error("not a text file: {percent} % of it cannot be shown as characters")]
    Binary {
        /// Share of control and undecodable characters.
        percent: usize,
    },
    /// More than [`MAX_BYTES`].
    #[error("larger than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    /// Not what its name says, or not all of it.
    #[error("damaged: {reason}")]
    Damaged {
        /// What is wrong with it.
        reason: String,
    },
    /// Something in it grows without measure when it is unpacked.
    #[error("{name} in it unpacks to more than {most} MiB, which is no document")]
    Bomb {
        /// Name of the part.
        name: String,
        /// Bytes that are allowed, in MiB.
        most: u64,
    },
    /// A file of another kind than its name says.
    #[error("not a {kind} file, whatever its name says")]
    Foreign {
        /// The kind that it should be.
        kind: &'static str,
    },
    /// Cut off, or broken beyond repair.
    #[error("damaged or incomplete {kind}")]
    Incomplete {
        /// Its kind.
        kind: &'static str,
    },
    /// Encrypted with a password that a reader has to be told.
    #[error("password needed")]
    Password,
    /// Pages, but no words on them.
    #[error("no text found (perhaps a scan)")]
    Scan,
    /// No reader takes files with this ending, or of this media type.
    #[error("no reader for {kind} files; readable are: {readable}")]
    NoReader {
        /// The file's ending with its dot, "nameless", or its media type.
        kind: String,
        /// The endings that are readable.
        readable: String,
    },
    /// A socket, a device, a pipe.
    #[error("neither a file nor a folder")]
    NotAFile,
    /// The name cannot be kept as text, so the document would have no identity.
    #[error("its name is not valid Unicode; rename it")]
    NameNotUnicode,
    /// The reader panicked: a bug of ours that this document brings out.
    #[error("the reader failed on it (please report this): {message}")]
    Panicked {
        /// Message of the panic.
        message: String,
    },
    /// Nothing is there, and something was.
    #[error("no such file or folder; {documents} of the stored documents came from there")]
    Vanished {
        /// Number of documents that are stored of it.
        documents: usize,
    },
    /// An archive, or a member of one, that cannot be unpacked.
    #[error("archive: {reason}")]
    Archive {
        /// What is wrong with it.
        reason: String,
    },
    /// Refused where it was read, which is another process.
    #[error("{reason}")]
    Refused {
        /// The other error, in words.
        reason: String,
        /// Whether there was nothing to read.
        empty: bool,
    },
    /// More than [`MAX_BYTES`] of text: no document that somebody wrote.
    #[error("more than {} MiB of text come out of it", MAX_BYTES >> 20)]
    TooMuchText,
    /// It took longer than one document may.
    #[error("reading it took longer than {seconds} s")]
    TooSlow {
        /// Time that it had.
        seconds: f64,
    },
    /// Its process had no more memory.
    #[error("reading it takes more memory than one document may have")]
    OutOfMemory,
    /// Its process ran out of stack.
    #[error("its parts are nested too deeply to be read")]
    TooDeep,
    /// Its process died in another way: a bug of ours that this document brings out, or somebody's doing.
    #[error("the reader crashed on it (please report this): {how}")]
    Crashed {
        /// How it ended, in words.
        how: String,
    },
    /// The operating system refused.
    #[error("{}", plain(.0))]
    Io(#[from] io::Error),
}

impl ReadError {
    /// Whether there is nothing to read, rather than something that could not be read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty | Self::NoText | Self::Refused { empty: true, .. })
    }
}

/// The two refusals that people meet most, in plain words.
fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => format!("it could not be read: {error}"),
    }
}

/// Why the job ended early. What was stored before stays stored.
#[derive(Debug, Error)]
pub enum IngestError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The embedder failed.
    #[error(transparent)]
    Embedder(#[from] ModelError),
    /// A thread of the job was lost, which only a bug or a runtime that shuts down can do.
    #[error("a thread of the ingest job stopped unexpectedly: {0}")]
    Thread(#[from] tokio::task::JoinError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_plain_sentences() {
        let io = |kind: io::ErrorKind| ReadError::from(io::Error::from(kind)).to_string();
        assert_eq!(io(io::ErrorKind::PermissionDenied), "permission denied");
        assert_eq!(io(io::ErrorKind::NotFound), "no such file or folder");
        assert_eq!(ReadError::TooLarge.to_string(), "larger than 64 MiB");
    }
}
