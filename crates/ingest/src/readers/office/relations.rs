//! Relations of the parts of an Office Open XML document: which part has which others.

use std::collections::BTreeMap;

use super::{Archive, Find, parse};
use crate::ReadError;

/// Another part, as one part names it.
pub(super) struct Relation {
    /// Last word of its type: `footnotes`, `slide`.
    pub(super) kind: String,
    /// Its name in the archive.
    pub(super) target: String,
}

/// The parts that a part names, by their ids.
///
/// # Errors
/// When the list is damaged; a part without a list has no others.
pub(super) fn of(archive: &mut Archive<'_>, part: &str) -> Result<BTreeMap<String, Relation>, ReadError> {
    let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
    let list = if folder.is_empty() { format!("_rels/{name}.rels") } else { format!("{folder}/_rels/{name}.rels") };
    let Some(text) = archive.read_text(&list)? else { return Ok(BTreeMap::new()) };
    let tree = parse(&text, &list)?;
    let relation = |element: roxmltree::Node<'_, '_>| {
        let (id, kind, target) = (element.value("Id")?, element.value("Type")?, element.value("Target")?);
        let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
        let inside = element.value("TargetMode") != Some("External");
        inside.then(|| (id.to_owned(), Relation { kind, target: resolve(folder, target) }))
    };
    Ok(tree.root_element().all("Relationship").filter_map(relation).collect())
}

/// The name of a part that is named from a folder of the archive. Only ever compared with names of members.
fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> =
        if target.starts_with('/') { Vec::new() } else { folder.split('/').filter(|part| !part.is_empty()).collect() };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn targets_are_named_from_their_folder() {
        for (target, name) in [
            ("footnotes.xml", "word/footnotes.xml"),
            ("../docProps/core.xml", "docProps/core.xml"),
            ("/ppt/slides/slide1.xml", "ppt/slides/slide1.xml"),
            ("../../../etc/passwd", "etc/passwd"),
        ] {
            assert_eq!(resolve("word", target), name);
        }
    }
}
