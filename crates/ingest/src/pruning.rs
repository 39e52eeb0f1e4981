//! Which stored documents the folders have no more, and when that is not believed.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use qanda_core::document::StoredVersion;

use crate::SourceDocument;
use crate::folder::Listing;
use crate::unpacking::{archive_of, is_inside};

/// What happens to stored documents that the folders have no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prune {
    /// They stay.
    #[default]
    Keep,
    /// They are removed, unless so much is missing that the folder itself may be: a share that is not mounted.
    Checked,
    /// They are removed, whatever is missing.
    Forced,
}

/// Documents up to which a folder may lose more than half of what is stored of it.
const FEW: usize = 20;

/// A folder that lacks so much of what is stored of it that nothing was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// The folder.
    pub folder: PathBuf,
    /// Documents that would have been removed.
    pub missing: usize,
    /// Documents that are stored of it.
    pub stored: usize,
}

/// What the folders hold, kept for the end of the job.
pub(crate) struct Folders {
    named: Vec<PathBuf>,
    listed: HashSet<String>,
    /// Places that could not be looked at: nothing below them is known to be gone.
    unknown: Vec<PathBuf>,
}

/// Locations to remove, and the folders of which nothing is removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) remove: Vec<String>,
    pub(crate) doubts: Vec<Doubt>,
}

impl Folders {
    pub(crate) fn of(listing: &Listing) -> Self {
        Self {
            named: listing.folders.clone(),
            listed: listing.documents.iter().map(|document| document.location.clone()).collect(),
            unknown: listing.failures.iter().map(|(path, _)| PathBuf::from(path)).collect(),
        }
    }

    /// Decides what of the stored `locations` goes. Looks at the file system.
    pub(crate) fn plan<'a>(&self, prune: Prune, locations: impl Iterator<Item = &'a String> + Clone) -> Plan {
        let mut plan = Plan::default();
        if prune == Prune::Keep {
            return plan;
        }
        for folder in &self.named {
            let stored = locations.clone().filter(|location| Path::new(location).starts_with(folder));
            let missing: Vec<&String> = stored.clone().filter(|location| self.misses(location)).collect();
            let (count, stored) = (missing.len(), stored.count());
            let whole = count == stored && !self.listed.iter().any(|listed| Path::new(listed).starts_with(folder));
            let most = count > FEW && count * 2 > stored;
            if count > 0 && prune == Prune::Checked && (whole || most) {
                plan.doubts.push(Doubt { folder: folder.clone(), missing: count, stored });
            } else {
                plan.remove.extend(missing.into_iter().cloned());
            }
        }
        plan.remove.sort_unstable();
        plan.remove.dedup();
        plan
    }

    /// Whether the folders surely do not offer this document any more: its file is gone, or passed over.
    fn misses(&self, location: &str) -> bool {
        if self.listed.contains(location) {
            return false;
        }
        // What an archive has is told when it is read; here it stays and goes with it.
        let location = archive_of(location).unwrap_or(location);
        let path = Path::new(location);
        !self.listed.contains(location)
            && !self.unknown.iter().any(|unknown| path.starts_with(unknown))
            && (SourceDocument::is_gone(location) || fs::symlink_metadata(path).is_ok())
    }
}

/// Locations of what is stored under a name: a file's or a folder's path, there or gone, a path as citations show it, or
/// the name of an upload.
#[must_use]
pub fn stored_as(name: &Path, stored: &HashMap<String, StoredVersion>) -> Vec<String> {
    let place = absolute(name);
    let named = |location: &String, version: &StoredVersion| {
        is_or_is_inside(&version.path, name)
            || location.starts_with('/')
                && (Path::new(location).starts_with(&place) || is_or_is_inside(location, &place))
            || SourceDocument::uploaded_as(location).is_some_and(|upload| is_or_is_inside(upload, name))
    };
    let mut locations: Vec<String> = stored
        .iter()
        .filter(|(location, version)| named(location, version))
        .map(|(location, _)| location.clone())
        .collect();
    locations.sort_unstable();
    locations
}

/// Whether a location or a path is this one, or that of something inside of the archive with this name.
fn is_or_is_inside(place: &str, name: &Path) -> bool {
    Path::new(place) == name || name.to_str().is_some_and(|name| is_inside(place, name))
}

/// A path as locations are written, also of what does not exist: links are followed as far as it does.
fn absolute(path: &Path) -> PathBuf {
    let mut whole = std::env::current_dir().unwrap_or_default();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            Component::CurDir => {}
            part => whole.push(part),
        }
    }
    let there = whole.ancestors().find_map(|ancestor| Some((ancestor, fs::canonicalize(ancestor).ok()?)));
    match there {
        Some((ancestor, real)) => whole.strip_prefix(ancestor).map_or_else(|_| whole.clone(), |rest| join(&real, rest)),
        None => whole,
    }
}

/// Joins without the slash at the end that an empty rest would leave.
fn join(folder: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() { folder.to_owned() } else { folder.join(rest) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ReadError;
    use crate::folder::find;

    /// A folder of files `0.md`, `1.md` and so on, and the locations of those and of more that are stored.
    fn folder(files: usize, stored: usize) -> (tempfile::TempDir, Vec<String>) {
        let folder = tempfile::TempDir::new().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        for number in 0..files {
            fs::write(root.join(format!("{number}.md")), "text").unwrap();
        }
        let locations = (0..stored).map(|number| root.join(format!("{number}.md")).display().to_string()).collect();
        (folder, locations)
    }

    fn plan(folder: &tempfile::TempDir, prune: Prune, stored: &[String]) -> Plan {
        Folders::of(&find(&[folder.path().to_owned()], "/", false)).plan(prune, stored.iter())
    }

    #[test]
    fn what_the_folder_has_no_more_goes() {
        let (docs, stored) = folder(3, 5);
        assert_eq!(plan(&docs, Prune::Keep, &stored), Plan::default());
        assert_eq!(plan(&docs, Prune::Checked, &stored).remove, stored[3..]);
        let elsewhere = [format!("{}-other/gone.md", docs.path().display()), "upload:a.md".to_owned()];
        assert_eq!(plan(&docs, Prune::Forced, &elsewhere), Plan::default());
        // A file that is there, and passed over now.
        fs::write(docs.path().join(".qandaignore"), "2.md\n").unwrap();
        assert_eq!(plan(&docs, Prune::Checked, &stored).remove, stored[2..]);
    }

    #[test]
    fn a_folder_that_is_empty_or_lost_more_than_half_is_not_believed() {
        for (files, stored, believed) in [(0, 1, false), (1, 21, true), (1, 22, false), (30, 59, true), (30, 61, false)]
        {
            let (docs, stored) = folder(files, stored);
            let checked = plan(&docs, Prune::Checked, &stored);
            assert_eq!(checked.doubts.is_empty(), believed, "{files} of {}", stored.len());
            assert_eq!(checked.remove.is_empty(), !believed);
            assert_eq!(plan(&docs, Prune::Forced, &stored).remove.len(), stored.len() - files);
        }
    }

    #[test]
    fn members_of_an_archive_stay_and_go_with_it() {
        let (docs, mut stored) = folder(3, 3);
        let archive = fs::canonicalize(docs.path()).unwrap().join("a.zip");
        fs::write(&archive, "bytes").unwrap();
        stored.push(format!("{}!/b.md", archive.display()));
        assert_eq!(plan(&docs, Prune::Checked, &stored), Plan::default());
        fs::write(docs.path().join(".qandaignore"), "a.zip\n").unwrap();
        assert_eq!(plan(&docs, Prune::Checked, &stored).remove, stored[3..]);
        fs::remove_file(archive).unwrap();
        assert_eq!(plan(&docs, Prune::Checked, &stored).remove, stored[3..]);
    }

    #[test]
    fn what_cannot_be_looked_at_stays() {
        let (docs, stored) = folder(1, 2);
        let mut listing = find(&[docs.path().to_owned()], "/", false);
        listing.failures.push((fs::canonicalize(docs.path()).unwrap().display().to_string(), ReadError::NotAFile));
        assert_eq!(Folders::of(&listing).plan(Prune::Forced, stored.iter()), Plan::default());
    }

    #[test]
    fn documents_are_named_by_file_folder_citation_or_upload_there_or_gone() {
        let (docs, _) = folder(1, 0);
        let root = fs::canonicalize(docs.path()).unwrap();
        let at = |name: &str| root.join(name).display().to_string();
        let version = |path: &str| StoredVersion { path: path.to_owned(), ..StoredVersion::default() };
        let stored = HashMap::from([
            (at("0.md"), version("0.md")),
            (at("gone/a.md"), version("gone/a.md")),
            (at("gone-too.md"), version("gone-too.md")),
            ("upload:plan".to_owned(), version("plan")),
            (at("b.zip!/c/a.md"), version("b.zip!/c/a.md")),
        ]);
        let named = |name: &str| stored_as(Path::new(name), &stored);
        assert_eq!(named(&at("")).len(), 4);
        assert_eq!(named(&at("gone/")), [at("gone/a.md")]);
        assert_eq!(named(&at("x/../gone/a.md")), [at("gone/a.md")]);
        assert_eq!(named("gone-too.md"), [at("gone-too.md")]);
        assert_eq!(named("plan"), ["upload:plan"]);
        for name in ["b.zip", "b.zip!/c/a.md", &at("b.zip")] {
            assert_eq!(named(name), [at("b.zip!/c/a.md")]);
        }
        assert_eq!(named("b.zi"), Vec::<String>::new());
        assert_eq!(named("nothing"), Vec::<String>::new());
    }
}
