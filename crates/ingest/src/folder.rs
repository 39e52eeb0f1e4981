//! Files under the paths that somebody named, as sources.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};
use qanda_core::document::StoredVersion;

use crate::pruning::stored_as;
use crate::readers::{ending_of, reader_for};
use crate::unpacking::is_archive;
use crate::{ReadError, SourceDocument};

/// Reason why something inside a folder is passed over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skipped {
    /// No reader takes files with this ending: ".exe".
    Ending(String),
    /// Its name has no ending, which would tell the reader.
    NoEnding,
    /// Symbolic links are not followed.
    Link,
    /// A socket, a device or a pipe.
    NotAFile,
}

impl fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ending(ending) => write!(formatter, "there is no reader for {ending} files"),
            Self::NoEnding => formatter.write_str("there is no reader for files without an ending"),
            Self::Link => formatter.write_str("symbolic links inside folders are not followed"),
            Self::NotAFile => formatter.write_str("sockets, devices and pipes are not documents"),
        }
    }
}

/// Contents of the given paths.
#[derive(Debug, Default)]
pub struct Listing {
    /// Documents to read, each once, in the order of the paths and sorted by name inside a folder.
    pub documents: Vec<SourceDocument>,
    /// The given folders, absolute.
    pub folders: Vec<PathBuf>,
    /// Paths that were asked for and cannot be had, as people see them, and why.
    pub failures: Vec<(String, ReadError)>,
    /// Files inside folders that are passed over, counted by reason.
    pub skipped: BTreeMap<Skipped, usize>,
}

impl Listing {
    /// Says of paths that are not there any more how many of the stored documents came from them.
    pub(crate) fn note_vanished(&mut self, stored: &HashMap<String, StoredVersion>) {
        for (path, error) in &mut self.failures {
            if matches!(error, ReadError::Io(error) if error.kind() == io::ErrorKind::NotFound) {
                match stored_as(Path::new(path), stored).len() {
                    0 => {}
                    documents => *error = ReadError::Vanished { documents },
                }
            }
        }
    }
}

/// The folder in which this process runs, as an absolute path.
#[must_use]
pub fn current() -> String {
    let folder = std::env::current_dir().and_then(fs::canonicalize).unwrap_or_default();
    folder.to_str().filter(|folder| !folder.is_empty()).unwrap_or("/").to_owned()
}

/// The path of a file for people: relative to `base` below it, else its absolute location.
fn shown<'a>(location: &'a str, base: &str) -> &'a str {
    if base == "/" {
        return location;
    }
    location.strip_prefix(base).and_then(|rest| rest.strip_prefix('/')).unwrap_or(location)
}

/// Name of the files that say what of their folder is no document, in the form of a `.gitignore`.
pub const IGNORE_FILE: &str = ".qandaignore";

/// Lists the files that `paths` name, and those inside the folders that they name. Hidden files and folders
/// inside a folder are passed over, and what a [`IGNORE_FILE`] names there, with `gitignore` also what a `.gitignore`
/// does; symbolic links inside it are not followed. Paths of documents are relative to `base` where they lie below it.
/// Blocks on the file system.
#[must_use]
pub fn find(paths: &[PathBuf], base: &str, gitignore: bool) -> Listing {
    let mut search = Search { base, gitignore, seen: HashSet::new(), listing: Listing::default() };
    for path in paths {
        if let Err(error) = search.path(path) {
            search.listing.failures.push((path.display().to_string(), error));
        }
    }
    search.listing
}

struct Search<'a> {
    base: &'a str,
    gitignore: bool,
    /// Locations that are listed already.
    seen: HashSet<String>,
    listing: Listing,
}

impl Search<'_> {
    /// A path that the user named: here symbolic links are followed, and what is not readable is a failure.
    fn path(&mut self, path: &Path) -> Result<(), ReadError> {
        let absolute = fs::canonicalize(path)?;
        let kind = fs::metadata(&absolute)?;
        if kind.is_dir() {
            self.folder(&absolute);
            self.listing.folders.push(absolute);
            return Ok(());
        }
        if !kind.is_file() {
            return Err(ReadError::NotAFile);
        }
        if !is_archive(&absolute) {
            reader_for(&absolute)?;
        }
        self.file(&absolute)
    }

    fn folder(&mut self, folder: &Path) {
        let walk = WalkBuilder::new(folder)
            // Documents are not source code: what a .gitignore says is no reason to leave one out, unless it is asked for.
            .standard_filters(false)
            .git_ignore(self.gitignore)
            .require_git(false)
            .add_custom_ignore_filename(IGNORE_FILE)
            .hidden(true)
            .follow_links(false)
            .sort_by_file_name(Ord::cmp)
            .build();
        for entry in walk {
            match entry {
                Ok(entry) => self.entry(&entry),
                Err(error) => self.listing.failures.push(walk_failure(folder, error)),
            }
        }
    }

    fn entry(&mut self, entry: &DirEntry) {
        let skipped = match entry.file_type() {
            Some(kind) if kind.is_dir() => return,
            Some(kind) if kind.is_symlink() => Skipped::Link,
            Some(kind) if kind.is_file() && (is_archive(entry.path()) || reader_for(entry.path()).is_ok()) => {
                if let Err(error) = self.file(entry.path()) {
                    self.listing.failures.push((entry.path().display().to_string(), error));
                }
                return;
            }
            Some(kind) if kind.is_file() => match entry.path().extension() {
                Some(_) => Skipped::Ending(ending_of(entry.path())),
                None => Skipped::NoEnding,
            },
            _ => Skipped::NotAFile,
        };
        *self.listing.skipped.entry(skipped).or_default() += 1;
    }

    fn file(&mut self, absolute: &Path) -> Result<(), ReadError> {
        let location = absolute.to_str().ok_or(ReadError::NameNotUnicode)?;
        if self.seen.insert(location.to_owned()) {
            let path = shown(location, self.base).to_owned();
            self.listing.documents.push(SourceDocument::file(location, path));
        }
        Ok(())
    }
}

/// The path that a walk could not look at, and why.
fn walk_failure(folder: &Path, error: ignore::Error) -> (String, ReadError) {
    let mut path = folder.to_owned();
    let mut inner = &error;
    loop {
        inner = match inner {
            ignore::Error::WithPath { path: at, err } => {
                path.clone_from(at);
                err
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => err,
            _ => break,
        };
    }
    let reason = error.to_string();
    (path.display().to_string(), ReadError::Io(error.into_io_error().unwrap_or_else(|| io::Error::other(reason))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::Builder::new().prefix("docs").tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "text").unwrap();
        }
        folder
    }

    fn names(listing: &Listing, root: &Path) -> Vec<String> {
        let root = fs::canonicalize(root).unwrap();
        let name =
            |found: &SourceDocument| Path::new(&found.location).strip_prefix(&root).unwrap().display().to_string();
        listing.documents.iter().map(name).collect()
    }

    #[test]
    fn folders_are_walked_in_order_without_hidden_files_or_links() {
        let docs = folder(&[
            "b.md",
            "a/z.txt",
            "a/b.html",
            ".hidden.md",
            ".git/x.md",
            "ignored.md",
            "c.xyz",
            "d.XYZ",
            "Makefile",
        ]);
        fs::write(docs.path().join(".gitignore"), "ignored.md").unwrap();
        fs::write(docs.path().join(".ignore"), "ignored.md").unwrap();
        symlink(docs.path(), docs.path().join("a/loop")).unwrap();
        fs::write(docs.path().join(".qandaignore"), "/drafts\n*.tmp.md\n").unwrap();
        for draft in ["drafts/x.md", "a/y.tmp.md"] {
            fs::create_dir_all(docs.path().join(draft).parent().unwrap()).unwrap();
            fs::write(docs.path().join(draft), "text").unwrap();
        }
        let _socket = std::os::unix::net::UnixListener::bind(docs.path().join("socket.md")).unwrap();
        let listing = find(&[docs.path().to_owned()], "/", false);
        assert_eq!(names(&listing, docs.path()), ["a/b.html", "a/z.txt", "b.md", "ignored.md"]);
        let without = find(&[docs.path().to_owned()], "/", true);
        assert_eq!(names(&without, docs.path()), ["a/b.html", "a/z.txt", "b.md"]);
        assert!(listing.failures.is_empty());
        let skipped: Vec<(String, usize)> =
            listing.skipped.iter().map(|(reason, count)| (reason.to_string(), *count)).collect();
        let reasons = ["no reader for .xyz", "without an ending", "symbolic links", "sockets"];
        assert!(skipped.iter().zip(reasons).all(|((said, _), reason)| said.contains(reason)), "{skipped:?}");
        assert_eq!(skipped.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [2, 1, 1, 1]);
    }

    #[test]
    fn named_files_are_read_or_refused() {
        let docs = folder(&[".hidden.md", "a.xyz", "b.md"]);
        let at = |name: &str| docs.path().join(name);
        symlink(at("b.md"), at("link.md")).unwrap();
        let paths = [".hidden.md", "b.md", "link.md", "a.xyz", "missing.md", "b.md/x.md"].map(at);
        let listing = find(&paths, "/", false);
        assert_eq!(names(&listing, docs.path()), [".hidden.md", "b.md"]);
        let reasons: Vec<String> = listing.failures.iter().map(|(_, reason)| reason.to_string()).collect();
        assert!(reasons[0].starts_with("no reader for .xyz files"), "{reasons:?}");
        assert_eq!(reasons[1..], ["no such file or folder", "no such file or folder"]);
        let hidden = folder(&[".notes/a.md"]);
        assert_eq!(names(&find(&[hidden.path().join(".notes")], "/", false), hidden.path()), [".notes/a.md"]);
        assert_eq!(
            find(&[PathBuf::from("/dev/null")], "/", false).failures[0].1.to_string(),
            "neither a file nor a folder"
        );
    }

    #[test]
    fn a_file_is_listed_once_and_shown_relative_to_the_base() {
        let docs = folder(&["a.md"]);
        let paths = [docs.path().join("a.md"), docs.path().to_owned(), docs.path().join("../.").join(docs.path())];
        let root = fs::canonicalize(docs.path()).unwrap();
        let (root, parent) = (root.to_str().unwrap(), root.parent().unwrap().to_str().unwrap());
        let name = root.rsplit('/').next().unwrap();
        let absolute = format!("{root}/a.md");
        let below = format!("{name}/a.md");
        // The beginning of a folder's name is no folder.
        let beginning = &root[..root.len() - 1];
        for (base, path) in [("/", &absolute), (root, &"a.md".to_owned()), (parent, &below), (beginning, &absolute)] {
            let listing = find(&paths, base, false);
            assert_eq!(listing.documents.len(), 1);
            assert_eq!((&listing.documents[0].path, &listing.documents[0].location), (path, &absolute), "{base}");
        }
        // Tests run in the crate's own directory.
        let here = find(&[PathBuf::from("tests")], &current(), false);
        assert_eq!(here.folders, [fs::canonicalize("tests").unwrap()]);
        assert!(here.documents.iter().any(|found| found.path.ends_with("any_input.rs")), "{:?}", here.documents);
    }
}
