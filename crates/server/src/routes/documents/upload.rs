//! Reads what is handed in: a form with files, or a document in words as JSON.

use std::time::Duration;

use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use qanda_core::ports::Submission;
use qanda_core::{FieldFault, Metadata, RequestContext};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::routes::body;
use crate::{Problem, wire};

/// Largest document, in bytes: what an ingest reads as well.
const LARGEST_FILE: usize = 64 << 20;
/// Largest request, in bytes.
const LARGEST_UPLOAD: usize = 256 << 20;
/// What of a larger one is still read, and dropped: many clients look for a response only when they have sent all.
const LARGEST_READ: usize = 2 * LARGEST_UPLOAD;
/// Most files of a request.
const MOST_FILES: usize = 1_000;
/// Largest part that holds facts, in bytes.
const LARGEST_FACTS: usize = 1 << 20;
/// A client that dribbles must not hold a connection for ever.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Each holds its files in memory until they are written, so only so many are read at the same time; others wait.
static TURNS: Semaphore = Semaphore::const_new(2);

/// Documents as they came.
pub(super) struct Upload {
    files: Vec<UploadedFile>,
    metadata: Metadata,
}

struct UploadedFile {
    name: Option<String>,
    media_type: Option<String>,
    bytes: Vec<u8>,
}

impl Upload {
    /// Reads a request's body, as long as there is time.
    pub(super) async fn read(request: Request, context: &RequestContext) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let reading = async {
            let _turn = TURNS.acquire().await.map_err(Problem::internal)?;
            match essence.as_str() {
                "multipart/form-data" => Self::form(request).await,
                "application/json" => Self::json(request, context).await,
                _ => Err(Problem::unsupported_media_type()),
            }
        };
        match context.time_left() {
            Some(left) => timeout(left, reading).await.map_err(|_| Problem::too_slow())?,
            None => reading.await,
        }
    }

    async fn json(request: Request, context: &RequestContext) -> Result<Self, Problem> {
        // Characters that JSON spells with six make a text that is six times as long.
        let json = body::read_up_to(request.into_body(), context, 2 * LARGEST_FILE).await?;
        let written = wire::read_document(&json)?;
        let file = UploadedFile { name: written.name, media_type: None, bytes: written.text.into_bytes() };
        if file.bytes.len() > LARGEST_FILE {
            return Err(Problem::file_too_large(file.name.as_deref(), LARGEST_FILE));
        }
        Ok(Self { files: vec![file.with_media_type("text/markdown")], metadata: written.metadata })
    }

    async fn form(request: Request) -> Result<Self, Problem> {
        let form = Multipart::from_request(request, &()).await;
        let mut form = form.map_err(|error| Problem::malformed_form(error.body_text()))?;
        let mut upload = Self { files: Vec::new(), metadata: Metadata::new() };
        let mut reading = Reading { length: 0, too_large: None };
        while let Some(field) =
            timeout(LONGEST_PAUSE, form.next_field()).await.map_err(|_| Problem::too_slow())?.map_err(broken)?
        {
            match field.name() {
                Some("file") => {
                    let (name, media_type) =
                        (field.file_name().map(str::to_owned), field.content_type().map(str::to_owned));
                    let bytes = reading.field(field, LARGEST_FILE).await?;
                    let given = media_type.filter(|given| given != "application/octet-stream");
                    let file = UploadedFile { name, media_type: None, bytes };
                    upload.files.push(match given {
                        Some(given) => file.with_media_type(&given),
                        None => file,
                    });
                    if upload.files.len() > MOST_FILES {
                        let message = format!("there are more than {MOST_FILES} files; send them in several requests");
                        return Err(fault("file", message));
                    }
                }
                Some("metadata") => {
                    let json = reading.field(field, LARGEST_FACTS).await?;
                    upload.metadata = wire::read_facts(&String::from_utf8_lossy(&json))?;
                }
                // Newer clients may send more.
                _ => {
                    reading.field(field, LARGEST_FACTS).await?;
                }
            }
        }
        reading.too_large.map_or(Ok(upload), Err)
    }

    /// The documents under the names that they came with.
    pub(super) fn named(self) -> Result<Vec<Submission>, Problem> {
        if self.files.is_empty() {
            return Err(fault(
                "file",
                "is missing; send a form with at least one part of this name, which has a file name",
            ));
        }
        let metadata = self.metadata;
        let named = |file: UploadedFile| {
            let name = file.name.filter(|name| !name.trim().is_empty());
            let name = name.ok_or_else(|| fault("document", "is missing; a document needs a name, like plan.pdf"))?;
            let metadata = metadata.clone();
            Ok(Submission { name, media_type: file.media_type, bytes: file.bytes, metadata })
        };
        self.files.into_iter().map(named).collect()
    }

    /// The one document, under the name of the one that it replaces.
    pub(super) fn renamed(self, name: &str) -> Result<Submission, Problem> {
        let [file]: [UploadedFile; 1] =
            self.files.try_into().map_err(|_| fault("file", "must be there once: it replaces one document"))?;
        let file = UploadedFile { name: Some(name.to_owned()), ..file };
        let UploadedFile { media_type, bytes, .. } = file;
        Ok(Submission { name: name.to_owned(), media_type, bytes, metadata: self.metadata })
    }
}

impl UploadedFile {
    /// The same, read as this type if its name does not tell how to read it. What a browser says of a file it knows
    /// from the name, too.
    fn with_media_type(self, media_type: &str) -> Self {
        let last = self.name.as_deref().and_then(|name| name.rsplit('/').next()).unwrap_or_default();
        let has_ending = last.rsplit_once('.').is_some_and(|(stem, ending)| !stem.is_empty() && !ending.is_empty());
        Self { media_type: (!has_ending).then(|| media_type.to_owned()), ..self }
    }
}

/// A form that is being read.
struct Reading {
    /// Bytes so far.
    length: usize,
    /// The first limit that was passed. What follows is read and dropped.
    too_large: Option<Problem>,
}

impl Reading {
    async fn field(&mut self, mut field: Field<'_>, most: usize) -> Result<Vec<u8>, Problem> {
        let name = field.file_name().or(field.name()).map(str::to_owned);
        let mut bytes = Vec::new();
        while let Some(chunk) =
            timeout(LONGEST_PAUSE, field.chunk()).await.map_err(|_| Problem::too_slow())?.map_err(broken)?
        {
            self.length += chunk.len();
            if self.too_large.is_none() {
                if bytes.len() + chunk.len() > most {
                    self.too_large = Some(Problem::file_too_large(name.as_deref(), most));
                } else if self.length > LARGEST_UPLOAD {
                    self.too_large = Some(Problem::too_large(LARGEST_UPLOAD));
                }
            }
            match &self.too_large {
                None => bytes.extend_from_slice(&chunk),
                Some(problem) if self.length > LARGEST_READ => return Err(problem.clone()),
                Some(_) => bytes = Vec::new(),
            }
        }
        Ok(bytes)
    }
}

fn broken(error: MultipartError) -> Problem {
    Problem::malformed_form(error.body_text())
}

fn fault(field: &str, message: impl Into<String>) -> Problem {
    Problem::invalid_fields(vec![FieldFault::new(field, message)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_counts_only_where_the_name_has_no_ending() {
        for (name, counts) in
            [("plan", true), ("a.b/plan", true), (".plan", true), ("plan.", true), ("plan.pdf", false)]
        {
            let file = UploadedFile { name: Some(name.to_owned()), media_type: None, bytes: Vec::new() };
            assert_eq!(file.with_media_type("text/html").media_type.is_some(), counts, "{name}");
        }
    }
}
