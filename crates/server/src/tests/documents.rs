//! What is handed in, before any store sees it: forms, JSON, limits, and who may.

use super::*;

const BOUNDARY: &str = "xYzZY";

fn request(method: &str, path: &str, kind: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("content-type", kind).header("host", "127.0.0.1");
    request.body(body.into()).expect("a request")
}

/// A form with these parts: name, file name, content.
fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Request<Body> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    request("POST", "/apis/documents", &format!("multipart/form-data; boundary={BOUNDARY}"), body)
}

fn app() -> App {
    App::over(Fake::new(&[], Then::Answer), LONG)
}

async fn accepted(request: Request<Body>) -> Value {
    let response = app().send(request).await;
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    assert_eq!(response.headers()["location"], "/apis/jobs/1");
    serde_json::from_str(&text(response).await).expect("a job")
}

#[tokio::test]
async fn files_of_a_form_come_with_their_names_and_the_facts_about_all() {
    let parts: [(&str, Option<&str>, &[u8]); 4] = [
        ("file", Some("a.pdf"), b"%PDF"),
        ("metadata", None, br#"{"topic": "x"}"#),
        ("later", None, b"?"),
        ("file", Some("notes/b.md"), b"# B"),
    ];
    let job = accepted(form(&parts)).await;
    let expected = ["a.pdf None 4 {\"topic\": \"x\"}", "notes/b.md None 3 {\"topic\": \"x\"}"];
    assert_eq!(job["documents"], json!(expected));
}

#[tokio::test]
async fn a_document_in_words_is_markdown_unless_its_name_says_otherwise() {
    for (name, kind) in [("plan", "Some(\"text/markdown\")"), ("plan.txt", "None")] {
        let json = json!({"document": name, "text": "# Plan", "metadata": {"year": 2026}}).to_string();
        let job = accepted(request("POST", "/apis/documents", "application/json", json)).await;
        assert_eq!(job["documents"], json!([format!("{name} {kind} 6 {{\"year\": \"2026\"}}")]));
    }
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_with_its_reason() {
    let json = |json: Value| request("POST", "/apis/documents", "application/json", json.to_string());
    let large = vec![b'x'; (64 << 20) + 1];
    let key = |key: &str| {
        let mut request = json(json!({"document": "a.md", "text": "x"}));
        request.headers_mut().insert("idempotency-key", key.parse().expect("a header"));
        request
    };
    for (request, status, kind) in [
        (request("POST", "/apis/documents", "text/plain", "x"), 415, "unsupported-media-type"),
        (request("POST", "/apis/documents", "multipart/form-data", "x"), 400, "malformed-form"),
        (request("POST", "/apis/documents", "multipart/form-data; boundary=b", "--b\r\n"), 400, "malformed-form"),
        (form(&[]), 422, "invalid-fields"),
        (form(&[("file", None, b"x")]), 422, "invalid-fields"),
        (form(&[("file", Some("a.md"), b"x"), ("metadata", None, b"topic=x")]), 422, "invalid-fields"),
        (form(&[("file", Some("a.md"), &large)]), 413, "body-too-large"),
        (json(json!({"document": "a.md"})), 422, "invalid-fields"),
        (json(json!({"text": "x"})), 422, "invalid-fields"),
        (json(json!([])), 400, "malformed-json"),
        (key(&"k".repeat(201)), 422, "invalid-fields"),
    ] {
        let problem = problem(app().send(request).await, status).await;
        assert_eq!(problem["type"], format!("urn:qanda:problem:{kind}"), "{problem}");
    }
}

#[tokio::test]
async fn only_this_machine_changes_documents() {
    for method in ["POST", "PUT", "DELETE"] {
        let path = if method == "POST" { "/apis/documents" } else { "/apis/documents/1" };
        let mut passed_on = request(method, path, "application/json", r#"{"document": "a.md", "text": "x"}"#);
        passed_on.headers_mut().insert("x-forwarded-for", "10.0.0.9".parse().expect("a header"));
        let problem = problem(app().send(passed_on).await, 403).await;
        assert_eq!(problem["type"], "urn:qanda:problem:writing-not-allowed");
    }
    let mut foreign = request("POST", "/apis/documents", "application/json", r#"{"document": "a.md", "text": "x"}"#);
    foreign.headers_mut().insert("origin", "http://evil.example".parse().expect("a header"));
    assert_eq!(problem(app().send(foreign).await, 403).await["type"], "urn:qanda:problem:foreign-origin");
}

#[tokio::test]
async fn a_store_that_is_away_is_told_as_such() {
    for path in ["/apis/documents", "/apis/documents/1", "/apis/documents/1/original", "/apis/jobs"] {
        let problem = problem(app().send(request("GET", path, "", "")).await, 503).await;
        assert_eq!(problem["type"], "urn:qanda:problem:unavailable");
        assert!(!problem.to_string().contains("secret"), "{problem}");
    }
    let none = problem(app().send(request("GET", "/apis/jobs/1", "", "")).await, 404).await;
    assert_eq!(none["type"], "urn:qanda:problem:no-such-job");
    let wrong = problem(app().send(request("GET", "/apis/documents?limit=0", "", "")).await, 422).await;
    assert_eq!(wrong["errors"][0]["field"], "limit");
}
