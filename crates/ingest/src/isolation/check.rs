//! What a process says that read a hostile document is no more to be trusted than the document.

use crate::ReadError;
use crate::readers::Extracted;

/// What came out, if it keeps the promises that everything after the readers relies on: blocks in the order of the
/// text and without overlaps, and every position between two characters of it.
///
/// # Errors
/// [`ReadError::Panicked`]: a reader that breaks them is as faulty as one that panics.
pub(super) fn checked(extracted: Extracted) -> Result<Extracted, ReadError> {
    let text = &extracted.text;
    let mut end = 0;
    for block in &extracted.blocks {
        let span = block.span;
        if span.start < end || text.get(span.start..span.end).is_none() {
            return Err(broken(&format!("the block at {}..{}", span.start, span.end)));
        }
        end = span.end;
    }
    let wrong = extracted.pages.iter().find(|page| !text.is_char_boundary(**page));
    if let Some(page) = wrong.or_else(|| extracted.pages.windows(2).find(|two| two[0] > two[1]).map(|two| &two[1])) {
        return Err(broken(&format!("the page at {page}")));
    }
    Ok(extracted)
}

fn broken(part: &str) -> ReadError {
    ReadError::Panicked { message: format!("{part} does not fit the text") }
}

#[cfg(test)]
mod tests {
    use qanda_core::Span;

    use super::*;
    use crate::readers::{Block, BlockKind};

    #[test]
    fn positions_that_do_not_fit_the_text_are_refused() {
        let of = |spans: &[(usize, usize)], pages: &[usize]| {
            let block =
                |&(start, end): &(usize, usize)| Block { kind: BlockKind::Paragraph, span: Span { start, end } };
            let blocks = spans.iter().map(block).collect();
            checked(Extracted { text: "aäb".to_owned(), blocks, pages: pages.to_vec(), ..Extracted::default() })
        };
        assert!(of(&[(0, 1), (1, 3), (3, 4)], &[0, 3, 4]).is_ok());
        for spans in [&[(0, 2)][..], &[(0, 5)], &[(3, 1)], &[(0, 3), (1, 4)], &[(3, 4), (0, 1)], &[(9, 9)]] {
            assert!(of(spans, &[]).is_err(), "{spans:?}");
        }
        for pages in [&[2][..], &[5], &[3, 1]] {
            assert!(of(&[], pages).is_err(), "{pages:?}");
        }
    }
}
