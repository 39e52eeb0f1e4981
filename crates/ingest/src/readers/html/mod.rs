//! HTML: the text that a reader of the page would see, rendered from its tree. The spans of an HTML document
//! count the bytes of that rendered text, not of the source.

mod content;
mod lists;
mod marks;
mod nesting;
mod render;

use std::path::Path;

use ego_tree::NodeRef;
use scraper::Node;

use self::render::{Rendered, render};
use super::{BlockKind, Extracted, Reader, counted};
use crate::{ReadError, decode::decode_html};

/// Bytes of text from which on a `<main>` is believed to be one.
const SUBSTANTIAL: usize = 200;

pub(super) struct Html;

impl Reader for Html {
    fn endings(&self) -> &'static [&'static str] {
        &["html", "htm", "xhtml"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["text/html", "application/xhtml+xml"]
    }

    fn version(&self) -> u32 {
        1
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Extracted, ReadError> {
        extract(&decode_html(bytes)?)
    }
}

/// What a page's source says.
///
/// # Errors
/// [`ReadError::NoText`] for a page without words.
pub(super) fn extract(source: &str) -> Result<Extracted, ReadError> {
    let tree = scraper::Html::parse_document(&nesting::limited(source)).tree;
    let Rendered { page, struck_out } = content(tree.root());
    if page.text.is_empty() {
        return Err(ReadError::NoText);
    }
    let first = page.blocks.iter().find_map(|block| match &block.kind {
        BlockKind::Heading { level: 1, title } => Some(title.clone()),
        _ => None,
    });
    let title = title(tree.root()).or(first);
    let notes = counted(struck_out, "struck-out passage was", "struck-out passages were").into_iter().collect();
    Ok(Extracted { title, text: page.text, blocks: page.blocks, notes, ..Extracted::default() })
}

/// The page's main content where it marks one, else all of it. What is marked must hold a good part of the text:
/// some pages have an `<article>` for each teaser, or a `<main>` that scripts were meant to fill.
fn content(root: NodeRef<'_, Node>) -> Rendered {
    let all = render(root);
    let mut articles = elements(root, is_article);
    let (main, article) = (elements(root, is_main).next(), articles.next().filter(|_| articles.next().is_none()));
    for (marked, enough) in [(main, SUBSTANTIAL), (article, usize::MAX)] {
        if let Some(part) = marked.map(render)
            && (part.page.text.len() >= enough || part.page.text.len() * 2 >= all.page.text.len())
            && !part.page.text.is_empty()
        {
            return part;
        }
    }
    all
}

fn title(root: NodeRef<'_, Node>) -> Option<String> {
    let in_head =
        |parent: NodeRef<'_, Node>| parent.value().as_element().is_some_and(|element| element.name() == "head");
    let element =
        elements(root, |element| element.name() == "title").find(|title| title.parent().is_some_and(in_head))?;
    Some(words_of(element)).filter(|title| !title.is_empty())
}

/// All words under a node, with single spaces.
fn words_of(node: NodeRef<'_, Node>) -> String {
    let text: String = node.descendants().filter_map(|node| node.value().as_text()).map(|text| &**text).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The element of a page that has an id.
fn element_by_id<'a>(node: NodeRef<'a, Node>, id: &str) -> Option<NodeRef<'a, Node>> {
    let is_it =
        |node: &NodeRef<'a, Node>| node.value().as_element().is_some_and(|element| element.attr("id") == Some(id));
    node.tree().root().descendants().find(is_it)
}

fn elements<'a>(
    root: NodeRef<'a, Node>,
    which: fn(&scraper::node::Element) -> bool,
) -> impl Iterator<Item = NodeRef<'a, Node>> {
    root.descendants().filter(move |node| node.value().as_element().is_some_and(which))
}

fn is_main(element: &scraper::node::Element) -> bool {
    element.name() == "main" || element.attr("role") == Some("main")
}

fn is_article(element: &scraper::node::Element) -> bool {
    element.name() == "article"
}

#[cfg(test)]
mod tests;
