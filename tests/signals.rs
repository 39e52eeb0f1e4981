//! Signals to a server: settings that are read again, a single process, a terminal that is closed.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use qanda_tests::binary::{command, path, prepared};
use qanda_tests::data::{argument, folder, write};
use qanda_tests::{Mock, Server, wait_until};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::json;

/// `O_NOCTTY` of Linux.
const NOCTTY: i32 = 0o400;

/// Writes `.env`: which endpoint has the model, and more.
fn write_env(folder: &Path, model: &str, more: &str) -> PathBuf {
    write(folder, "env", format!("OPENAI_BASE_URL={model}\n{more}\n"))
}

/// The words of the model behind a server.
fn model_says(server: &Server) -> String {
    let answer = server.answer(&json!({"content": "Who are you?", "query_option": false}));
    answer["answer"].as_str().expect("a text").to_owned()
}

fn ready(server: &Server) -> usize {
    server.said().matches("worker ready").count()
}

/// A worker whose settings stand in `.env`, in a folder beside its store.
fn start_with_env(folder: &Path, env_file: &Path) -> Server {
    let arguments = ["--llm", "openai", "--embedder", "openai", "--worker-class", "gthread", "--threads", "2"];
    let mut command = command(&Server::arguments(&folder.join("data"), &arguments));
    command.env("QANDA_ENV_FILE", env_file);
    let mut server = Server::run(command);
    server.wait_until_ready();
    server
}

#[test]
fn on_hup_the_settings_in_the_env_file_are_read_again() {
    let folder = folder();
    let models = ["first", "second"].map(|text| Mock::start(&["--latency", "0", "--text", text, "--tokens", "1"]));
    let env_file = write_env(folder.path(), models[0].base_url(), "QANDA_MAX_TOKENS=1");
    let server = start_with_env(folder.path(), &env_file);
    assert_eq!(model_says(&server), "first");

    write_env(folder.path(), models[1].base_url(), "");
    server.signal("HUP");
    wait_until("the worker is replaced", || ready(&server) == 2 && server.workers().len() == 1);
    assert_eq!(model_says(&server), "second");
}

#[test]
fn an_env_file_that_is_wrong_is_named_and_the_old_workers_stay() {
    let folder = folder();
    let model = Mock::shared();
    let env_file = write_env(folder.path(), model.base_url(), "");
    let mut server = start_with_env(folder.path(), &env_file);
    let workers = server.workers();
    write_env(folder.path(), model.base_url(), "sk-very-secret");
    server.signal("HUP");
    server.wait_to_say("the old ones stay");
    let said = server.said();
    assert_eq!(said.matches("entry 2 is not NAME=value").count(), 1, "{said}");
    assert!(!said.contains("sk-very-secret"), "{said}");
    assert_eq!(server.workers(), workers);
    server.assert_healthy();
}

#[test]
fn a_replacement_that_never_gets_ready_does_not_stand_in_the_way_of_the_next() {
    let folder = folder();
    let model = Mock::shared();
    let env_file = write_env(folder.path(), model.base_url(), "");
    let mut server = start_with_env(folder.path(), &env_file);
    let before = server.workers();
    // Nobody listens there, so the replacement waits for its embedder.
    write_env(folder.path(), "http://127.0.0.1:9/v1", "");
    server.signal("HUP");
    server.wait_to_say("waiting for the embedder");
    assert_eq!(server.workers().len(), 2);
    write_env(folder.path(), model.base_url(), "");
    server.signal("HUP");
    wait_until("the worker is replaced", || ready(&server) == 2 && server.workers().len() == 1);
    assert_ne!(server.workers(), before);
    server.assert_healthy();
}

/// A single process over an empty store, whose models are remote and free.
fn alone(model: &Mock, data: &Path) -> Server {
    Server::start(data, &[&model.arguments()[..], &["--graceful-timeout", "10m"]].concat())
}

#[test]
fn signals_for_a_supervisor_are_answered_by_a_single_process_that_goes_on() {
    let (model, data) = (Mock::shared(), folder());
    let mut server = alone(&model, data.path());
    server.signal("HUP");
    server.wait_to_say("HUP changes nothing");
    for name in ["TTIN", "TTOU"] {
        server.signal(name);
    }
    server.wait_to_say("TTIN and TTOU change nothing");
    server.assert_healthy();
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn the_second_signal_ends_a_single_process_at_once_and_in_order() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let (model, data) = (Mock::shared(), folder());
        let mut server = alone(&model, data.path());
        let _unfinished = server.begin_question();
        server.signal(name);
        server.wait_to_say("running answers may finish");
        server.signal(name);
        // An exit code, not the death by a signal that leaves a core dump behind.
        assert_eq!(server.wait().code(), Some(code));
        assert!(server.said().contains("stopping at once"), "{}", server.said());
    }
}

/// An embedder that takes for ever to load: one of its files is a pipe that nobody writes to.
fn endless_embedder(folder: &Path) -> String {
    let pipe = folder.join("config.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("there is mkfifo").success());
    format!("local:{}", folder.display())
}

#[test]
fn a_process_that_is_busy_loading_or_writing_ends_when_its_time_is_over_or_at_the_second_signal() {
    for (grace, signals, code) in [("500ms", 1, 0), ("10m", 2, 130)] {
        let (data, embedder) = (folder(), folder());
        let embedder = endless_embedder(embedder.path());
        let arguments = ["--llm", "openai", "--embedder", &embedder, "--graceful-timeout", grace];
        let mut server = Server::launch(data.path(), &arguments);
        server.signal("INT");
        server.wait_to_say("running answers may finish");
        if signals == 2 {
            server.wait_to_say("stopped");
            server.signal("INT");
        }
        assert_eq!(server.wait().code(), Some(code), "{grace}");
    }
}

#[test]
fn a_server_ends_with_the_terminal_that_it_was_started_from() {
    for workers in ["1", "2"] {
        let (model, data) = (Mock::shared(), folder());
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("a terminal");
        let other_end = ptsname(&terminal, Vec::new()).expect("a terminal has a name");
        let other_end = other_end.to_str().expect("a path");
        // It is not to become the terminal of this process.
        let other_end = File::options().read(true).write(true).custom_flags(NOCTTY).open(other_end).expect("opens");
        let binary = path();
        // Whoever runs the tests with nohup does not mean the server.
        let run = ["--ctty", "env", "--default-signal=HUP", argument(&binary)];
        let arguments = [&model.arguments()[..], &["--workers", workers]].concat();
        let mut command =
            prepared(Command::new("setsid"), &[&run[..], &Server::arguments(data.path(), &arguments)].concat());
        command.stdin(Stdio::from(other_end));
        let mut server = Server::run(command);
        server.wait_until_ready();
        drop(terminal);
        server.wait_to_say("running answers may finish");
        assert_eq!(server.wait().code(), Some(0), "{workers}");
    }
}
