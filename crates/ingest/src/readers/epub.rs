//! Books: the parts of an EPUB in the order in which they are read (EPUB 3.3, 2023).

use std::collections::HashMap;
use std::path::Path;

use super::archive::{Archive, damaged};
use super::writer::Page;
use super::xml::{Find, parse};
use super::{Extracted, Reader, html};
use crate::ReadError;

pub(super) struct Epub;

impl Reader for Epub {
    fn endings(&self) -> &'static [&'static str] {
        &["epub"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["application/epub+zip"]
    }

    /// That of HTML, which its parts are.
    fn version(&self) -> u32 {
        super::html::Html.version()
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Extracted, ReadError> {
        const CONTAINER: &str = "META-INF/container.xml";
        let mut archive = Archive::open(bytes)?;
        let no_book = || damaged("it is no EPUB: it does not name its parts");
        let container = archive.read_text(CONTAINER)?.ok_or_else(no_book)?;
        let tree = parse(&container, CONTAINER)?;
        let package = tree.descendants().find(|node| node.is("rootfile")).and_then(|file| file.value("full-path"));
        let package = package.ok_or_else(no_book)?.to_owned();
        if archive.has("META-INF/rights.xml") && archive.has("META-INF/encryption.xml") {
            return Err(damaged("its text is encrypted (digital rights management)"));
        }
        let text = archive.read_text(&package)?.ok_or_else(no_book)?;
        let tree = parse(&text, &package)?;
        let root = tree.root_element();

        let mut page = Page::default();
        let mut notes = Vec::new();
        for part in spine(root, &package) {
            let Some(bytes) = archive.read(&part)? else {
                notes.push(format!("{part} in it is missing"));
                continue;
            };
            let text = crate::decode::decode_html(&bytes);
            // A page of a picture alone has no text.
            if let Ok(part) = text.and_then(|text| html::extract(&text)) {
                notes.extend(part.notes.iter().cloned());
                page.append(&part);
            }
        }
        if page.text.is_empty() {
            return Err(ReadError::NoText);
        }
        let said = |name: &str| {
            let words: Vec<String> = root
                .child("metadata")
                .into_iter()
                .flat_map(|metadata| metadata.children())
                .filter(|node| node.is(name))
                .map(Find::words)
                .collect();
            (!words.is_empty()).then(|| words.join(", ")).filter(|words| !words.trim().is_empty())
        };
        let kept = [
            ("creator", "author"),
            ("language", "language"),
            ("publisher", "publisher"),
            ("subject", "subject"),
            ("date", "date"),
        ];
        let metadata = kept.into_iter().filter_map(|(theirs, ours)| Some((ours.to_owned(), said(theirs)?))).collect();
        Ok(Extracted { metadata, notes, ..page.finish(said("title")) })
    }
}

/// Names of the parts in reading order, without the table of contents.
fn spine(root: roxmltree::Node<'_, '_>, package: &str) -> Vec<String> {
    let folder = package.rsplit_once('/').map_or("", |(folder, _)| folder);
    let items = root.child("manifest").into_iter().flat_map(|manifest| manifest.all("item"));
    let parts: HashMap<&str, (&str, bool)> = items
        .filter_map(|item| {
            let contents = item.value("properties").is_some_and(|words| words.split(' ').any(|word| word == "nav"));
            Some((item.value("id")?, (item.value("href")?, contents)))
        })
        .collect();
    let named = root.child("spine").into_iter().flat_map(|spine| spine.all("itemref"));
    let path = |(href, _): &(&str, bool)| {
        let href = percent_decoded(href.split('#').next().unwrap_or_default());
        if folder.is_empty() { href } else { format!("{folder}/{href}") }
    };
    named.filter_map(|item| parts.get(item.value("idref")?)).filter(|(_, contents)| !contents).map(path).collect()
}

/// A name as the archive spells it, of an address: `%20` is a space.
fn percent_decoded(address: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = address.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::archive::fakes::archive;
    use super::*;

    const CONTAINER: &str = "<container><rootfiles><rootfile full-path='OPS/book.opf'/></rootfiles></container>";

    #[test]
    fn parts_are_read_in_the_order_of_the_spine() {
        let package = "<package xmlns:dc='dc'><metadata><dc:title>Two parts</dc:title><dc:creator>A</dc:creator><dc:creator>B</dc:creator></metadata>\
            <manifest><item id='n' href='nav.xhtml' properties='nav'/><item id='b' href='b%20b.xhtml'/><item id='a' href='a.xhtml'/></manifest>\
            <spine><itemref idref='n'/><itemref idref='b'/><itemref idref='a'/></spine></package>";
        let part = |words: &str| {
            format!("<html><head><title>x</title></head><body><h1>{words}</h1><p>Text.</p></body></html>")
        };
        let members = [
            ("META-INF/container.xml", CONTAINER),
            ("OPS/book.opf", package),
            ("OPS/nav.xhtml", &part("Contents")),
            ("OPS/a.xhtml", &part("Second")),
            ("OPS/b b.xhtml", &part("First")),
        ];
        let read = Epub.read(&archive(&members), Path::new("a.epub")).unwrap();
        assert_eq!(read.text, "First\n\nText.\n\nSecond\n\nText.");
        assert_eq!((read.title.as_deref(), read.metadata["author"].as_str()), (Some("Two parts"), "A, B"));
        assert_eq!(&read.text[read.blocks[2].span.start..read.blocks[2].span.end], "Second");
    }

    #[test]
    fn what_is_no_book_is_refused() {
        let refused = Epub.read(&archive(&[("a", "b")]), Path::new("a.epub")).unwrap_err().to_string();
        assert_eq!(refused, "damaged: it is no EPUB: it does not name its parts");
    }
}
