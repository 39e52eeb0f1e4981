//! Processes that behave as badly as one can: lines of shell, in place of a reader that a document has taken over.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use qanda_core::Span;
use tempfile::TempDir;

use super::*;
use crate::readers::{Block, BlockKind};

/// A folder with frames, for processes that answer with them.
struct Frames(TempDir);

impl Frames {
    fn new() -> Self {
        let frames = Self(TempDir::new().unwrap());
        frames.add("ready", &Response::Ready { without: Vec::new() }, "");
        frames
    }

    fn add(&self, name: &str, response: &Response, body: &str) {
        let mut frame = Vec::new();
        wire::write(&mut frame, response, body.as_bytes()).unwrap();
        fs::write(self.0.path().join(name), frame).unwrap();
    }

    /// Reads with processes that say that they are ready, and then do what `line` says.
    fn reader(&self, line: &str) -> Isolated {
        let (folder, line) = (PathBuf::from(self.0.path()), format!("cat ready; {line}"));
        let start = move || {
            let mut command = Command::new("sh");
            command.args(["-c", &line]).current_dir(&folder);
            command
        };
        Isolated::new(start, Duration::from_millis(300))
    }
}

const DOCUMENT: Raw<'static> = Raw { path: "a.txt", media_type: None, bytes: b"some words" };

fn reason(reader: &Isolated) -> String {
    reader.extract(DOCUMENT).unwrap_err().to_string()
}

#[test]
fn however_a_process_ends_it_is_one_failure_with_a_reason() {
    let frames = Frames::new();
    for (line, expected) in [
        ("exec sleep 60", "reading it took longer than 0.3 s"),
        ("echo memory allocation of 9 bytes failed >&2; kill -ABRT $$", "more memory than one document may have"),
        ("echo thread has overflowed its stack >&2; kill -ABRT $$", "nested too deeply"),
        ("kill -ABRT $$", "died of signal 6"),
        ("kill -SEGV $$", "died of signal 11"),
        ("kill -KILL $$", "perhaps because the system ran out of memory"),
        ("exit 0", "cannot be understood"),
        ("exec cat > taken", "cannot be understood"),
        ("head -c 20 taken; exit 3", "cannot be understood"),
        (r"printf '\377\377\377\377 and more'; exec cat > taken", "more than 64 MiB of text"),
        (r"printf '\003\000\000\000{}}\000\000\000\000'; exec cat > taken", "cannot be understood"),
        ("cat ready; exec cat > taken", "an answer to another question"),
    ] {
        let reader = frames.reader(line);
        let said = reason(&reader);
        assert!(said.contains(expected), "{line}: {said}");
        // And the next document is read by another process.
        assert!(reason(&reader).contains(expected), "{line}");
    }
}

#[test]
fn answers_are_taken_only_if_they_fit_together() {
    let frames = Frames::new();
    let paragraph = |end| vec![Block { kind: BlockKind::Paragraph, span: Span { start: 0, end } }];
    let text = |end| Response::Extracted(Extracted { blocks: paragraph(end), ..Extracted::default() });
    frames.add("good", &text(5), "words");
    frames.add("long", &text(6), "words");
    frames.add("no", &Response::Refused { reason: "no text in it".to_owned(), empty: true }, "");
    let good = frames.reader("cat good; exec cat > taken").extract(DOCUMENT).unwrap();
    assert_eq!((good.text.as_str(), good.blocks), ("words", paragraph(5)));
    assert!(reason(&frames.reader("cat long; exec cat > taken")).ends_with("the block at 0..6 does not fit the text"));
    let refused = frames.reader("cat no; exec cat > taken").extract(DOCUMENT).unwrap_err();
    assert!(refused.to_string() == "no text in it" && refused.is_empty(), "{refused:?}");
}

#[test]
fn a_process_is_kept_while_it_lives() {
    let frames = Frames::new();
    frames.add("no", &Response::Refused { reason: "no".to_owned(), empty: false }, "");
    let reader = frames.reader("echo >> started; cat no no; exec cat > taken");
    let started = || fs::read_to_string(frames.0.path().join("started")).unwrap().len();
    assert_eq!([reason(&reader), reason(&reader)], ["no", "no"]);
    assert_eq!(started(), 1);
    // One that has ended while it waited has failed no document.
    for process in reader.idle.lock().unwrap().iter_mut() {
        process.child.lock().unwrap().kill().unwrap();
        process.child.lock().unwrap().wait().unwrap();
    }
    assert_eq!(reason(&reader), "no");
    assert_eq!(started(), 2);
}

#[test]
fn where_no_process_can_be_started_documents_are_read_here() {
    for program in ["/nowhere/at/all", "true"] {
        let reader = Isolated::new(move || Command::new(program), Duration::from_secs(1));
        assert_eq!(reader.extract(DOCUMENT).unwrap().text, "some words", "{program}");
    }
}
