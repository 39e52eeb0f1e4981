//! Many callers, callers that go away, and a server that is told to stop.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use qanda_tests::Server;
use qanda_tests::answer::{problem, text};
use reqwest::blocking::Response;
use serde_json::{Value, json};

const STORY: &str = "Write a very long story";
const ENDLESS: [&str; 6] = ["--llm-slots", "1", "--max-tokens", "1500", "--llm-context", "2048"];

/// Asks the model alone for something that it can say in a few words.
fn ask_shortly(server: &Server) -> Duration {
    let began = Instant::now();
    let answer = server.answer(&json!({"content": "What is the capital of France?", "query_option": false}));
    assert!(text(&answer).contains("Paris"), "{answer:#}");
    began.elapsed()
}

/// Sends questions at the same time.
fn at_once(server: &Server, questions: &[Value]) -> Vec<Response> {
    thread::scope(|scope| {
        let callers: Vec<_> = questions.iter().map(|question| scope.spawn(|| server.ask(question))).collect();
        callers.into_iter().map(|caller| caller.join().expect("a response")).collect()
    })
}

#[test]
fn eight_questions_at_once_are_all_answered() {
    let server = Server::shared();
    let asked = [
        "What HbA1c target suits most adults with type 2 diabetes?",
        "How long should hands be rubbed with alcohol?",
        "When is the first dose of measles vaccine given?",
        "How is gestational diabetes diagnosed?",
        "Which blood pressure is high?",
        "What are the signs of a stroke?",
        "How much glucagon is given into a muscle?",
        "How can people be helped to stop smoking?",
    ];
    let answers = thread::scope(|scope| {
        let server = &server;
        let callers = asked.map(|content| scope.spawn(move || server.answer(&json!({"content": content}))));
        callers.map(|caller| caller.join().expect("an answer with citations that hold"))
    });
    for (question, answer) in asked.iter().zip(answers) {
        assert!(!qanda_tests::answer::citations(&answer).is_empty(), "{question}: {answer:#}");
    }
}

#[test]
fn a_caller_that_leaves_a_stream_frees_its_place() {
    let server = Server::over_samples(&ENDLESS);
    let mut story = server.stream(STORY, false);
    assert!(story.next().is_some());
    let began = Instant::now();
    assert_eq!(story.by_ref().take(20).filter(|(name, _)| name == "token").count(), 20);
    let all = began.elapsed() / 20 * 1500;
    drop(story);
    let took = ask_shortly(&server);
    assert!(took < all / 5, "answered after {took:?}; the abandoned answer would have taken {all:?}");
}

#[test]
fn a_caller_that_gives_up_waiting_frees_its_place() {
    let server = Server::over_samples(&ENDLESS);
    let question = json!({"content": STORY, "query_option": false});
    let request = server.post("/apis/q-and-a/q").timeout(Duration::from_secs(1)).json(&question);
    assert!(request.send().expect_err("1500 tokens take longer").is_timeout());
    let took = ask_shortly(&server);
    // At 150 tokens a second, which would be quick, the abandoned answer takes ten seconds.
    assert!(took < Duration::from_secs(8), "answered after {took:?}");
}

#[test]
fn too_many_at_once_are_told_to_come_back() {
    let server = Server::over_samples(&["--llm-slots", "1", "--llm-queue", "1", "--max-tokens", "100"]);
    let mut running = server.stream(STORY, false);
    assert!(running.next().is_some());
    let question = json!({"content": STORY, "query_option": false});
    let (answered, refused): (Vec<_>, Vec<_>) =
        at_once(&server, &vec![question; 7]).into_iter().partition(|response| response.status() == 200);
    assert_eq!((answered.len(), refused.len()), (1, 6), "one can wait, six cannot");
    for response in refused {
        let after = response.headers().get("retry-after").expect("when to try again").to_str().expect("a number");
        assert!(after.parse::<u32>().is_ok_and(|seconds| (1..=60).contains(&seconds)), "{after}");
        let problem = problem(response, 503);
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("busy")), "{problem:#}");
    }
    for response in answered {
        assert!(!text(&response.json::<Value>().expect("is JSON")).is_empty());
    }
    assert_eq!(running.last().map(|(name, _)| name).as_deref(), Some("done"));
    ask_shortly(&server);
    server.assert_healthy();
}

#[test]
fn told_to_stop_a_server_finishes_what_it_has_begun() {
    let mut server = Server::over_samples(&["--max-tokens", "150"]);
    let mut story = server.stream(STORY, false);
    assert!(story.by_ref().take(3).all(|(name, _)| name == "token"));
    server.signal("TERM");
    let began = Instant::now();
    while TcpStream::connect(server.address()).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(2), "new connections are still taken");
        thread::sleep(Duration::from_millis(5));
    }
    let rest: Vec<(String, Value)> = story.collect();
    let (name, answer) = rest.last().expect("the answer goes on");
    assert_eq!(name, "done", "{answer:#}");
    assert!(rest.len() > 50, "the server stopped after {} more events", rest.len());
    assert!(text(answer).len() > 200, "{answer:#}");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn told_to_stop_an_idle_server_ends_at_once() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::over_samples(&[]);
        // A connection that is kept open for the next request.
        assert_eq!(server.get("/healthz").send().expect("responds").status(), 200);
        let began = Instant::now();
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(0), "{signal}");
        assert!(began.elapsed() < Duration::from_secs(5), "{signal}: {:?}", began.elapsed());
    }
}

#[test]
fn an_answer_that_takes_longer_than_the_grace_is_cut_off_and_the_server_ends_well() {
    // Several times: the model is stopped in the middle of its work, at a different place each time.
    for grace in [1, 0, 0, 0, 0] {
        let seconds = grace.to_string();
        let mut server = Server::over_samples(&[&ENDLESS[..], &["--graceful-timeout", &seconds]].concat());
        let mut story = server.stream(STORY, false);
        assert!(story.next().is_some());
        let began = Instant::now();
        server.signal("TERM");
        let status = server.wait();
        assert_eq!(status.code(), Some(0), "{status}");
        let took = began.elapsed();
        assert!((grace..grace + 5).contains(&took.as_secs()), "{took:?} with {grace} s of grace");
    }
}
