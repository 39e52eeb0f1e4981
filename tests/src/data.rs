//! Documents and stores to test with.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::qanda;

/// The workspace's folder, in which every process of the tests runs.
#[must_use]
pub fn workspace() -> PathBuf {
    // As cargo tells it now, not when this was compiled: several checkouts may share one target directory.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).expect("cargo runs the tests");
    let root = package.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
    root.expect("the tests are inside of the workspace").to_owned()
}

/// A folder for one test.
#[must_use]
pub fn folder() -> TempDir {
    tempfile::Builder::new().prefix("qanda-test-").tempdir().expect("a temporary folder")
}

/// `../shared/data/<name>`, seen from the workspace; `None`, said aloud, where there is none.
#[must_use]
pub fn shared(name: &str) -> Option<PathBuf> {
    let folder = workspace().join("../shared/data").join(name);
    if !folder.is_dir() {
        crate::skip(&format!("there is no {}", folder.display()));
        return None;
    }
    Some(folder)
}

/// A path as an argument.
#[must_use]
pub fn argument(path: &Path) -> &str {
    path.to_str().expect("paths of tests are Unicode")
}

/// Writes a file and returns its path.
pub fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("a file is written");
    path
}

/// Ingests what is at `path` and returns the report; all of it must go well.
pub fn ingest(data: &Path, path: &Path) -> Value {
    qanda(&["ingest", "--json", argument(path), "--data-dir", argument(data)]).ok().json()
}

/// What `qanda status --json` says.
#[must_use]
pub fn status(data: &Path) -> Value {
    qanda(&["status", "--json", "--data-dir", argument(data)]).ok().json()
}

/// A store with the sample documents in `examples`, to do as one likes with. Made once in a process by
/// `qanda ingest examples`, then copied.
#[must_use]
pub fn samples() -> TempDir {
    static FILES: OnceLock<Vec<(PathBuf, Vec<u8>)>> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let made = folder();
        let report = ingest(made.path(), Path::new("examples"));
        assert_eq!(report["documents"], 13, "{report}");
        let mut files = Vec::new();
        read_all(made.path(), made.path(), &mut files);
        files
    });
    let copy = folder();
    for (path, bytes) in files {
        let path = copy.path().join(path);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder is made");
        fs::write(path, bytes).expect("a file is copied");
    }
    copy
}

fn read_all(root: &Path, folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("a folder is read") {
        let path = entry.expect("an entry is read").path();
        if path.is_dir() {
            read_all(root, &path, files);
        } else {
            let name = path.strip_prefix(root).expect("it is below the root").to_owned();
            files.push((name, fs::read(&path).expect("a file is read")));
        }
    }
}
