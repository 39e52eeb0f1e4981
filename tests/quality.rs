//! How good answers are: a floor under what was measured, and the commands that measure.

use std::fs;
use std::path::Path;

use qanda_tests::data::{argument, folder, ingest, samples, write};
use qanda_tests::{Finished, Server, qanda};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The samples and the two pages beside them, as the evaluation has them.
fn store() -> TempDir {
    let data = samples();
    let report = ingest(data.path(), Path::new("evaluation/documents"));
    assert_eq!(report["failures"], json!([]), "{report}");
    data
}

fn eval(data: &TempDir, arguments: &[&str]) -> Finished {
    qanda(&[&["eval", "answers", "--data-dir", argument(data.path())], arguments].concat())
}

fn lines(questions: &[Value]) -> String {
    questions.iter().map(|question| format!("{question}\n")).collect()
}

#[test]
fn answers_to_a_sample_of_our_own_questions_are_not_worse_than_they_were() {
    let data = store();
    let report = folder();
    let json = report.path().join("report.json");
    let goals = FLOOR.iter().flat_map(|goal| ["--fail-if", *goal]);
    let sample = ["--questions", "evaluation/questions.jsonl", "--part", "development", "--limit", "40"];
    let arguments: Vec<&str> = [&sample[..], &["--concurrency", "4", "--json", argument(&json)]].concat();
    let arguments: Vec<&str> = arguments.into_iter().chain(goals).collect();
    let run = eval(&data, &arguments);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    let report: Value = serde_json::from_slice(&fs::read(&json).expect("a report")).expect("JSON");
    assert_eq!(report["results"].as_array().map(Vec::len), Some(40));
}

/// With a margin of some questions: 0.57, 0.95, 0.65, 0.30 and 0.30 were measured.
const FLOOR: [&str; 6] = [
    "right<0.48",
    "citation_precision<0.8",
    "citation_recall<0.5",
    "false_refusals>40%",
    "false_answers>45%",
    "failed>0",
];

#[test]
fn here_and_over_http_the_same_answers_get_the_same_verdicts() {
    let data = store();
    let files = folder();
    let questions = write(
        files.path(),
        "questions.jsonl",
        lines(&[
            json!({
                "id": "known", "kind": "fact", "question": "What HbA1c target suits most adults with type 2 diabetes?",
                "answers": ["below 7%", {"pattern": "\\b53 mmol"}],
                "document": "type-2-diabetes.md", "start": 0, "end": 3000,
            }),
            json!({
                "id": "elsewhere", "kind": "none", "question": "What is the capital of France?", "answerable": false,
            }),
        ]),
    );
    let page = files.path().join("page.html");
    let verdicts = |name: &str, more: &[&str]| {
        let report = files.path().join(name);
        let fixed = ["--questions", argument(&questions), "--json", argument(&report), "--html", argument(&page)];
        let run = eval(&data, &[&fixed[..], more].concat()).ok();
        assert!(run.stdout.contains("fact") && run.stdout.contains("cit. r"), "{run:?}");
        let report: Value = serde_json::from_slice(&fs::read(&report).expect("a report")).expect("JSON");
        let results = report["results"].as_array().expect("results").clone();
        let page = fs::read_to_string(&page).expect("a page");
        assert!(page.contains("capital of France") && page.contains("below 7%"), "{page}");
        results.iter().map(|one| one["verdict"].as_str().expect("a verdict").to_owned()).collect::<Vec<_>>()
    };
    let short = ["--max-tokens", "32", "--context-tokens", "96"];
    let here = verdicts("here.json", &short);
    assert_eq!(here, ["right", "refused"]);
    let server = Server::start(data.path(), &short);
    assert_eq!(verdicts("there.json", &["--url", &format!("http://{}", server.address())]), here);

    let (a, b) = (files.path().join("here.json"), files.path().join("there.json"));
    let compared = qanda(&["eval", "compare", argument(&a), argument(&b)]).ok().stdout;
    assert!(compared.contains("2 questions in both") && compared.contains("citation recall"), "{compared}");
}

#[test]
fn a_goal_that_is_missed_and_a_file_that_is_wrong_are_said() {
    let files = folder();
    let claims = write(
        files.path(),
        "claims.jsonl",
        lines(&[
            json!({
                "claim": "Amlodipine is started with 5 mg once a day.", "label": "supports",
                "evidence": "Amlodipine is started with 5 mg once a day in adults.",
            }),
            json!({
                "claim": "Hands are rubbed for half a minute.", "label": "neutral",
                "evidence": "Gloves do not replace it.",
            }),
        ]),
    );
    let claims = argument(&claims);
    let run = |goal: &str| qanda(&["eval", "claims", "--claims", claims, "--fail-if", goal]);
    assert_eq!(run("precision<1").code, Some(0));
    let missed = run("recall<=1");
    assert_eq!(missed.code, Some(4), "{missed:?}");
    assert!(missed.stderr.contains("missed it is 1.000"), "{missed:?}");
    let unknown = run("beauty<1");
    assert!(unknown.code == Some(2) && unknown.stderr.contains("contradictions"), "{unknown:?}");

    let wrong = write(files.path(), "wrong.jsonl", "{\"id\": \"a\", \"question\": \"Q?\"}\n");
    let said = qanda(&["eval", "answers", "--questions", argument(&wrong)]);
    assert!(said.failure().contains("question a: it is answerable"), "{said:?}");
    let said = qanda(&["eval", "compare", argument(&wrong), argument(&wrong)]);
    assert!(said.failure().contains("is no report"), "{said:?}");
}
