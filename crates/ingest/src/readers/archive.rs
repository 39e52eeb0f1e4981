//! ZIP archives, as office documents and books are. Nothing that an archive says about itself is believed: what comes out
//! is counted, and names of members are compared with names, never used as paths.

use std::io::{Cursor, Read};

use zip::{CompressionMethod, ZipArchive};

use crate::ReadError;

/// Bytes that may come out of one member: 64 MiB.
const MAX_MEMBER: u64 = 64 << 20;

/// Bytes that may come out of all members that are read: 192 MiB.
const MAX_TOTAL: u64 = 192 << 20;

/// Times that a member may be larger than its packed bytes, where it is larger than [`SMALL`]. Office documents reach
/// 100 (spreadsheets with many equal rows); deflate itself cannot do more than 1,032.
const MAX_RATIO: u64 = 250;

/// Bytes up to which a member may be packed as tightly as it likes.
const SMALL: u64 = 8 << 20;

/// Members that an archive may have.
const MAX_MEMBERS: usize = 20_000;

/// An archive in memory.
pub(super) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// Bytes that may still come out.
    left: u64,
}

impl<'a> Archive<'a> {
    /// Opens an archive by its directory.
    ///
    /// # Errors
    /// [`ReadError::Empty`], or [`ReadError::Damaged`] for what is no archive or not all of one.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, ReadError> {
        if bytes.is_empty() {
            return Err(ReadError::Empty);
        }
        let zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| damaged(format!("its archive cannot be opened ({error})")))?;
        if zip.len() > MAX_MEMBERS {
            return Err(damaged(format!("its archive has {} members, more than {MAX_MEMBERS}", zip.len())));
        }
        Ok(Self { zip, left: MAX_TOTAL })
    }

    /// Whether there is a member of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// The bytes of a member; `None` if there is none of this name.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] for a member that cannot be unpacked, [`ReadError::Bomb`] for one that grows without measure.
    pub(super) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(index) = self.zip.index_for_name(name) else { return Ok(None) };
        let member =
            self.zip.by_index(index).map_err(|error| damaged(format!("{name} in it cannot be read ({error})")))?;
        if !matches!(member.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            return Err(damaged(format!("{name} in it is packed in a way that is not supported")));
        }
        let packed = member.compressed_size();
        let most = MAX_MEMBER.min(self.left).min(SMALL.max(packed.saturating_mul(MAX_RATIO)));
        let mut bytes = Vec::new();
        let unpacked = member.take(most + 1).read_to_end(&mut bytes);
        if bytes.len() as u64 > most {
            return Err(ReadError::Bomb { name: name.to_owned(), most: most >> 20 });
        }
        unpacked.map_err(|error| damaged(format!("{name} in it is damaged ({error})")))?;
        self.left -= bytes.len() as u64;
        Ok(Some(bytes))
    }

    /// The text of a member; `None` if there is none of this name.
    ///
    /// # Errors
    /// As [`Archive::read`].
    pub(super) fn read_text(&mut self, name: &str) -> Result<Option<String>, ReadError> {
        let Some(bytes) = self.read(name)? else { return Ok(None) };
        Ok(Some(match encoding_rs::Encoding::for_bom(&bytes) {
            Some((encoding, mark)) => encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned(),
            None => String::from_utf8_lossy(&bytes).into_owned(),
        }))
    }
}

/// A file that does not hold what its kind of file must hold.
pub(super) fn damaged(reason: impl Into<String>) -> ReadError {
    ReadError::Damaged { reason: reason.into() }
}

/// Archives for the tests of the readers.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod fakes {
    use std::io::{Cursor, Write};

    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    /// An archive with these members.
    pub(crate) fn archive(members: &[(&str, impl AsRef<[u8]>)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in members {
            let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
            writer.start_file(*name, options).unwrap();
            writer.write_all(content.as_ref()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_by_name() {
        let bytes = fakes::archive(&[("a/b.xml", "\u{feff}text"), ("../c", "outside")]);
        let mut archive = Archive::open(&bytes).unwrap();
        assert_eq!(archive.read_text("a/b.xml").unwrap().as_deref(), Some("text"));
        assert!(archive.read("b.xml").unwrap().is_none() && archive.has("../c"));
    }

    #[test]
    fn members_that_grow_without_measure_are_refused() {
        let bytes = fakes::archive(&[("bomb.xml", &"0".repeat(20 << 20)), ("small.xml", &"0".repeat(1 << 20))]);
        let mut archive = Archive::open(&bytes).unwrap();
        let refused = archive.read("bomb.xml").unwrap_err().to_string();
        assert_eq!(refused, "bomb.xml in it unpacks to more than 8 MiB, which is no document");
        assert_eq!(archive.read("small.xml").unwrap().unwrap().len(), 1 << 20);
    }

    #[test]
    fn half_an_archive_is_damaged() {
        let bytes = fakes::archive(&[("a", "text")]);
        for part in [&bytes[..bytes.len() / 2], b"no archive at all".as_slice()] {
            let refused = Archive::open(part).err().unwrap().to_string();
            assert!(refused.starts_with("damaged: its archive cannot be opened"), "{refused}");
        }
        assert_eq!(Archive::open(b"").err().unwrap().to_string(), "the file is empty");
    }
}
