//! Settings that cannot work: one sentence that says so, exit code 1, never a panic.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use qanda_tests::data::{argument, folder, write};
use qanda_tests::{Finished, Mock, qanda};
use tempfile::TempDir;

/// A server with some arguments, over an empty folder.
fn serve(arguments: &[&str]) -> Finished {
    let data = folder();
    let fixed = ["serve", "--listen", "127.0.0.1:0", "--data-dir", argument(data.path())];
    qanda(&[&fixed, arguments].concat())
}

fn default_model(which: usize) -> String {
    let listed = qanda(&["models", "list", "--json"]).ok().json();
    listed[which]["path"].as_str().expect("a path").to_owned()
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let data = folder();
    let refused = qanda(&["serve", "--listen", &address, "--data-dir", argument(data.path())]);
    let sentence = refused.failure();
    assert!(sentence.contains(&address) && sentence.contains("in use"), "{sentence}");
    assert!(!refused.stdout.contains("listening"), "{refused:?}");
}

#[test]
fn to_serve_other_machines_without_keys_must_be_meant() {
    let data = folder();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = qanda(&["serve", "--listen", address, "--data-dir", argument(data.path())]);
        let sentence = refused.failure();
        assert!(sentence.contains("--insecure-no-auth") && sentence.contains(address), "{sentence}");
        assert!(!refused.stdout.contains("listening"), "{refused:?}");
    }
    // With the flag it is tried, and this address (of no machine: RFC 5737) cannot be had for another reason.
    let address = ["serve", "--listen", "192.0.2.1:0", "--insecure-no-auth", "--data-dir", argument(data.path())];
    let refused = qanda(&address);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("cannot listen on 192.0.2.1:0"), "{refused:?}");
    assert!(refused.stderr.contains("ANYONE"), "it is said loudly: {refused:?}");
}

#[test]
fn a_settings_file_that_is_wrong_is_named_with_the_key() {
    let folder = folder();
    let cases = [
        ("lisen = \"127.0.0.1:9000\"", "lisen"),
        ("llm_slots = \"many\"", "llm_slots"),
        ("max_tokens = -1", "max_tokens"),
        ("listen = \"nowhere\"", "listen"),
        ("[server]\nport = 1", "server"),
        ("llm_slots = ", "llm_slots"),
    ];
    for (text, key) in cases {
        let file = write(folder.path(), "qanda.toml", text);
        let refused = qanda(&["status", "--config", argument(&file)]);
        assert_eq!(refused.code, Some(1), "{text}: {refused:?}");
        assert!(refused.stderr.contains("qanda.toml") && refused.stderr.contains(key), "{text}: {refused:?}");
    }
    let refused = qanda(&["status", "--config", "/nowhere/qanda.toml"]);
    assert!(refused.failure().contains("/nowhere/qanda.toml"), "{refused:?}");
}

#[test]
fn values_out_of_range_are_named_with_the_range() {
    let cases = [
        (["--llm-slots", "0"], "--llm-slots is 0; it must be at least 1"),
        (["--llm-context", "10"], "--llm-context is 10; it must be at least"),
        (["--max-tokens", "0"], "--max-tokens is 0; it must be at least 1"),
        (["--temperature", "5"], "--temperature is 5; it must be from 0 to 2"),
        (["--model-threads", "0"], "--model-threads is 0; it must be at least 1"),
        (["--embedder", "openia"], "--embedder is \"openia\"; it must be"),
        (["--llm", "local:"], "--llm is \"local:\"; it must be"),
    ];
    for (arguments, words) in cases {
        let refused = serve(&arguments);
        assert!(refused.failure().contains(words), "{refused:?}");
    }
    for wrong in [&["--listen", "nowhere"][..], &["--llm-slots", "many"], &["--lisen", "x"]] {
        assert_eq!(qanda(&[&["serve"], wrong].concat()).code, Some(2), "{wrong:?} is wrong usage");
    }
    let data = folder();
    let ask = |arguments: &[&str]| qanda(&[&["ask", "--data-dir", argument(data.path())], arguments].concat());
    assert!(ask(&[" "]).failure().contains("empty"));
    for wrong in [["--n-results", "0"], ["--n-results", "51"], ["--source", "web"], ["--filter", "topic"]] {
        assert_eq!(ask(&[&["Why?"], &wrong[..]].concat()).code, Some(2), "{wrong:?} is wrong usage");
    }
}

#[test]
fn a_language_model_that_cannot_be_used_is_named() {
    let folder = folder();
    // The other model is not what this is about, and takes longer to load than to refuse this one.
    let mock = Mock::shared();
    let embedder = ["--embedder", "openai", "--openai-base-url", mock.base_url()];
    let whole = fs::read(default_model(1)).expect("run `make models`");
    let noise: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let garbage_after_magic = [&whole[..8], &noise].concat();
    let files: [(&str, &[u8]); 5] = [
        ("empty.gguf", b""),
        ("noise.gguf", &noise),
        ("magic.gguf", &garbage_after_magic),
        ("start.gguf", &whole[..1 << 20]),
        ("cut.gguf", &whole[..whole.len() - 1000]),
    ];
    for (name, bytes) in files {
        let llm = format!("local:{}", write(folder.path(), name, bytes).display());
        let refused = serve(&[&embedder[..], &["--llm", &llm]].concat());
        assert!(refused.failure().contains(name), "{refused:?}");
    }
    let data = folder.path().join("data");
    for missing in ["local:nofile.gguf", "local:/"] {
        let refused = serve(&[&embedder[..], &["--llm", missing]].concat());
        assert!(refused.failure().contains("there is no such file"), "{refused:?}");
        let ask = ["ask", "Why?", "--llm", missing, "--data-dir", argument(&data)];
        let refused = qanda(&[&ask[..], &embedder].concat());
        assert!(refused.failure().contains("there is no such file"), "{refused:?}");
    }
}

/// A copy of the default embedder with one file replaced.
fn embedder_with(file: &str, bytes: &[u8]) -> TempDir {
    let copy = folder();
    for entry in fs::read_dir(default_model(0)).expect("run `make models`") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let name = path.file_name().expect("a name");
            std::os::unix::fs::symlink(&path, copy.path().join(name)).expect("a link");
        }
    }
    fs::remove_file(copy.path().join(file)).expect("it is there");
    write(copy.path(), file, bytes);
    copy
}

#[test]
fn an_embedder_that_cannot_be_used_is_named() {
    let refused_by_name = |directory: &Path| {
        let embedder = format!("local:{}", directory.display());
        let refused = serve(&["--embedder", &embedder, "--llm", "openai"]);
        assert!(refused.failure().contains(argument(directory)), "{refused:?}");
    };
    let empty = folder();
    refused_by_name(empty.path());
    refused_by_name(&empty.path().join("absent"));
    let weights = fs::read(Path::new(&default_model(0)).join("model.safetensors")).expect("run `make models`");
    let config = fs::read_to_string(Path::new(&default_model(0)).join("config.json")).expect("run `make models`");
    let larger = config.replace("\"hidden_size\": 384", "\"hidden_size\": 768");
    let deeper = config.replace("\"num_hidden_layers\": 6", "\"num_hidden_layers\": 60");
    let other = config.replace("\"model_type\": \"bert\"", "\"model_type\": \"t5\"");
    assert!([&larger, &deeper, &other].iter().all(|changed| **changed != config));
    let cases: [(&str, &[u8]); 9] = [
        ("config.json", b""),
        ("config.json", b"{}"),
        ("config.json", larger.as_bytes()),
        ("config.json", deeper.as_bytes()),
        ("config.json", other.as_bytes()),
        ("tokenizer.json", b"{\"version\": \"1.0\"}"),
        ("model.safetensors", b""),
        ("model.safetensors", b"This is no model, but it is longer than a header."),
        ("model.safetensors", &weights[..weights.len() / 2]),
    ];
    for (file, bytes) in cases {
        refused_by_name(embedder_with(file, bytes).path());
    }
}

#[test]
fn a_data_directory_that_is_none_is_named() {
    let folder = folder();
    let file = write(folder.path(), "file", "x");
    let broken = folder.path().join("broken");
    fs::create_dir(&broken).expect("is made");
    write(
        &broken,
        "qanda.sqlite",
        "This is no database, but a text that is longer than its header would be.".repeat(20),
    );
    for directory in [file.as_path(), broken.as_path()] {
        for command in [&["ingest", "examples/asthma.md", "--json"][..], &["ask", "Why?"], &["serve"]] {
            let listen: &[&str] = if command == ["serve"] { &["--listen", "127.0.0.1:0"] } else { &[] };
            let refused = qanda(&[command, listen, &["--data-dir", argument(directory)]].concat());
            assert!(refused.failure().contains(argument(directory)), "{refused:?}");
        }
    }
    let refused = qanda(&["status", "--data-dir", argument(&broken)]);
    assert!(refused.failure().contains(argument(&broken)), "{refused:?}");
}
