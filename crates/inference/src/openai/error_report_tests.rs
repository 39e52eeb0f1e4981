use serde_json::json;

use super::ErrorReport;

#[test]
fn every_form_of_error_is_read() {
    for body in [
        r#"{"error": {"message": "No such model", "type": "x", "param": null, "code": 404}}"#,
        r#"{"error": {"message": {"message": "No such model"}}}"#,
        r#"{"error": "No such model"}"#,
        r#"[{"error": {"code": 400, "message": "No such model", "status": "INVALID_ARGUMENT"}}]"#,
        r#"{"message": "400 No such model", "error": {"message": "No such model", "code": 400}, "code": 400}"#,
        r#"{"object": "error", "message": "No such model"}"#,
        r#"{"detail": "No such model"}"#,
        r#"{"detail": {"message": "No such model"}}"#,
        r#"{"error_code": 17, "error_msg": "No such model"}"#,
        r#"{"base_resp": {"status_code": 1004, "status_msg": "No such model"}}"#,
        "No such\n model\n",
        "<html><h1>No such</h1><p>model</p></html>",
    ] {
        assert_eq!(ErrorReport::read(body.as_bytes()).message, "No such model", "{body}");
    }
    assert_eq!(ErrorReport::read(b"").message, "");
    let list = ErrorReport::read(br#"{"detail": [{"loc": ["body", "model"], "msg": "field required"}]}"#);
    assert!(list.message.contains("field required"), "{list:?}");
    assert!(ErrorReport::read("x".repeat(100_000).as_bytes()).shown().len() < 400);
    let behind = json!({"error": {"message": "Provider returned error", "code": 429,
        "metadata": {"raw": "Slow down", "error_type": "rate_limit"}}});
    let behind = ErrorReport::of(&behind);
    assert_eq!((behind.message.as_str(), behind.status()), ("Provider returned error: Slow down", Some(429)));
}

#[test]
fn answers_are_told_from_errors_of_status_200() {
    for error in [
        json!({"error": {"message": "no", "code": "429"}}),
        json!({"error": "no", "choices": []}),
        json!([{"error": {"code": 400, "message": "no"}}]),
        json!({"object": "error", "message": "no"}),
        json!({"code": 20003, "message": "no", "data": null}),
        json!({"detail": "no"}),
        json!({"type": "invalid_request_error", "message": "no"}),
        json!({"choices": null, "base_resp": {"status_code": 1004, "status_msg": "no"}}),
    ] {
        assert_eq!(ErrorReport::in_answer(&error).expect("an error").message, "no", "{error}");
    }
    for answer in [
        json!({"choices": [{"delta": {"content": "error"}}], "error": null}),
        json!({"choices": [], "usage": {"total_tokens": 3}, "error": {}}),
        json!({"data": [{"embedding": [1.0]}], "code": 0, "message": "ok"}),
        json!({"choices": [{"text": "a"}], "base_resp": {"status_code": 0, "status_msg": ""}}),
        json!({"usage": {"total_tokens": 3}}),
        json!({"status": "processing", "message": "queued"}),
        json!({"type": "ping", "message": ""}),
        json!([[0.1, 0.2]]),
    ] {
        assert_eq!(ErrorReport::in_answer(&answer), None, "{answer}");
    }
}

#[test]
fn kinds_stand_for_a_status() {
    for (error, status) in [
        (json!({"code": 502, "message": "x"}), Some(502)),
        (json!({"code": "429", "message": "x"}), Some(429)),
        (json!({"code": "rate_limit_exceeded", "message": "x"}), Some(429)),
        (json!({"type": "overloaded_error", "message": "x"}), Some(503)),
        (json!({"type": "server_error", "message": "x"}), Some(503)),
        (json!({"type": "invalid_request_error", "message": "x"}), Some(400)),
        (json!({"status": "RESOURCE_EXHAUSTED", "message": "x"}), Some(429)),
        (json!({"message": "x"}), None),
    ] {
        assert_eq!(ErrorReport::of(&error).status(), status, "{error}");
    }
}

#[test]
fn fields_with_lengths_come_before_words() {
    let error = json!({"error": {"code": 400, "message": "the request exceeds the available context size",
        "type": "exceed_context_size_error", "n_prompt_tokens": 5218, "n_ctx": 4096}});
    let report = ErrorReport::of(&error);
    assert!(report.is_about_length());
    assert_eq!(report.lengths(), (Some(5218), Some(4096)));
    let code = ErrorReport::of(&json!({"message": "No.", "code": "context_length_exceeded"}));
    assert!(code.is_about_length());
    assert_eq!(code.lengths(), (None, None));
}
