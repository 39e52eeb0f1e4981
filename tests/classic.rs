//! The original service's chain, with the real local model.

use qanda_tests::Server;
use qanda_tests::answer::problem;
use qanda_tests::events::Events;
use serde_json::json;

#[test]
fn the_classic_chain_answers_with_the_time_of_each_step() {
    let server = Server::over_samples(&["--pipeline", "classic", "--max-tokens", "32"]);
    let question = "What HbA1c target suits most adults with type 2 diabetes?";
    let answer = server.answer(&json!({"content": question, "n_results": 2}));
    assert_eq!((&answer["pipeline"], &answer["calls"]), (&"classic".into(), &3.into()), "{answer:#}");
    for step in ["condense", "embed", "search", "pairs", "summarise", "answer", "total"] {
        assert!(answer["timings_ms"][step].as_f64().is_some(), "{step}: {answer:#}");
    }
    assert!(answer["prompt_tokens"].as_u64() > answer["tokens"].as_u64(), "{answer:#}");
    let alone = server.answer(&json!({"content": "Say hello.", "query_option": false}));
    assert_eq!((&alone["pipeline"], &alone["calls"]), (&"classic".into(), &1.into()), "{alone:#}");

    // A question may name the other one, which quotes and calls no model by default.
    let direct = server.answer(&json!({"content": question, "pipeline": "direct"}));
    assert_eq!((&direct["pipeline"], &direct["calls"]), (&"direct".into(), &0.into()));
    let refused = problem(server.ask(&json!({"content": "Why?", "pipeline": "magic"})), 422);
    assert!(refused["detail"].as_str().is_some_and(|said| said.contains("\"classic\", \"direct\"")), "{refused:#}");

    let (mut told, mut end) = (String::new(), None);
    for (name, data) in Events::of(server.ask(&json!({"content": question, "n_results": 1, "stream": true}))) {
        match name.as_str() {
            "token" => told.push_str(data["text"].as_str().expect("a text")),
            "done" => end = Some(data),
            _ => {}
        }
    }
    assert_eq!(end.expect("it ends")["answer"].as_str(), Some(told.as_str()));
}
