//! Marks inside a line that carry meaning: exponents, indices, alternative texts, languages of code.

use ego_tree::NodeRef;
use scraper::Node;
use scraper::node::Element;

use super::words_of;

/// What stands before and behind the words of a `sup` or `sub` element, so that they can be read in a row: `10^9`,
/// `H2O`, `x_(i+1)`, `[^1]` for a footnote.
pub(super) fn script_marks(node: NodeRef<'_, Node>, element: &Element) -> (&'static str, &'static str) {
    let words = words_of(node);
    let is_link = node
        .descendants()
        .filter_map(|node| node.value().as_element())
        .any(|inner| inner.name() == "a" && inner.attr("href").is_some_and(|address| address.starts_with('#')));
    let before = node.prev_sibling().and_then(|node| node.value().as_text().map(|text| text.chars().next_back()));
    let follows_word = !matches!(before, Some(Some(c)) if !c.is_alphanumeric() && !matches!(c, ')' | ']'));
    let number = |words: &str| words.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '−' | '–' | '.'));
    let one_letter = words.chars().count() == 1 && words.chars().all(char::is_alphabetic);
    match element.name() {
        _ if words.is_empty() => ("", ""),
        "sup" if is_link && words.starts_with('[') => ("", ""),
        "sup" if is_link => ("[^", "]"),
        "sup" if follows_word && (number(&words) || one_letter) => ("^", ""),
        // "1st", "TM" and other words that are only set higher.
        "sup" if !follows_word || words.chars().all(char::is_alphabetic) => ("", ""),
        "sup" => ("^(", ")"),
        "sub" if words.chars().all(char::is_alphanumeric) => ("", ""),
        _ => ("_(", ")"),
    }
}

/// How small characters beside others are to be read, behind all of these: `漢字(かんじ)`, so that the word stays one.
pub(super) fn reading_of(ruby: NodeRef<'_, Node>) -> Option<String> {
    let is_reading = |node: &NodeRef<'_, Node>| node.value().as_element().is_some_and(|element| element.name() == "rt");
    let reading: String = ruby.descendants().filter(is_reading).map(words_of).collect();
    (!reading.is_empty()).then(|| format!("({reading})"))
}

/// What an abbreviation stands for, unless its words say so.
pub(super) fn expansion_of(node: NodeRef<'_, Node>, element: &Element) -> Option<String> {
    let title = element.attr("title")?.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty() && !words_of(node).contains(&title)).then_some(title)
}

/// The alternative text of a picture, where it says more than the caption beside it or the name of a file.
pub(super) fn alternative_text(node: NodeRef<'_, Node>, picture: &Element) -> Option<String> {
    const PICTURES: [&str; 6] = [".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp"];
    let words = picture.attr("alt").or_else(|| picture.attr("title"))?.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_name = !words.contains(' ') && PICTURES.iter().any(|ending| words.to_ascii_lowercase().ends_with(ending));
    let is_of = |node: &NodeRef<'_, Node>, name: &str| node.value().as_element().is_some_and(|e| e.name() == name);
    let figure = node.ancestors().take(4).find(|above| is_of(above, "figure"));
    let caption = figure.and_then(|figure| figure.children().find(|child| is_of(child, "figcaption"))).map(words_of);
    let repeats = caption.is_some_and(|caption| caption.contains(&words));
    (!words.is_empty() && !is_name && !repeats).then_some(words)
}

/// The language of code, as highlighters and Markdown's converters write it into classes.
pub(super) fn language_of(pre: NodeRef<'_, Node>, element: &Element) -> Option<String> {
    let inner = pre.children().filter_map(|node| node.value().as_element()).find(|child| child.name() == "code");
    let above = pre.ancestors().take(2).filter_map(|node| node.value().as_element());
    let classes = inner.into_iter().chain([element]).chain(above).flat_map(Element::classes);
    let prefixes = ["language-", "lang-", "highlight-source-", "highlight-"];
    let named = |class: &str| prefixes.iter().find_map(|prefix| class.strip_prefix(prefix)).map(str::to_owned);
    let is_language = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || "+#-_.".contains(c));
    classes.filter_map(named).find(|name| !name.is_empty() && is_language(name))
}
