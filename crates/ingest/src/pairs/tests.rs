use super::*;

const CSV: &str = "id,question,answer,guideline\n1,\"What, then?\",\"A \"\"quoted\"\" answer\",a.md\n,Why?,Because.,\n";

#[test]
fn csv_and_json_lines_carry_the_same_pairs() {
    let records = read(CSV.as_bytes(), Format::Csv).expect("reads");
    assert_eq!(records.len(), 2);
    assert_eq!((records[0].question.as_str(), records[0].answer.as_str()), ("What, then?", "A \"quoted\" answer"));
    assert_eq!((records[0].document.as_deref(), records[1].document.as_deref()), (Some("a.md"), None));
    assert_eq!((records[0].key().as_str(), records[1].key().len()), ("1", 24));
    for format in [Format::JsonLines, Format::Csv] {
        let mut file = Vec::new();
        write(&mut file, format, records.clone().into_iter()).expect("writes");
        assert_eq!(read(file.as_slice(), format).expect("reads"), records, "{format:?}");
    }
}

#[test]
fn what_is_no_pair_is_named_by_its_line() {
    let wrong = |text: &str, format| read(text.as_bytes(), format).expect_err("is refused").to_string();
    let good = "{\"question\": \"Q\", \"answer\": \"A\"}\n\n";
    for bad in ["{\"question\": \"Q\"}", "nonsense", "{\"question\": \" \", \"answer\": \"A\"}", "[]"] {
        let error = wrong(&format!("{good}{bad}\n"), Format::JsonLines);
        assert!(error.starts_with("line 3: "), "{error}");
    }
    for bad in ["question,antwort\nQ,A\n", "question,answer\nQ\n", "question,answer\nQ,\n"] {
        let error = wrong(bad, Format::Csv);
        assert!(error.starts_with("line 2: ") && error.contains("answer"), "{error}");
    }
}

#[test]
fn questions_are_the_same_in_any_spelling() {
    assert_eq!(same_question("What is it?"), same_question(" what  is IT"));
    assert_ne!(same_question("What is it?"), same_question("What was it?"));
}
