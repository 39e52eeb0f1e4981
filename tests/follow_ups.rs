//! Questions that say too little, or far too much: the search has to know what they are about.

use std::fmt::Write;

use qanda_tests::Server;
use qanda_tests::answer::{assert_holds, assert_nothing_found, documents};
use qanda_tests::data::{folder, ingest, write};
use serde_json::{Value, json};

const PUMPS: [&str; 8] = ["Velmar", "Tordex", "Quilba", "Ombrin", "Sarvok", "Dinela", "Halmot", "Jorvin"];

/// A server over pages that say the same of pumps with different names.
struct Pumps {
    server: Server,
    _folders: [tempfile::TempDir; 2],
}

impl Pumps {
    fn start() -> Self {
        let (pages, data) = (folder(), folder());
        for (number, pump) in PUMPS.iter().enumerate() {
            let text = format!(
                "# Pump {pump}\n\nPump {pump} feeds tank {number}. The filter of pump {pump} is cleaned every {} days.\n",
                number + 12
            );
            write(pages.path(), &format!("{}.md", pump.to_lowercase()), text);
        }
        ingest(data.path(), pages.path());
        let server = Server::start(data.path(), &["--max-tokens", "8", "--context-tokens", "96"]);
        Self { server, _folders: [pages, data] }
    }

    fn answer(&self, question: &Value) -> Value {
        let answer = self.server.answer(question);
        assert_holds(&answer);
        answer
    }
}

fn is_about(answer: &Value, pump: &str) -> bool {
    documents(answer).first().is_some_and(|document| document.ends_with(&format!("{}.md", pump.to_lowercase())))
}

#[test]
fn a_follow_up_is_searched_with_what_was_talked_about() {
    let pumps = Pumps::start();
    for pump in ["Sarvok", "Jorvin"] {
        let history = json!([
            {"role": "user", "content": format!("Which tank does pump {pump} feed?")},
            {"role": "assistant", "content": format!("Pump {pump} feeds a tank of its own [1].")},
        ]);
        let answer = pumps.answer(&json!({"content": "And how often is its filter cleaned?", "history": history}));
        assert!(is_about(&answer, pump), "{pump}: {answer:#}");
        // What is about something else is not made relevant by the talk before it.
        assert_nothing_found(
            &pumps.answer(&json!({"content": "What is the capital city of France?", "history": history})),
        );
    }
}

#[test]
fn a_question_below_a_pasted_page_is_the_one_that_is_answered() {
    let pumps = Pumps::start();
    // More words than are looked for in one search, so that none of the question's is left at the end.
    let mut page = String::new();
    for day in 1..=28 {
        writeln!(page, "Day {day}: shift{day} swept yard{day}, painted fence{day}, shut gate{day} and fed dog{day}.")
            .expect("a string takes all");
    }
    for question in
        ["How often is the filter of pump Halmot cleaned?", "tell me how often pump Halmot has its filter cleaned"]
    {
        let answer = pumps.answer(&json!({"content": format!("{page}\n{question}")}));
        assert!(is_about(&answer, "Halmot"), "{question}: {answer:#}");
    }
}
