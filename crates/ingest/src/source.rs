//! Documents as they are handed in, wherever they come from: a folder, an upload, a watch.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use qanda_core::Metadata;
use sha2::{Digest, Sha256};

use crate::readers::reader_for;
use crate::unpacking::{archive_of, inside, is_archive};
use crate::{MAX_BYTES, ReadError};

/// Before the name of an upload, in its location: no file's location begins like this.
const UPLOAD: &str = "upload:";

/// Media types of archives, of which many clients send an old one.
const MEDIA_TYPES: [&str; 4] =
    ["application/zip", "application/x-zip-compressed", "application/gzip", "application/x-gzip"];

/// Document that is to be stored. Its bytes are not read before they are needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceDocument {
    /// Place that it comes from: what is stored of the same place is replaced.
    pub location: String,
    /// Path for people and citations, if it is stored for the first time.
    pub path: String,
    /// Media type; where there is none, the ending of the path says how to read it.
    pub media_type: Option<String>,
    /// Facts about it; those that it states itself go before these.
    pub metadata: Metadata,
    /// Its bytes, or the way to them.
    pub content: Content,
}

/// Bytes of a document, or the way to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file.
    File(PathBuf),
    /// Bytes that are there already.
    Bytes(Vec<u8>),
}

impl SourceDocument {
    /// A file, by its absolute location.
    #[must_use]
    pub fn file(location: &str, path: String) -> Self {
        let content = Content::File(PathBuf::from(location));
        Self { location: location.to_owned(), path, media_type: None, metadata: Metadata::new(), content }
    }

    /// Bytes that somebody handed in under a name.
    #[must_use]
    pub fn upload(name: String, media_type: Option<String>, bytes: Vec<u8>, metadata: Metadata) -> Self {
        let location = Self::location_of_upload(&name);
        Self { location, path: name, media_type, metadata, content: Content::Bytes(bytes) }
    }

    /// Everything about it but its bytes.
    pub(crate) fn clone_without_bytes(&self) -> Self {
        let Self { location, path, media_type, metadata, content: _ } = self;
        Self {
            location: location.clone(),
            path: path.clone(),
            media_type: media_type.clone(),
            metadata: metadata.clone(),
            content: Content::Bytes(Vec::new()),
        }
    }

    /// All its bytes.
    ///
    /// # Errors
    /// When the file cannot be read, or is too large.
    pub fn bytes(&self) -> Result<Cow<'_, [u8]>, ReadError> {
        match &self.content {
            Content::Bytes(bytes) if bytes.len() as u64 > MAX_BYTES => Err(ReadError::TooLarge),
            Content::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
            Content::File(path) => {
                let mut bytes = Vec::new();
                open(path)?.read_to_end(&mut bytes)?;
                if bytes.len() as u64 > MAX_BYTES { Err(ReadError::TooLarge) } else { Ok(Cow::Owned(bytes)) }
            }
        }
    }

    /// Hash of its bytes and of the facts that came with them, without holding all of a file.
    ///
    /// # Errors
    /// As [`SourceDocument::bytes`].
    pub fn content_hash(&self) -> Result<String, ReadError> {
        let mut hasher = Sha256::new();
        match &self.content {
            Content::Bytes(bytes) => hasher.update(bytes),
            Content::File(path) => {
                io::copy(&mut open(path)?, &mut hasher)?;
            }
        }
        Ok(self.finish_hash(hasher))
    }

    /// The same of bytes that were read already.
    #[must_use]
    pub fn hash_of(&self, bytes: &[u8]) -> String {
        self.finish_hash(Sha256::new().chain_update(bytes))
    }

    fn finish_hash(&self, mut hasher: Sha256) -> String {
        let media_type = self.media_type.iter().map(|media_type| ("", media_type.as_str()));
        let facts = self.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in media_type.chain(facts) {
            for part in [name, value] {
                hasher.update([0]);
                hasher.update(part);
            }
        }
        hex(hasher)
    }

    /// The location of what is handed in under a name.
    pub(crate) fn location_of_upload(name: &str) -> String {
        format!("{UPLOAD}{name}")
    }

    /// The name under which somebody handed in what has this location; none for a file.
    #[must_use]
    pub fn uploaded_as(location: &str) -> Option<&str> {
        location.strip_prefix(UPLOAD)
    }

    /// Whether its location is a file's that does not exist any more. One that cannot be looked at counts as existing.
    #[must_use]
    pub fn is_gone(location: &str) -> bool {
        location.starts_with('/')
            && match std::fs::symlink_metadata(location) {
                Ok(file) => !file.is_file(),
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                    // Which members an archive has is known once it is read.
                    !archive_of(location).is_some_and(|archive| Path::new(archive).is_file())
                }
                Err(_) => false,
            }
    }

    /// Whether it is an archive whose members are documents.
    pub(crate) fn is_archive(&self) -> bool {
        let path = Path::new(&self.path);
        let said = self.media_type.as_deref().and_then(|said| said.split(';').next()).map(str::trim);
        is_archive(path) || said.is_some_and(|said| MEDIA_TYPES.contains(&said)) && reader_for(path).is_err()
    }

    /// A member of this archive.
    pub(crate) fn member(&self, name: &str, bytes: Vec<u8>) -> Self {
        let (location, path) = (inside(&self.location, name), inside(&self.path, name));
        Self { location, path, media_type: None, metadata: self.metadata.clone(), content: Content::Bytes(bytes) }
    }
}

/// A file's bytes, up to one more than is allowed: it may grow after its size was asked for.
fn open(path: &Path) -> Result<io::Take<File>, ReadError> {
    let file = File::open(path)?;
    if file.metadata()?.len() > MAX_BYTES {
        return Err(ReadError::TooLarge);
    }
    Ok(file.take(MAX_BYTES + 1))
}

/// A hash as 64 hexadecimal digits.
pub(crate) fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_depends_on_bytes_and_facts_and_not_on_where_they_are() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("a.txt");
        std::fs::write(&file, "text").unwrap();
        let file = SourceDocument::file(file.to_str().unwrap(), "a.txt".to_owned());
        let upload = |text: &str, facts| {
            SourceDocument::upload("other.md".to_owned(), None, text.as_bytes().to_vec(), facts).content_hash().unwrap()
        };
        let hash = file.content_hash().unwrap();
        assert_eq!((hash.len(), &hash), (64, &file.hash_of(&file.bytes().unwrap())));
        assert_eq!(hash, upload("text", Metadata::new()));
        let year = Metadata::from([("year".to_owned(), "2026".to_owned())]);
        assert!(hash != upload("Text", Metadata::new()) && hash != upload("text", year));
    }

    #[test]
    fn only_a_file_that_is_surely_gone_is_gone() {
        assert!(SourceDocument::is_gone("/nowhere/at/all.md") && SourceDocument::is_gone("/etc/passwd/x.md"));
        let folder = tempfile::TempDir::new().unwrap();
        let inside = |archive: &str| folder.path().join(archive).join("a.md").display().to_string();
        std::fs::write(folder.path().join("a.zip"), "bytes").unwrap();
        assert!(!SourceDocument::is_gone(&inside("a.zip!")) && SourceDocument::is_gone(&inside("b.zip!")));
        assert!(!SourceDocument::is_gone("/etc/passwd") && !SourceDocument::is_gone("upload:a.md"));
    }
}
