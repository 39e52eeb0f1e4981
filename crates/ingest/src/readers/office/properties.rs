//! What an office document states about itself: title, author, subject, dates.

use qanda_core::Metadata;

use super::{Archive, Find, parse};
use crate::ReadError;

/// Elements of Dublin Core and of the office formats that become metadata, and its names.
const KEPT: [(&str, &str); 9] = [
    ("creator", "author"),
    ("subject", "subject"),
    ("description", "description"),
    ("keywords", "keywords"),
    ("keyword", "keywords"),
    ("category", "category"),
    ("language", "language"),
    ("created", "created"),
    ("modified", "modified"),
];

/// The title and the metadata in a part of an archive; nothing where there is no such part.
///
/// # Errors
/// When the part cannot be unpacked. What is no XML states nothing.
pub(super) fn read(archive: &mut Archive<'_>, part: &str) -> Result<(Option<String>, Metadata), ReadError> {
    let mut metadata = Metadata::new();
    let Some(text) = archive.read_text(part)? else { return Ok((None, metadata)) };
    let Ok(tree) = parse(&text, part) else { return Ok((None, metadata)) };
    let mut title = None;
    for element in tree.descendants().filter(roxmltree::Node::is_element) {
        let words = element.words().split_whitespace().collect::<Vec<_>>().join(" ");
        let name = element.tag_name().name();
        // Elements around these hold other elements.
        if words.is_empty() || element.children().any(|child| child.is_element()) {
            continue;
        }
        if name == "title" {
            title.get_or_insert(words);
        } else if let Some((_, kept)) = KEPT.iter().find(|(theirs, _)| *theirs == name) {
            let joined = |list: &mut String| *list = format!("{list}, {words}");
            metadata.entry((*kept).to_owned()).and_modify(joined).or_insert_with(|| words.clone());
        }
    }
    Ok((title, metadata))
}
