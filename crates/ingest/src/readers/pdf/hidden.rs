//! Text that a page holds and nobody sees: white on white, too small to read, outside the page. Whoever wants to talk to
//! a program behind the reader's back writes like that.

use std::collections::HashMap;

use lopdf::content::Content;
use lopdf::{Document, ObjectId};
use pdf_inspector::types::ItemType;
use pdf_inspector::{PageRotation, TextItem, extract_text_with_positions_and_rotations_mem};

use super::page_box::size;

/// Size of type, in points, below which nobody can read it.
const LEGIBLE: f32 = 2.0;

/// Least part of red, green and blue of what counts as white, of 255.
const WHITE: u8 = 250;

/// Bytes of a page's instructions up to which they are looked at.
const MOST_CONTENT: usize = 32 << 20;

/// Words of a document that can be seen.
#[derive(Default)]
pub(super) struct Visible {
    pub(super) items: Vec<TextItem>,
    /// Number of the words that cannot.
    pub(super) hidden: usize,
    /// Pages whose places are told in a frame of their own, because most of their text is turned.
    pub(super) turned: HashMap<u32, PageRotation>,
}

impl Visible {
    /// Parts the words of a file, of which the instructions are `document`. Of one that cannot be looked at there are
    /// none.
    pub(super) fn of(bytes: &[u8], document: Option<&Document>) -> Self {
        let (items, turned) = extract_text_with_positions_and_rotations_mem(bytes).unwrap_or_default();
        let suspicious = items.iter().any(|item| is_white(item) || is_tiny(item) || is_far(item));
        let Some(document) = document.filter(|_| suspicious) else { return Self { items, hidden: 0, turned } };
        let sheets = Sheets::of(document, &turned);
        let (hidden, items): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| sheets.hides(item));
        let hidden = hidden.iter().map(|item| item.text.split_whitespace().count()).sum();
        Self { items, hidden, turned }
    }
}

fn is_white(item: &TextItem) -> bool {
    item.fill_color.is_some_and(|color| color.iter().all(|&part| part >= WHITE))
        && matches!(item.render_mode, None | Some(0 | 4))
}

fn is_tiny(item: &TextItem) -> bool {
    item.font_size > 0.0 && item.font_size < LEGIBLE
}

/// Below or left of the page, or so far right or above that a look at its size is worth the while.
fn is_far(item: &TextItem) -> bool {
    item.x + item.width < 0.0 || item.y + item.height < 0.0 || item.x > 500.0 || item.y > 700.0
}

/// What is known of the pages, in their order.
struct Sheets(Vec<Sheet>);

struct Sheet {
    /// Width and height in points; none where places are told in a frame of their own, because the text is turned.
    size: Option<(f32, f32)>,
    /// Whether something is painted that white words could stand on.
    painted: bool,
}

impl Sheets {
    fn of(document: &Document, turned: &HashMap<u32, PageRotation>) -> Self {
        let sheet = |(number, page): (u32, ObjectId)| Sheet {
            size: size(document, page).filter(|_| !turned.contains_key(&number)),
            painted: is_painted(document, page),
        };
        Self(document.get_pages().into_iter().map(sheet).collect())
    }

    fn hides(&self, item: &TextItem) -> bool {
        // A picture may well be larger than its page.
        if !matches!(item.item_type, ItemType::Text) {
            return false;
        }
        let Some(sheet) = self.0.get((item.page as usize).saturating_sub(1)) else { return false };
        let outside = sheet.size.is_some_and(|(width, height)| {
            item.x + item.width < 0.0 || item.y + item.height < 0.0 || item.x > width || item.y > height
        });
        outside || is_tiny(item) || (is_white(item) && !sheet.painted)
    }
}

/// Whether a page paints anything but words: shapes that are not white, pictures, drawings of their own. Where white
/// words stand on those they are seen, and a page that cannot be looked at may paint anything.
fn is_painted(document: &Document, page: ObjectId) -> bool {
    let Ok(content) = document.get_page_content_with_limit(page, MOST_CONTENT) else { return true };
    let Ok(content) = Content::decode(&content) else { return true };
    let mut white = false;
    for operation in &content.operations {
        match operation.operator.as_str() {
            "g" | "rg" | "sc" | "scn" => {
                white = operation.operands.iter().all(|part| part.as_float().is_ok_and(|part| part >= 0.98))
            }
            "k" => white = operation.operands.iter().all(|part| part.as_float().is_ok_and(|part| part <= 0.02)),
            "q" | "Q" | "cs" => white = false,
            "f" | "F" | "f*" | "B" | "B*" | "b" | "b*" if !white => return true,
            "sh" | "Do" | "BI" | "EI" => return true,
            _ => {}
        }
    }
    false
}
