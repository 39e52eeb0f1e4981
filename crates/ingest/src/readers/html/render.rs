//! Walks a page's tree and writes what is content.

use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use scraper::Node;
use scraper::node::Element;

use super::writer::{Next, Page};
use super::{is_article, is_main};

/// Never content: machinery, form controls, pictures, and what stands around the content of a page.
const LEFT_OUT: &[&str] = &[
    "annotation",
    "annotation-xml",
    "applet",
    "aside",
    "audio",
    "button",
    "canvas",
    "datalist",
    "embed",
    "footer",
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
const ROLES_LEFT_OUT: &[&str] = &["complementary", "contentinfo", "menu", "navigation", "search"];

/// Small links that documentation tools put into headings.
const HEADING_LINKS: &[&str] = &["anchor", "anchorjs-link", "hash-link", "headerlink", "mw-editsection"];

/// Elements that stand in lines of their own.
const BLOCKS: &[&str] = &[
    "address",
    "article",
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

/// A table with fewer cells for each heading than this has its headings for the page, not for its rows.
const CELLS_PER_HEADING: usize = 4;

/// The text of everything under `root`. Goes from node to node in a loop: a deep tree needs no deep stack.
pub(super) fn render(root: NodeRef<'_, Node>) -> Page {
    let mut walk = Walk::default();
    for edge in root.traverse() {
        match edge {
            Edge::Open(node) if walk.left_out.is_none() => walk.open(node),
            Edge::Close(node) if walk.left_out.is_none() => {
                if let Some(element) = node.value().as_element() {
                    walk.close(element);
                }
            }
            Edge::Close(node) if walk.left_out == Some(node.id()) => walk.left_out = None,
            _ => {}
        }
    }
    walk.page.end_block();
    walk.page
}

#[derive(Default)]
struct Walk {
    page: Page,
    /// The element whose whole content is being passed over.
    left_out: Option<NodeId>,
    /// Open `main` and `article` elements: a header inside belongs to the content.
    landmarks: usize,
    lists: usize,
    pre: usize,
    heading: bool,
    /// Whether each open table holds data (or is there to lay out the page).
    tables: Vec<bool>,
    /// Offset at which the current row of a data table begins.
    row: usize,
    /// Whether the current row has a cell already.
    cells: bool,
}

impl Walk {
    fn open(&mut self, node: NodeRef<'_, Node>) {
        match node.value() {
            Node::Text(text) if self.pre > 0 && !self.in_data_table() => self.page.verbatim(text),
            Node::Text(text) => self.page.words(text),
            Node::Element(element) if self.is_left_out(element) => self.left_out = Some(node.id()),
            Node::Element(element) => self.open_element(node, element),
            _ => {}
        }
    }

    fn is_left_out(&self, element: &Element) -> bool {
        let has = |key: &str, values: &[&str]| element.attr(key).is_some_and(|value| values.contains(&value));
        let style = || element.attr("style").unwrap_or_default().replace(' ', "").to_ascii_lowercase();
        let site_header = element.name() == "header" || has("role", &["banner"]);
        LEFT_OUT.contains(&element.name())
            || (site_header && self.landmarks == 0)
            || (element.name() == "dialog" && element.attr("open").is_none())
            || (self.heading && element.classes().any(|class| HEADING_LINKS.contains(&class)))
            || has("role", ROLES_LEFT_OUT)
            || has("aria-hidden", &["true"])
            || element.attr("hidden").is_some()
            || style().contains("display:none")
    }

    fn open_element(&mut self, node: NodeRef<'_, Node>, element: &Element) {
        if is_main(element) || is_article(element) {
            self.landmarks += 1;
        }
        if self.in_data_table() {
            return self.open_in_table(element.name());
        }
        match element.name() {
            "table" => {
                let data = is_data_table(node, element);
                self.tables.push(data);
                self.page.begin(data.then_some(Next::Table));
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.heading = true;
                self.page.begin(Some(Next::Heading(element.name().as_bytes()[1] - b'0')));
            }
            "ul" | "ol" | "menu" | "dir" => {
                self.page.begin_inner();
                self.lists += 1;
            }
            "li" => self.page.begin(Some(Next::Item(self.lists.saturating_sub(1)))),
            "pre" => {
                self.pre += 1;
                self.page.begin(Some(Next::Code));
            }
            "br" if self.pre > 0 => self.page.verbatim("\n"),
            "br" => self.page.line_break(),
            name if BLOCKS.contains(&name) => self.page.begin_inner(),
            _ => {}
        }
    }

    fn close(&mut self, element: &Element) {
        if is_main(element) || is_article(element) {
            self.landmarks = self.landmarks.saturating_sub(1);
        }
        match element.name() {
            "table" => {
                self.tables.pop();
                self.page.begin(None);
            }
            "tr" if self.in_data_table() => self.page.take_back_if_blank(self.row),
            _ if self.in_data_table() => self.gap_at_block(element.name()),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.heading = false;
                self.page.begin(None);
            }
            "ul" | "ol" | "menu" | "dir" => {
                self.lists = self.lists.saturating_sub(1);
                self.page.begin(None);
            }
            "li" => self.page.begin(None),
            "pre" => {
                self.pre = self.pre.saturating_sub(1);
                self.page.begin(None);
            }
            name if BLOCKS.contains(&name) => self.page.begin_inner(),
            _ => {}
        }
    }

    /// A row is a line; whatever is inside a cell stays in that line.
    fn open_in_table(&mut self, name: &str) {
        match name {
            "tr" | "caption" => {
                self.page.line_break();
                self.row = self.page.len();
                self.cells = false;
            }
            "td" | "th" => {
                if self.cells {
                    self.page.words(" | ");
                }
                self.cells = true;
                self.page.gap();
            }
            _ => self.gap_at_block(name),
        }
    }

    /// Blocks inside a cell are only parted by white space.
    fn gap_at_block(&mut self, name: &str) {
        if matches!(name, "br" | "li" | "ul" | "ol" | "pre" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
            || BLOCKS.contains(&name)
        {
            self.page.gap();
        }
    }

    fn in_data_table(&self) -> bool {
        self.tables.last() == Some(&true)
    }
}

/// A table with other tables in it, or with about a heading for each cell, lays out the page, and is read as if it
/// were no table.
fn is_data_table(table: NodeRef<'_, Node>, element: &Element) -> bool {
    if matches!(element.attr("role"), Some("presentation" | "none")) {
        return false;
    }
    let (mut cells, mut headings) = (0, 0);
    for inner in table.descendants().skip(1).filter_map(|node| node.value().as_element()) {
        match inner.name() {
            // Also keeps this short for tables inside tables inside tables.
            "table" | "main" | "article" => return false,
            "td" | "th" => cells += 1,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => headings += 1,
            _ => {}
        }
    }
    headings * CELLS_PER_HEADING <= cells
}
