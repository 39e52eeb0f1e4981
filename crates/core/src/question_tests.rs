use proptest::prelude::*;

use super::*;

fn turn(role: Role, characters: usize) -> Turn {
    Turn { role, content: "é".repeat(characters) }
}

fn faults(question: &Question) -> Vec<String> {
    let faults = question.validate().expect_err("is refused").0;
    faults.into_iter().map(|fault| fault.field).collect()
}

#[test]
fn a_question_at_its_limits_is_valid() {
    let condition = |n: usize| (format!("{n:0>1000}"), "é".repeat(Question::LONGEST_CONDITION));
    let question = Question {
        content: "é".repeat(Question::LONGEST_CONTENT),
        n_results: Question::MOST_RESULTS,
        filter: (0..Question::MOST_CONDITIONS).map(condition).collect(),
        history: vec![turn(Role::User, Question::LONGEST_HISTORY / Question::MOST_TURNS); Question::MOST_TURNS],
        ..Question::new("")
    };
    assert_eq!(question.validate(), Ok(()));
}

#[test]
fn every_fault_is_named_at_once() {
    let question = Question {
        content: " \n".to_owned(),
        n_results: 0,
        filter: [("a".to_owned(), "x".repeat(1_001)), ("é".repeat(2_000), String::new())].into(),
        history: vec![turn(Role::System, Question::LONGEST_HISTORY + 1)],
        ..Question::new("")
    };
    let long_name = format!("filter.{}", "é".repeat(40));
    let expected = ["content", "n_results", "filter.a", &long_name, "history", "history[0].role"];
    assert_eq!(faults(&question), expected);
    let message = question.validate().expect_err("is refused").to_string();
    assert!(message.contains("content: is empty") && message.contains("n_results: is 0; it must be"), "{message}");
}

#[test]
fn one_more_than_allowed_is_refused() {
    let question = Question::new("Why?");
    let content = "x".repeat(Question::LONGEST_CONTENT + 1);
    assert_eq!(faults(&Question { content, ..question.clone() }), ["content"]);
    let n_results = Question::MOST_RESULTS + 1;
    assert_eq!(faults(&Question { n_results, ..question.clone() }), ["n_results"]);
    let filter = (0..=Question::MOST_CONDITIONS).map(|n| (n.to_string(), String::new())).collect();
    assert_eq!(faults(&Question { filter, ..question.clone() }), ["filter"]);
    let history = vec![turn(Role::User, 1); Question::MOST_TURNS + 1];
    assert_eq!(faults(&Question { history, ..question }), ["history"]);
}

proptest! {
    /// A question is refused exactly when one of its fields is outside its limits.
    #[test]
    fn validation_accepts_what_is_within_the_limits_and_nothing_else(
        content in "\\PC{0,40}",
        n_results in 0_usize..60,
        turns in 0_usize..60,
        conditions in 0_usize..40,
    ) {
        let question = Question {
            n_results,
            filter: (0..conditions).map(|n| (n.to_string(), String::new())).collect(),
            history: vec![turn(Role::Assistant, 3); turns],
            ..Question::new(content.clone())
        };
        let mut expected = Vec::new();
        if content.trim().is_empty() { expected.push("content") }
        if n_results == 0 || n_results > Question::MOST_RESULTS { expected.push("n_results") }
        if conditions > Question::MOST_CONDITIONS { expected.push("filter") }
        if turns > Question::MOST_TURNS { expected.push("history") }
        let named: Vec<String> = match question.validate() {
            Ok(()) => Vec::new(),
            Err(InvalidQuestion(faults)) => faults.into_iter().map(|fault| fault.field).collect(),
        };
        prop_assert_eq!(named, expected);
    }
}
