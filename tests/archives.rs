//! Archives as sources: members are documents of their own, and what is wrong with one is said of that one.

use std::fs;
use std::io::{Cursor, Write};

use qanda_tests::answer::{citations, text};
use qanda_tests::data::{argument, folder, status};
use qanda_tests::pdf::Pdf;
use qanda_tests::qanda;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const QUESTION: &str = "How often is the filter of the cooling pump cleaned?";

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file(*name, options).expect("a member");
        writer.write_all(bytes).expect("it is written");
    }
    writer.finish().expect("an archive").into_inner()
}

/// Sets the flag of encryption of the first member, in its own header and in the directory.
fn encrypted(mut archive: Vec<u8>) -> Vec<u8> {
    let directory = archive.windows(4).position(|four| four == b"PK\x01\x02").expect("a directory");
    for flags in [6, directory + 8] {
        archive[flags] |= 1;
    }
    archive
}

fn manual() -> Vec<u8> {
    let lines = ["The filter of the cooling pump is cleaned every fourteen days", "by whoever has the late shift."];
    Pdf::new()
        .page()
        .lines(72, 720, &["This manual is for everybody who works at the cooling house."])
        .page()
        .line(72, 720, 18, "Pumps")
        .lines(72, 680, &lines)
        .bytes()
}

#[test]
fn members_are_documents_that_are_cited_and_removed_with_their_archive() {
    let (data, documents) = (folder(), folder());
    let archive = documents.path().join("works.zip");
    let inner = zip(&[("keys.md", b"# Keys\n\nKeys are fetched at the gate by the shift leader.")]);
    fs::write(&archive, zip(&[("house/manual.pdf", &manual()), ("inner.zip", &inner), ("photo.xyz", b"pixels")]))
        .expect("a file");
    let ingest = || qanda(&["ingest", "--json", argument(documents.path()), "--data-dir", argument(data.path())]);
    let report = ingest().ok().json();
    assert_eq!((&report["documents"], &report["skipped"]), (&2.into(), &1.into()), "{report:#}");
    let answer = qanda(&["ask", QUESTION, "--json", "--data-dir", argument(data.path())]).ok().json();
    assert!(text(&answer).contains("every fourteen days"), "{answer:#}");
    let first = &citations(&answer)[0];
    assert!(first["document"].as_str().is_some_and(|path| path.ends_with("works.zip!/house/manual.pdf")), "{answer:#}");
    assert_eq!(first["page"], 2, "{answer:#}");

    let again = ingest().ok().json();
    assert_eq!((&again["documents"], &again["unchanged"]), (&0.into(), &2.into()), "{again:#}");
    fs::write(&archive, zip(&[("house/manual.pdf", &manual())])).expect("a file");
    let less = ingest().ok().json();
    assert_eq!((&less["unchanged"], &less["removed"]), (&1.into(), &1.into()), "{less:#}");
    let _ = qanda(&["remove", argument(&archive), "--data-dir", argument(data.path())]).ok();
    assert_eq!(status(data.path())["documents"], 0);
}

#[test]
fn each_hostile_member_is_one_failure() {
    let (data, documents) = (folder(), folder());
    let bomb = vec![b'0'; 20 << 20];
    let deep = (0..4).fold(b"words that nobody reaches".to_vec(), |inside, depth| {
        zip(&[(if depth == 0 { "a.md" } else { "deeper.zip" }, &inside)])
    });
    let whole = zip(&[("a.md", b"words")]);
    let members: [(&str, &[u8]); 6] = [
        ("bomb.txt", &bomb),
        ("../evil.md", b"words"),
        ("deep.zip", &deep),
        ("broken.zip", &whole[..whole.len() / 2]),
        ("secret.zip", &encrypted(whole.clone())),
        ("good.md", b"# Good\n\nThis one is read."),
    ];
    fs::write(documents.path().join("all.zip"), zip(&members)).expect("a file");
    fs::write(documents.path().join("notes.md.gz"), b"no archive").expect("a file");
    let said = qanda(&["ingest", "--json", argument(documents.path()), "--data-dir", argument(data.path())]);
    assert_eq!(said.code, Some(3), "{said:?}");
    let report = said.json();
    assert_eq!(report["documents"], 1, "{report:#}");
    let failures = report["failures"].as_array().expect("a list");
    let expected = [
        ("all.zip!/bomb.txt", "more than 8 MiB come out of it"),
        ("all.zip!/../evil.md", "leads out of it"),
        ("all.zip!/deep.zip!/deeper.zip!/deeper.zip", "more than 3 of them lie in one another"),
        ("all.zip!/broken.zip", "it cannot be opened"),
        ("all.zip!/secret.zip!/a.md", "password needed"),
        ("notes.md.gz!/notes.md", "damaged"),
    ];
    for (path, reason) in expected {
        let is_it = |failure: &&serde_json::Value| failure["path"].as_str().is_some_and(|at| at.ends_with(path));
        let failure = failures.iter().find(is_it).unwrap_or_else(|| panic!("{path}: {report:#}"));
        assert!(failure["reason"].as_str().is_some_and(|said| said.contains(reason)), "{path}: {failure}");
    }
    assert_eq!(failures.len(), expected.len(), "{report:#}");
    assert!(!documents.path().parent().expect("a folder").join("evil.md").exists());
}
