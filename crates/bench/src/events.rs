//! Server-sent events from bytes.

/// Takes bytes as they arrive and gives events, as name and data.
#[derive(Default)]
pub(crate) struct Events {
    /// The part of the current line that has arrived.
    line: Vec<u8>,
    name: String,
    data: String,
}

impl Events {
    /// Takes bytes and returns the events that are complete now.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<(String, String)> {
        let mut events = Vec::new();
        let mut lines = bytes.split(|byte| *byte == b'\n');
        // What follows the last line break is the start of a line that is not complete.
        let rest = lines.next_back().unwrap_or_default();
        for end in lines {
            self.line.extend_from_slice(end);
            let line = std::mem::take(&mut self.line);
            events.extend(self.take(String::from_utf8_lossy(&line).trim_end_matches('\r')));
        }
        self.line.extend_from_slice(rest);
        events
    }

    /// Takes a line. An empty one ends an event; those without a name or data only keep the connection alive.
    fn take(&mut self, line: &str) -> Option<(String, String)> {
        if line.is_empty() {
            let event = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
            return (!event.0.is_empty() || !event.1.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Events;

    #[test]
    fn events_are_joined_across_chunks() {
        let mut events = Events::default();
        assert!(events.push(b"event: token\ndata: {\"te").is_empty());
        let found = events.push(b"xt\":1}\n\n: keep-alive\n\nevent: done\ndata: {}\n\n");
        assert_eq!(found, [("token".to_owned(), "{\"text\":1}".to_owned()), ("done".to_owned(), "{}".to_owned())]);
    }

    #[test]
    fn any_cut_gives_the_same_events() {
        let whole = "event:a\r\ndata: é\r\ndata: 2\r\n\r\ndata:x\r\n\r\n".as_bytes();
        for cut in 0..=whole.len() {
            let mut events = Events::default();
            let mut found = events.push(&whole[..cut]);
            found.extend(events.push(&whole[cut..]));
            assert_eq!(found, [("a".to_owned(), "é\n2".to_owned()), (String::new(), "x".to_owned())], "{cut}");
        }
    }
}
