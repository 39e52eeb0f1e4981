//! A document's original as a response that can do no harm: it is somebody else's file on this service's own site.

use std::fs::File;
use std::io::Read;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use qanda_core::document::StoredDocument;
use tokio::task::spawn_blocking;

use crate::Problem;

/// Bytes that are read at a time.
const CHUNK: usize = 64 << 10;

/// Sends a file. PDF and plain text are shown by a browser, everything else is saved by it; no script in it runs.
pub(super) async fn response(document: &StoredDocument, file: File) -> Result<Response, Problem> {
    let (length, file) = spawn_blocking(move || file.metadata().map(|metadata| (metadata.len(), file)))
        .await
        .map_err(Problem::internal)?
        .map_err(Problem::internal)?;
    let media_type = document.details.media_type.as_deref().unwrap_or("application/octet-stream");
    let shown = shown_as(media_type);
    let kind = HeaderValue::from_str(shown.unwrap_or(media_type));
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let disposition = format!(
        "{}; filename*=UTF-8''{}",
        if shown.is_some() { "inline" } else { "attachment" },
        file_name(&document.path)
    );
    let mut response = Body::from_stream(chunks(file, length)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Browsers do not show a PDF in a sandbox, and run nothing of it in this site's name.
    if shown != Some("application/pdf") {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    }
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// The type under which a browser may show a document; none for one that it is to save.
fn shown_as(media_type: &str) -> Option<&'static str> {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/pdf" => Some("application/pdf"),
        "text/plain" | "text/markdown" | "text/x-markdown" | "text/x-rst" | "text/asciidoc" | "text/csv" => {
            Some("text/plain")
        }
        _ => None,
    }
}

/// The last part of a path as a header can carry it (RFC 8187).
fn file_name(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// The bytes of a file, at most so many: it may grow meanwhile.
fn chunks(file: File, length: u64) -> impl futures::Stream<Item = std::io::Result<Bytes>> {
    stream::try_unfold(file.take(length), |mut file| async {
        let read = spawn_blocking(move || {
            let mut chunk = vec![0; CHUNK];
            let read = file.read(&mut chunk)?;
            chunk.truncate(read);
            std::io::Result::Ok((chunk, file))
        });
        let (chunk, file) = read.await.map_err(std::io::Error::other)??;
        Ok((!chunk.is_empty()).then(|| (Bytes::from(chunk), file)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_runs_nothing_is_shown() {
        assert_eq!(shown_as("text/markdown; charset=utf-8"), Some("text/plain"));
        assert_eq!(shown_as("Application/PDF"), Some("application/pdf"));
        for saved in ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "x", ""] {
            assert_eq!(shown_as(saved), None, "{saved}");
        }
    }

    #[test]
    fn names_are_spelt_for_headers() {
        assert_eq!(file_name("upload:a/Größe \"1\".pdf"), "Gr%C3%B6%C3%9Fe%20%221%22.pdf");
    }
}
