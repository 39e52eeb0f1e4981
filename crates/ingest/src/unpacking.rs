//! Archives as sources: `.zip` and `.gz`, each of whose members is a document of its own, `archive.zip!/inner/name.md`.
//!
//! Nothing that an archive says about itself is believed. What comes out is counted, names are names and never used as
//! paths of the file system, and nothing is written anywhere. Office documents are archives, too, but one document each.

use std::borrow::Cow;
use std::io::{self, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::{MAX_BYTES, ReadError};

/// Between an archive's name and a member's, as in the addresses of Java and of many tools since.
const INSIDE: &str = "!/";

/// Members that an archive may have, with those of archives in it.
pub(crate) const MAX_MEMBERS: usize = 20_000;

/// Bytes that may come out of all members of an archive, and of archives in it: 1 GiB.
pub(crate) const MAX_TOTAL: u64 = 1 << 30;

/// Times that a member may be larger than its packed bytes, where it is larger than [`SMALL`]: deflate reaches 1,032
/// with nothing but equal bytes, text compresses to a tenth, tables of equal rows to a hundredth.
const MAX_RATIO: u64 = 250;

/// Bytes up to which a member may be packed as tightly as it likes.
const SMALL: u64 = 8 << 20;

/// The first bytes of every gzip file.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Archives that may lie in one another, the outermost included.
pub(crate) const MAX_DEPTH: usize = 3;

/// Member of an archive.
#[derive(Debug)]
pub struct Member {
    /// Name in the archive, with its folders.
    pub name: String,
    /// Its bytes, or why they cannot be had.
    pub bytes: Result<Vec<u8>, ReadError>,
}

/// Whether a file is an archive whose members are documents, by its ending.
#[must_use]
pub fn is_archive(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip") || ending.eq_ignore_ascii_case("gz"))
}

/// Location or path of a member.
pub(crate) fn inside(archive: &str, member: &str) -> String {
    format!("{archive}{INSIDE}{member}")
}

/// Whether a location or path is that of something in this archive.
pub(crate) fn is_inside(place: &str, archive: &str) -> bool {
    place.strip_prefix(archive).is_some_and(|rest| rest.starts_with(INSIDE))
}

/// The outermost archive that something with this location is in, if it is in any.
pub(crate) fn archive_of(location: &str) -> Option<&str> {
    location.match_indices(INSIDE).map(|(at, _)| &location[..at]).find(|place| is_archive(Path::new(place)))
}

/// Hands each member of an archive to `take`, one after the other, until it wants no more. Folders and hidden members
/// are passed over.
///
/// # Errors
/// When the archive as a whole cannot be read. What is wrong with a member is the member's.
pub(crate) fn members(path: &Path, bytes: &[u8], take: &mut dyn FnMut(Member) -> bool) -> Result<(), ReadError> {
    if bytes.is_empty() {
        return Err(ReadError::Empty);
    }
    let mut left = MAX_TOTAL;
    if bytes.starts_with(GZIP) || path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz")) {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let bytes = unpacked(&mut MultiGzDecoder::new(bytes), bytes.len() as u64, &mut left);
        take(Member { name, bytes });
        return Ok(());
    }
    let mut zip =
        ZipArchive::new(Cursor::new(bytes)).map_err(|error| refused(format!("it cannot be opened ({error})")))?;
    if zip.len() > MAX_MEMBERS {
        return Err(refused(format!("it has {} members, more than {MAX_MEMBERS}", zip.len())));
    }
    for index in 0..zip.len() {
        let Some(member) = member(&mut zip, index, &mut left) else { continue };
        if !take(member) {
            break;
        }
        if left == 0 {
            return Err(refused(format!("more than {} MiB come out of it", MAX_TOTAL >> 20)));
        }
    }
    Ok(())
}

fn refused(reason: impl Into<String>) -> ReadError {
    ReadError::Archive { reason: reason.into() }
}

/// A member by its number; none for what is passed over. What comes out of it is taken from `left`.
fn member(zip: &mut ZipArchive<Cursor<&[u8]>>, index: usize, left: &mut u64) -> Option<Member> {
    let name = zip.name_for_index(index).and_then(Result::ok).map(Cow::into_owned);
    let name = name.unwrap_or_else(|| format!("member {}", index + 1));
    if !leads_out(&name) && (name.ends_with('/') || name.split('/').any(is_hidden)) {
        return None;
    }
    let bytes = match zip.by_index(index) {
        _ if leads_out(&name) => Err(refused("the name of this member leads out of it")),
        Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => Err(ReadError::Password),
        Err(error) => Err(refused(format!("this member cannot be read ({error})"))),
        Ok(mut file) => match file.compression() {
            CompressionMethod::Stored | CompressionMethod::Deflated => {
                let packed = file.compressed_size();
                unpacked(&mut file, packed, left)
            }
            other => Err(refused(format!("{other} compression is not supported"))),
        },
    };
    Some(Member { name, bytes })
}

/// Whether files and folders with this name are passed over.
fn is_hidden(part: &str) -> bool {
    part == "__MACOSX" || part.starts_with('.') && part != ".."
}

/// Whether a name, taken for a path on some system, is not below the archive.
fn leads_out(name: &str) -> bool {
    name.is_empty()
        || name.starts_with('/')
        || name.contains(['\\', '\0'])
        || name.as_bytes().get(1) == Some(&b':')
        || name.split('/').any(|part| part == "..")
}

/// All that comes out, if it is not too much for `packed` bytes and not more than is `left`, from which it is taken.
fn unpacked(input: &mut dyn Read, packed: u64, left: &mut u64) -> Result<Vec<u8>, ReadError> {
    let most = MAX_BYTES.min(*left).min(SMALL.max(packed.saturating_mul(MAX_RATIO)));
    let mut bytes = Vec::new();
    let read = input.take(most + 1).read_to_end(&mut bytes);
    *left = left.saturating_sub(bytes.len() as u64);
    if bytes.len() as u64 > most {
        return Err(refused(format!("more than {} MiB come out of it", most >> 20)));
    }
    read.map_err(|error: io::Error| refused(format!("damaged ({error})")))?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::readers::archive::fakes::archive as zip;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Each member as its name and its text, or the reason.
    fn all(path: &str, bytes: &[u8]) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let done = members(Path::new(path), bytes, &mut |Member { name, bytes }| {
            let text = bytes.map(|bytes| String::from_utf8(bytes).unwrap());
            all.push((name, text.unwrap_or_else(|error| error.to_string())));
            true
        });
        done.unwrap();
        all
    }

    #[test]
    fn members_come_with_their_folders_and_hidden_ones_do_not() {
        let bytes = zip(&[("a/b.md", "words"), (".git/x.md", "no"), ("__MACOSX/a/b.md", "no"), ("c.txt", "more")]);
        let found = all("x.ZIP", &bytes);
        assert_eq!(found, [("a/b.md".into(), "words".into()), ("c.txt".into(), "more".into())]);
        assert_eq!(all("notes.md.gz", &gz(b"words")), [("notes.md".into(), "words".into())]);
    }

    #[test]
    fn names_that_lead_out_are_refused_each_for_itself() {
        let names = ["../a.md", "/tmp/a.md", "b/../../a.md", "..\\a.md", "C:\\a.md", "C:a.md"];
        let evil: Vec<(&str, &str)> = names.iter().map(|name| (*name, "words")).collect();
        let found = all("x.zip", &zip(&[evil.as_slice(), &[("good.md", "words")]].concat()));
        assert_eq!(found.len(), 7);
        assert!(found[..6].iter().all(|(_, said)| said.contains("leads out of it")), "{found:?}");
        assert_eq!(found[6].1, "words");
    }

    #[test]
    fn what_grows_without_measure_is_refused_and_the_rest_is_read() {
        let bomb = vec![b'0'; 20 << 20];
        let found = all("x.zip", &zip(&[("bomb.txt", bomb.as_slice()), ("good.md", b"words")]));
        assert!(found[0].1.contains("more than 8 MiB come out of it"), "{}", found[0].1);
        assert_eq!(found[1].1, "words");
        assert!(all("bomb.txt.gz", &gz(&bomb))[0].1.contains("more than 8 MiB"));
    }

    #[test]
    fn what_is_no_archive_says_so() {
        let refused =
            |path: &str, bytes: &[u8]| members(Path::new(path), bytes, &mut |_| true).unwrap_err().to_string();
        let whole = zip(&[("a.md", "words")]);
        for bytes in [&whole[..whole.len() / 2], b"no archive"] {
            assert!(refused("x.zip", bytes).starts_with("archive: it cannot be opened"), "{}", refused("x.zip", bytes));
        }
        assert_eq!(refused("x.zip", b""), "the file is empty");
        assert!(all("a.md.gz", b"no archive")[0].1.contains("damaged"));
    }

    #[test]
    fn an_encrypted_member_needs_a_password_and_the_others_do_not() {
        let mut bytes = zip(&[("secret.md", "words"), ("good.md", "words")]);
        // Bit 0 of the flags in the member's own header, and in the first of the directory.
        let directory = bytes.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
        for flags in [6, directory + 8] {
            bytes[flags] |= 1;
        }
        let found = all("x.zip", &bytes);
        assert_eq!(found[0], ("secret.md".into(), "password needed".into()));
        assert_eq!(found[1], ("good.md".into(), "words".into()));
    }

    #[test]
    fn a_location_tells_its_archive() {
        assert_eq!(inside("/a/b.zip", "c/d.md"), "/a/b.zip!/c/d.md");
        assert_eq!(archive_of("/a/b.zip!/c.gz!/d.md"), Some("/a/b.zip"));
        assert_eq!(archive_of("/what!/b.zip!/c.md"), Some("/what!/b.zip"));
        assert_eq!(archive_of("/what!/b.md"), None);
        assert!(is_inside("/a/b.zip!/c.md", "/a/b.zip") && !is_inside("/a/b.zipper!/c.md", "/a/b.zip"));
    }
}
