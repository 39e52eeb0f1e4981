//! Server-sent events, read as leniently as servers write them: without the space behind `data:`, with CRLF, without the
//! empty line between two events, with a prefix that a gateway wrote twice, with an end that lacks its newline.

use serde_json::Value;

/// A part of a stream.
#[derive(Debug, PartialEq)]
pub(super) enum Frame {
    /// A JSON value, with the name of its event where it has one.
    Data { event: Option<String>, value: Value },
    /// `[DONE]`
    Done,
    /// A sign of life that says nothing.
    Ping,
}

/// Data that is no JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotJson(pub(super) String);

/// The event that is being read.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    event: Option<String>,
    /// Lines of data that are not a whole JSON value yet.
    data: String,
}

impl EventReader {
    /// Takes a line without its end and returns what is complete with it. An event is complete as soon as its data is a
    /// JSON value: the empty line behind it may be missing.
    ///
    /// # Errors
    /// When an event ends and its data is no JSON.
    pub(super) fn line(&mut self, line: &str) -> Result<Option<Frame>, NotJson> {
        if line.is_empty() {
            return self.end_of_event();
        }
        if line.starts_with(':') {
            return Ok(Some(Frame::Ping));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field.trim() {
            "data" => Ok(self.data_line(value)),
            "event" => {
                self.event = Some(value.trim().to_owned());
                Ok(None)
            }
            // Lines of JSON without anything around them.
            _ if line.trim_start().starts_with('{') => Ok(self.data_line(line)),
            _ => Ok(None),
        }
    }

    fn data_line(&mut self, value: &str) -> Option<Frame> {
        let mut value = value;
        while let Some(rest) = value.trim_start().strip_prefix("data:") {
            value = rest;
        }
        if self.data.is_empty() && value.trim() == "[DONE]" {
            return Some(Frame::Done);
        }
        if !self.data.is_empty() {
            self.data.push('\n');
        }
        self.data.push_str(value);
        let value = serde_json::from_str(&self.data).ok()?;
        self.data.clear();
        Some(Frame::Data { event: self.event.clone(), value })
    }

    fn end_of_event(&mut self) -> Result<Option<Frame>, NotJson> {
        self.event = None;
        let data = std::mem::take(&mut self.data);
        if data.trim().is_empty() { Ok(None) } else { Err(NotJson(data)) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{EventReader, Frame, NotJson};

    fn read(text: &str) -> Result<Vec<Frame>, NotJson> {
        let mut reader = EventReader::default();
        let frames = text.lines().map(|line| reader.line(line)).collect::<Result<Vec<_>, _>>()?;
        Ok(frames.into_iter().flatten().collect())
    }

    fn data(event: Option<&str>, number: u32) -> Frame {
        Frame::Data { event: event.map(str::to_owned), value: json!({"n": number}) }
    }

    #[test]
    fn events_are_read_in_every_form() {
        for text in [
            "data: {\"n\":1}\n\ndata: {\"n\":2}\n\ndata: [DONE]\n\n",
            "data:{\"n\":1}\n\ndata:{\"n\":2}\n\ndata:[DONE]",
            "data: {\"n\":1}\ndata: {\"n\":2}\ndata: [DONE]",
            "data: data: {\"n\":1}\n\ndata: {\"n\":\ndata: 2}\n\ndata: [DONE]\n",
            "id: 1\nretry: 5\ndata: {\"n\":1}\n\nwhatever\ndata: {\"n\":2}\n\ndata: \n\ndata: [DONE]\n",
            "{\"n\":1}\n{\"n\":2}\ndata: [DONE]",
        ] {
            assert_eq!(read(text), Ok(vec![data(None, 1), data(None, 2), Frame::Done]), "{text}");
        }
        let named = read(": wait\n\nevent: error\ndata: {\"n\":1}\n\ndata: {\"n\":2}\n\n");
        assert_eq!(named, Ok(vec![Frame::Ping, data(Some("error"), 1), data(None, 2)]));
    }

    #[test]
    fn data_that_is_no_json_is_an_error_at_the_end_of_its_event() {
        assert_eq!(read("data: hello\n\n"), Err(NotJson("hello".into())));
        assert_eq!(read("data: {\"n\":\n\ndata: 1"), Err(NotJson("{\"n\":".into())));
        assert_eq!(read("data: {\"n\":"), Ok(vec![]), "it is cut, which its end tells");
    }
}
