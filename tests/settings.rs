//! Settings: their origins, and their display.

use qanda_tests::binary::command;
use qanda_tests::data::{argument, folder, write};
use qanda_tests::{Process, Recorder};
use serde_json::Value;

#[test]
fn each_setting_is_shown_with_its_origin_and_secrets_are_hidden() {
    let folder = folder();
    let env_file = write(folder.path(), "env", "CHROMADB_PORT=1234\nOPENAI_API_KEY=sk-very-secret\n");
    let file = write(folder.path(), "qanda.toml", "llm_slots = 3\nchroma_host = \"db\"\nchroma_port = 1\n");
    let mut command = command(&["config", "--json", "--max-tokens", "77", "--config", argument(&file)]);
    command.env("QANDA_ENV_FILE", &env_file).env("CHROMADB_COL_NAME", "guidelines").env("CHROMADB_HOST", "chroma");
    let shown = Process::start(command).finish().ok();
    assert!(!shown.stdout.contains("sk-very-secret"), "{shown:?}");
    let settings: Value = shown.json();
    let is = |key: &str, value: &str, origin: &str| {
        let setting = &settings[key];
        assert_eq!(setting["value"], value, "{key}: {setting:#}");
        assert!(setting["origin"].as_str().is_some_and(|shown| shown.contains(origin)), "{key}: {setting:#}");
    };
    is("max_tokens", "77", "flag --max-tokens");
    is("chroma_host", "chroma", "environment, CHROMADB_HOST");
    is("chroma_collection", "guidelines", "environment, CHROMADB_COL_NAME");
    is("chroma_port", "1234", ".env, CHROMADB_PORT");
    is("openai_api_key", "(set, hidden)", ".env, OPENAI_API_KEY");
    is("llm_slots", "3", "qanda.toml");
    is("listen", "127.0.0.1:8000", "default");
}

#[test]
fn the_template_of_credentials_names_settings_that_exist() {
    let template = include_str!("../credentials.template");
    let lines = template.lines().filter_map(|line| line.trim_start_matches("# ").strip_prefix("export "));
    let names: Vec<&str> = lines.map(|line| line.split('=').next().expect("a name")).collect();
    assert!(names.contains(&"OPENAI_API_KEY"), "{names:?}");
    let settings = Process::start(command(&["config", "--json"])).finish().ok().json();
    let variables: Vec<&str> =
        settings.as_object().expect("an object").values().filter_map(|setting| setting["variable"].as_str()).collect();
    assert!(names.iter().all(|name| variables.contains(name)), "{names:?}: {variables:?}");
}

#[test]
fn times_are_written_in_the_same_way_wherever_they_stand() {
    let folder = folder();
    let file = write(folder.path(), "qanda.toml", "store_timeout = \"2m\"\nendpoint_idle_timeout = 1.5\n");
    let arguments = ["config", "--json", "--timeout", "45", "--graceful-timeout", "500ms", "--config", argument(&file)];
    let mut command = command(&arguments);
    command.env("QANDA_ENDPOINT_TIMEOUT", "90s").env("QANDA_WRITE_TIMEOUT", "1h");
    let settings = Process::start(command).finish().ok().json();
    for (key, value) in [
        ("timeout", "45"),
        ("graceful_timeout", "500ms"),
        ("store_timeout", "2m"),
        ("endpoint_idle_timeout", "1.5"),
        ("endpoint_timeout", "90s"),
        ("write_timeout", "1h"),
    ] {
        assert_eq!(settings[key]["value"], value, "{key}: {settings:#}");
    }
}

#[test]
fn prompts_can_be_taken_out_and_replaced() {
    let folder = folder();
    let prompts = folder.path().join("prompts");
    let listed = Process::start(command(&["config", "--write-prompts", argument(&prompts)])).finish().ok().stdout;
    assert_eq!(listed.lines().count(), 6, "{listed}");

    write(&prompts, "model_alone.txt", "Speak like a pirate.");
    let (model, data) = (Recorder::start(), folder.path().join("data"));
    let fixed = ["ask", "Who are you?", "--no-documents", "--data-dir", argument(&data), "--llm", "openai"];
    let ask = |more: &[&str]| {
        let arguments = [&fixed[..], &["--openai-base-url", model.base_url()], more].concat();
        assert!(Process::start(command(&arguments)).finish().ok().stdout.contains("Noted."));
        model.requests().pop().expect("a request")["messages"][0]["content"].as_str().map(ToOwned::to_owned)
    };
    let own = ask(&["--prompts", argument(&prompts)]).expect("instructions");
    assert!(own.starts_with("Speak like a pirate."), "{own}");
    let built_in = ask(&[]).expect("instructions");
    assert!(!built_in.contains("pirate"), "{built_in}");

    write(&prompts, "direkt.txt", "Hello.");
    let refused = Process::start(command(&["config", "--prompts", argument(&prompts)])).finish();
    assert!(refused.failure().contains("direkt.txt is no prompt; there are direct.txt"), "{refused:?}");
}
