//! The reader that comes with the program, on the default embedder's encoder.

mod models;

use qanda_core::ports::{Readable, Reading};
use qanda_core::{Reader, RequestContext};
use qanda_inference::reader::local::{Bases, LocalReader};

fn reader() -> LocalReader {
    let base = models::model("all-MiniLM-L6-v2");
    LocalReader::built_in(Bases { loaded: None, directory: Some(&base) }, 2).expect("loads")
}

async fn read(reader: &LocalReader, question: &str, passages: &[(&str, &str)]) -> Vec<Reading> {
    let passages = passages
        .iter()
        .map(|(heading, text)| Readable { heading: (*heading).to_owned(), text: (*text).to_owned() })
        .collect();
    reader.read(&RequestContext::local(), question, passages).await.expect("reads")
}

fn best<'t>(text: &'t str, reading: &Reading) -> &'t str {
    let span = reading.best().expect("there are words").span;
    &text[span.start..span.end]
}

const WARRANTY: &str =
    "The pump is built for outdoor use. It has a warranty of five years, its filter one of six months.";

#[tokio::test]
async fn the_answer_is_found_and_a_passage_without_it_is_doubted() {
    let other = "Zebras live in herds on the plains of eastern and southern Africa, where they graze.";
    let readings =
        read(&reader(), "How long is the warranty of the pump?", &[("Pumps", WARRANTY), ("Zebras", other)]).await;
    assert!(best(WARRANTY, &readings[0]).contains("five years"), "{readings:?}");
    assert!(readings[0].confidence > 0.5 && readings[1].confidence < readings[0].confidence, "{readings:?}");
    assert!(readings[0].spans[0].score > readings[1].spans[0].score);
}

#[tokio::test]
async fn a_passage_reads_alike_alone_and_among_others() {
    let (reader, question) = (reader(), "How long is the warranty of the pump?");
    let filler = "Water runs downhill, and a pump brings it up again. ".repeat(20);
    let mut passages = vec![("Pumps", WARRANTY)];
    passages.extend([("", filler.as_str()), ("Water", ""), ("A > B", "Short.")]);
    let together = read(&reader, question, &passages).await;
    for (passage, among_others) in passages.iter().zip(&together) {
        let alone = read(&reader, question, &[*passage]).await.remove(0);
        assert!((alone.here - among_others.here).abs() < 1e-3, "{passage:?}");
        assert_eq!(
            alone.spans.iter().map(|found| found.span).collect::<Vec<_>>(),
            among_others.spans.iter().map(|found| found.span).collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn the_answer_far_down_a_long_passage_is_found_with_its_place_in_bytes() {
    let filler = "Wasser fließt bergab – das weiß jeder, der schon einmal eine Brücke überquert hat. ".repeat(40);
    let text = format!("{filler}The pump is built for outdoor use. It has a warranty of five years. {filler}");
    let reading = read(&reader(), "How long is the warranty of the pump?", &[("Pumps", &text)]).await.remove(0);
    assert!(best(&text, &reading).contains("five years"), "{reading:?}");
}
