//! Where settings come from, and what is shown of them.

use qanda_tests::Process;
use qanda_tests::binary::command;
use qanda_tests::data::{argument, folder, write};
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
    let mut names = template.lines().filter_map(|line| line.trim_start_matches("# ").strip_prefix("export "));
    let settings = Process::start(command(&["config", "--json"])).finish().ok().json();
    let variables: Vec<&str> =
        settings.as_object().expect("an object").values().filter_map(|setting| setting["variable"].as_str()).collect();
    assert!(names.all(|line| variables.contains(&line.split('=').next().expect("a name"))), "{variables:?}");
}

#[test]
fn prompts_can_be_taken_out_and_replaced() {
    let folder = folder();
    let prompts = folder.path().join("prompts");
    let listed = Process::start(command(&["config", "--write-prompts", argument(&prompts)])).finish().ok().stdout;
    assert_eq!(listed.lines().count(), 6, "{listed}");
    let used = || Process::start(command(&["config", "--prompts", argument(&prompts)])).finish();
    assert_eq!(used().code, Some(0));
    write(&prompts, "direkt.txt", "Hello.");
    assert!(used().stderr.contains("direkt.txt is no prompt; there are direct.txt"), "{:?}", used());
}
