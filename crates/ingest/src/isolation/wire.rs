//! Frames between the job and the process that reads for it: a header in JSON and a body of bytes, each after its
//! length (four bytes, the lowest first). Both sides are the same program, so nothing says a version.
//!
//! Whoever reads a frame bounds it: a length is a claim.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::MAX_BYTES;
use crate::readers::Extracted;

/// Longest header, in bytes. It holds a document's structure, some twenty bytes for each block.
const MAX_HEADER: u64 = 64 << 20;

/// Bytes of a part's length.
const LENGTH: usize = 4;

/// What is asked about the document in the body.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Text and structure.
    Extract {
        /// Path of the document.
        path: String,
        /// Media type that came with it.
        media_type: Option<String>,
    },
    /// Members of an archive, each in an answer, and after the last one `Done`.
    Members {
        /// Path of the archive.
        path: String,
    },
}

/// What is said of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Response {
    /// The process is ready; said once, before the first request.
    Ready {
        /// Protections that the system does not have, each with the reason.
        without: Vec<String>,
    },
    /// What was read; its text is the body.
    Extracted(Extracted),
    /// A refusal.
    Refused {
        /// In a sentence for people.
        reason: String,
        /// Whether there was nothing to read, rather than something that could not be read.
        empty: bool,
    },
    /// A member of an archive.
    Member {
        /// Its name.
        name: String,
        /// Why its bytes, which are the body, are not there.
        refused: Option<String>,
    },
    /// There are no more members.
    Done,
    /// More came out than [`MAX_BYTES`].
    TooMuch,
}

/// Writes a frame. What is longer than a frame may be is an error of the kind `FileTooLarge`, and nothing is written.
pub(super) fn write(output: &mut impl Write, header: &impl Serialize, body: &[u8]) -> io::Result<()> {
    let header = serde_json::to_vec(header)?;
    if header.len() as u64 > MAX_HEADER || body.len() as u64 > MAX_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    // In one piece: each write wakes the other side.
    let mut frame = Vec::with_capacity(2 * LENGTH + header.len() + body.len());
    for part in [header.as_slice(), body] {
        frame.extend(u32::try_from(part.len()).map_err(io::Error::other)?.to_le_bytes());
        frame.extend(part);
    }
    output.write_all(&frame)?;
    output.flush()
}

/// Reads a frame; none when the other side has ended between two frames.
pub(super) fn read<H: DeserializeOwned>(input: &mut impl Read) -> io::Result<Option<(H, Vec<u8>)>> {
    let Some(header) = read_part(input, MAX_HEADER)? else { return Ok(None) };
    let body = read_part(input, MAX_BYTES)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(Some((serde_json::from_slice(&header)?, body)))
}

fn read_part(input: &mut impl Read, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; LENGTH];
    let begun = loop {
        match input.read(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    if begun == 0 {
        return Ok(None);
    }
    input.read_exact(&mut length[begun..])?;
    let length = u64::from(u32::from_le_bytes(length));
    if length > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("a frame claims {length} bytes")));
    }
    let mut part = Vec::new();
    // Room is made as bytes come.
    if input.take(length).read_to_end(&mut part)? as u64 == length {
        Ok(Some(part))
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn frame() -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes, &Request::Extract { path: "ä.md".to_owned(), media_type: None }, b"\0text").unwrap();
        bytes
    }

    #[test]
    fn frames_come_back_one_after_the_other() {
        let two = [frame(), frame()].concat();
        let mut input = two.as_slice();
        for _ in 0..2 {
            let (request, body) = read(&mut input).unwrap().unwrap();
            let Request::Extract { path, media_type } = request else { panic!("another request") };
            assert_eq!((path.as_str(), media_type, body.as_slice()), ("ä.md", None, b"\0text".as_slice()));
        }
        assert!(read::<Request>(&mut input).unwrap().is_none());
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_an_error() {
        let whole = frame();
        for end in 1..whole.len() {
            assert!(read::<Request>(&mut &whole[..end]).is_err(), "{end} bytes");
        }
        let claim = read::<Request>(&mut [0xff; 100].as_slice()).unwrap_err();
        assert_eq!(claim.kind(), io::ErrorKind::FileTooLarge);
        let huge = vec![0; usize::try_from(MAX_BYTES).unwrap() + 1];
        let mut written = Vec::new();
        assert_eq!(write(&mut written, &"", &huge).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(written.is_empty());
    }
}
