//! Walks a page's tree and writes what is content.

use std::collections::HashSet;

use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use scraper::Node;
use scraper::node::Element;

use super::super::data_addresses;
use super::super::table::Table;
use super::super::writer::{Next, Page};
use super::content::{BLOCKS, is_admonition, is_attribution, is_left_out, is_struck_out};
use super::lists::List;
use super::marks::{alternative_text, expansion_of, language_of, reading_of, script_marks};
use super::{element_by_id, is_article, is_main, words_of};

/// A table with fewer cells for each heading than this has its headings for the page, not for its rows.
const CELLS_PER_HEADING: usize = 4;

/// What was rendered, and how many passages were struck out.
pub(super) struct Rendered {
    pub(super) page: Page,
    pub(super) struck_out: usize,
}

/// The text of everything under `root`. Goes from node to node in a loop: a deep tree needs no deep stack.
pub(super) fn render(root: NodeRef<'_, Node>) -> Rendered {
    let mut walk = Walk::default();
    for edge in root.traverse() {
        match edge {
            Edge::Open(node) if walk.left_out.is_none() => walk.open(node),
            Edge::Close(node) if walk.left_out.is_none() => {
                if let Some(element) = node.value().as_element() {
                    walk.close(node, element);
                }
            }
            Edge::Close(node) if walk.left_out == Some(node.id()) => walk.left_out = None,
            _ => {}
        }
    }
    walk.page.end_block();
    Rendered { page: walk.page, struck_out: walk.struck_out }
}

#[derive(Default)]
struct Walk {
    page: Page,
    /// The element whose whole content is being passed over.
    left_out: Option<NodeId>,
    struck_out: usize,
    /// Open `main` and `article` elements: a header inside belongs to the content.
    landmarks: usize,
    lists: Vec<List>,
    pre: usize,
    /// Whether the open `pre` began with a fence that names its language.
    fenced: bool,
    heading: bool,
    /// What abbreviations stand for, as far as it was said.
    expanded: HashSet<String>,
    /// Open tables; those that lay out the page are none.
    tables: Vec<Option<DataTable>>,
}

/// A table of data, whose cells are collected before they are written.
#[derive(Default)]
struct DataTable {
    table: Table,
    /// Words of the open cell or caption.
    cell: Page,
    /// Columns and rows that the open cell covers.
    covers: Option<(usize, usize)>,
    caption: String,
    /// Whether the row under way has a cell that is no heading.
    has_data: bool,
}

impl Walk {
    /// Where words go: into the open cell, else into the page.
    fn out(&mut self) -> &mut Page {
        match self.tables.last_mut() {
            Some(Some(data)) => &mut data.cell,
            _ => &mut self.page,
        }
    }

    fn in_data_table(&self) -> bool {
        matches!(self.tables.last(), Some(Some(_)))
    }

    fn open(&mut self, node: NodeRef<'_, Node>) {
        match node.value() {
            Node::Text(text) if self.pre > 0 && !self.in_data_table() => {
                self.page.verbatim(&data_addresses::without(text));
            }
            Node::Text(text) => self.out().words(&data_addresses::without(text)),
            Node::Element(element) if is_struck_out(element) => {
                self.struck_out += 1;
                self.left_out = Some(node.id());
                self.out().gap();
            }
            Node::Element(element) if element.name() == "input" && !self.lists.is_empty() => self.check_mark(element),
            Node::Element(element)
                if is_left_out(element, self.landmarks, self.heading) && !is_attribution(node, element) =>
            {
                self.left_out = Some(node.id());
            }
            Node::Element(element) => self.open_element(node, element),
            _ => {}
        }
    }

    fn open_element(&mut self, node: NodeRef<'_, Node>, element: &Element) {
        if is_main(element) || is_article(element) || is_admonition(element) {
            self.landmarks += 1;
        }
        if self.open_mark(node, element) {
            return;
        }
        if self.in_data_table() {
            return self.open_in_table(node, element);
        }
        match element.name() {
            "table" => {
                self.page.begin(None);
                self.tables.push(is_data_table(node, element).then(DataTable::default));
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.heading = true;
                self.page.begin(Some(Next::Heading(element.name().as_bytes()[1] - b'0')));
            }
            "ul" | "ol" | "menu" | "dir" => {
                self.page.begin_inner();
                self.lists.push(List::of(node, element));
            }
            "li" => {
                let depth = self.lists.len().saturating_sub(1);
                let marker = self.lists.last_mut().map_or_else(|| "-".to_owned(), |list| list.marker(element));
                self.page.begin(Some(Next::Item { depth, marker }));
            }
            "dd" => {
                self.page.begin(Some(Next::Item { depth: self.lists.len(), marker: "-".to_owned() }));
            }
            "pre" => {
                self.pre += 1;
                self.page.begin(Some(Next::Code));
                if let Some(language) = language_of(node, element) {
                    self.page.verbatim(&format!("```{language}\n"));
                    self.fenced = true;
                }
            }
            "br" if self.pre > 0 => self.page.verbatim("\n"),
            "br" => self.page.line_break(),
            name if BLOCKS.contains(&name) => {
                self.page.begin_inner();
                if element.attr("role") == Some("tabpanel") {
                    self.name_of_tab(node, element);
                }
            }
            _ => {}
        }
    }

    /// The mark of an item that is done, or not yet.
    fn check_mark(&mut self, element: &Element) {
        if element.attr("type") == Some("checkbox") {
            let mark = if element.attr("checked").is_some() { "[x]" } else { "[ ]" };
            let out = self.out();
            out.words(mark);
            out.gap();
        }
    }

    /// Marks inside a line: pictures by their alternative text, exponents, indices, formulas. Says whether it was one.
    fn open_mark(&mut self, node: NodeRef<'_, Node>, element: &Element) -> bool {
        match element.name() {
            "img" => {
                if let Some(words) = alternative_text(node, element) {
                    let out = self.out();
                    out.gap();
                    out.words(&words);
                    out.gap();
                }
            }
            "sup" | "sub" => {
                let (before, _) = script_marks(node, element);
                let out = self.out();
                if !before.is_empty() {
                    out.no_gap();
                }
                out.words(before);
            }
            "q" => self.out().words("“"),
            // Its words come behind the element around it.
            "rt" => self.left_out = Some(node.id()),
            _ => {
                let parent = node.parent().and_then(|parent| parent.value().as_element());
                let second = || node.prev_siblings().filter(|node| node.value().is_element()).count() == 1;
                let mark = match parent.map(Element::name) {
                    Some("msup") if second() => "^",
                    Some("msub") if second() => "_",
                    Some("mfrac") if second() => "/",
                    _ => return false,
                };
                let out = self.out();
                out.no_gap();
                out.words(mark);
            }
        }
        true
    }

    /// The label of a tab above its panel, since the row of labels says nothing without a pointer to click on them.
    fn name_of_tab(&mut self, node: NodeRef<'_, Node>, element: &Element) {
        let label = element.attr("aria-labelledby").and_then(|id| element_by_id(node, id));
        if let Some(words) = label.map(words_of).filter(|words| !words.is_empty()) {
            self.page.paragraph(&format!("{}:", words.trim_end_matches(':')));
        }
    }

    fn close(&mut self, node: NodeRef<'_, Node>, element: &Element) {
        if is_main(element) || is_article(element) || is_admonition(element) {
            self.landmarks = self.landmarks.saturating_sub(1);
        }
        match element.name() {
            "table" => {
                if let Some(Some(data)) = self.tables.pop() {
                    self.page.paragraph(&data.caption);
                    data.table.write(&mut self.page);
                }
                self.page.begin(None);
            }
            "sup" | "sub" => {
                let (_, after) = script_marks(node, element);
                self.out().words(after);
            }
            "q" => {
                let out = self.out();
                out.no_gap();
                out.words("”");
            }
            "ruby" => {
                if let Some(reading) = reading_of(node) {
                    let out = self.out();
                    out.no_gap();
                    out.words(&reading);
                }
            }
            "abbr" => {
                // Said once, where it is first met.
                if let Some(title) = expansion_of(node, element).filter(|title| self.expanded.insert(title.clone())) {
                    let out = self.out();
                    out.gap();
                    out.words(&format!("({title})"));
                }
            }
            _ if self.in_data_table() => self.close_in_table(element),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.heading = false;
                self.page.begin(None);
            }
            "ul" | "ol" | "menu" | "dir" => {
                self.lists.pop();
                self.page.begin(None);
            }
            "li" | "dd" => self.page.begin(None),
            "dt" => {
                self.page.close_with(':');
                self.page.begin(None);
            }
            "pre" => {
                self.pre = self.pre.saturating_sub(1);
                if std::mem::take(&mut self.fenced) {
                    self.page.line_break();
                    self.page.verbatim("```");
                }
                self.page.begin(None);
            }
            name if BLOCKS.contains(&name) => self.page.begin_inner(),
            _ => {}
        }
    }

    /// Whatever is inside a cell stays in its row.
    fn open_in_table(&mut self, node: NodeRef<'_, Node>, element: &Element) {
        let Some(Some(data)) = self.tables.last_mut() else { return };
        match element.name() {
            "ul" | "ol" => {
                data.cell.gap();
                self.lists.push(List::of(node, element));
            }
            "li" => {
                let marker = self.lists.last_mut().map(|list| list.marker(element)).filter(|marker| marker != "-");
                if node.prev_siblings().any(|node| node.value().is_element()) {
                    data.cell.no_gap();
                    data.cell.close_with(';');
                }
                data.cell.gap();
                data.cell.words(&marker.unwrap_or_default());
                data.cell.gap();
            }
            "tr" => {
                data.take_cell();
                data.table.begin_row();
                data.has_data = false;
            }
            "td" | "th" => {
                data.take_cell();
                let covers = |name: &str| element.attr(name).and_then(|number| number.trim().parse().ok()).unwrap_or(1);
                data.covers = Some((covers("colspan"), covers("rowspan")));
                data.has_data |= element.name() == "td";
            }
            _ => self.gap_at_block(element.name()),
        }
    }

    fn close_in_table(&mut self, element: &Element) {
        let Some(Some(data)) = self.tables.last_mut() else { return };
        match element.name() {
            "td" | "th" => data.take_cell(),
            "ul" | "ol" => {
                self.lists.pop();
                data.cell.gap();
            }
            "caption" => data.caption = std::mem::take(&mut data.cell).text,
            // Names of columns stand in rows of headings, or in a head of their own.
            "tr" if !data.has_data => data.table.mark_header(),
            "thead" => data.table.mark_header(),
            _ => self.gap_at_block(element.name()),
        }
    }

    /// Blocks inside a cell are only parted by white space.
    fn gap_at_block(&mut self, name: &str) {
        if matches!(name, "br" | "li" | "ul" | "ol" | "pre" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
            || BLOCKS.contains(&name)
        {
            self.out().gap();
        }
    }
}

impl DataTable {
    fn take_cell(&mut self) {
        let words = std::mem::take(&mut self.cell).text;
        if let Some((columns, rows)) = self.covers.take() {
            self.table.cell(&words, columns, rows);
        }
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
