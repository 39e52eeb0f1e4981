//! The engine over a decoder that counts: what it is told to evaluate, in which order, and what becomes of callers.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt;
use llama_cpp_2::token::LlamaToken;
use qanda_core::ModelError;
use qanda_core::ports::{Finish, Generated, GenerationStream, read_to_end};

use super::super::decoder::{Choice, Decoder, Input};
use super::super::handle::EngineHandle;
use super::super::request::{Request, answer};
use super::{Engine, STEP_TOKENS};

/// Answers that a caller may get.
const WORDS: usize = 3;

/// An evaluation that does not go as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Error,
    Panic,
}

/// Says `WORDS` words to everybody; a sampler is the number of its request.
struct Counting {
    log: Arc<Mutex<Log>>,
}

#[derive(Default)]
struct Log {
    evaluated: Vec<Vec<Input>>,
    /// Numbers of the requests in the order of their first tokens.
    first: Vec<usize>,
    /// The fault of the next evaluation.
    fault: Option<Fault>,
}

/// Counts its own tokens.
struct Number(usize, usize);

impl Decoder for Counting {
    type Sampler = Number;

    fn copy(&mut self, _: usize, _: usize) -> bool {
        true
    }

    fn truncate(&mut self, _: usize, keep: usize) -> usize {
        keep
    }

    fn clear(&mut self) {}

    fn evaluate(&mut self, inputs: &[Input]) -> Result<(), ModelError> {
        let mut log = self.log.lock().expect("no panic inside");
        log.evaluated.push(inputs.to_vec());
        let fault = log.fault.take();
        drop(log);
        match fault {
            None => Ok(()),
            Some(Fault::Error) => Err(ModelError::failed("evaluating", "out of order")),
            Some(Fault::Panic) => panic!("a fault of ours"),
        }
    }

    fn choose(&mut self, Number(number, said): &mut Number, _: usize) -> Choice {
        if *said == 0 {
            self.log.lock().expect("no panic inside").first.push(*number);
        }
        *said += 1;
        match *said {
            n if n > WORDS => Choice::End,
            _ => Choice::Token { token: LlamaToken::new(1), text: b"word ".to_vec() },
        }
    }
}

/// An engine that waits for `go` before it looks at its requests.
fn engine(slots: usize) -> (EngineHandle<Number>, Arc<Mutex<Log>>, std::sync::mpsc::Sender<()>) {
    let log = Arc::<Mutex<Log>>::default();
    let decoder = Counting { log: Arc::clone(&log) };
    let (go, wait) = std::sync::mpsc::channel();
    let handle = EngineHandle::start(64, move |inbox, ready| {
        ready.send(Ok(())).expect("start waits");
        wait.recv().expect("the test goes on");
        Engine::new(decoder, slots, inbox).run();
    });
    (handle.expect("starts"), log, go)
}

fn request(number: usize, prompt: usize, deadline: Option<Instant>) -> (Request<Number>, GenerationStream) {
    let (reply, stream) = answer();
    let tokens = vec![LlamaToken::new(7); prompt];
    (Request { tokens, max_tokens: 10, sampler: Number(number, 0), deadline, reply }, stream)
}

fn submit(engine: &EngineHandle<Number>, number: usize, prompt: usize) -> GenerationStream {
    let (request, stream) = request(number, prompt, None);
    engine.submit(request).expect("there is room");
    stream
}

#[tokio::test]
async fn a_burst_of_equal_prompts_is_served_in_the_order_in_which_it_came() {
    let (engine, log, go) = engine(8);
    let streams: Vec<_> = (0..8).map(|number| submit(&engine, number, STEP_TOKENS + 100)).collect();
    go.send(()).expect("the engine waits");
    for stream in streams {
        let answer = read_to_end(stream).await.expect("answers");
        assert_eq!((answer.tokens.len(), answer.finish), (WORDS, Finish::Stop));
    }
    let log = log.lock().expect("no panic");
    assert_eq!(log.first, (0..8).collect::<Vec<_>>());
    let sequences = |n: usize| log.evaluated[n].iter().map(|input| input.sequence).collect::<Vec<_>>();
    assert_eq!(sequences(0), [0; STEP_TOKENS], "the first one has the whole first step");
    assert!(log.evaluated.iter().all(|inputs| inputs.is_sorted_by_key(|input| input.sequence)), "neighbours together");
}

#[tokio::test]
async fn the_lowest_free_slots_are_taken() {
    let (engine, log, go) = engine(8);
    go.send(()).expect("the engine waits");
    for number in 0..3 {
        read_to_end(submit(&engine, number, 20)).await.expect("answers");
    }
    let log = log.lock().expect("no panic");
    assert!(log.evaluated.iter().flatten().all(|input| input.sequence == 0));
    // The second prompt was the first one again, of which all but the last token was held.
    assert_eq!(log.evaluated[4].len(), 1, "{:?}", log.evaluated);
}

#[tokio::test]
async fn the_limit_of_tokens_is_told_from_an_end() {
    let (engine, _, go) = engine(1);
    go.send(()).expect("the engine waits");
    let (short, stream) = request(0, 5, None);
    engine.submit(Request { max_tokens: WORDS - 1, ..short }).expect("there is room");
    assert_eq!(read_to_end(stream).await.expect("answers").finish, Finish::Length);
    assert_eq!(read_to_end(submit(&engine, 1, 5)).await.expect("answers").finish, Finish::Stop);
}

#[tokio::test]
async fn after_its_deadline_an_answer_has_failed_and_its_slot_is_free() {
    let (engine, _, go) = engine(1);
    let (late, stream) = request(0, 5, Some(Instant::now()));
    engine.submit(late).expect("there is room");
    let next = submit(&engine, 1, 5);
    go.send(()).expect("the engine waits");
    assert!(matches!(read_to_end(stream).await, Err(ModelError::DeadlineExceeded)));
    assert_eq!(read_to_end(next).await.expect("answers").finish, Finish::Stop);
}

#[tokio::test]
async fn a_failed_evaluation_is_told_to_all_who_run_and_the_next_is_answered() {
    let (engine, log, go) = engine(2);
    log.lock().expect("no panic").fault = Some(Fault::Error);
    let streams: Vec<_> = (0..2).map(|number| submit(&engine, number, 5)).collect();
    go.send(()).expect("the engine waits");
    for stream in streams {
        assert!(matches!(read_to_end(stream).await, Err(ModelError::Failed { .. })));
    }
    assert!(read_to_end(submit(&engine, 2, 5)).await.is_ok());
    engine.check().expect("runs on");
}

#[tokio::test]
async fn a_panic_is_an_error_for_everybody_and_never_a_finished_answer() {
    let (engine, log, go) = engine(2);
    // Two run and two wait.
    let mut streams: Vec<_> = (0..4).map(|number| submit(&engine, number, 5)).collect();
    engine.check().expect("runs");
    log.lock().expect("no panic").fault = Some(Fault::Panic);
    go.send(()).expect("the engine waits");
    for stream in &mut streams {
        let last = stream.next().await.expect("an item");
        assert!(matches!(last, Err(ModelError::Stopped)), "{last:?}");
        assert!(stream.next().await.is_none(), "an error is the last item");
        assert!(matches!(engine.check(), Err(ModelError::Stopped)), "health tells of it");
    }
    let (after, _) = request(4, 5, None);
    assert!(matches!(engine.submit(after), Err(ModelError::Stopped)));
}

#[tokio::test]
async fn an_engine_that_is_dropped_answers_first() {
    let (engine, _, go) = engine(1);
    let mut stream = submit(&engine, 0, 5);
    go.send(()).expect("the engine waits");
    drop(engine);
    let first = tokio::time::timeout(Duration::from_secs(60), stream.next()).await.expect("no hanging");
    assert!(matches!(first, Some(Ok(Generated::Text(_)))), "{first:?}");
    assert_eq!(read_to_end(stream).await.expect("ends").finish, Finish::Stop);
}
