//! Documents over HTTP: handed in, listed, read, asked about, replaced and removed, over the real server.

use std::path::Path;
use std::time::Duration;

use qanda_tests::answer::{documents, problem, text};
use qanda_tests::binary::{command, signal};
use qanda_tests::data::{argument, folder, ingest, write};
use qanda_tests::events::Events;
use qanda_tests::{Chroma, Mock, Server, qanda, wait_until};
use reqwest::blocking::{RequestBuilder, Response};
use serde_json::{Value, json};

const BOUNDARY: &str = "a-line-that-no-document-has";
const PLAN: &str = "# Ward plan\n\nThe tea kitchen on the third floor opens at half past six.\n";

/// A request with a form of files.
fn form(request: RequestBuilder, files: &[(&str, &[u8])]) -> RequestBuilder {
    let mut body = Vec::new();
    for (name, content) in files {
        let head =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}")).body(body)
}

fn upload(server: &Server, files: &[(&str, &[u8])]) -> Response {
    form(server.post("/apis/documents"), files).send().expect("responds")
}

/// The JSON of a response that must have this status.
fn body(response: Response, status: u16) -> Value {
    let (got, body) = (response.status().as_u16(), response.text().expect("a body"));
    assert_eq!(got, status, "{body}");
    serde_json::from_str(&body).expect("JSON")
}

fn get(server: &Server, path: &str) -> Value {
    body(server.get(path).send().expect("responds"), 200)
}

/// A job at its end.
fn end_of(server: &Server, job: &Value) -> Value {
    let path = format!("/apis/jobs/{}", job["id"].as_str().expect("an id"));
    wait_until("the job ends", || !get(server, &path)["ended"].is_null());
    get(server, &path)
}

fn paths(list: &Value) -> Vec<&str> {
    let documents = list["documents"].as_array().expect("a list").iter();
    documents.map(|document| document["document"].as_str().expect("a path")).collect()
}

fn ask(server: &Server, content: &str) -> Value {
    body(server.ask(&json!({"content": content})), 200)
}

#[test]
fn a_document_is_handed_in_asked_about_replaced_and_removed() {
    const OPENS: &str = "When does the tea kitchen on the third floor open?";
    let data = folder();
    let server = Server::start(data.path(), &[]);
    let taken = upload(&server, &[("plan.md", PLAN.as_bytes()), ("broken.pdf", b"%PDF-1.7 and nothing")]);
    let place = taken.headers()["location"].to_str().expect("a path").to_owned();
    let taken = body(taken, 202);
    assert_eq!((&taken["total"], &taken["documents"]), (&json!(2), &json!(["plan.md", "broken.pdf"])));
    assert_eq!(place, format!("/apis/jobs/{}", taken["id"].as_str().expect("an id")));
    let end = end_of(&server, &taken);
    assert_eq!((&end["state"], &end["done"]), (&json!("done"), &json!(2)), "{end:#}");
    assert_eq!(end["failures"][0]["document"], "broken.pdf", "{end:#}");
    assert_eq!(get(&server, "/apis/jobs")["jobs"][0], end);

    let list = get(&server, "/apis/documents");
    assert_eq!((paths(&list), &list["writable"]), (vec!["plan.md"], &json!(true)));
    let document = &list["documents"][0];
    assert_eq!(
        (&document["origin"], &document["state"], &document["title"]),
        (&json!("upload"), &json!("current"), &json!("Ward plan"))
    );
    let one = format!("/apis/documents/{}", document["id"].as_str().expect("an id"));
    assert_eq!(get(&server, &one), *document);
    let passage = &get(&server, &format!("{one}/passages"))["passages"][0];
    let place = |name: &str| usize::try_from(passage[name].as_u64().expect("a number")).expect("a small one");
    assert_eq!(passage["text"], PLAN[place("start")..place("end")]);
    for part in ["text", "original"] {
        let response = server.get(&format!("{one}/{part}")).send().expect("responds");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.text().expect("a text"), PLAN, "{part}");
    }
    let answer = ask(&server, OPENS);
    assert!(text(&answer).contains("half past six") && documents(&answer) == ["plan.md"], "{answer:#}");

    let later = PLAN.replace("six", "seven");
    let job = body(form(server.put(&one), &[("any name", later.as_bytes())]).send().expect("responds"), 202);
    assert_eq!(end_of(&server, &job)["documents"], json!(["plan.md"]));
    let answer = ask(&server, OPENS);
    assert!(text(&answer).contains("half past seven") && !text(&answer).contains("six"), "{answer:#}");
    assert_eq!(get(&server, &one)["id"], document["id"]);

    assert_eq!(server.delete(&one).send().expect("responds").status(), 204);
    let answer = ask(&server, OPENS);
    assert!(documents(&answer).is_empty() && !text(&answer).contains("seven"), "{answer:#}");
    assert_eq!(problem(server.get(&one).send().expect("responds"), 404)["type"], "urn:qanda:problem:no-such-document");
    assert_eq!(
        problem(server.delete(&one).send().expect("responds"), 404)["type"],
        "urn:qanda:problem:no-such-document"
    );
    // Its original is gone, too; only the file that is locked is left.
    assert_eq!(std::fs::read_dir(data.path().join("originals")).expect("a folder").count(), 1);
}

#[test]
fn the_list_is_searched_and_paged_and_a_folders_files_are_told_from_uploads() {
    let (data, docs) = (folder(), folder());
    for name in ["alpha.md", "beta.md", "gamma.md"] {
        write(docs.path(), name, format!("# About {name}\n\nSome words."));
    }
    ingest(data.path(), docs.path());
    let server = Server::start(data.path(), &["--passage-tokens", "64"]);
    end_of(&server, &body(upload(&server, &[("delta.md", b"# Delta\n\nWords of delta.")]), 202));
    let first = get(&server, "/apis/documents?limit=3");
    let next = first["next"].as_str().expect("there is more");
    let second = get(&server, &format!("/apis/documents?limit=3&after={next}"));
    assert_eq!((paths(&first).len(), paths(&second), &second["next"]), (3, vec!["delta.md"], &Value::Null));
    let found = get(&server, "/apis/documents?q=ABOUT+beta");
    assert_eq!(paths(&found).len(), 1);
    assert_eq!(found["documents"][0]["origin"], "folder");
    let path = found["documents"][0]["document"].as_str().expect("a path");
    assert_eq!(paths(&get(&server, &format!("/apis/documents?document={path}"))), [path]);
    assert!(paths(&get(&server, "/apis/documents?state=expired")).is_empty());

    // A file's original is the file; without it there is none, and it is not for an upload to replace.
    let one = format!("/apis/documents/{}", found["documents"][0]["id"].as_str().expect("an id"));
    let original = server.get(&format!("{one}/original")).send().expect("responds");
    assert_eq!(original.headers()["content-disposition"], "inline; filename*=UTF-8''beta.md");
    assert!(original.text().expect("a text").contains("About beta.md"));
    std::fs::remove_file(docs.path().join("beta.md")).expect("is removed");
    let gone = problem(server.get(&format!("{one}/original")).send().expect("responds"), 410);
    assert_eq!(gone["type"], "urn:qanda:problem:original-gone");
    let refused = problem(form(server.put(&one), &[("x.md", b"x")]).send().expect("responds"), 409);
    assert_eq!(refused["type"], "urn:qanda:problem:belongs-to-folder");

    // An upload is not pruned with the folder, whatever the folder is.
    let pruned = qanda(&["ingest", argument(docs.path()), "--prune", "--data-dir", argument(data.path()), "--json"]);
    assert_eq!(pruned.ok().json()["removed"], 1);
    assert_eq!(paths(&get(&server, "/apis/documents")).len(), 3);
}

#[test]
fn a_request_that_is_sent_again_is_one_job() {
    let (data, model) = (folder(), Mock::shared());
    let server = Server::start(data.path(), &model.arguments());
    let send = |text: &str| {
        let json = json!({"document": "note.md", "text": text, "metadata": {"ward": 3}});
        server.post("/apis/documents").header("Idempotency-Key", "n1").json(&json).send().expect("responds")
    };
    let first = body(send("One."), 202);
    assert_eq!(body(send("One."), 202)["id"], first["id"]);
    let other = problem(send("Two."), 422);
    assert_eq!(other["type"], "urn:qanda:problem:idempotency-key-reused");
    let job = format!("/apis/jobs/{}", first["id"].as_str().expect("an id"));
    let stream = server.get(&job).header("accept", "text/event-stream").send().expect("responds");
    let events: Vec<(String, Value)> = Events::of(stream).collect();
    let (name, last) = events.last().expect("an event");
    assert_eq!((name.as_str(), &last["state"], &last["done"]), ("done", &json!("done"), &json!(1)), "{events:?}");
    assert!(events.iter().rev().skip(1).all(|(name, _)| name == "progress"), "{events:?}");
    assert_eq!(get(&server, "/apis/documents")["documents"][0]["metadata"], json!({"ward": "3"}));
    assert_eq!(get(&server, "/apis/jobs")["jobs"].as_array().map(Vec::len), Some(1));
    server.assert_healthy();
}

#[test]
fn a_document_that_is_too_large_is_refused_and_nothing_of_it_is_kept() {
    let (data, model) = (folder(), Mock::shared());
    let server = Server::start(data.path(), &model.arguments());
    let large = vec![b'x'; (64 << 20) + 1];
    let refused = problem(upload(&server, &[("small.md", b"Words."), ("large.txt", &large)]), 413);
    assert_eq!(refused["detail"], "large.txt is larger than 64 MiB");
    assert!(paths(&get(&server, "/apis/documents")).is_empty());
    assert!(get(&server, "/apis/jobs")["jobs"].as_array().expect("a list").is_empty());
    server.assert_healthy();
}

/// Twelve documents of a passage each.
fn notes() -> Vec<(String, Vec<u8>)> {
    (0..12).map(|n| (format!("note-{n}.md"), format!("# Note {n}\n\nWords of note {n}.").into_bytes())).collect()
}

fn as_files(notes: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    notes.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

#[test]
fn a_job_survives_the_end_of_the_service() {
    let (data, notes) = (folder(), notes());
    let job = {
        let slow = Mock::start(&["--embedding-latency", "4s"]);
        let mut server = Server::start(data.path(), &slow.arguments());
        let job = body(upload(&server, &as_files(&notes)), 202);
        let path = format!("/apis/jobs/{}", job["id"].as_str().expect("an id"));
        wait_until("the job runs", || get(&server, &path)["state"] == "running");
        server.signal("KILL");
        let _ = server.wait();
        job
    };
    let model = Mock::shared();
    let server = Server::start(data.path(), &model.arguments());
    let end = end_of(&server, &job);
    assert_eq!((&end["state"], &end["done"], &end["failures"]), (&json!("done"), &json!(12), &json!([])), "{end:#}");
    assert_eq!(paths(&get(&server, "/apis/documents")).len(), 12);
}

#[test]
fn who_follows_a_job_does_not_hold_up_the_end_of_the_service() {
    let (data, notes) = (folder(), notes());
    let slow = Mock::start(&["--embedding-latency", "8s"]);
    let mut server = Server::start(data.path(), &slow.arguments());
    let job = body(upload(&server, &as_files(&notes)), 202);
    let path = format!("/apis/jobs/{}", job["id"].as_str().expect("an id"));
    let stream = server.get(&path).header("accept", "text/event-stream").send().expect("responds");
    let mut events = Events::of(stream);
    assert_eq!(events.next().expect("an event").0, "progress");
    server.signal("TERM");
    let names: Vec<String> = events.map(|(name, _)| name).collect();
    assert!(!names.iter().any(|name| name == "done"), "the job was waited for: {names:?}");
    assert!(server.wait().success());
}

#[test]
fn one_of_several_workers_does_the_jobs_and_all_tell_of_them() {
    let (data, model, notes) = (folder(), Mock::shared(), notes());
    let server = Server::start(data.path(), &[&model.arguments()[..], &["--workers", "2"]].concat());
    let files = as_files(&notes);
    let jobs: Vec<Value> = files.chunks(2).map(|files| body(upload(&server, files), 202)).collect();
    for job in &jobs {
        let end = end_of(&server, job);
        assert_eq!((&end["state"], &end["done"]), (&json!("done"), &json!(2)), "{end:#}");
    }
    assert_eq!(paths(&get(&server, "/apis/documents")).len(), 12);
    // The worker that did them is gone: the other one, or its successor, does the next.
    let worker = server.workers()[0];
    assert!(signal(worker, "KILL"));
    let job = wait_for_upload(&server, ("more.md", b"More words."));
    assert_eq!(end_of(&server, &job)["state"], "done");
}

/// Hands a document in as soon as somebody takes it: a connection may end with the worker that had it.
fn wait_for_upload(server: &Server, file: (&str, &[u8])) -> Value {
    for _ in 0..100 {
        match form(server.post("/apis/documents"), &[file]).send() {
            Ok(response) => return body(response, 202),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
    panic!("nobody takes the document");
}

#[test]
fn on_an_address_that_others_reach_nothing_is_changed() {
    let (data, model) = (folder(), Mock::shared());
    let serve = ["serve", "--listen", "0.0.0.0:0", "--insecure-no-auth", "--data-dir", argument(data.path())];
    let mut server = Server::run(command(&[&serve[..], &model.arguments()].concat()));
    server.wait_until_ready();
    let requests =
        [server.post("/apis/documents"), server.put("/apis/documents/1"), server.delete("/apis/documents/1")];
    for request in requests {
        let refused = problem(form(request, &[("a.md", b"x")]).send().expect("responds"), 403);
        assert_eq!(refused["type"], "urn:qanda:problem:writing-not-allowed");
    }
    assert_eq!(get(&server, "/apis/documents")["writable"], false);
}

#[test]
fn over_chroma_passages_are_there_and_originals_are_not() {
    let Some(chroma) = Chroma::shared() else { return };
    let (data, port) = (folder(), chroma.port().to_string());
    let store =
        ["--store", "chroma", "--chroma-host", "127.0.0.1", "--chroma-port", &port, "--chroma-collection", "uploads"];
    let model = Mock::shared();
    let server = Server::start(data.path(), &[&store[..], &model.arguments()].concat());
    let end = end_of(&server, &body(upload(&server, &[("plan.md", PLAN.as_bytes())]), 202));
    assert_eq!((&end["state"], &end["failures"]), (&json!("done"), &json!([])), "{end:#}");
    let list = get(&server, "/apis/documents?q=ward");
    assert_eq!((paths(&list), &list["documents"][0]["origin"]), (vec!["plan.md"], &json!("upload")));
    let one = format!("/apis/documents/{}", list["documents"][0]["id"].as_str().expect("an id"));
    let passages = get(&server, &format!("{one}/passages"));
    assert!(passages["passages"][0]["text"].as_str().expect("a text").contains("half past six"), "{passages:#}");
    for (part, kind) in [("text", "no-text"), ("original", "no-original")] {
        let none = problem(server.get(&format!("{one}/{part}")).send().expect("responds"), 404);
        assert_eq!(none["type"], format!("urn:qanda:problem:{kind}"));
        assert!(none["detail"].as_str().expect("a reason").contains("Chroma"), "{none:#}");
    }
    wait_until("nothing of the upload is kept", || originals(data.path()) == 0);
    assert_eq!(server.delete(&one).send().expect("responds").status(), 204);
    assert!(paths(&get(&server, "/apis/documents")).is_empty());
}

#[test]
fn over_chroma_a_service_without_a_disk_answers_and_takes_no_documents() {
    let Some(chroma) = Chroma::shared() else { return };
    let (data, docs, port, model) = (folder(), folder(), chroma.port().to_string(), Mock::shared());
    write(docs.path(), "plan.md", PLAN);
    let store =
        ["--store", "chroma", "--chroma-host", "127.0.0.1", "--chroma-port", &port, "--chroma-collection", "diskless"];
    let embedder = ["--embedder", "openai", "--openai-base-url", model.base_url()];
    let _ = qanda(&[&["ingest", argument(docs.path())], &store[..], &embedder].concat()).ok();
    // A folder that cannot be made, whoever runs this.
    let below_a_file = write(data.path(), "file", "").join("data");
    let server = Server::start(&below_a_file, &[&store[..], &model.arguments()].concat());
    let list = get(&server, "/apis/documents");
    assert_eq!(paths(&list).len(), 1, "{list:#}");
    let refused = problem(upload(&server, &[("more.md", b"More words.")]), 503);
    assert_eq!(refused["type"], "urn:qanda:problem:unavailable");
    let one = format!("/apis/documents/{}", list["documents"][0]["id"].as_str().expect("an id"));
    assert_eq!(server.delete(&one).send().expect("responds").status(), 204);
    server.assert_healthy();
}

/// Number of the originals in a data directory, beside the file that is locked.
fn originals(data: &Path) -> usize {
    std::fs::read_dir(data.join("originals")).expect("a folder").count() - 1
}
