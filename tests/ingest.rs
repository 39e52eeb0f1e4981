//! Reading documents into the store: new ones, changed ones, bad ones, beside a server and beside each other.

use std::fs;
use std::path::Path;

use qanda_tests::answer::{assert_nothing_found, documents, text};
use qanda_tests::binary::command;
use qanda_tests::data::{argument, folder, ingest, samples, status, write};
use qanda_tests::{Finished, Process, Server, qanda};
use serde_json::{Value, json};

/// A sentence about something that no other document knows.
fn valve(colour: &str) -> String {
    format!("# Zorblatt valve\n\nThe cover of the Zorblatt valve is painted {colour} after every inspection.\n")
}

const VALVE: &str = "What colour is the cover of the Zorblatt valve painted?";

fn run(arguments: &[&str], data: &Path) -> Finished {
    qanda(&[&["ingest", "--data-dir", argument(data)], arguments].concat())
}

fn count(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap_or_else(|| panic!("no {name}: {report:#}"))
}

#[test]
fn a_running_server_finds_new_and_changed_documents_at_once() {
    let data = samples();
    let server = Server::start(data.path(), &["--max-tokens", "24", "--context-tokens", "96"]);
    let valves = folder();
    assert!(!text(&server.answer(&json!({"content": VALVE}))).contains("Zorblatt valve is"));
    for (colour, other) in [("purple", "green"), ("green", "purple")] {
        let file = write(valves.path(), "valve.md", valve(colour));
        assert_eq!(count(&ingest(data.path(), valves.path()), "documents"), 1);
        let answer = server.answer(&json!({"content": VALVE}));
        assert!(documents(&answer).contains(&argument(&file)), "{answer:#}");
        assert!(text(&answer).contains(colour), "{answer:#}");
        assert!(!answer.to_string().contains(other), "{answer:#}");
    }
    fs::remove_file(valves.path().join("valve.md")).expect("it is there");
    assert!(run(&["--prune=force", argument(valves.path())], data.path()).ok().stdout.contains("1 removed"));
    assert!(!server.answer(&json!({"content": VALVE})).to_string().contains("green"));
    server.assert_healthy();
}

#[test]
fn what_has_not_changed_is_not_read_again() {
    let data = samples();
    let report = ingest(data.path(), Path::new("examples"));
    let counts = ["documents", "passages", "unchanged", "removed", "skipped"].map(|name| count(&report, name));
    assert_eq!(counts, [0, 0, 13, 0, 0], "{report:#}");
    let said = run(&["examples"], data.path()).ok();
    assert!(said.stdout.contains("13 unchanged"), "{said:?}");
}

#[test]
fn pruning_removes_documents_whose_files_are_gone_and_nothing_else() {
    let (data, documents, elsewhere) = (folder(), folder(), folder());
    for name in ["one.md", "two.md", "three.txt"] {
        write(documents.path(), name, format!("Text of {name}.\n"));
    }
    write(elsewhere.path(), "four.md", "Text of four.\n");
    ingest(data.path(), documents.path());
    ingest(data.path(), elsewhere.path());
    fs::remove_file(documents.path().join("two.md")).expect("it is there");
    fs::remove_file(elsewhere.path().join("four.md")).expect("it is there");
    assert_eq!(count(&ingest(data.path(), documents.path()), "removed"), 0);
    assert_eq!(count(&status(data.path()), "documents"), 4);
    let report = run(&["--prune", "--json", argument(documents.path())], data.path()).ok().json();
    assert_eq!((count(&report, "removed"), count(&report, "unchanged")), (1, 2), "{report:#}");
    assert_eq!(count(&status(data.path()), "documents"), 3);
}

#[test]
fn a_document_has_one_path_whatever_directory_it_is_ingested_from() {
    let (data, home) = (folder(), folder());
    let home_folder = fs::canonicalize(home.path()).expect("it is there");
    let wiki = home_folder.join("wiki");
    fs::create_dir(&wiki).expect("is made");
    write(&wiki, "valve.md", valve("purple"));
    let from = |directory: &Path, path: &str| {
        let mut ingest = command(&["ingest", "--json", path, "--data-dir", argument(data.path())]);
        ingest.current_dir(directory);
        Process::start(ingest).finish().ok().json()
    };
    let cited = || {
        let asked = ["ask", "--json", VALVE, "--max-tokens", "16", "--data-dir", argument(data.path())];
        documents(&qanda(&asked).ok().json()).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(count(&from(&home_folder, "wiki"), "documents"), 1);
    assert_eq!(cited(), ["wiki/valve.md"]);
    // From inside, by another spelling; and what comes later, from elsewhere.
    assert_eq!(count(&from(&wiki, "."), "unchanged"), 1);
    write(&wiki, "valve.md", valve("green"));
    assert_eq!(count(&from(Path::new("/"), argument(&wiki)), "documents"), 1);
    assert_eq!(cited(), ["wiki/valve.md"]);
    assert_eq!(count(&status(data.path()), "documents"), 1);
}

#[test]
fn moved_files_are_recognised_and_the_old_place_is_forgotten() {
    let (data, home) = (folder(), folder());
    let (old, new) = (home.path().join("old"), home.path().join("new"));
    fs::create_dir(&old).expect("is made");
    write(&old, "valve.md", valve("purple"));
    write(&old, "pump.md", "# Pump\n\nThe pump starts at nine.\n");
    ingest(data.path(), &old);
    let pair = json!({"id": "p", "question": "Which colour has the cover?", "document": "valve.md",
                      "answer": "The cover of the Zorblatt valve is painted purple after every inspection."});
    let pairs = write(home.path(), "pairs.jsonl", pair.to_string());
    let _ = qanda(&["qa", "import", argument(&pairs), "--data-dir", argument(data.path())]).ok();
    fs::rename(&old, &new).expect("is renamed");
    let report = ingest(data.path(), &new);
    assert_eq!((count(&report, "moved"), count(&report, "documents")), (2, 0), "{report:#}");
    let stored = status(data.path());
    assert_eq!((count(&stored, "documents"), count(&stored, "pairs")), (2, 1), "{stored:#}");
    let exported = qanda(&["qa", "export", "--data-dir", argument(data.path())]).ok().json();
    assert_eq!(exported["document"], json!(argument(&fs::canonicalize(new).expect("it is there").join("valve.md"))));
}

#[test]
fn copies_are_documents_of_their_own_and_are_listed() {
    let (data, documents) = (folder(), folder());
    for (name, text) in [("a.md", "One text.\n"), ("b.md", "One text.\n"), ("c.md", "Another text.\n")] {
        write(documents.path(), name, text);
    }
    ingest(data.path(), documents.path());
    let status = ["status", "--duplicates", "--json", "--data-dir", argument(data.path())];
    let stored = qanda(&status).ok().json();
    assert_eq!(count(&stored, "documents"), 3);
    let groups = stored["duplicates"].as_array().expect("a list");
    let names = |path: &Value| path.as_str().is_some_and(|path| path.ends_with("a.md") || path.ends_with("b.md"));
    assert!(groups.len() == 1 && groups[0].as_array().is_some_and(|group| group.iter().all(names)), "{stored:#}");
}

#[test]
fn what_is_passed_over_is_told_with_its_own_reason() {
    let (data, documents) = (folder(), folder());
    let file = write(documents.path(), "good.md", "# Good\n\nA good sentence.\n");
    write(documents.path(), "table.xyz", "?");
    std::os::unix::fs::symlink(file, documents.path().join("link.md")).expect("a link");
    let _socket = std::os::unix::net::UnixListener::bind(documents.path().join("socket.md")).expect("a socket");
    let said = run(&[argument(documents.path())], data.path()).ok();
    for line in [
        "skipped 1 file: there is no reader for .xyz files",
        "skipped 1 file: symbolic links inside folders are not followed",
        "skipped 1 file: sockets, devices and pipes are not documents",
    ] {
        assert!(said.stderr.lines().any(|told| told == line), "{line}: {said:?}");
    }
}

#[test]
fn bad_files_are_named_with_the_reason_and_good_ones_are_stored() {
    let (data, documents) = (folder(), folder());
    write(documents.path(), "good.md", "# Good\n\nA good sentence.\n");
    write(documents.path(), "good.html", "<p>Another good sentence.</p>");
    write(documents.path(), "table.xyz", "?");
    let empty: [(&str, &[u8], &str); 2] = [("empty.txt", b"", "empty"), ("blank.md", b" \n\n", "no text")];
    let bad: [(&str, &[u8], &str); 2] = [
        ("nul.txt", b"a\0b", "not a text file"),
        ("binary.md", &[0xff, 0xd8, 0x01, 0x02].repeat(500), "not a text file"),
    ];
    for (name, bytes, _) in empty.iter().chain(&bad) {
        write(documents.path(), name, bytes);
    }
    let said = run(&[argument(documents.path())], data.path());
    assert_eq!(said.code, Some(3), "{said:?}");
    for (how, files) in [("passed over", &empty), ("failed", &bad)] {
        for (name, _, reason) in files {
            let line = said.stderr.lines().find(|line| line.contains(name)).unwrap_or_default();
            assert!(line.contains(how) && line.contains(reason), "{name}: {said:?}");
        }
    }
    let counts = ["2 documents", "2 empty", "2 failures"];
    assert!(counts.iter().all(|count| said.stdout.contains(count)), "{said:?}");
    assert_eq!(count(&status(data.path()), "documents"), 2);

    // The second time the good ones are there and the bad ones as bad as before.
    let report = run(&["--json", argument(documents.path())], data.path());
    assert_eq!(report.code, Some(3));
    let report = report.json();
    assert_eq!((count(&report, "documents"), count(&report, "unchanged"), count(&report, "skipped")), (0, 2, 1));
    let failures = report["failures"].as_array().expect("a list");
    assert_eq!(failures.len(), bad.len(), "{report:#}");
    for failure in failures {
        let path = failure["path"].as_str().expect("a path");
        let (_, _, reason) = bad.iter().find(|(name, ..)| path.ends_with(name)).expect("one of the bad files");
        assert!(failure["reason"].as_str().is_some_and(|given| given.contains(reason)), "{failure:#}");
    }
}

#[test]
fn a_bad_version_of_a_file_leaves_the_stored_one_alone() {
    let (data, documents) = (folder(), folder());
    write(documents.path(), "valve.md", valve("purple"));
    ingest(data.path(), documents.path());
    write(documents.path(), "valve.md", "a\0b");
    assert_eq!(run(&["--prune", argument(documents.path())], data.path()).code, Some(3));
    assert_eq!(count(&status(data.path()), "documents"), 1);
    // One that has been emptied says what it says now: nothing.
    write(documents.path(), "valve.md", "");
    let report = run(&["--json", argument(documents.path())], data.path()).ok().json();
    assert_eq!((count(&report, "removed"), report["empty"][0]["reason"].as_str()), (1, Some("the file is empty")));
    assert_eq!(count(&status(data.path()), "documents"), 0);
}

#[test]
fn a_folder_that_is_not_mounted_takes_nothing_with_it() {
    let (data, share) = (folder(), folder());
    for name in ["one.md", "two.md"] {
        write(share.path(), name, format!("Text of {name}.\n"));
    }
    ingest(data.path(), share.path());
    let aside = folder();
    for name in ["one.md", "two.md"] {
        fs::rename(share.path().join(name), aside.path().join(name)).expect("is moved");
    }
    let refused = run(&["--prune", argument(share.path())], data.path());
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let said = refused.failure_after_notes();
    assert!(said.contains("2 of the 2 documents stored of"), "{said}");
    assert!(refused.stderr.contains("--prune=force"), "{refused:?}");
    let rehearsed = run(&["--prune=force", "--dry-run", argument(share.path())], data.path()).ok();
    assert!(rehearsed.stderr.contains("would remove") && rehearsed.stdout.contains("2 removed"), "{rehearsed:?}");
    fs::remove_dir(share.path()).expect("is empty");
    let gone = run(&["--prune=force", argument(share.path())], data.path());
    assert!(gone.code == Some(3) && gone.stderr.contains("2 of the stored documents came from there"), "{gone:?}");
    assert_eq!(count(&status(data.path()), "documents"), 2);
    fs::create_dir(share.path()).expect("is there again");
}

#[test]
fn documents_are_removed_by_the_names_that_people_know_them_by() {
    let (data, home) = (folder(), folder());
    let old = home.path().join("old");
    fs::create_dir(&old).expect("is made");
    for name in ["one.md", "two.md", "three.md"] {
        write(&old, name, format!("Text of {name}.\n"));
    }
    ingest(data.path(), &old);
    fs::remove_file(old.join("two.md")).expect("it is there");
    let remove = |names: &[&str]| qanda(&[&["remove", "--data-dir", argument(data.path())], names].concat());
    let unknown = remove(&["nowhere.md", argument(&old)]);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(unknown.failure().contains("nothing is stored of nowhere.md"), "{unknown:?}");
    let listed = remove(&["--dry-run", argument(&old)]).ok();
    assert!(listed.stdout.contains("3 documents would be removed"), "{listed:?}");
    assert_eq!(count(&status(data.path()), "documents"), 3);
    let report = remove(&["--json", argument(&old.join("two.md"))]).ok().json();
    assert_eq!(report["removed"].as_array().map(Vec::len), Some(1), "{report:#}");
    assert!(remove(&[argument(&old)]).ok().stdout.contains("2 documents removed"));
    assert_eq!(count(&status(data.path()), "documents"), 0);
}

#[test]
fn the_report_says_what_was_done_and_where_the_time_went() {
    let (data, documents) = (folder(), folder());
    write(documents.path(), "one.md", valve("purple"));
    let report = ingest(data.path(), documents.path());
    assert_eq!((count(&report, "documents"), count(&report, "passages")), (1, 1));
    assert_eq!(report["failures"], json!([]));
    assert!(report["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{report:#}");
    for step in ["reading", "embedding", "storing", "indexing"] {
        assert!(report["busy_seconds"][step].is_number(), "{report:#}");
    }
}

#[test]
fn a_path_that_does_not_exist_is_named() {
    let data = folder();
    let said = run(&["/nowhere/at/all", "examples/asthma.md"], data.path());
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains("/nowhere/at/all: no such file or folder"), "{said:?}");
    assert_eq!(count(&status(data.path()), "documents"), 1);
    let said = run(&["Cargo.lock"], data.path());
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.stderr.contains("no reader for .lock files"), "{said:?}");
    assert_eq!(run(&[], data.path()).code, Some(2), "a path is needed");
}

#[test]
fn scripts_and_styles_of_a_page_are_no_text() {
    let (data, documents) = (folder(), folder());
    let page = "<html><head><title>Pumps</title><script>var zyxquandle = 'the zyxquandle opens at noon';</script>\
                <style>.zyxquandle { color: red }</style></head><body><!-- zyxquandle -->\
                <p>The pump house opens at nine in the morning.</p></body></html>";
    write(documents.path(), "pumps.html", page);
    ingest(data.path(), documents.path());
    let ask = |question: &str| {
        let short = ["--max-tokens", "24", "--n-results", "50", "--data-dir", argument(data.path())];
        qanda(&[&["ask", "--json", question], &short[..]].concat()).ok().json()
    };
    let answer = ask("When does the pump house open?");
    assert!(text(&answer).contains("nine in the morning"), "{answer:#}");
    assert_nothing_found(&ask("zyxquandle"));
    assert!(!ask("When does the zyxquandle open?").to_string().contains("noon"));
}

#[test]
fn two_ingests_into_one_store_at_once_both_succeed() {
    let data = folder();
    let folders = ["a", "b"].map(|part| {
        let documents = folder();
        for n in 0..60 {
            let text = format!("# {part}{n}\n\nStation {part}{n} measured {n} millimetres of rain.\n");
            write(documents.path(), &format!("{part}{n}.md"), text);
        }
        documents
    });
    // Both folders, and one of them twice.
    let start = |documents: &Path| {
        Process::start(command(&["ingest", "--json", argument(documents), "--data-dir", argument(data.path())]))
    };
    let running = [&folders[0], &folders[1], &folders[0]].map(|documents| start(documents.path()));
    for process in running {
        let report = process.finish().ok().json();
        assert_eq!(count(&report, "documents") + count(&report, "unchanged"), 60, "{report:#}");
    }
    let stored = status(data.path());
    assert_eq!((count(&stored, "documents"), count(&stored, "passages")), (120, 120), "{stored:#}");
}
