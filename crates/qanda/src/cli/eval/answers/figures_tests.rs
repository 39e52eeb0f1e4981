use serde_json::json;

use super::super::reply::Reply;
use super::*;

fn judged(answerable: bool, confidence: Option<f64>, right: bool, seconds: f64) -> Judged {
    let answers = if answerable { json!(["yes"]) } else { json!([]) };
    let known = json!({"id": "x", "question": "Q?", "answerable": answerable, "answers": answers});
    let reply = json!({"answer": if right == answerable { "yes" } else { "" }, "confidence": confidence, "tokens": 8});
    Judged::new(&serde_json::from_value(known).expect("a question"), Reply::of(&reply, seconds))
}

fn figure(judged: &[Judged], name: &str) -> Option<f64> {
    Figures::over(&judged.iter().collect::<Vec<_>>()).get(name)
}

#[test]
fn shares_are_of_the_questions_that_they_are_about() {
    let all = [
        judged(true, None, true, 1.0),
        judged(true, None, false, 2.0),
        judged(true, None, true, 9.0),
        judged(false, None, true, 3.0),
        judged(false, None, false, 4.0),
    ];
    for (name, value) in [
        ("questions", Some(5.0)),
        ("correct", Some(0.6)),
        ("right", Some(2.0 / 3.0)),
        ("false_refusals", Some(1.0 / 3.0)),
        ("false_answers", Some(0.5)),
        ("seconds_median", Some(3.0)),
        ("seconds_p90", Some(9.0)),
        ("tokens", Some(8.0)),
        ("failed", Some(0.0)),
        ("ece", None),
        ("auc", None),
        ("citation_recall", None),
    ] {
        assert_eq!(figure(&all, name), value, "{name}");
    }
    assert_eq!(figure(&all[..3], "false_answers"), None);
    assert!(names().all(|name| Figures::over(&[]).0.iter().any(|(known, _)| *known == name)));
}

#[test]
fn calibration_is_the_distance_of_promise_and_truth() {
    // Two answers at 0.95, one right; one at 0.25, right: (|1 - 1.9| + |1 - 0.25|) / 3.
    let all = [
        judged(true, Some(0.95), true, 1.0),
        judged(false, Some(0.95), false, 1.0),
        judged(true, Some(0.25), true, 1.0),
    ];
    let error = figure(&all, "ece").expect("there is confidence");
    assert!((error - (0.9 + 0.75) / 3.0).abs() < 1e-9, "{error}");
    // One pair is equal, one in the wrong order.
    assert_eq!(figure(&all, "auc"), Some(0.25));
}
