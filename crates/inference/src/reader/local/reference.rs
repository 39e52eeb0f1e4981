//! The forward pass against the one in numpy that wrote `reader/vectors.json`.

use serde::Deserialize;

use super::*;
use crate::models;

#[derive(Deserialize)]
struct Example {
    question: String,
    passage: String,
    ids: Vec<u32>,
    types: Vec<u8>,
    marks: Vec<u8>,
    start: Vec<f32>,
    end: Vec<f32>,
    here: f32,
    span_score: f32,
    answer: String,
}

/// Largest difference of a logit: both compute in 32 bits, in another order.
const TOLERANCE: f32 = 0.02;

fn assert_close(what: &str, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let largest = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(largest < TOLERANCE, "{what} differ by {largest}");
}

#[test]
fn logits_and_answers_are_those_of_the_reference() {
    let base = models::model("all-MiniLM-L6-v2");
    let model =
        built_in::package().expect("is whole").unpack(Bases { loaded: None, directory: Some(&base) }).expect("loads");
    let examples = std::fs::read("../../reader/vectors.json").expect("is there");
    let examples: Vec<Example> = serde_json::from_slice(&examples).expect("is understood");
    assert!(!examples.is_empty());
    for example in examples {
        let passage = Readable { heading: String::new(), text: example.passage.clone() };
        let windows = model.cutter.cut(&example.question, &[passage]).expect("cuts").remove(0);
        let [window] = &*windows else { panic!("{} windows", windows.len()) };
        assert_eq!((&window.sequence.ids, &window.marks), (&example.ids, &example.marks));
        assert_eq!(example.types.iter().position(|part| *part == 1), Some(window.sequence.second));

        let logits = model.weights.logits(&windows).remove(0);
        assert_close("starts", &logits.start, &example.start);
        assert_close("ends", &logits.end, &example.end);
        assert_close("here", &[logits.here.expect("has a head for it")], &[example.here]);

        let reading = model.calibration.join(model.read(&windows));
        let found = reading.best().expect("there are words");
        assert_close("scores", &[found.score], &[example.span_score]);
        assert_eq!(&example.passage[found.span.start..found.span.end], example.answer);
    }
}
