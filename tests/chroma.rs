//! The binary over a real Chroma server, as the original service was: two processes on one collection, and a server
//! that comes and goes.

use std::thread;
use std::time::{Duration, Instant};

use qanda_tests::answer::{assert_holds, documents, problem};
use qanda_tests::data::folder;
use qanda_tests::{Chroma, Finished, Server, qanda};
use serde_json::{Value, json};

const HBA1C: &str = "What HbA1c target suits most adults with type 2 diabetes?";
/// Arguments that keep the language model's part short.
const SHORT: [&str; 4] = ["--max-tokens", "16", "--context-tokens", "96"];

/// The arguments that name a collection of this server.
fn store(chroma: &Chroma, collection: &str) -> Vec<String> {
    let port = chroma.port().to_string();
    let named = ["--store", "chroma", "--chroma-host", "127.0.0.1", "--chroma-port", &port];
    named.iter().chain(&["--chroma-collection", collection]).map(|word| (*word).to_owned()).collect()
}

fn run(command: &[&str], store: &[String]) -> Finished {
    let store: Vec<&str> = store.iter().map(String::as_str).collect();
    qanda(&[command, &store].concat())
}

fn serve(store: &[String], more: &[&str]) -> Server {
    let store: Vec<&str> = store.iter().map(String::as_str).collect();
    Server::launch(folder().path(), &[&store[..], &SHORT, more].concat())
}

#[test]
fn what_one_process_stores_another_one_finds_at_once() {
    let Some(chroma) = Chroma::shared() else { return };
    let store = store(&chroma, "found-at-once");
    let mut server = serve(&store, &[]);
    server.wait_until_ready();
    let nothing = server.answer(&json!({"content": HBA1C}));
    assert!(documents(&nothing).is_empty(), "{nothing:#}");
    let report = run(&["ingest", "examples", "--json"], &store).ok().json();
    assert_eq!((&report["documents"], &report["passages"]), (&13.into(), &138.into()));
    let answer = server.answer(&json!({"content": HBA1C}));
    assert!(documents(&answer).contains(&"examples/type-2-diabetes.md"), "{answer:#}");
    let ranked = run(&["search", HBA1C, "--json"], &store).ok().json();
    let ranks = &ranked["hits"][0]["ranks"];
    assert!(ranks["dense"].is_u64() && ranks["lexical"].is_null(), "Chroma has no search by words alone: {ranked:#}");
    let again = run(&["ingest", "examples", "--json"], &store).ok().json();
    assert_eq!(again["unchanged"], 13, "{again}");
    let status = run(&["status", "--json"], &store).ok().json();
    assert_eq!((&status["documents"], &status["passages"], &status["pairs"]), (&13.into(), &138.into(), &0.into()));
    assert_eq!(status["dimension"], 384);
    let asked = run(&[&["ask", HBA1C, "--json", "--pipeline", "classic"], &SHORT[..]].concat(), &store).ok().json();
    assert_holds(&asked);
    assert_eq!(asked["pipeline"], "classic");
}

#[test]
fn a_chroma_that_comes_and_goes_is_told_and_needs_no_restart() {
    let Some(chroma) = Chroma::start() else { return };
    let store = store(&chroma, "comes-and-goes");
    let _ = run(&["ingest", "examples/type-2-diabetes.md"], &store).ok();
    chroma.kill();

    // It is down when qanda starts.
    let refused = run(&["ask", HBA1C], &store);
    let address = format!("127.0.0.1:{}", chroma.port());
    assert!(refused.failure().contains(&address), "{refused:?}");
    let server = serve(&store, &["--store-timeout", "2"]);
    until_loaded(&server);
    let away = |why: &str| {
        let began = Instant::now();
        let ready = problem(server.get("/readyz").send().expect("responds"), 503);
        let asked = problem(server.ask(&json!({"content": HBA1C})), 503);
        assert!(began.elapsed() < Duration::from_secs(8), "{why}: it took {:?}", began.elapsed());
        // Where the store is stands in the log, and nowhere else.
        for said in [&ready, &asked] {
            assert!(!said.to_string().contains(&address), "{why}: {said:#}");
            let id = said["request_id"].as_str().expect("an id");
            let log = server.said();
            assert!(log.lines().any(|line| line.contains(id) && line.contains(&address)), "{why}: {log}");
        }
        assert_eq!(server.get("/healthz").send().expect("responds").status(), 200);
    };
    away("down");
    chroma.run();
    back(&server);
    chroma.signal("STOP");
    away("silent");
    chroma.signal("CONT");
    back(&server);
    chroma.kill();
    away("down again");
    chroma.run();
    back(&server);
}

/// The models are there, so that a problem is the store's.
fn until_loaded(server: &Server) {
    let began = Instant::now();
    loop {
        let problem: Value = server.get("/readyz").send().expect("responds").json().expect("is JSON");
        if problem["type"] != "urn:qanda:problem:starting" {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{problem:#}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// It is ready again and answers, without having been started again.
fn back(server: &Server) {
    let began = Instant::now();
    while server.get("/readyz").send().expect("responds").status() != 200 {
        assert!(began.elapsed() < Duration::from_secs(10), "it does not come back");
        thread::sleep(Duration::from_millis(50));
    }
    let answer = server.answer(&json!({"content": HBA1C}));
    assert!(documents(&answer).contains(&"examples/type-2-diabetes.md"), "{answer:#}");
}
