//! Statements that contradict the documents, said by a scripted model over the samples.

use qanda_tests::data::{argument, folder};
use qanda_tests::{Mock, answer};
use serde_json::Value;

const QUESTION: &str = "When is metformin reviewed and stopped in kidney disease, and when is anaemia investigated?";
const TRUE: &str = "Investigate anaemia when haemoglobin is 110 g/L or lower";
const CONTRADICTIONS: [&str; 4] = [
    "Review metformin when eGFR is below 45 and do not stop it when eGFR is below 30",
    "Review metformin when eGFR is below 30 and stop it when eGFR is below 45",
    "Review metformin when eGFR is above 45 and stop it when eGFR is above 30",
    "Review metformin when eGFR is below 45 and start it when eGFR is below 30",
];

fn ask(grounding: &str) -> Value {
    let said: Vec<String> = [&[TRUE], &CONTRADICTIONS[..]].concat().iter().map(|said| format!("{said} [1].")).collect();
    let said = said.join(" ");
    let words = said.split(' ').count().to_string();
    let at_once = ["--latency", "0", "--embedding-latency", "0", "--dimension", "64"];
    let mock = Mock::start(&[&at_once[..], &["--text", &said, "--tokens", &words]].concat());
    let data = folder();
    let data = argument(data.path());
    let _ = mock.qanda(&["ingest", "examples/kidney-disease.md", "--data-dir", data]).ok();
    let how = ["--llm", "openai", "--grounding", grounding, "--data-dir", data];
    mock.qanda(&[&["ask", QUESTION, "--json"], &how[..]].concat()).ok().json()
}

#[test]
fn contradictions_are_left_out_under_strict_grounding() {
    let found = ask("strict");
    answer::assert_holds(&found);
    assert!(answer::text(&found).contains(TRUE), "{found:#}");
    for said in CONTRADICTIONS {
        assert!(!answer::text(&found).contains(said), "{found:#}");
    }
}

#[test]
fn contradictions_lose_their_marker_under_marked_grounding() {
    let found = ask("marked");
    answer::assert_holds(&found);
    let text = answer::text(&found);
    assert!(text.contains(&format!("{TRUE} [")), "{found:#}");
    let unsupported: Vec<&str> = found["unsupported"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|place| {
            let byte = |name: &str| usize::try_from(place[name].as_u64().expect("a number")).expect("a small one");
            &text[byte("start")..byte("end")]
        })
        .collect();
    assert_eq!(unsupported, CONTRADICTIONS.map(|said| format!("{said}.")), "{found:#}");
}
