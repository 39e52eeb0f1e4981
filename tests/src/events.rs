//! Reading server-sent events.

use std::io::{BufRead, BufReader};

use reqwest::blocking::Response;
use serde_json::Value;

/// The events of a response: name and data, as they arrive. Dropping it closes the connection.
#[derive(Debug)]
pub struct Events(BufReader<Response>);

impl Events {
    /// The events of a response, which must be a stream of them.
    #[must_use]
    pub fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        let kind = response.headers()["content-type"].to_str().expect("a name").to_owned();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        Self(BufReader::new(response))
    }
}

impl Iterator for Events {
    type Item = (String, Value);

    fn next(&mut self) -> Option<Self::Item> {
        let (mut name, mut data) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).expect("the stream does not break off") == 0 {
                assert!(name.is_empty() && data.is_empty(), "the stream ends in the middle of an event");
                return None;
            }
            match line.trim_end_matches(['\r', '\n']).split_once(':') {
                Some(("event", value)) => value.trim_start().clone_into(&mut name),
                Some(("data", value)) => data.push_str(value.trim_start()),
                // An empty line ends an event; comments only keep the connection alive.
                None if !name.is_empty() => return Some((name, serde_json::from_str(&data).expect("data is JSON"))),
                _ => {}
            }
        }
    }
}
