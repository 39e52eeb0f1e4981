use std::time::Duration;

use axum::body::Bytes;
use futures::Stream;
use futures::stream::unfold;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::super::Dialect;
use super::request::{Request, now};
use super::{break_off, error};

/// An answer on its way, written piece by piece so that it takes no more memory than its words.
pub(super) struct Events {
    request: Request,
    /// All that comes before the choices of a chunk.
    head: String,
    pause: Duration,
    /// Moment at which the next token is due.
    due: Instant,
    /// Bytes of the content that were sent.
    sent: usize,
    /// Bytes to send before it breaks off.
    cut: Option<usize>,
    ended: bool,
}

impl Events {
    pub(super) fn new(request: Request, number: u64, pause: Duration, cut: bool) -> Self {
        let model = Value::from(request.model.as_str());
        let head = format!(
            r#"data: {{"id":"chatcmpl-{number}","object":"chat.completion.chunk","created":{},"model":{model},"#,
            now()
        );
        let breaks = cut || request.speaks(Dialect::ErrorInStream);
        let cut = breaks.then_some(request.content.len() / 2);
        Self { request, head, pause, due: Instant::now(), sent: 0, cut, ended: false }
    }

    pub(super) fn stream(self) -> impl Stream<Item = std::io::Result<Bytes>> {
        unfold(self, async |mut events| {
            if events.ended {
                return None;
            }
            if events.cut.is_some_and(|cut| events.sent >= cut) && events.sent > 0 {
                events.ended = true;
                let end = if events.request.speaks(Dialect::ErrorInStream) {
                    Ok(format!("data: {}\n\n", error()).into())
                } else {
                    break_off().await
                };
                return Some((end, events));
            }
            sleep_until(events.due).await;
            events.due += events.pause;
            let text = events.next();
            let text = if events.request.speaks(Dialect::Crlf) {
                text.replace("data: ", "data:").replace('\n', "\r\n")
            } else {
                text
            };
            Some((Ok(text.into()), events))
        })
    }

    /// One token, or all that can be sent at once, with what belongs around it.
    fn next(&mut self) -> String {
        let mut out = String::new();
        if self.sent == 0 {
            self.chunk(&mut out, &json!({"role": "assistant", "content": ""}), None);
            if let Some(thought) = self.request.thought() {
                self.chunk(&mut out, &thought, None);
            }
        }
        let stop = self.cut.unwrap_or(usize::MAX);
        while self.sent < self.request.content.len().min(stop) {
            let rest = &self.request.content[self.sent..];
            let piece = rest.split_inclusive(' ').next().unwrap_or(rest);
            self.sent += piece.len();
            let finish = self.request.speaks(Dialect::StopInEveryPiece).then_some("stop");
            self.chunk(&mut out, &json!({"content": self.request.part(piece)}), finish);
            if !self.pause.is_zero() {
                break;
            }
        }
        if self.sent == self.request.content.len() && self.cut.is_none() {
            self.close(&mut out);
        }
        out
    }

    fn close(&mut self, out: &mut String) {
        if !self.request.speaks(Dialect::StopInEveryPiece) && !self.request.speaks(Dialect::NoFinishReason) {
            self.chunk(out, &json!({}), Some(self.request.finish));
        }
        if self.request.usage {
            let usage = self.request.usage();
            out.push_str(&format!("{}\"choices\":[],\"usage\":{usage}}}\n\n", self.head));
        }
        if !self.request.speaks(Dialect::NoDone) {
            out.push_str("data: [DONE]\n\n");
        }
        self.ended = true;
    }

    fn chunk(&self, out: &mut String, delta: &Value, finish: Option<&str>) {
        let finish = Value::from(finish);
        let usage = if self.request.usage { r#","usage":null"# } else { "" };
        let said = if self.request.speaks(Dialect::LegacyText) {
            format!(r#""text":{}"#, delta.get("content").unwrap_or(&Value::from("")))
        } else {
            format!(r#""delta":{delta}"#)
        };
        let choice = format!(r#"{{"index":0,{said},"logprobs":null,"finish_reason":{finish}}}"#);
        out.push_str(&format!("{}\"choices\":[{choice}]{usage}}}\n\n", self.head));
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, TryStreamExt};
    use serde_json::{Value, json};

    use super::super::super::MockLlm;
    use super::{Dialect, Duration, Events, Request};

    fn request(dialects: &[Dialect]) -> Request {
        let request = json!({"model": "m", "messages": [{"role": "user", "content": "one two"}], "stream": true,
            "stream_options": {"include_usage": true}});
        let settings = MockLlm { tokens: 5, dialects: dialects.to_vec(), ..MockLlm::default() };
        Request::read(&request, &settings).expect("it is right")
    }

    async fn text(dialects: &[Dialect]) -> String {
        let events = Events::new(request(dialects), 1, Duration::ZERO, false).stream();
        let bytes: Vec<_> = events.try_collect().await.expect("it does not break");
        String::from_utf8(bytes.concat()).expect("UTF-8")
    }

    #[tokio::test]
    async fn a_stream_tells_the_same_as_the_answer() {
        for pause in [0, 1] {
            let whole = request(&[]);
            let events = Events::new(request(&[]), 1, Duration::from_millis(pause), false).stream();
            let bytes: Vec<_> = events.try_collect().await.expect("it does not break");
            assert_eq!(bytes.len(), if pause == 0 { 1 } else { 5 });
            let text = String::from_utf8(bytes.concat()).expect("UTF-8");
            let mut lines: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
            assert_eq!(lines.pop(), Some("[DONE]"));
            let chunks: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            let words: String = chunks.iter().filter_map(|c| c["choices"][0]["delta"]["content"].as_str()).collect();
            assert_eq!(words, whole.content);
            let usage = &chunks.last().expect("a chunk")["usage"];
            assert_eq!(*usage, json!({"prompt_tokens": 2, "completion_tokens": 5, "total_tokens": 7}));
        }
    }

    #[tokio::test]
    async fn a_cut_stream_says_a_part_and_breaks() {
        let events = Events::new(request(&[]), 1, Duration::ZERO, true).stream();
        let parts: Vec<_> = events.collect().await;
        assert!(matches!(&parts[..], [Ok(part), Err(_)] if !part.is_empty()), "{parts:?}");
    }

    #[tokio::test]
    async fn dialects_are_spoken() {
        assert_eq!(text(&[]).await.matches("\"stop\"").count(), 1);
        assert_eq!(text(&[Dialect::StopInEveryPiece]).await.matches("\"stop\"").count(), 5);
        assert_eq!(text(&[Dialect::NoFinishReason]).await.matches("\"stop\"").count(), 0);
        assert!(!text(&[Dialect::NoDone]).await.contains("[DONE]"));
        let crlf = text(&[Dialect::Crlf]).await;
        assert!(crlf.contains("\r\n\r\ndata:{") && !crlf.contains("data: "), "{crlf}");
        assert!(!text(&[Dialect::LegacyText]).await.contains("delta"));
        let broken = text(&[Dialect::ErrorInStream]).await;
        assert!(broken.contains("\"error\"") && !broken.contains("[DONE]"), "{broken}");
    }
}
