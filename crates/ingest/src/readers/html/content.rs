//! What of a page is content.

use ego_tree::NodeRef;
use scraper::Node;
use scraper::node::Element;

/// Never content: machinery, form controls, pictures that are drawn, and what stands around the content of a page.
const LEFT_OUT: &[&str] = &[
    "annotation",
    "annotation-xml",
    "applet",
    "audio",
    "button",
    "canvas",
    "datalist",
    "embed",
    "head",
    "iframe",
    "input",
    "meter",
    "nav",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "progress",
    "rp",
    "script",
    "select",
    "style",
    "svg",
    "template",
    "textarea",
    "video",
];

/// The same by their role.
const ROLES_LEFT_OUT: &[&str] = &["contentinfo", "menu", "navigation", "search", "tablist"];

/// Small links that documentation tools put into headings.
const HEADING_LINKS: &[&str] = &["anchor", "anchorjs-link", "hash-link", "headerlink", "mw-editsection"];

/// Links from a footnote back to its place.
const BACK_LINKS: &[&str] = &["data-footnote-backref", "footnote-back", "footnote-backref", "reversefootnote"];

/// Words in the classes of boxes that are part of the content, wherever they stand.
const ADMONITIONS: &[&str] =
    &["admonition", "alert", "callout", "caution", "danger", "footnotes", "important", "note", "tip", "warning"];

/// Elements that stand in lines of their own.
pub(super) const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "hgroup",
    "hr",
    "legend",
    "main",
    "p",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
];

/// Whether an element with all its content is none of the page's. `landmarks` is the number of open elements that
/// hold content alone, such as `main`: an aside in one is a part of it.
pub(super) fn is_left_out(element: &Element, landmarks: usize, in_heading: bool) -> bool {
    let has = |key: &str, values: &[&str]| element.attr(key).is_some_and(|value| values.contains(&value));
    let style = || element.attr("style").unwrap_or_default().replace(' ', "").to_ascii_lowercase();
    let beside = match element.name() {
        "header" => landmarks == 0,
        "aside" => landmarks == 0 && !is_admonition(element),
        "footer" => !is_admonition(element),
        _ => landmarks == 0 && !is_admonition(element) && (has("role", &["banner"]) || has("role", &["complementary"])),
    };
    let folded = has("role", &["tabpanel"]) || element.attr("hidden") == Some("until-found");
    let invisible =
        has("aria-hidden", &["true"]) || element.attr("hidden").is_some() || style().contains("display:none");
    LEFT_OUT.contains(&element.name())
        || beside
        || (element.name() == "dialog" && element.attr("open").is_none())
        || (in_heading && element.classes().any(|class| HEADING_LINKS.contains(&class)))
        || has("role", ROLES_LEFT_OUT)
        || has("role", &["doc-backlink"])
        || BACK_LINKS.iter().any(|mark| element.attr(mark).is_some() || element.classes().any(|class| class == *mark))
        || (invisible && !folded)
}

/// Whether a footer says whose words a quotation or a picture is.
pub(super) fn is_attribution(node: NodeRef<'_, Node>, element: &Element) -> bool {
    let above = node.ancestors().take(2).filter_map(|node| node.value().as_element());
    element.name() == "footer" && above.map(Element::name).any(|name| matches!(name, "blockquote" | "figure"))
}

/// Whether an element's text does not hold any more.
pub(super) fn is_struck_out(element: &Element) -> bool {
    let is_crossed = |style: &str| {
        let style = style.replace(' ', "").to_ascii_lowercase();
        style.contains("text-decoration:line-through") || style.contains("text-decoration-line:line-through")
    };
    matches!(element.name(), "del" | "s" | "strike") || element.attr("style").is_some_and(is_crossed)
}

/// Whether an element is a box of the content: a caution, a hint, footnotes.
pub(super) fn is_admonition(element: &Element) -> bool {
    let is_box = matches!(element.name(), "aside" | "div" | "section" | "footer");
    is_box
        && (matches!(element.attr("role"), Some("note" | "doc-endnotes" | "doc-footnote" | "doc-tip"))
            || element.classes().any(|class| ADMONITIONS.contains(&class)))
}
