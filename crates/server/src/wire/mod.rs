//! Questions and answers as they travel. Kept apart from the words of the core, so that a field renamed inside
//! changes nothing outside.

mod answer;
mod question;

pub use answer::answer_json;
pub(crate) use answer::{Form, Piece, events, json_response};
pub(crate) use question::parse_question;
