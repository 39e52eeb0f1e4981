//! Office documents: archives of XML, in Microsoft's formats (Office Open XML, ECMA-376) and in OpenDocument (ISO/IEC 26300).

mod docx;
mod numbering;
mod odf;
mod pptx;
mod properties;
mod relations;
mod shapes;
mod xlsx;

pub(super) use docx::Docx;
pub(super) use odf::Odf;
pub(super) use pptx::Pptx;
pub(super) use xlsx::Xlsx;

use super::archive::{Archive, damaged};
use super::xml::{Find, parse};
use super::{Extracted, Reader, counted, table, writer};

/// What was left out of a document, counted for its notes.
#[derive(Default)]
struct LeftOut {
    /// Text that was deleted under revision, or struck out.
    struck_out: usize,
    /// Text that is marked as hidden.
    hidden: usize,
}

impl LeftOut {
    fn notes(&self) -> Vec<String> {
        let struck_out =
            counted(self.struck_out, "struck-out or deleted passage was", "struck-out or deleted passages were");
        let hidden = counted(self.hidden, "hidden passage was", "hidden passages were");
        struck_out.into_iter().chain(hidden).collect()
    }
}
