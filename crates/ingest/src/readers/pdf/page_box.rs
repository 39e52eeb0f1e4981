//! The part of a page that is seen: its crop box, else its media box, its own or one that it inherits.

use lopdf::{Dictionary, Document, Object, ObjectId};

/// Width and height of a page in points.
pub(super) fn size(document: &Document, page: ObjectId) -> Option<(f32, f32)> {
    let [left, bottom, right, top] = corners(document, page)?;
    Some((right - left, top - bottom))
}

/// Its lower left corner, in points of the page's own frame.
pub(super) fn origin(document: &Document, page: ObjectId) -> (f32, f32) {
    corners(document, page).map_or((0.0, 0.0), |[left, bottom, ..]| (left, bottom))
}

fn corners(document: &Document, page: ObjectId) -> Option<[f32; 4]> {
    let list = inherited(document, page, b"CropBox").or_else(|| inherited(document, page, b"MediaBox"))?;
    let number = |at: usize| document.dereference(list.get(at)?).ok()?.1.as_float().ok();
    let (x1, y1, x2, y2) = (number(0)?, number(1)?, number(2)?, number(3)?);
    Some([x1.min(x2), y1.min(y2), x1.max(x2), y1.max(y2)])
}

/// A list that a page has, or the nearest of the nodes above it.
fn inherited<'a>(document: &'a Document, page: ObjectId, key: &[u8]) -> Option<&'a Vec<Object>> {
    let mut node: &Dictionary = document.get_dictionary(page).ok()?;
    // A tree of pages that is deeper is a circle.
    for _ in 0..64 {
        if let Ok(list) = node.get_deref(key, document).and_then(Object::as_array) {
            return Some(list);
        }
        node = node.get_deref(b"Parent", document).ok()?.as_dict().ok()?;
    }
    None
}
