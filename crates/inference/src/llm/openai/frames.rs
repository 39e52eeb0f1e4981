//! The body of an answer as JSON values: a stream of events, or a whole answer of a server that does not stream. The
//! first characters tell; content types are missing or wrong too often.

use std::collections::VecDeque;

use futures::StreamExt;
use futures::stream::BoxStream;
use reqwest::Response;
use serde_json::{Deserializer, Value};

use super::events::{EventReader, Frame, NotJson};
use crate::openai::{ErrorReport, Failure};

/// Longest piece of an unexpected answer that is passed on, in bytes.
const LONGEST_QUOTE: usize = 2000;

/// Reason why no frame comes.
#[derive(Debug)]
pub(super) enum Broken {
    /// The connection broke.
    Transport(reqwest::Error),
    /// The body is no answer; a sentence.
    Unreadable(String),
}

impl Broken {
    pub(super) fn into_failure(self, transport: impl FnOnce(reqwest::Error) -> Failure) -> Failure {
        match self {
            Self::Transport(cause) => transport(cause),
            Self::Unreadable(message) => Failure::Unreadable(message),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing came yet.
    Unknown,
    Events,
    /// JSON from the first to the last byte, or a page.
    Whole,
}

/// Frames of one answer.
pub(super) struct Frames {
    pieces: BoxStream<'static, Result<Vec<u8>, reqwest::Error>>,
    /// Bytes that may still come; more come only from a server that has lost its way.
    left: usize,
    form: Form,
    /// Bytes that are not read yet.
    bytes: Vec<u8>,
    reader: EventReader,
    ready: VecDeque<Frame>,
    /// Start of the text that was no event, to say what came instead.
    other: String,
    any: bool,
    ended: bool,
    /// Fault behind the frames that are ready.
    broken: Option<Broken>,
}

impl Frames {
    /// Frames of an answer of at most so many bytes.
    pub(super) fn new(response: Response, most: usize) -> Self {
        let pieces = response.bytes_stream().map(|piece| piece.map(|bytes| bytes.to_vec())).boxed();
        Self::of(pieces, most)
    }

    fn of(pieces: BoxStream<'static, Result<Vec<u8>, reqwest::Error>>, most: usize) -> Self {
        Self {
            pieces,
            left: most,
            form: Form::Unknown,
            bytes: Vec::new(),
            reader: EventReader::default(),
            ready: VecDeque::new(),
            other: String::new(),
            any: false,
            ended: false,
            broken: None,
        }
    }

    /// The next frame; none at the end of the body. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> Result<Option<Frame>, Broken> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                self.any = true;
                return Ok(Some(frame));
            }
            if let Some(broken) = self.broken.take() {
                return Err(broken);
            }
            if self.ended {
                return Ok(None);
            }
            match self.pieces.next().await {
                Some(Ok(piece)) => {
                    let too_long = || Broken::Unreadable("its answer is far longer than it can be".to_owned());
                    self.left = self.left.checked_sub(piece.len()).ok_or_else(too_long)?;
                    self.bytes.extend_from_slice(&piece);
                }
                Some(Err(cause)) => return Err(Broken::Transport(cause)),
                None => self.ended = true,
            }
            self.broken = self.read().err();
        }
    }

    /// Reads what the bytes hold.
    fn read(&mut self) -> Result<(), Broken> {
        if self.form == Form::Unknown {
            self.form = form(&self.bytes);
        }
        match self.form {
            Form::Unknown => Ok(()),
            Form::Events => self.read_lines(),
            Form::Whole if self.ended => self.read_whole(),
            Form::Whole => Ok(()),
        }
    }

    fn read_lines(&mut self) -> Result<(), Broken> {
        let bytes = std::mem::take(&mut self.bytes);
        let mut rest = bytes.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.read_line(&rest[..end])?;
            rest = &rest[end + 1..];
        }
        if self.ended && !rest.is_empty() {
            self.read_line(rest)?;
            rest = &[];
        }
        self.bytes = rest.to_vec();
        if self.ended && !self.any && self.ready.is_empty() && !self.other.is_empty() {
            let said = ErrorReport::read(self.other.as_bytes()).shown();
            return Err(Broken::Unreadable(format!("it sent no events but \"{said}\"")));
        }
        Ok(())
    }

    fn read_line(&mut self, line: &[u8]) -> Result<(), Broken> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = std::str::from_utf8(line).map_err(|_| Broken::Unreadable("its stream is no text".to_owned()))?;
        let unreadable = |NotJson(data): NotJson| {
            Broken::Unreadable(format!("a piece of its stream cannot be read: {}", quote(&data)))
        };
        match self.reader.line(line.trim_start_matches('\u{feff}')).map_err(unreadable)? {
            Some(frame) => self.ready.push_back(frame),
            None if self.other.len() < LONGEST_QUOTE => self.other.push_str(quote(line)),
            None => {}
        }
        Ok(())
    }

    fn read_whole(&mut self) -> Result<(), Broken> {
        let bytes = std::mem::take(&mut self.bytes);
        // Several values: lines of JSON, one for each piece.
        let values: Result<Vec<Value>, _> = Deserializer::from_slice(&bytes).into_iter().collect();
        let Ok(values) = values else {
            let said = ErrorReport::read(&bytes[..bytes.len().min(LONGEST_QUOTE)]).shown();
            return Err(Broken::Unreadable(format!(
                "it sent neither events nor JSON but \"{said}\"; is it the right address?"
            )));
        };
        self.ready.extend(values.into_iter().map(|value| Frame::Data { event: None, value }));
        Ok(())
    }
}

fn form(bytes: &[u8]) -> Form {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Form::Unknown,
        Some(b'{' | b'[' | b'<') => Form::Whole,
        Some(_) => Form::Events,
    }
}

fn quote(text: &str) -> &str {
    &text[..text.floor_char_boundary(200)]
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, stream};
    use serde_json::json;

    use super::{Broken, Frame, Frames};

    async fn read(text: &str, size: usize) -> Result<Vec<Frame>, String> {
        let pieces: Vec<_> = text.as_bytes().chunks(size).map(|piece| Ok(piece.to_vec())).collect();
        let mut frames = Frames::of(stream::iter(pieces).boxed(), 1000);
        let mut read = Vec::new();
        loop {
            match frames.next().await {
                Ok(Some(frame)) => read.push(frame),
                Ok(None) => return Ok(read),
                Err(Broken::Unreadable(message)) => return Err(message),
                Err(Broken::Transport(cause)) => return Err(cause.to_string()),
            }
        }
    }

    #[tokio::test]
    async fn events_and_whole_answers_are_told_apart() {
        let frame = Frame::Data { event: None, value: json!({"größe": "🦀"}) };
        for size in [1, 3, 1000] {
            for (text, count) in [
                ("data: {\"größe\":\"🦀\"}\r\n\r\n: ping\r\n", 2),
                ("\u{feff}data:{\"größe\":\"🦀\"}", 1),
                ("  {\"größe\":\n\"🦀\"}\n", 1),
                ("{\"größe\":\"🦀\"}\n{\"größe\":\"🦀\"}", 2),
            ] {
                let frames = read(text, size).await.expect("is read");
                assert_eq!((&frames[0], frames.len()), (&frame, count), "{text}");
            }
        }
        assert_eq!(read("", 1).await, Ok(vec![]));
    }

    #[tokio::test]
    async fn something_else_is_quoted() {
        for (text, says) in [
            ("<html><h1>Welcome</h1></html>", "Welcome"),
            ("{\"choices\": [", "choices"),
            ("Welcome!\nCome in.\n", "Welcome"),
            ("data: {\"choices\": [\n\n", "cannot be read"),
            (&"x".repeat(2000), "far longer"),
        ] {
            let error = read(text, 7).await.expect_err("an error");
            assert!(error.contains(says), "{error}");
        }
    }
}
