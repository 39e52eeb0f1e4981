use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::Stream;
use futures::stream::{once, unfold};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::{Mock, MockLlm, Refusal, Route, content, read_object};

/// What was sent reaches the caller before the connection breaks.
const BEFORE_THE_CUT: Duration = Duration::from_millis(20);

/// POST /v1/chat/completions
pub(super) async fn complete(
    State(mock): State<Arc<Mock>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    // The request's body and its JSON are gone before the wait begins.
    let request = Request::read(&read_object(body)?, &mock.settings)?;
    let (number, fate) = mock.admit(Route::Chat);
    let cut = fate.wait().await?;
    let pause = match mock.settings.token_rate {
        0.0 => Duration::ZERO,
        rate => Duration::from_secs_f64(1.0 / rate),
    };
    if request.stream {
        let events = Events::new(request, number, pause, cut).stream();
        return Ok(([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response());
    }
    let pieces = u32::try_from(request.tokens()).unwrap_or(u32::MAX);
    sleep(pause.saturating_mul(pieces.saturating_sub(1))).await;
    let answer = request.answer(number);
    Ok(if cut {
        Body::from_stream(broken_off(answer.to_string())).into_response()
    } else {
        Json(answer).into_response()
    })
}

/// The first half of a text, and then the connection breaks.
pub(super) fn broken_off(mut text: String) -> impl Stream<Item = std::io::Result<Bytes>> {
    text.truncate(text.floor_char_boundary(text.len() / 2));
    futures::StreamExt::chain(once(async { Ok(Bytes::from(text)) }), once(break_off()))
}

async fn break_off() -> std::io::Result<Bytes> {
    sleep(BEFORE_THE_CUT).await;
    Err(std::io::Error::other("broken off, as chosen by --cut"))
}

/// What matters of a request.
struct Request {
    model: String,
    content: String,
    finish: &'static str,
    prompt_tokens: usize,
    stream: bool,
    usage: bool,
}

impl Request {
    fn read(request: &Value, settings: &MockLlm) -> Result<Self, Refusal> {
        let messages = request["messages"].as_array().filter(|messages| !messages.is_empty()).ok_or_else(|| {
            Refusal::bad_request("'messages' must be a list of at least one message".to_owned(), Some("messages"))
        })?;
        if !messages.iter().all(|message| message["role"].is_string()) {
            return Err(Refusal::bad_request("Every message needs a 'role'".to_owned(), Some("messages")));
        }
        let most = request["max_completion_tokens"].as_u64().or(request["max_tokens"].as_u64());
        let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        // JSON that ends in the middle would be a fault that nobody asked for.
        let shaped = request["response_format"]["type"].as_str().is_some_and(|form| form.starts_with("json"));
        let fits = shaped || settings.tokens <= most;
        let (words, finish) = if fits { (settings.tokens, "stop") } else { (most, "length") };
        Ok(Self {
            model: request["model"].as_str().unwrap_or_default().to_owned(),
            content: content::answer(request, &content::prose(&settings.text, words)),
            finish,
            prompt_tokens: messages.iter().map(|message| words_of(&message["content"])).sum(),
            stream: request["stream"].as_bool().unwrap_or(false),
            usage: request["stream_options"]["include_usage"].as_bool().unwrap_or(false),
        })
    }

    /// A token is a word with the space after it.
    fn tokens(&self) -> usize {
        self.content.split_inclusive(' ').count()
    }

    fn answer(&self, number: u64) -> Value {
        let message = json!({"role": "assistant", "content": self.content, "refusal": null});
        json!({
            "id": format!("chatcmpl-{number}"), "object": "chat.completion", "created": now(), "model": self.model,
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": self.finish}],
            "usage": self.usage(),
        })
    }

    fn usage(&self) -> Value {
        let (prompt, completion) = (self.prompt_tokens, self.tokens());
        json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})
    }
}

/// Words of a message: a text, or a list of parts.
fn words_of(content: &Value) -> usize {
    match content {
        Value::String(text) => text.split_whitespace().count(),
        Value::Array(parts) => parts.iter().map(|part| words_of(&part["text"])).sum(),
        _ => 0,
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// An answer on its way, written piece by piece so that it takes no more memory than its words.
struct Events {
    request: Request,
    /// All that comes before the choices of a chunk.
    head: String,
    pause: Duration,
    /// When the next token is due.
    due: Instant,
    /// Bytes of the content that were sent.
    sent: usize,
    /// Bytes to send before it breaks off.
    cut: Option<usize>,
    ended: bool,
}

impl Events {
    fn new(request: Request, number: u64, pause: Duration, cut: bool) -> Self {
        let model = Value::from(request.model.as_str());
        let head = format!(
            r#"data: {{"id":"chatcmpl-{number}","object":"chat.completion.chunk","created":{},"model":{model},"#,
            now()
        );
        let cut = cut.then_some(request.content.len() / 2);
        Self { request, head, pause, due: Instant::now(), sent: 0, cut, ended: false }
    }

    fn stream(self) -> impl Stream<Item = std::io::Result<Bytes>> {
        unfold(self, async |mut events| {
            if events.ended {
                return None;
            }
            if events.cut.is_some_and(|cut| events.sent >= cut) && events.sent > 0 {
                events.ended = true;
                return Some((break_off().await, events));
            }
            sleep_until(events.due).await;
            events.due += events.pause;
            Some((Ok(events.next().into()), events))
        })
    }

    /// One token, or all that can be sent at once, with what belongs around it.
    fn next(&mut self) -> String {
        let mut out = String::new();
        if self.sent == 0 {
            self.chunk(&mut out, r#"{"role":"assistant","content":""}"#, None);
        }
        let stop = self.cut.unwrap_or(usize::MAX);
        while self.sent < self.request.content.len().min(stop) {
            let rest = &self.request.content[self.sent..];
            let piece = rest.split_inclusive(' ').next().unwrap_or(rest);
            self.sent += piece.len();
            let delta = format!(r#"{{"content":{}}}"#, Value::from(piece));
            self.chunk(&mut out, &delta, None);
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
        self.chunk(out, "{}", Some(self.request.finish));
        if self.request.usage {
            let usage = self.request.usage();
            out.push_str(&format!("{}\"choices\":[],\"usage\":{usage}}}\n\n", self.head));
        }
        out.push_str("data: [DONE]\n\n");
        self.ended = true;
    }

    fn chunk(&self, out: &mut String, delta: &str, finish: Option<&str>) {
        let finish = Value::from(finish);
        let usage = if self.request.usage { r#","usage":null"# } else { "" };
        let choice = format!(r#"{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}"#);
        out.push_str(&format!("{}\"choices\":[{choice}]{usage}}}\n\n", self.head));
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, TryStreamExt};
    use serde_json::{Value, json};

    use super::{Duration, Events, MockLlm, Request};

    fn five() -> MockLlm {
        MockLlm { tokens: 5, ..MockLlm::default() }
    }

    fn request(extra: &Value) -> Request {
        let mut request = json!({"model": "m", "messages": [{"role": "user", "content": "one two"}], "stream": true,
            "stream_options": {"include_usage": true}});
        for (name, value) in extra.as_object().into_iter().flatten() {
            request[name] = value.clone();
        }
        Request::read(&request, &five()).expect("it is right")
    }

    #[tokio::test]
    async fn a_stream_tells_the_same_as_the_answer() {
        for pause in [0, 1] {
            let whole = request(&json!({}));
            let events = Events::new(request(&json!({})), 1, Duration::from_millis(pause), false).stream();
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
        let events = Events::new(request(&json!({})), 1, Duration::ZERO, true).stream();
        let parts: Vec<_> = events.collect().await;
        assert!(matches!(&parts[..], [Ok(part), Err(_)] if !part.is_empty()), "{parts:?}");
    }

    #[test]
    fn a_limit_on_tokens_holds() {
        let short = request(&json!({"max_tokens": 2}));
        assert_eq!((short.tokens(), short.finish), (2, "length"));
        assert_eq!(request(&json!({"max_tokens": 5})).finish, "stop");
    }

    #[test]
    fn requests_without_messages_are_refused() {
        for messages in [json!(null), json!([]), json!([{"content": "x"}])] {
            assert!(Request::read(&json!({"model": "m", "messages": messages}), &five()).is_err());
        }
    }
}
