//! A PDF from the file to an answer that names its page.

use std::fs;

use qanda_tests::answer::{citations, text};
use qanda_tests::data::{argument, folder, ingest};
use qanda_tests::pdf::Pdf;
use qanda_tests::qanda;

/// A manual of four pages, each with a subject of its own.
fn manual() -> Vec<u8> {
    Pdf::new()
        .page()
        .line(72, 720, 22, "Manual of the Zorblatt works")
        .lines(
            72,
            680,
            &["This manual is for everybody who works at the Zorblatt works.", "It is read again every year."],
        )
        .page()
        .line(72, 720, 18, "Valves")
        .lines(
            72,
            680,
            &[
                "The inlet valve is greased every nine weeks by the day shift,",
                "and its spindle is replaced when it squeaks.",
            ],
        )
        .page()
        .line(72, 720, 18, "Filters")
        .lines(
            72,
            680,
            &["The filter of the cooling pump is cleaned every fourteen days", "with warm water, never with a brush."],
        )
        .page()
        .line(72, 720, 18, "Alarms")
        .lines(72, 680, &["When the siren sounds, everybody meets at the north gate."])
        .bytes()
}

#[test]
fn an_answer_from_a_pdf_names_the_page() {
    let (data, documents) = (folder(), folder());
    fs::write(documents.path().join("manual.pdf"), manual()).expect("a file");
    let report = ingest(data.path(), documents.path());
    assert_eq!(report["documents"], 1, "{report:#}");
    let question = "How often is the filter of the cooling pump cleaned?";
    let answer = qanda(&["ask", question, "--json", "--data-dir", argument(data.path())]).ok().json();
    assert_eq!(answer["answered"], true, "{answer:#}");
    assert!(text(&answer).contains("every fourteen days"), "{answer:#}");
    assert!(!citations(&answer).is_empty(), "{answer:#}");
    assert!(citations(&answer).iter().all(|citation| citation["page"] == 3), "{answer:#}");
    let shown = qanda(&["ask", question, "--data-dir", argument(data.path())]).ok();
    assert!(shown.stdout.contains("manual.pdf, page 3\n"), "{shown:?}");
    // Passages near to a question that is not answered have their page as well.
    let refused = qanda(&[
        "ask",
        "Who painted the siren?",
        "--json",
        "--min-confidence",
        "1",
        "--data-dir",
        argument(data.path()),
    ]);
    let refused = refused.ok().json();
    let related = refused["related"].as_array().expect("a list");
    assert!(!related.is_empty() && related.iter().all(|place| place["page"].is_u64()), "{refused:#}");
}

#[test]
fn a_pdf_without_words_is_named_and_the_others_are_stored() {
    let (data, documents) = (folder(), folder());
    let whole = manual();
    fs::write(documents.path().join("cut.pdf"), &whole[..whole.len() / 2]).expect("a file");
    fs::write(documents.path().join("scan.pdf"), Pdf::new().page().raw("0 g 9 9 99 99 re f").bytes()).expect("a file");
    fs::write(documents.path().join("whole.pdf"), whole).expect("a file");
    let said = qanda(&["ingest", argument(documents.path()), "--data-dir", argument(data.path())]);
    assert_eq!(said.code, Some(3), "{said:?}");
    for line in ["cut.pdf: damaged or incomplete PDF", "scan.pdf: no text found (perhaps a scan)"] {
        assert!(said.stderr.contains(line), "{line}: {said:?}");
    }
}
