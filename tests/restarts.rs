//! Workers that die, hang, are replaced, become more or fewer, and stop.

use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use qanda_tests::binary::{self, runs, signal};
use qanda_tests::data::folder;
use qanda_tests::{Mock, Server, client, wait_until};
use serde_json::json;
use tempfile::TempDir;

/// Several workers over an empty store, all of them ready. Their models are remote and free: nothing is loaded.
fn start(workers: usize, arguments: &[&str]) -> (Server, (TempDir, Arc<Mock>)) {
    let (data, model) = (folder(), Mock::shared());
    let number = workers.to_string();
    let server = Server::start(data.path(), &[&model.arguments()[..], &["--workers", &number], arguments].concat());
    wait_until("all workers are ready", || ready(&server) == workers);
    (server, (data, model))
}

/// How many workers have become ready so far.
fn ready(server: &Server) -> usize {
    server.said().matches("worker ready").count()
}

/// Asks on a connection of its own: one that is kept from before may lead to a worker that was killed since.
fn answers(server: &Server) -> bool {
    let url = format!("http://{}/readyz", server.address());
    client(Duration::from_secs(30)).get(url).send().is_ok_and(|response| response.status() == 200)
}

#[test]
fn a_worker_that_is_killed_is_replaced_and_the_service_goes_on() {
    let (server, _parts) = start(2, &[]);
    let before = server.workers();
    assert!(signal(before[0], "KILL"));
    // What it accepts until it is gone is lost. Then the other one answers alone.
    wait_until("it is gone", || !runs(before[0]));
    assert!(answers(&server));
    wait_until("another worker is ready", || ready(&server) == 3);
    let after = server.workers();
    assert!(after.len() == 2 && after.contains(&before[1]) && !after.contains(&before[0]), "{before:?} {after:?}");
    assert!(answers(&server));
}

#[test]
fn a_worker_that_hangs_is_killed_and_replaced() {
    let (server, _parts) = start(2, &["--timeout", "2"]);
    let before = server.workers();
    assert!(signal(before[0], "STOP"));
    wait_until("another worker is ready", || ready(&server) == 3);
    assert!(!server.workers().contains(&before[0]) && server.said().contains("hangs"), "{}", server.said());
    assert!(answers(&server));
}

#[test]
fn workers_are_replaced_under_load_and_no_request_is_lost() {
    for class in [&["--worker-class", "async"][..], &["--worker-class", "gthread", "--threads", "4"]] {
        let (server, _parts) = start(2, class);
        let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
        let ask = |path: &str| {
            let began = Instant::now();
            while !stop.load(Ordering::Relaxed) && began.elapsed() < Duration::from_secs(90) {
                let request = if path == "/healthz" { server.get(path) } else { server.post(path) };
                let response = request.json(&json!({"content": "Anything"})).send().expect("an accepted request");
                assert_eq!(response.status(), 200);
                response.bytes().expect("a whole answer");
                answered.fetch_add(1, Ordering::Relaxed);
            }
        };
        thread::scope(|scope| {
            for path in ["/healthz", "/healthz", "/apis/q-and-a/mock-q", "/apis/q-and-a/mock-q"] {
                scope.spawn(move || ask(path));
            }
            for round in 1..=3 {
                let before = server.workers();
                server.signal("HUP");
                wait_until("all workers are replaced", || {
                    let after = server.workers();
                    ready(&server) == 2 + 2 * round && after.len() == 2 && !after.iter().any(|w| before.contains(w))
                });
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert!(answered.load(Ordering::Relaxed) > 100, "{answered:?}");
    }
}

#[test]
fn told_to_stop_workers_finish_what_they_have_begun() {
    for class in ["async", "sync"] {
        let (mut server, _parts) = start(2, &["--worker-class", class]);
        let workers = server.workers();
        thread::scope(|scope| {
            let ask = || server.post("/apis/q-and-a/mock-q").json(&json!({"content": "Anything"})).send();
            let asked = [scope.spawn(ask), scope.spawn(ask)];
            thread::sleep(Duration::from_millis(400));
            server.signal("TERM");
            wait_until("nobody can connect any more", || TcpStream::connect(server.address()).is_err());
            for answer in asked {
                assert_eq!(answer.join().expect("is answered").expect("is answered").status(), 200);
            }
        });
        assert_eq!(server.wait().code(), Some(0));
        assert!(workers.iter().all(|worker| !runs(*worker)), "a worker is left");
    }
}

#[test]
fn an_answer_that_takes_longer_than_the_grace_is_cut_off() {
    for class in ["async", "sync"] {
        let (mut server, _parts) = start(2, &["--worker-class", class, "--graceful-timeout", "0"]);
        thread::scope(|scope| {
            let ask = || server.post("/apis/q-and-a/mock-q").json(&json!({"content": "Anything"})).send();
            let asked = scope.spawn(ask);
            thread::sleep(Duration::from_millis(300));
            server.signal("TERM");
            assert!(asked.join().expect("ends").is_err());
        });
        assert_eq!(server.wait().code(), Some(0));
    }
}

#[test]
fn workers_become_more_and_fewer() {
    let (server, _parts) = start(1, &["--worker-class", "sync"]);
    server.signal("TTIN");
    wait_until("there are two", || server.workers().len() == 2 && ready(&server) == 2);
    for _ in 0..3 {
        server.signal("TTOU");
        wait_until("there is one", || server.workers().len() == 1);
    }
    assert!(answers(&server));
}

#[test]
fn workers_that_die_again_and_again_end_the_service() {
    let (mut server, _parts) = start(2, &[]);
    let began = Instant::now();
    let status = loop {
        for worker in server.workers() {
            signal(worker, "KILL");
        }
        if TcpStream::connect(server.address()).is_err() {
            break server.wait();
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{}", server.said());
        thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(1));
    let said = server.said();
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(errors.len() == 1 && errors[0].contains("6 workers died"), "{said}");
}

#[test]
fn workers_end_with_their_supervisor() {
    let (server, _parts) = start(2, &[]);
    let workers = server.workers();
    server.signal("KILL");
    wait_until("all workers are gone", || workers.iter().all(|worker| !runs(*worker)));
    assert!(TcpStream::connect(server.address()).is_err());
}

#[test]
fn a_worker_that_cannot_be_started_is_tried_again_while_others_serve() {
    let (data, model, place) = (folder(), Mock::shared(), folder());
    let program = place.path().join("qanda");
    std::fs::copy(binary::path(), &program).expect("the program is copied");
    let arguments = [&model.arguments()[..], &["--workers", "2"]].concat();
    let arguments = Server::arguments(data.path(), &arguments);
    let mut server = Server::run(binary::prepared(Command::new(&program), &arguments));
    wait_until("all workers are ready", || ready(&server) == 2);

    // As when a new version is being installed. A worker that dies just now cannot be replaced.
    std::fs::remove_file(&program).expect("the program is removed");
    assert!(signal(server.workers()[0], "KILL"));
    server.wait_to_say("could not be started; this is tried again");
    assert!(server.workers().len() == 1 && answers(&server));
    std::fs::copy(binary::path(), &program).expect("the program is there again");
    wait_until("another worker is ready", || ready(&server) == 3);
    assert!(server.workers().len() == 2 && answers(&server));

    // Nor can any be on HUP: the old ones stay.
    std::fs::remove_file(&program).expect("the program is removed");
    server.signal("HUP");
    server.wait_to_say("a new worker could not be started; the old ones stay");
    assert!(server.workers().len() == 2 && answers(&server));
}

#[test]
fn signals_for_the_supervisor_do_a_worker_no_harm() {
    let (server, _parts) = start(1, &["--worker-class", "sync"]);
    let worker = server.workers()[0];
    for name in ["TTIN", "TTOU", "HUP"] {
        assert!(signal(worker, name));
    }
    // The signals are delivered before a later one is: the worker tells that it stops, if it does not stand still.
    assert!(answers(&server));
    assert!(!binary::is_stopped(worker));
    assert_eq!(server.workers(), [worker]);
}

#[test]
fn told_to_stop_twice_all_workers_end_at_once() {
    let (mut server, _parts) = start(2, &["--graceful-timeout", "10m"]);
    let workers = server.workers();
    let _unfinished = server.begin_question();
    server.signal("TERM");
    server.wait_to_say("running answers may finish");
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(143));
    assert!(workers.iter().all(|worker| !runs(*worker)), "a worker is left");
}
