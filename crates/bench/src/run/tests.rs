use std::sync::Mutex;

use super::*;
use crate::figures::Figures;

/// A server that answers in 10 ms, but not while it stalls.
struct Server {
    start: Instant,
    stall: std::ops::Range<Duration>,
}

const QUICK: Duration = Duration::from_millis(10);

impl Ask for Server {
    async fn ask(&self, _number: usize) -> Outcome {
        if self.stall.contains(&self.start.elapsed()) {
            sleep_until(self.start + self.stall.end).await;
        }
        tokio::time::sleep(QUICK).await;
        Outcome { status: Some(200), first_token: Some(Instant::now()), tokens: 1, failure: None }
    }
}

struct Silent;

impl Watch for Silent {}

fn plan(pace: Pace, tasks: Option<usize>, seconds: Option<u64>, concurrency: Option<usize>) -> Plan {
    let duration = seconds.map(Duration::from_secs);
    Plan { pace, tasks, duration, concurrency, timeout: Duration::from_secs(60) }
}

fn seconds(range: std::ops::Range<u64>) -> std::ops::Range<Duration> {
    Duration::from_secs(range.start)..Duration::from_secs(range.end)
}

async fn send(plan: Plan, stall: std::ops::Range<Duration>) -> Outcomes {
    let server = Arc::new(Server { start: Instant::now(), stall });
    let mut never = std::pin::pin!(std::future::pending());
    run(&plan, server, Arc::new(Silent), never.as_mut()).await
}

#[tokio::test(start_paused = true)]
async fn a_stall_shows_in_the_percentiles_of_the_open_model() {
    // Ten a second for 20 seconds, through one connection; the server stalls for two of them.
    let plan = plan(Pace::Rate(10.0), None, Some(20), Some(1));
    let figures = Figures::of(&send(plan, seconds(5..7)).await);
    assert_eq!(figures.completed, 200);
    let (latency, service) = (figures.latency.expect("times"), figures.service.expect("times"));
    // What a client that waits for its answers sees: a single slow request. All that came due meanwhile is missing.
    assert!(service.p99 < 0.02 && service.max > 2.0, "{service:?}");
    // What callers see: some twenty requests came due in the stall and waited.
    assert!(latency.p99 > 1.8 && latency.p90 > 0.05, "{latency:?}");
    assert!(latency.p50 < 0.02, "{latency:?}");
}

#[tokio::test(start_paused = true)]
async fn the_open_model_sends_on_while_the_server_stalls() {
    let outcomes = send(plan(Pace::Rate(10.0), None, Some(20), None), seconds(5..7)).await;
    let figures = Figures::of(&outcomes);
    // The one that is due at the end of the stall meets those that waited.
    assert!((20..=21).contains(&figures.most_in_flight), "{}", figures.most_in_flight);
    assert!(figures.latency.expect("times").p99 > 1.8);
    assert!(outcomes.requests.iter().all(|request| request.sent - request.due < Duration::from_millis(3)));
    assert!(outcomes.requests.iter().enumerate().all(|(number, request)| request.number == number));
}

#[tokio::test(start_paused = true)]
async fn the_closed_model_sends_as_answers_come() {
    let figures = Figures::of(&send(plan(Pace::Answers, None, Some(2), Some(5)), seconds(9..9)).await);
    assert_eq!(figures.most_in_flight, 5);
    // Timers tick in milliseconds, so an answer takes up to one more.
    assert!((900..=1_005).contains(&figures.completed), "{}", figures.completed);
    let few = Figures::of(&send(plan(Pace::Answers, Some(7), None, Some(100)), seconds(9..9)).await);
    assert_eq!((few.completed, few.most_in_flight), (7, 7));
}

#[tokio::test(start_paused = true)]
async fn a_cap_holds_and_its_wait_is_part_of_the_latency() {
    // The client's limit of 16 under 20 at once: four wait for a place.
    let plan = plan(Pace::Every(Duration::ZERO), Some(20), None, Some(16));
    let outcomes = send(plan, seconds(0..1)).await;
    assert_eq!(Figures::of(&outcomes).most_in_flight, 16);
    let mut waits: Vec<_> = outcomes.requests.iter().map(|request| request.sent - request.due).collect();
    waits.sort_unstable();
    assert!(waits[15] < Duration::from_millis(5) && waits[16] >= Duration::from_secs(1), "{waits:?}");
    assert!(outcomes.requests.iter().all(|request| request.latency() >= Duration::from_secs(1)));
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_given_up() {
    let plan = Plan { timeout: Duration::from_millis(500), ..plan(Pace::Answers, Some(3), None, Some(3)) };
    let figures = Figures::of(&send(plan, seconds(0..60)).await);
    assert_eq!((figures.completed, figures.failed), (0, 3));
    assert_eq!(figures.errors[0].kind, FailureKind::Timeout);
    assert!(figures.seconds < 1.0 && figures.latency.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_keeps_what_it_has() {
    let server = Arc::new(Server { start: Instant::now(), stall: seconds(2..60) });
    let mut stop = std::pin::pin!(tokio::time::sleep(Duration::from_secs(3)));
    let plan = plan(Pace::Rate(10.0), Some(1_000_000), None, None);
    let figures = Figures::of(&run(&plan, server, Arc::new(Silent), stop.as_mut()).await);
    assert!(figures.stopped && figures.seconds < 3.1, "{figures:?}");
    assert!((19..=21).contains(&figures.completed) && (9..=12).contains(&figures.unfinished), "{figures:?}");
}

#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Watch for Notes {
    fn sent(&self, number: usize, at: Duration) {
        self.0.lock().expect("a lock").push(format!("sent {number} at {}", at.as_millis() / 100));
    }
    fn ended(&self, request: &Request, progress: &Progress) {
        self.0.lock().expect("a lock").push(format!("ended {}: {}", request.number, progress.ended));
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_watches_is_told() {
    let server = Arc::new(Server { start: Instant::now(), stall: seconds(9..9) });
    let notes = Arc::new(Notes::default());
    let mut never = std::pin::pin!(std::future::pending());
    let plan = plan(Pace::Every(Duration::from_millis(100)), Some(2), None, None);
    run(&plan, server, Arc::clone(&notes) as Arc<dyn Watch>, never.as_mut()).await;
    let notes = notes.0.lock().expect("a lock");
    assert_eq!(*notes, ["sent 0 at 0", "ended 0: 1", "sent 1 at 1", "ended 1: 2"]);
}
