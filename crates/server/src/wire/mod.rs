//! Questions and answers as they travel. Kept apart from the words of the core, so that a field renamed inside
//! changes nothing outside.

mod answer;
mod documents;
mod fields;
mod question;

pub(crate) use answer::{Form, events_response, hits_response, json_response, text_response};
pub use answer::{answer_json, hits_json};
pub(crate) use documents::{
    LONGEST_FACT, MOST_FACTS, MOST_LIMIT, USUAL_LIMIT, document_json, job_json, page_json, passages_json,
    read_document, read_document_query, read_facts, read_page,
};
pub(crate) use question::{QuestionRequest, read_question};
