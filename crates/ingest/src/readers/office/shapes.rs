//! Drawn things in Office Open XML: text in boxes, its alternatives, its setting.

use roxmltree::Node;

use super::Find;

/// The one branch of content that is stored in several forms for programs of several ages.
pub(super) fn alternative<'a, 'i>(content: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    let says_something = |branch: &Node<'_, '_>| branch.descendants().any(|node| node.is("t") || node.is("docPr"));
    content
        .child("Choice")
        .filter(says_something)
        .or_else(|| content.child("Fallback"))
        .or_else(|| content.child("Choice"))
}

/// The alternative text of a picture, where somebody wrote one, with a space around it.
pub(super) fn described(properties: Node<'_, '_>) -> String {
    let text = properties.value("descr").unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    // Word writes such a sentence itself, and names of files.
    let is_generated = text.contains("automatically generated") || (!text.contains(' ') && text.contains('.'));
    if text.is_empty() || is_generated { String::new() } else { format!(" {text} ") }
}

/// Marks the words from `start` on as an exponent or an index.
pub(super) fn set_apart(words: &mut String, start: usize, set: &str) {
    let set_words = words[start..].to_owned();
    let inner = set_words.trim();
    let follows_word = words[..start].ends_with(|c: char| c.is_alphanumeric() || c == ')');
    let is_number = inner.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '−' | '.'));
    if set == "superscript" && follows_word && is_number && !inner.is_empty() {
        words.truncate(start);
        words.push('^');
        words.push_str(&set_words);
    }
}

/// The paragraphs of a DrawingML text (`a:p`), as they stand below an element.
pub(super) fn paragraphs(parent: Node<'_, '_>) -> Vec<String> {
    parent.descendants().filter(|node| node.is("p")).map(|paragraph| paragraph_words(paragraph)).collect()
}

/// The words of one DrawingML paragraph, without what is struck out.
pub(super) fn paragraph_words(paragraph: Node<'_, '_>) -> String {
    let mut words = String::new();
    for part in paragraph.children().filter(Node::is_element) {
        match part.tag_name().name() {
            "r" | "fld" => {
                let shape = part.child("rPr");
                let struck = shape.and_then(|shape| shape.value("strike")).is_some_and(|strike| strike != "noStrike");
                let start = words.len();
                if !struck {
                    words.push_str(&part.child("t").map(Find::words).unwrap_or_default());
                }
                let baseline = shape.and_then(|shape| shape.value("baseline")?.parse::<i64>().ok()).unwrap_or(0);
                set_apart(&mut words, start, if baseline > 0 { "superscript" } else { "" });
            }
            "br" => words.push('\n'),
            _ => {}
        }
    }
    words
}
