//! Streams: their shapes, their ends, and what is none.

use std::time::{Duration, Instant};

use qanda_core::ModelError;
use qanda_core::ports::Finish;
use serde_json::json;

use crate::asking::{ask, error as ask_in_vain, good_answer, later_failure, model};
use crate::scripted::{Act, END, Reply, answer, chunk, good, stream, stream_head, token};

fn send(text: &str) -> Act {
    Act::Send(text.as_bytes().to_vec())
}

/// A reply with these headers instead of the usual ones.
fn raw(head: &str, body: &str) -> Reply {
    vec![send(&format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{head}\r\n{body}"))]
}

#[tokio::test]
async fn streams_of_every_shape_are_read() {
    let whole = json!({"choices": [{"message": {"content": "Yes, it is."}, "finish_reason": "stop"}]}).to_string();
    let good = token("Yes, ") + &token("it is.") + END;
    let stop = |text: &str| chunk(&json!({"content": text}), Some("stop"));
    let usage = "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\n";
    let sse = "content-type: text/event-stream\r\n";
    for (name, reply) in [
        ("a reason in every piece", stream(&(stop("") + &stop("Yes, ") + &stop("it is.") + "data: [DONE]\n\n"))),
        ("a reason in every piece, no [DONE]", stream(&(stop("Yes, ") + &stop("it is.")))),
        ("a reason with the last text", stream(&(token("Yes, ") + &stop("it is.")))),
        ("no reason", stream(&(token("Yes, ") + &token("it is.") + "data: [DONE]\n\n"))),
        ("no reason but the cost", stream(&(token("Yes, ") + &token("it is.") + usage))),
        ("no [DONE]", stream(&(token("Yes, it is.") + &chunk(&json!({}), Some("eos"))))),
        (
            "empty choices first",
            stream(&("data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n".to_owned() + &good)),
        ),
        ("choices null", stream(&("data: {\"choices\":null,\"error\":null}\n\n".to_owned() + &good))),
        ("CRLF", stream(&good.replace('\n', "\r\n"))),
        ("no space, no empty lines", stream(&good.replace("data: ", "data:").replace("\n\n", "\n"))),
        ("comments", stream(&(": OPENROUTER PROCESSING\n\n".to_owned() + &good.replace("\n\n", "\n\n: x\n\n")))),
        ("a prefix twice", stream(&good.replace("data: ", "data: data: "))),
        ("the older form", stream(&("data: {\"choices\":[{\"text\":\"Yes, it is.\"}]}\n\n".to_owned() + END))),
        (
            "lists of parts",
            stream(&(chunk(&json!({"content": [{"type": "text", "text": "Yes, it is."}]}), None) + END)),
        ),
        ("no content type", raw("", &good)),
        ("a wrong content type", raw("content-type: application/json\r\n", &good)),
        ("a whole answer", answer("200 OK", "", &whole)),
        ("a whole answer called a stream", raw(sse, &whole)),
        ("lines of JSON", raw(sse, &good.replace("data: ", "").replace("[DONE]", ""))),
        ("a byte order mark", raw(sse, &("\u{feff}".to_owned() + &good))),
    ] {
        let (endpoint, model) = model(vec![reply]).await;
        let (text, end) = ask(&model).await;
        assert_eq!((text.as_str(), end.ok()), ("Yes, it is.", Some(Finish::Stop)), "{name}");
        assert_eq!(endpoint.requests().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn characters_cut_in_two_are_read() {
    let body = (": waiting\n\n".to_owned() + &token("größer 漢字 🦀") + &token("\n") + END).replace('\n', "\r\n");
    let mut reply = vec![stream_head()];
    for piece in body.into_bytes().chunks(5) {
        reply.extend([Act::Send(piece.to_vec()), Act::Wait(Duration::from_micros(500))]);
    }
    let (_endpoint, model) = model(vec![reply]).await;
    assert_eq!(good_answer(&model).await, "größer 漢字 🦀\n");
}

#[tokio::test]
async fn the_limit_of_tokens_is_reported() {
    for word in ["length", "max_tokens", "MAX_TOKENS", "model_length"] {
        for end in ["", "data: [DONE]\n\n"] {
            let (_endpoint, model) = model(vec![stream(&(token("all") + &chunk(&json!({}), Some(word)) + end))]).await;
            let (text, end) = ask(&model).await;
            assert_eq!((text.as_str(), end.ok()), ("all", Some(Finish::Length)), "{word}");
        }
    }
}

#[tokio::test]
async fn an_answer_with_a_reason_ends_when_nothing_more_comes() {
    let stop = chunk(&json!({}), Some("stop"));
    let open = vec![stream_head(), send(&(token("Yes.") + &stop)), Act::Wait(Duration::from_secs(20))];
    let (_endpoint, model) = model(vec![open]).await;
    let began = Instant::now();
    assert_eq!(good_answer(&model).await, "Yes.");
    assert!(began.elapsed() < Duration::from_secs(10), "the open connection is not waited for");
}

#[tokio::test]
async fn a_reason_in_every_piece_makes_silence_no_end() {
    let stop = |text: &str| chunk(&json!({"content": text}), Some("stop"));
    let pause = Act::Wait(Duration::from_millis(100));
    let slow = vec![stream_head(), send(&stop("Yes, ")), pause, send(&stop("it is.")), send("data: [DONE]\n\n")];
    let silent = vec![stream_head(), send(&(stop("Yes, ") + &stop("it"))), Act::Wait(Duration::from_secs(20))];
    let (_endpoint, model) = model(vec![slow, silent]).await;
    assert_eq!(good_answer(&model).await, "Yes, it is.");
    let (text, end) = ask(&model).await;
    assert_eq!(text, "Yes, it");
    assert!(matches!(end, Err(ModelError::Interrupted { .. })), "{end:?}");
}

#[tokio::test]
async fn a_cut_stream_is_never_an_end() {
    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let event = token("half an");
    let piece = format!("{:x}\r\n{event}\r\n", event.len());
    for reply in [
        stream(&event),
        stream(&event[..event.len() - 1]),
        stream(&(event.clone() + "data: {\"choices\": [{\"del")),
        // llama-cpp-python sends this when it drops one answer for the next.
        stream(&(event.clone() + "data: [DONE]\n\n")),
        vec![send(chunked), send(&piece)],
        stream(&(event.clone() + &chunk(&json!({}), Some("error")))),
        stream(&(event.clone() + &chunk(&json!({}), Some("insufficient_system_resource")))),
    ] {
        let (text, error) = later_failure(reply).await;
        assert_eq!(text, "half an", "what came is passed on");
        assert!(matches!(error, ModelError::Interrupted { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_without_a_word_is_none() {
    let (endpoint, model_) = model(vec![stream(END), good("yes")]).await;
    assert_eq!(good_answer(&model_).await, "yes");
    assert_eq!(endpoint.requests().len(), 2);
    let (_, error) = later_failure(stream(END)).await;
    assert!(matches!(error, ModelError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn silence_is_noticed_between_tokens() {
    let silent = Duration::from_secs(20);
    let began = Instant::now();
    let (text, error) = later_failure(vec![stream_head(), send(&token("half")), Act::Wait(silent)]).await;
    assert!(text == "half" && matches!(error, ModelError::Interrupted { .. }), "{error:?}");
    assert!(error.to_string().contains("silent") && began.elapsed() < silent / 2, "{error}");
}

#[tokio::test]
async fn errors_and_nonsense_in_a_stream_are_errors() {
    let gone = r#"{"error":{"message":"CUDA is out of memory","code":400}}"#;
    for (bad, says) in [
        ("data: {\"choices\": [\n\n".to_owned(), "cannot be read"),
        ("data: hello\n\n".to_owned(), "cannot be read"),
        (format!("data: {gone}\n\n"), "out of memory"),
        (format!("event: error\ndata: {gone}\n\n"), "out of memory"),
        ("data: {\"object\":\"error\",\"message\":\"CUDA is out of memory\"}\n\n".to_owned(), "out of memory"),
        (chunk(&json!({}), Some("content_filter")), "filter"),
        (chunk(&json!({}), Some("SAFETY")), "filter"),
    ] {
        for before in ["", "half"] {
            let start = if before.is_empty() { String::new() } else { token(before) };
            let (text, error) = later_failure(stream(&(start + &bad + END))).await;
            assert!(text == before && error.to_string().contains(says), "{error:?}");
            let is_filter = matches!(error, ModelError::Filtered { .. });
            assert_eq!(is_filter, says == "filter", "{error:?}");
        }
    }
}

#[tokio::test]
async fn errors_inside_an_answer_of_status_200_are_tried_again_or_understood() {
    let slow_down = r#"{"error":{"message":"Slow down","code":429}}"#;
    for reply in [stream(&format!("data: {slow_down}\n\n")), answer("200 OK", "", slow_down)] {
        let (endpoint, model) = model(vec![reply, good("yes")]).await;
        assert_eq!(good_answer(&model).await, "yes");
        assert_eq!(endpoint.requests().len(), 2);
    }
    let wrong_key = answer("200 OK", "", r#"{"error":{"message":"No such key","code":401}}"#);
    let (_endpoint, model) = model(vec![wrong_key]).await;
    let refused = ask_in_vain(&model).await;
    assert!(matches!(&refused, ModelError::Refused { message } if message.contains("API_KEY")), "{refused:?}");
}

#[tokio::test]
async fn something_else_than_an_answer_is_said() {
    for (reply, says) in [
        (answer("200 OK", "", "<html>Welcome!</html>"), "Welcome"),
        (raw("content-type: text/plain\r\n", "Welcome!\n"), "Welcome"),
        (vec![stream_head(), Act::Send(vec![b'x'; 2 << 20])], "far longer"),
    ] {
        let (_endpoint, model) = model(vec![reply]).await;
        let error = ask_in_vain(&model).await;
        assert!(matches!(error, ModelError::Unreadable { .. }), "{error:?}");
        assert!(error.to_string().contains(says), "{error}");
    }
}
