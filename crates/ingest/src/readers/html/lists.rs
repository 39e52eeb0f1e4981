//! Numbers and bullets of lists.

use ego_tree::NodeRef;
use scraper::Node;
use scraper::node::Element;

use super::super::numbering::Style;

/// An open list.
pub(super) enum List {
    Bullets,
    Numbers { next: i64, step: i64, style: Style },
}

impl List {
    /// The list of an element, by its attributes `start`, `reversed` and `type`.
    pub(super) fn of(node: NodeRef<'_, Node>, element: &Element) -> Self {
        if element.name() != "ol" {
            return Self::Bullets;
        }
        let reversed = element.attr("reversed").is_some();
        let is_item = |node: &NodeRef<'_, Node>| node.value().as_element().is_some_and(|child| child.name() == "li");
        let first = || if reversed { node.children().filter(is_item).count() } else { 1 };
        let start = element.attr("start").and_then(|start| start.trim().parse().ok());
        let next = start.unwrap_or_else(|| i64::try_from(first()).unwrap_or(1));
        Self::Numbers { next, step: if reversed { -1 } else { 1 }, style: style(element).unwrap_or(Style::Decimal) }
    }

    /// What stands before the next item.
    pub(super) fn marker(&mut self, item: &Element) -> String {
        match self {
            Self::Bullets => "-".to_owned(),
            Self::Numbers { next, step, style } => {
                if let Some(value) = item.attr("value").and_then(|value| value.trim().parse().ok()) {
                    *next = value;
                }
                let number = style.show(*next);
                *next = next.saturating_add(*step);
                format!("{number}.")
            }
        }
    }
}

fn style(element: &Element) -> Option<Style> {
    let written = element.attr("style").unwrap_or_default().replace(' ', "");
    let named = written.split(';').find_map(|rule| rule.strip_prefix("list-style-type:"));
    Some(match element.attr("type").or(named)? {
        "a" | "lower-alpha" | "lower-latin" => Style::Letters,
        "A" | "upper-alpha" | "upper-latin" => Style::CapitalLetters,
        "i" | "lower-roman" => Style::Roman,
        "I" | "upper-roman" => Style::CapitalRoman,
        _ => return None,
    })
}
