//! Documents as tools and as resources.
//!
//! The address of a document is made of its path, which is what citations name: `qanda://document/` and the path, with
//! all but letters, digits and `-._~` percent-encoded, so that it is one segment whatever it holds.

use std::collections::HashMap;
use std::fmt::Write as _;

use qanda_core::document::StoredDocument;
use qanda_core::ports::DocumentQuery;
use qanda_core::{DocumentId, FieldFault, RequestContext};
use rmcp::model::{
    CallToolResult, JsonObject, ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
};
use serde_json::{Value, json};

use super::result;
use super::tools::{MOST_BYTES, USUAL_BYTES};
use crate::{Problem, Service, wire};

const SCHEME: &str = "qanda://document/";
/// Resources of a page.
const LISTED: usize = 100;

/// Lists documents.
pub(super) async fn list(
    service: &Service,
    context: &RequestContext,
    arguments: JsonObject,
) -> Result<CallToolResult, Problem> {
    // They are read like the parameters of an address.
    let parameter = |(name, value): (String, Value)| {
        let name = if name == "words" { "q".to_owned() } else { name };
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (name, value)
    };
    let given = arguments.into_iter().filter(|(_, value)| !value.is_null());
    let query = wire::read_document_query(&given.map(parameter).collect::<HashMap<_, _>>())?;
    let page = service.documents()?.list(context, query).await?;
    let mut text = String::new();
    for document in &page.items {
        // Writing to a string does not fail.
        let _ = writeln!(text, "- {} ({})", document.title, document.path);
    }
    if page.items.is_empty() {
        text.push_str("There are no such documents.");
    }
    if let Some(next) = &page.next {
        let _ = write!(text, "There are more; go on with after: {next}");
    }
    let documents: Vec<Value> = page.items.iter().map(described).collect();
    Ok(result(text, json!({"documents": documents, "next": page.next})))
}

/// Reads a piece of a document's text.
pub(super) async fn get(
    service: &Service,
    context: &RequestContext,
    arguments: JsonObject,
) -> Result<CallToolResult, Problem> {
    let Piece { document, start, length } = Piece::read(&arguments)?;
    let document = find(service, context, &document).await?.ok_or_else(Problem::no_such_document)?;
    let text = text_of(service, context, &document).await?;
    let start = text.floor_char_boundary(start);
    let end = text.floor_char_boundary(start.saturating_add(length));
    let next = (end < text.len()).then_some(end);
    let mut words = text[start..end].to_owned();
    if let Some(next) = next {
        let _ = write!(words, "\n\n[{next} of {} bytes; go on with start: {next}]", text.len());
    }
    let mut fields = described(&document);
    let piece = json!({"text": text[start..end], "start": start, "end": end, "length": text.len(), "next": next});
    if let (Some(fields), Value::Object(piece)) = (fields.as_object_mut(), piece) {
        fields.extend(piece);
    }
    Ok(result(words, fields))
}

/// Arguments of a piece of a document.
struct Piece {
    document: String,
    /// In bytes of the text.
    start: usize,
    /// In bytes, at most.
    length: usize,
}

impl Piece {
    fn read(arguments: &JsonObject) -> Result<Self, Problem> {
        let mut faults = Vec::new();
        let document = arguments.get("document").and_then(Value::as_str).unwrap_or_default();
        if document.is_empty() {
            faults.push(FieldFault::new("document", "is missing; it must be a path, an id or an address"));
        }
        let mut number = |name: &str, usual: usize, least: usize, most: usize| match arguments.get(name) {
            None | Some(Value::Null) => usual,
            Some(value) => {
                let read = value.as_u64().and_then(|number| usize::try_from(number).ok());
                read.filter(|number| (least..=most).contains(number)).unwrap_or_else(|| {
                    faults.push(FieldFault::new(name, format!("must be a whole number from {least} to {most}")));
                    usual
                })
            }
        };
        let (start, length) =
            (number("start", 0, 0, isize::MAX as usize), number("length", USUAL_BYTES, 4, MOST_BYTES));
        if faults.is_empty() {
            Ok(Self { document: document.to_owned(), start, length })
        } else {
            Err(Problem::invalid_fields(faults))
        }
    }
}

/// The documents as resources, page by page.
pub(super) async fn resources(
    service: &Service,
    context: &RequestContext,
    after: Option<String>,
) -> Result<ListResourcesResult, Problem> {
    let page = service.documents()?.list(context, DocumentQuery::all(after, LISTED)).await?;
    let resource = |document: &StoredDocument| {
        let resource = Resource::new(uri(&document.path), &*document.path).with_title(&*document.title);
        resource.with_mime_type(text_type(document))
    };
    let mut listed = ListResourcesResult::with_all_items(page.items.iter().map(resource).collect());
    listed.next_cursor = page.next;
    Ok(listed)
}

/// The form of the resources' addresses.
pub(super) fn template() -> ResourceTemplate {
    let template = ResourceTemplate::new(format!("{SCHEME}{{path}}"), "document").with_title("A document");
    template.with_description("The text of a document, by the path that citations name")
}

/// The whole text of a document, by its address; none if there is no such document.
pub(super) async fn read(
    service: &Service,
    context: &RequestContext,
    address: &str,
) -> Result<Option<ReadResourceResult>, Problem> {
    if !address.starts_with(SCHEME) {
        return Ok(None);
    }
    let Some(document) = find(service, context, address).await? else { return Ok(None) };
    let text = text_of(service, context, &document).await?;
    let contents = ResourceContents::text(text, address).with_mime_type(text_type(&document));
    Ok(Some(ReadResourceResult::new(vec![contents])))
}

/// A document by its address, its path or its id.
async fn find(service: &Service, context: &RequestContext, name: &str) -> Result<Option<StoredDocument>, Problem> {
    let path = name.strip_prefix(SCHEME).map_or_else(|| Some(name.to_owned()), decoded);
    let Some(path) = path else { return Ok(None) };
    let query = DocumentQuery { path: Some(path), ..DocumentQuery::all(None, 1) };
    let documents = service.documents()?;
    match documents.list(context, query).await?.items.pop() {
        Some(document) => Ok(Some(document)),
        None => Ok(documents.get(context, &DocumentId::from(name.to_owned())).await?),
    }
}

async fn text_of(service: &Service, context: &RequestContext, document: &StoredDocument) -> Result<String, Problem> {
    service.documents()?.text(context, &document.id).await?.ok_or_else(Problem::no_text)
}

/// A document with its address.
fn described(document: &StoredDocument) -> Value {
    let mut fields = wire::document_json(document);
    fields["uri"] = json!(uri(&document.path));
    fields
}

/// Type of a document's text, which is the file itself for Markdown.
fn text_type(document: &StoredDocument) -> &'static str {
    let media_type = document.details.media_type.as_deref().unwrap_or_default();
    if media_type.starts_with("text/markdown") { "text/markdown" } else { "text/plain" }
}

/// The address of the document with this path.
pub(super) fn uri(path: &str) -> String {
    let mut address = SCHEME.to_owned();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            address.push(char::from(byte));
        } else {
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address
}

/// The path in an address; none where it was not encoded well.
fn decoded(encoded: &str) -> Option<String> {
    let mut bytes = encoded.bytes();
    let mut path = Vec::new();
    while let Some(byte) = bytes.next() {
        path.push(match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let value = digit(bytes.next()?)? * 16 + digit(bytes.next()?)?;
                u8::try_from(value).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_any_path_in_one_segment() {
        for path in ["a.md", "docs/a b.md", "upload:Größe/100%.txt", "/abs/../x", ""] {
            let address = uri(path);
            let segment = address.strip_prefix(SCHEME).expect("the scheme");
            assert!(!segment.contains('/'), "{address}");
            assert_eq!(decoded(segment).as_deref(), Some(path), "{address}");
        }
        for wrong in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }
}
