//! E-mail: single messages and mailboxes, with their attachments.

use std::path::Path;

use mail_parser::{Address, Message, MessageParser, MimeHeaders};
use qanda_core::Metadata;

use super::archive::damaged;
use super::writer::Page;
use super::{Extracted, Reader, html, plain, reader_for};
use crate::ReadError;

/// Messages inside messages that are read.
const MAX_DEPTH: usize = 3;

/// Messages of a mailbox that are read.
const MAX_MESSAGES: usize = 20_000;

/// Attachments of a message that are read.
const MAX_ATTACHMENTS: usize = 100;

pub(super) struct Mail;

impl Reader for Mail {
    fn endings(&self) -> &'static [&'static str] {
        &["eml", "mbox"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["message/rfc822", "application/mbox"]
    }

    /// Raised with any other: a message may have anything attached.
    fn version(&self) -> u32 {
        2
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Extracted, ReadError> {
        read(bytes, 0)
    }
}

fn read(bytes: &[u8], depth: usize) -> Result<Extracted, ReadError> {
    if bytes.is_empty() {
        return Err(ReadError::Empty);
    }
    let mut letters = Letters { page: Page::default(), notes: Vec::new(), depth };
    let parser = MessageParser::default();
    if !bytes.starts_with(b"From ") {
        let message = parser.parse(bytes).filter(|message| {
            message.headers().iter().any(|header| {
                header.name.as_str().eq_ignore_ascii_case("from")
                    || header.name.as_str().eq_ignore_ascii_case("subject")
            })
        });
        let message = message.ok_or_else(|| damaged("it is no e-mail: it has neither a sender nor a subject"))?;
        letters.letter(&message);
        let metadata = metadata(&message);
        let title = message.subject().map(str::to_owned);
        return letters.finish(title, metadata);
    }
    for message in messages(bytes).take(MAX_MESSAGES) {
        if let Some(message) = parser.parse(message) {
            letters.letter(&message);
        }
    }
    // The subject of one letter is no title of all.
    let mailbox = letters.finish(None, Metadata::new())?;
    Ok(Extracted { title: None, ..mailbox })
}

/// The messages of a mailbox: each begins behind a line that begins with "From ".
fn messages(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_start = |at: &usize| bytes[*at..].starts_with(b"From ") && (*at == 0 || bytes[..*at].ends_with(b"\n"));
    let starts: Vec<usize> = (0..bytes.len()).filter(is_start).collect();
    let ends = starts.iter().skip(1).copied().chain([bytes.len()]).collect::<Vec<_>>();
    starts.into_iter().zip(ends).filter_map(|(start, end)| {
        let message = &bytes[start..end];
        let line = message.iter().position(|byte| *byte == b'\n')?;
        Some(&message[line + 1..])
    })
}

fn metadata(message: &Message<'_>) -> Metadata {
    let mut metadata = Metadata::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            metadata.insert(name.to_owned(), value);
        }
    };
    put("author", message.from().map(people));
    put("to", message.to().map(people));
    put("date", message.date().map(|date| date.to_rfc3339()));
    metadata
}

fn people(address: &Address<'_>) -> String {
    let one = |person: &mail_parser::Addr<'_>| match (person.name(), person.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (name, address) => name.or(address).unwrap_or_default().to_owned(),
    };
    address.iter().map(one).collect::<Vec<_>>().join(", ")
}

struct Letters {
    page: Page,
    notes: Vec<String>,
    depth: usize,
}

impl Letters {
    /// A letter: who wrote what to whom, its text, and what is attached.
    fn letter(&mut self, message: &Message<'_>) {
        self.page.heading(1, message.subject().unwrap_or("(no subject)"));
        let facts = metadata(message);
        let line = |(name, label): (&str, &str)| Some(format!("{label}: {}", facts.get(name)?));
        let lines: Vec<String> =
            [("author", "From"), ("to", "To"), ("date", "Date")].into_iter().filter_map(line).collect();
        self.page.paragraph(&lines.join("\n"));
        for number in 0..message.text_body_count() {
            self.body(message, number);
        }
        for attachment in message.attachments().take(MAX_ATTACHMENTS) {
            let name = attachment.attachment_name().unwrap_or("attachment").to_owned();
            // Pictures inside the text are no attachments to a reader.
            if attachment.content_id().is_some() && reader_for(Path::new(&name)).is_err() {
                continue;
            }
            let read = match attachment.message() {
                Some(inner) => self.inner(inner),
                None => self.attached(&name, attachment.contents()),
            };
            match read {
                Ok(part) => {
                    self.page.heading(2, &name);
                    self.notes.extend(part.notes.iter().map(|note| format!("in the attachment \"{name}\": {note}")));
                    self.page.append(&part);
                }
                Err(error) => self.notes.push(format!("the attachment \"{name}\" was left out: {error}")),
            }
        }
    }

    fn body(&mut self, message: &Message<'_>, number: usize) {
        // What was written as HTML alone is read as HTML, with its tables and lists.
        let is_html = message.text_bodies().nth(number).is_some_and(mail_parser::MessagePart::is_text_html);
        if is_html {
            if let Some(Ok(part)) = message.body_html(number).map(|source| html::extract(&source)) {
                self.page.append(&part);
            }
        } else if let Some(text) = message.body_text(number) {
            let text = text.replace("\r\n", "\n");
            let blocks = plain::paragraphs(&text, &super::BlockKind::Paragraph);
            self.page.append(&Extracted { blocks, text, ..Extracted::default() });
        }
    }

    fn inner(&self, message: &Message<'_>) -> Result<Extracted, ReadError> {
        if self.depth >= MAX_DEPTH {
            return Err(damaged(format!("more than {MAX_DEPTH} messages inside each other")));
        }
        read(message.raw_message(), self.depth + 1)
    }

    fn attached(&self, name: &str, bytes: &[u8]) -> Result<Extracted, ReadError> {
        let reader = reader_for(Path::new(name))?;
        if reader.endings().contains(&"eml") {
            return if self.depth < MAX_DEPTH {
                read(bytes, self.depth + 1)
            } else {
                Err(damaged("too many messages inside each other"))
            };
        }
        reader.read(bytes, Path::new(name))
    }

    fn finish(self, title: Option<String>, metadata: Metadata) -> Result<Extracted, ReadError> {
        if self.page.text.is_empty() {
            return Err(ReadError::NoText);
        }
        Ok(Extracted { notes: self.notes, metadata, ..self.page.finish(title) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const LETTER: &str = "From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: =?utf-8?q?Pumpe_gr=C3=BCn?=\r\n\
        Date: Tue, 1 Sep 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nIt leaks.\r\n\r\nCome soon.\r\n\
        --b\r\nContent-Type: text/csv; name=stock.csv\r\nContent-Disposition: attachment; filename=stock.csv\r\n\r\nPart,Level\r\nW-4,12\r\n\
        --b\r\nContent-Type: application/x-thing\r\nContent-Disposition: attachment; filename=a.xyz\r\n\r\nx\r\n--b--\r\n";

    fn read_mail(bytes: &str) -> Extracted {
        Mail.read(bytes.as_bytes(), Path::new("a.eml")).unwrap()
    }

    #[test]
    fn a_letter_is_read_with_its_attachments() {
        let read = read_mail(LETTER);
        assert!(
            read.text.starts_with(
                "Pumpe grün\n\nFrom: Ann <ann@example.org>\nTo: bob@example.org\nDate: 2026-09-01T10:00:00"
            ),
            "{}",
            read.text
        );
        assert!(read.text.contains("It leaks.\n\nCome soon."), "{}", read.text);
        assert!(read.text.ends_with("stock.csv\n\n| Part | Level |\n|---|---|\n| W-4 | 12 |"), "{}", read.text);
        assert_eq!(
            (read.title.as_deref(), read.metadata["author"].as_str()),
            (Some("Pumpe grün"), "Ann <ann@example.org>")
        );
        assert!(
            read.notes[0].starts_with("the attachment \"a.xyz\" was left out: no reader for .xyz"),
            "{:?}",
            read.notes
        );
    }

    #[test]
    fn a_mailbox_is_read_letter_by_letter() {
        let letter = |subject: &str| {
            format!("From a@b Tue Sep 1 10:00:00 2026\nFrom: a@b\nSubject: {subject}\n\n{subject} text.\n\n")
        };
        let read = read_mail(&[letter("One"), letter("Two")].concat());
        let headings = read.blocks.iter().filter(|block| matches!(block.kind, super::super::BlockKind::Heading { .. }));
        assert_eq!((headings.count(), read.title), (2, None));
        assert!(read.text.contains("One text.") && read.text.contains("Two text."), "{}", read.text);
    }

    #[test]
    fn what_is_no_letter_is_refused() {
        let refused = Mail.read(b"just words\n\nand more", Path::new("a.eml")).unwrap_err().to_string();
        assert_eq!(refused, "damaged: it is no e-mail: it has neither a sender nor a subject");
    }
}
