//! An answer's text with its sources below it, and the annotations that point from its markers to them.

use axum::http::{HeaderMap, header};
use qanda_core::{Answer, Citation};
use serde_json::{Value, json};

/// The line between an answer and its sources.
const SOURCES: &str = "\n\nSources:\n- [1] ";

/// Address at which the page of this service opens documents, as far as the request tells.
pub(super) struct Origin(String);

impl Origin {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let scheme = text("x-forwarded-proto").filter(|scheme| *scheme == "https").unwrap_or("http");
        Self(format!("{scheme}://{}", text(header::HOST.as_str()).unwrap_or("localhost")))
    }

    fn address(&self, citation: &Citation) -> String {
        let place = &citation.place;
        let path = escaped(&place.document);
        format!("{}/#/document?path={path}&start={}&end={}", self.0, place.span.start, place.span.end)
    }
}

/// What stands below an answer: its sources, each on a line of its own; nothing where it has none.
pub(crate) fn sources(answer: &Answer) -> String {
    let lines = answer.citations.iter().map(|citation| {
        let place = &citation.place;
        let page = place.page.map(|page| format!(", page {page}")).unwrap_or_default();
        format!("- [{}] {} ({}{page})", citation.marker, place.title, place.document)
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() { String::new() } else { format!("\n\nSources:\n{}", lines.join("\n")) }
}

/// What was said of a message that may have sources below it.
pub(super) fn without_sources(message: &str) -> &str {
    message.rfind(SOURCES).map_or(message, |end| &message[..end])
}

/// The citations as annotations: for each marker in the text, its place in characters, and what it points at.
pub(super) fn annotations(answer: &Answer, origin: &Origin) -> Vec<Annotation> {
    let markers = answer.citations.iter().flat_map(|citation| {
        let marker = format!("[{}]", citation.marker);
        let found = answer.text.match_indices(&marker).map(|(start, _)| start).collect::<Vec<_>>();
        found.into_iter().map(move |start| (start, marker.len(), citation))
    });
    let annotation = |(start, length, citation): (usize, usize, &Citation)| {
        let start_index = answer.text[..start].chars().count();
        let (title, url) = (citation.place.title.clone(), origin.address(citation));
        Annotation { start, start_index, end_index: start_index + length, title, url }
    };
    let mut annotations: Vec<Annotation> = markers.map(annotation).collect();
    annotations.sort_by_key(|annotation| annotation.start);
    annotations
}

/// A marker and what it points at.
pub(super) struct Annotation {
    /// Byte offset of the marker.
    start: usize,
    /// Characters before the marker.
    start_index: usize,
    end_index: usize,
    title: String,
    url: String,
}

impl Annotation {
    /// As it stands in a chat completion.
    pub(super) fn chat(&self) -> Value {
        json!({"type": "url_citation", "url_citation": self.fields()})
    }

    /// As it stands in a response.
    pub(super) fn response(&self) -> Value {
        let mut fields = self.fields();
        fields["type"] = json!("url_citation");
        fields
    }

    fn fields(&self) -> Value {
        json!({"start_index": self.start_index, "end_index": self.end_index, "title": self.title, "url": self.url})
    }
}

/// Text as a value in an address.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_any_path() {
        assert_eq!(escaped("a b/ü&#.md"), "a%20b/%C3%BC%26%23.md");
    }

    #[test]
    fn sources_are_taken_off_what_was_said() {
        assert_eq!(without_sources("Two. [1]\n\nSources:\n- [1] Water (water.md)"), "Two. [1]");
        assert_eq!(without_sources("Sources: none."), "Sources: none.");
    }
}
