//! XML as a tree, within bounds: no document type definitions, so no entities that could expand, and no endless depth.

use roxmltree::{Document, Node, ParsingOptions};

use super::archive::damaged;
use crate::ReadError;

/// Nodes that a tree may have; each takes about 80 bytes of memory.
const MAX_NODES: u32 = 2_000_000;

/// Elements inside each other. Office documents have about 40, with tables in tables 80.
const MAX_DEPTH: u32 = 250;

/// Parses a part of a document.
///
/// # Errors
/// [`ReadError::Damaged`] for what is no XML, has a document type definition, or is too large or deep.
pub(super) fn parse<'a>(text: &'a str, name: &str) -> Result<Document<'a>, ReadError> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| damaged(format!("{name} in it is no valid XML ({error})")))?;
    let mut depths: Vec<u32> = Vec::new();
    for node in document.descendants() {
        let above = node.parent().and_then(|parent| depths.get(parent.id().get_usize())).copied().unwrap_or(0);
        if above > MAX_DEPTH {
            return Err(damaged(format!("{name} in it has more than {MAX_DEPTH} elements inside each other")));
        }
        depths.push(above + 1);
    }
    Ok(document)
}

/// Shorter ways through a tree, by names without their prefixes.
pub(super) trait Find<'a, 'i: 'a>: Sized {
    /// The first child element of this name.
    fn child(self, name: &str) -> Option<Node<'a, 'i>>;
    /// Child elements of this name.
    fn all(self, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>>;
    /// The value of an attribute, whatever its prefix.
    fn value(self, name: &str) -> Option<&'a str>;
    /// Whether it is an element of this name.
    fn is(self, name: &str) -> bool;
    /// All text inside it.
    fn words(self) -> String;
}

impl<'a, 'i: 'a> Find<'a, 'i> for Node<'a, 'i> {
    fn child(self, name: &str) -> Option<Node<'a, 'i>> {
        self.children().find(|child| child.is(name))
    }

    fn all(self, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
        self.children().filter(move |child| child.is(name))
    }

    fn value(self, name: &str) -> Option<&'a str> {
        self.attributes().find(|attribute| attribute.name() == name).map(|attribute| attribute.value())
    }

    fn is(self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }

    fn words(self) -> String {
        self.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_without_their_prefixes() {
        let tree = parse("<w:a xmlns:w='x' w:id='4'><w:b>one<c>two</c></w:b></w:a>", "a.xml").unwrap();
        let root = tree.root_element();
        assert_eq!((root.value("id"), root.child("b").unwrap().words().as_str()), (Some("4"), "onetwo"));
        assert!(root.is("a") && root.child("c").is_none() && root.all("b").count() == 1);
    }

    #[test]
    fn definitions_and_depth_are_refused() {
        let entities = "<!DOCTYPE a [<!ENTITY l 'lol'>]><a>&l;</a>";
        let deep = format!("{}{}", "<a>".repeat(300), "</a>".repeat(300));
        for (text, reason) in [(entities, "is no valid XML"), (&deep, "elements inside each other"), ("<a>", "XML")] {
            let refused = parse(text, "a.xml").unwrap_err().to_string();
            assert!(refused.starts_with("damaged: a.xml in it") && refused.contains(reason), "{refused}");
        }
    }
}
