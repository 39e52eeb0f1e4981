//! Pictures and files that are written into a text as `data:` addresses: they are no text.

use std::ops::Range;

use qanda_core::Span;

use super::Block;

/// Bytes from which on such an address is left out. A shorter one is somebody's example.
const LONG: usize = 128;

/// Longest media type with its parameters.
const LONGEST_TYPE: usize = 100;

/// Places of the long `data:` addresses in a text, in bytes.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let starts = text.match_indices("data:").map(|(at, _)| at);
    let mut found: Vec<Range<usize>> = Vec::new();
    for start in starts.filter(|start| is_media_type(&text[start + "data:".len()..])) {
        if found.last().is_some_and(|before| start < before.end) {
            continue;
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, ')' | '"' | '\'' | '<' | '>' | '`' | ']');
        let end = text[start..].find(ends).map_or(text.len(), |length| start + length);
        if end - start >= LONG {
            found.push(start..end);
        }
    }
    found
}

/// Whether a text begins like `image/png;base64,`.
fn is_media_type(text: &str) -> bool {
    let mut length = LONGEST_TYPE.min(text.len());
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    let Some((media_type, _)) = text[..length].split_once(',') else { return false };
    media_type.chars().all(|c| c.is_ascii_alphanumeric() || "/;=+-._".contains(c))
}

/// The blocks of a text without the addresses in them: a block that has one becomes a block before and one behind it.
pub(super) fn cut_out(text: &str, blocks: Vec<Block>) -> Vec<Block> {
    let places = find(text);
    if places.is_empty() {
        return blocks;
    }
    let parts = |block: Block| {
        let inside = places.iter().filter(move |place| block.span.start < place.end && place.start < block.span.end);
        let mut start = block.span.start;
        let mut spans = Vec::new();
        for place in inside {
            spans.push(Span::new(start, place.start.max(start)));
            start = place.end.min(block.span.end);
        }
        spans.push(Span::new(start, block.span.end));
        let whole = spans.len() == 1;
        let says = move |span: &Span| whole || text[span.start..span.end].contains(char::is_alphanumeric);
        spans.into_iter().filter(says).map(move |span| Block { kind: block.kind.clone(), span })
    };
    blocks.into_iter().flat_map(parts).collect()
}

/// A text without the addresses in it.
pub(super) fn without(text: &str) -> String {
    let mut kept = String::new();
    let mut start = 0;
    for place in find(text) {
        kept.push_str(&text[start..place.start]);
        start = place.end;
    }
    kept.push_str(&text[start..]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::BlockKind;

    #[test]
    fn long_addresses_are_cut_out_and_short_ones_stay() {
        let picture = format!("data:image/png;base64,{}", "iVBORw0KGgo/+=".repeat(30));
        let drawing = format!("data:image/svg+xml;charset=utf-8,%3Csvg{}", "%20x".repeat(60));
        let text = format!("See ![the pump]({picture}) and <img src=\"{drawing}\"> too; data: {picture}");
        assert_eq!(without(&text), "See ![the pump]() and <img src=\"\"> too; data: ");
        let block = Block { kind: BlockKind::Paragraph, span: Span::new(0, text.len()) };
        let words: Vec<String> =
            cut_out(&text, vec![block]).iter().map(|part| text[part.span.start..part.span.end].to_owned()).collect();
        assert_eq!(words, ["See ![the pump](", ") and <img src=\"", "\"> too; data: "]);
        for stays in ["write data:image/png;base64,AAAA into it", &format!("data: {}", "long words ".repeat(20))] {
            assert_eq!(without(stays), stays);
        }
    }
}
