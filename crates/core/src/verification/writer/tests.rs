use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::document::{Metadata, Passage};
use crate::ports::Hit;

fn writer() -> CitationWriter {
    writer_of(Grounding::Marked)
}

/// Two passages; the second begins at byte 1,000 of its document.
fn writer_of(grounding: Grounding) -> CitationWriter {
    let passage = |id: u64, start: usize, text: &str| {
        Evidence::new(Hit {
            passage: Passage {
                id: id.into(),
                document: format!("{id}.md"),
                title: "Guideline".to_owned(),
                headings: vec![],
                text: text.to_owned(),
                span: Span::new(start, start + text.len()),
                metadata: Metadata::new(),
                pages: None,
            },
            pair: None,
            score: 1.0,
            cosine: None,
        })
    };
    let evidence = vec![
        passage(7, 0, "Metformin is the usual first medicine. Start with 500 mg daily and increase slowly."),
        passage(8, 1000, "Influenza vaccination is offered every autumn. It is given as one injection."),
    ];
    CitationWriter::new(evidence, grounding, "When is influenza vaccination offered?")
}

fn write(pieces: &[&str]) -> (String, Vec<Citation>) {
    write_with(writer(), pieces)
}

fn write_with(mut writer: CitationWriter, pieces: &[&str]) -> (String, Vec<Citation>) {
    let mut shown = String::new();
    for piece in pieces {
        shown.push_str(&writer.push(piece));
    }
    shown.push_str(&writer.end());
    let Written { text, citations, .. } = writer.finish();
    assert_eq!(shown, text, "what was streamed is what is kept");
    (text, citations)
}

#[test]
fn a_marker_without_a_passage_is_removed_with_its_space() {
    let (text, citations) = write(&["Nothing of the kind is known [7]. Nor [0] this [2024]."]);
    assert_eq!(text, "Nothing of the kind is known. Nor this.");
    assert!(citations.is_empty());
}

#[test]
fn a_marker_cut_into_tokens_is_still_checked() {
    let (text, _) = write(&["Unheard of", " ", "[", "1", "2", "]", "."]);
    assert_eq!(text, "Unheard of.");
}

#[test]
fn a_citation_points_at_the_words_that_back_the_statement() {
    let (text, citations) = write(&["Vaccination against influenza is offered each autumn [2]."]);
    assert_eq!(text, "Vaccination against influenza is offered each autumn [2].");
    assert_eq!(citations.len(), 1);
    assert_eq!(citations[0].place.passage_id, 8.into());
    assert_eq!(citations[0].place.text, "Influenza vaccination is offered every autumn.");
    assert_eq!(citations[0].place.span, Span::new(1000, 1000 + citations[0].place.text.len()));
}

#[test]
fn a_sentence_without_a_marker_gets_one_when_it_is_clearly_backed() {
    let (text, citations) = write(&["Metformin is the first medicine. Cats ", "sleep long hours at night."]);
    assert_eq!(text, "Metformin is the first medicine. [1] Cats sleep long hours at night.");
    assert_eq!(citations[0].marker, 1);
}

#[test]
fn a_wrong_number_is_not_backed() {
    let (text, citations) = write(&["Start with 850 mg daily and increase slowly."]);
    assert_eq!(text, "Start with 850 mg daily and increase slowly.");
    assert!(citations.is_empty());
}

#[test]
fn a_marker_at_the_wrong_passage_is_pointed_at_the_right_one() {
    let (text, citations) = write(&["Start with 500 mg daily and increase slowly [2]."]);
    assert_eq!(text, "Start with 500 mg daily and increase slowly [1].");
    assert_eq!(citations[0].place.passage_id, 7.into());
}

#[test]
fn lists_and_ranges_are_taken_apart() {
    let (text, citations) = write(&["Both the first medicine and influenza vaccination matter [1, 2, 9]."]);
    assert_eq!(text, "Both the first medicine and influenza vaccination matter [1][2].");
    assert_eq!(citations.len(), 2);
    let (text, _) = write(&["Both the first medicine and influenza vaccination matter [1-2]."]);
    assert!(text.contains("[1][2]"), "{text}");
}

#[test]
fn other_brackets_are_left_alone() {
    let (text, _) = write(&["See [the table] or a[i], and [", "]"]);
    assert_eq!(text, "See [the table] or a[i], and []");
}

#[test]
fn brackets_that_are_text_stay_text() {
    for said in [
        "The program is `argv[0]`, the name is ``argv[1]``.",
        "Run this:\n\n```\nx = a[1] + b[2]\n```",
        "The threshold is row_x[1] or sys.argv[2] or a[0].",
        "Normal results lie in [3-5] mmol/L or in [0, 10).",
        "See [the page](https://example.org/a[1]) or [1](#one).",
        "It is said elsewhere.[^1]\n\n[^1]: Elsewhere.",
        "- [ ] to do\n- [x] done",
    ] {
        let (text, citations) = write(&[said]);
        assert_eq!(text, said);
        assert!(citations.is_empty(), "{said}");
    }
}

#[test]
fn markers_beside_code_are_markers() {
    let (text, citations) = write(&["Metformin is the usual first medicine in `list[1]` [2][1]. Use `a[2]`."]);
    assert_eq!(text, "Metformin is the usual first medicine in `list[1]` [1]. Use `a[2]`.");
    assert_eq!(citations.len(), 1);
    let (text, _) = write(&["` Metformin is the usual first medicine [7][9]."]);
    assert_eq!(text, "` Metformin is the usual first medicine. [1]");
}

#[test]
fn contradictions_lose_their_marker_or_are_left_out() {
    for said in [
        "Start with 850 mg daily and increase slowly",
        "Metformin is not the usual first medicine",
        "Influenza vaccination is never offered every autumn",
        "Stop with 500 mg daily and increase slowly",
    ] {
        let mut writer = writer();
        let shown = writer.push(&format!("{said} [1]. ")) + &writer.push("Yes") + &writer.end();
        let written = writer.finish();
        assert_eq!(shown, written.text);
        assert_eq!(written.text, format!("{said}. Yes"));
        assert!(written.citations.is_empty(), "{said}");
        assert_eq!(written.unsupported, [Span::new(0, said.len() + 1)], "{said}");
        let (text, citations) = write_with(writer_of(Grounding::Strict), &[&format!("{said} [1].")]);
        assert_eq!((text.as_str(), citations.len()), ("", 0));
    }
}

#[test]
fn a_refusal_is_not_unsupported() {
    let mut writer = writer();
    writer.push("The passages do not say when cats sleep at night.");
    writer.end();
    assert_eq!(writer.finish().unsupported, []);
}

#[test]
fn an_aside_is_verified_and_cites() {
    let mut writer = writer();
    writer.push("Metformin is the usual first medicine [1].");
    writer.end();
    let aside = writer.aside("Influenza vaccination is offered every autumn [1]. Cats sleep long hours at night [2].");
    assert_eq!(aside, "Influenza vaccination is offered every autumn [2]. Cats sleep long hours at night.");
    let written = writer.finish();
    assert_eq!(written.citations.len(), 2);
    assert_eq!((written.text.as_str(), written.unsupported.len()), ("Metformin is the usual first medicine [1].", 0));
}

#[test]
fn two_statements_on_one_passage_widen_its_words() {
    let (_, citations) = write(&["Metformin is the usual first medicine [1]. Start with 500 mg daily [1]."]);
    assert_eq!(citations.len(), 1);
    assert_eq!(citations[0].place.text.len(), writer().evidence[0].hit.passage.text.len());
}

#[test]
fn without_passages_no_marker_survives() {
    let mut writer = CitationWriter::new(vec![], Grounding::Strict, "What is the capital?");
    let mut text = writer.push("Paris [1] is the capital [2].\nIndeed [1]");
    text.push_str(&writer.end());
    assert_eq!(text, "Paris is the capital.\nIndeed");
}

#[test]
fn an_open_bracket_at_the_end_is_kept_as_text() {
    let (text, _) = write(&["See [1"]);
    assert_eq!(text, "See [1");
}

#[test]
fn a_wrapped_line_does_not_end_a_statement_but_a_list_item_does() {
    let (text, _) = write(&["Metformin is the usual\nfirst medicine\n- Influenza vaccination every autumn"]);
    assert_eq!(text, "Metformin is the usual\nfirst medicine [1]\n- Influenza vaccination every autumn [2]");
}

#[test]
fn strict_grounding_lets_only_backed_statements_through() {
    let pieces = [
        "Metformin is the usual first medicine. ",
        "Start with 850 mg daily [1]. Cats sleep long hours. ",
        "Influenza vaccination is offered every autumn.",
    ];
    let (text, citations) = write_with(writer_of(Grounding::Strict), &pieces);
    assert_eq!(text, "Metformin is the usual first medicine. [1] Influenza vaccination is offered every autumn. [2]");
    assert_eq!(citations.len(), 2);
    assert_eq!(citations[0].place.text, "Metformin is the usual first medicine.");
}

#[test]
fn strict_grounding_leaves_out_what_only_repeats_the_question() {
    let (text, _) = write_with(writer_of(Grounding::Strict), &["Influenza vaccination is offered."]);
    assert_eq!(text, "");
}

#[test]
fn strict_grounding_tells_when_the_model_is_lost() {
    let mut writer = writer_of(Grounding::Strict);
    assert_eq!(writer.push("Cats sleep long hours. Dogs chase red cars. Fish swim in circles. And"), "");
    assert!(writer.is_lost());
    assert_eq!(writer.end(), "");
}

#[test]
fn a_quotation_is_cited() {
    let mut writer = writer();
    writer.end();
    let quoted = writer.quote("See: ", 1, Span::new(0, 46), "Influenza vaccination is offered every autumn.");
    assert_eq!(quoted, "See: “Influenza vaccination is offered every autumn.” [2]");
    assert_eq!(
        writer.push(" [1] Metformin is the usual first medicine."),
        "\n\nMetformin is the usual first medicine."
    );
    assert!(writer.cites(1, Span::new(10, 20)) && !writer.cites(1, Span::new(46, 50)));
}

#[test]
fn brackets_in_brackets_make_no_marker() {
    for text in ["Unheard of [1[9]].", "Unheard of [1[]].", "Unheard of [0000000000000000000000000001]."] {
        let (text, citations) = write(&[text]);
        assert!(!text.contains("1]") && citations.is_empty(), "{text}");
    }
}

/// Parts of answers: statements that are backed and others, whole and broken markers, every kind of space and end.
const PARTS: [&str; 34] = [
    "Metformin is the usual first medicine",
    "Start with 500 mg daily and increase slowly",
    "Start with 850 mg daily",
    "Influenza vaccination is offered every autumn",
    "Cats sleep long hours at night",
    "Yes",
    "e.g",
    "7",
    "é漢🦀",
    " ",
    " ",
    " ",
    "\n",
    "\n\n",
    "\n- ",
    "\n2. ",
    ".",
    ".",
    "!",
    "。",
    "[",
    "]",
    "[1]",
    "[2]",
    " [1, 2]",
    "[1-9]",
    "[3]",
    "[x]",
    "[00",
    "`a[1]`",
    "\n```\nb[2]\n```\n",
    "[1](",
    " [3-5] mmol/L",
    "`",
];

proptest! {
    #[test]
    fn any_split_of_an_answer_gives_the_same_and_every_marker_cites(
        parts in prop::collection::vec(select(&PARTS[..]), 0..40),
        cuts in prop::collection::vec(1_usize..9, 1..40),
        grounding in select(&[Grounding::Strict, Grounding::Marked][..]),
    ) {
        let answer: Vec<char> = parts.concat().chars().collect();
        let whole = write_with(writer_of(grounding), &[&parts.concat()]);
        let (mut pieces, mut rest, mut sizes) = (Vec::new(), &answer[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let size = rest.len().min(*sizes.next().expect("it goes on"));
            pieces.push(rest[..size].iter().collect::<String>());
            rest = &rest[size..];
        }
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let (text, citations) = write_with(writer_of(grounding), &pieces);
        prop_assert_eq!((&text, &citations), (&whole.0, &whole.1));

        let cited: BTreeSet<usize> = citations.iter().map(|citation| citation.marker).collect();
        let (_, all) = markers(&text);
        prop_assert!(cited.is_subset(&all), "{}", text);
        // Where a backtick that nothing closes stands about, what is code is the scanner's to know.
        if !parts.contains(&"`") {
            let (certain, _) = markers(&text.replace("`a[1]`", "``").replace("b[2]", "`"));
            prop_assert!(certain.is_subset(&cited), "{}", text);
        }
    }
}

/// The numbers in brackets that can be nothing but markers, no links or indices, and all of them.
fn markers(text: &str) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let (mut certain, mut all) = (BTreeSet::new(), BTreeSet::new());
    for (at, _) in text.match_indices('[') {
        let Some((inside, behind)) = text[at + 1..].split_once(']') else { continue };
        let Ok(number) = inside.parse() else { continue };
        all.insert(number);
        if !behind.starts_with('(') && !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) {
            certain.insert(number);
        }
    }
    (certain, all)
}
