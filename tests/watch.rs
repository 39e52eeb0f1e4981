//! Folders that are watched: what is stored follows what is there.

use std::fs;

use qanda_tests::binary::{command, signal};
use qanda_tests::data::{argument, folder, status, write};
use qanda_tests::{Mock, Process, Server, qanda, wait_until};
use serde_json::Value;

fn paths(server: &Server) -> Vec<String> {
    let list: Value = server.get("/apis/documents").send().expect("responds").json().expect("JSON");
    let documents = list["documents"].as_array().expect("a list").iter();
    let name = |document: &Value| document["document"].as_str().expect("a path").rsplit('/').next().map(str::to_owned);
    documents.filter_map(name).collect()
}

#[test]
fn one_of_several_workers_follows_the_folder_and_all_answer_from_it() {
    let (data, docs, model) = (folder(), folder(), Mock::shared());
    write(docs.path(), "a.md", "# A\n\nWords of a.");
    let watch = ["--watch", argument(docs.path()), "--workers", "2"];
    let server = Server::start(data.path(), &[&model.arguments()[..], &watch].concat());
    let until = |names: &[&str]| wait_until(&format!("{names:?} are stored"), || paths(&server) == names);
    until(&["a.md"]);
    write(docs.path(), "b.md", "# B\n\nWords of b.");
    until(&["a.md", "b.md"]);
    fs::remove_file(docs.path().join("a.md")).expect("is removed");
    until(&["b.md"]);
    // Whoever follows the folder ends: the other worker goes on.
    for worker in server.workers() {
        assert!(signal(worker, "KILL"));
        wait_until("both workers serve", || server.workers().len() == 2);
    }
    write(docs.path(), "c.md", "# C\n\nWords of c.");
    wait_until("the new document is stored", || {
        let list = server.get("/apis/documents?q=c.md").send().and_then(|response| response.json::<Value>());
        list.is_ok_and(|list| list["documents"].as_array().is_some_and(|documents| documents.len() == 1))
    });
}

#[test]
fn the_command_follows_the_folder_until_it_is_told_to_end() {
    let (data, docs, model) = (folder(), folder(), Mock::shared());
    write(docs.path(), "a.md", "# A\n\nWords of a.");
    let store = ["--data-dir", argument(data.path())];
    let mut watch = vec!["ingest", argument(docs.path()), "--watch"];
    watch.extend(store);
    watch.extend(["--embedder", "openai", "--openai-base-url", model.base_url()]);
    let mut process = Process::start(command(&watch));
    process.wait_to_say("watching");
    write(docs.path(), "b.md", "# B\n\nWords of b.");
    wait_until("the new file is stored", || status(data.path())["documents"] == 2);
    // A folder that is not there any more may be a share that is not mounted.
    fs::rename(docs.path(), docs.path().with_extension("away")).expect("is moved");
    fs::create_dir(docs.path()).expect("is made");
    process.wait_to_say("are missing there");
    assert_eq!(status(data.path())["documents"], 2);
    process.signal("TERM");
    let _ = process.wait();
    fs::remove_dir_all(docs.path().with_extension("away")).expect("is removed");
}

#[test]
fn only_folders_can_be_followed() {
    let docs = folder();
    let file = write(docs.path(), "a.md", "x");
    let refused = qanda(&["ingest", argument(&file), "--watch", "--data-dir", argument(docs.path())]);
    assert!(refused.failure().contains("is no folder"));
}
