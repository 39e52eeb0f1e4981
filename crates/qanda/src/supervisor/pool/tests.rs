//! The supervisor's decisions on a clock of the tests' own: nothing sleeps, no process is started.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Action, Event, Pool, WorkerId};
use crate::signals::{Instruction, Signal};
use crate::supervisor::Settings;
use crate::supervisor::message::Message;

const TIMEOUT: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(20);
const TICK: Duration = Duration::from_millis(100);
const TERM: Signal = Signal(15);

/// A process as the tests play it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Process {
    /// Gives a sign of life at every tick.
    Alive,
    /// Was told to stop and still does, too.
    Terminated,
    /// Gives no sign of life.
    Silent,
}

/// A pool with played processes and a clock.
struct Simulation {
    pool: Pool,
    now: Instant,
    processes: BTreeMap<WorkerId, Process>,
    /// The system starts no process.
    refuses: bool,
    listening: bool,
    result: Option<Result<u8, String>>,
}

impl Simulation {
    /// So many workers, of which none is ready yet.
    fn starting(workers: usize) -> Self {
        let settings = Settings { workers, timeout: TIMEOUT, grace: GRACE };
        let mut simulation = Self {
            pool: Pool::new(settings),
            now: Instant::now(),
            processes: BTreeMap::new(),
            refuses: false,
            listening: true,
            result: None,
        };
        simulation.tell(Event::Tick);
        simulation
    }

    /// So many workers, all of them ready.
    fn ready(workers: usize) -> Self {
        let mut simulation = Self::starting(workers);
        simulation.running().into_iter().for_each(|id| simulation.becomes_ready(id));
        simulation
    }

    /// Tells the pool of an event and does what it wants.
    fn tell(&mut self, event: Event) {
        let actions = self.pool.handle(self.now, event);
        for action in actions {
            match action {
                Action::Start(id) if self.refuses => {
                    self.tell(Event::NotStarted(id, "no such file".to_owned()));
                }
                Action::Start(id) => {
                    self.processes.insert(id, Process::Alive);
                    self.tell(Event::Started(id, 1_000 + u32::try_from(id).expect("small")));
                }
                Action::Terminate(id) => {
                    self.processes.insert(id, Process::Terminated);
                }
                Action::Kill(id) if self.processes.contains_key(&id) => self.ends(id, "signal: 9 (SIGKILL)"),
                Action::Kill(_) => {}
                Action::CloseListener => self.listening = false,
                Action::Finish(result) => self.result = Some(result),
            }
        }
    }

    fn instruct(&mut self, instruction: Instruction) {
        self.tell(Event::Instruction(instruction));
    }

    fn becomes_ready(&mut self, id: WorkerId) {
        self.tell(Event::Message(id, Message::Ready));
    }

    /// A process ends.
    fn ends(&mut self, id: WorkerId, status: &str) {
        self.processes.remove(&id);
        self.tell(Event::Ended(id, status.to_owned()));
    }

    /// Time passes, in which processes that live say so.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += TICK;
            for (id, process) in self.processes.clone() {
                if process != Process::Silent {
                    self.tell(Event::Message(id, beat(Duration::ZERO, None)));
                }
            }
            self.tell(Event::Tick);
        }
    }

    fn running(&self) -> Vec<WorkerId> {
        self.processes.keys().copied().collect()
    }

    fn is(&self, id: WorkerId) -> Option<Process> {
        self.processes.get(&id).copied()
    }
}

fn beat(overdue: Duration, part: Option<&str>) -> Message {
    Message::Beat { overdue, part: part.map(ToOwned::to_owned) }
}

#[test]
fn as_many_workers_as_wanted_are_started_and_stopped() {
    let mut simulation = Simulation::ready(3);
    assert_eq!(simulation.running(), [1, 2, 3]);
    simulation.instruct(Instruction::Stop(TERM));
    assert!(!simulation.listening);
    assert!((1..=3).all(|id| simulation.is(id) == Some(Process::Terminated)));
    for id in 1..=3 {
        assert_eq!(simulation.result, None);
        simulation.ends(id, "exit status: 0");
    }
    assert_eq!(simulation.result, Some(Ok(0)));
}

#[test]
fn told_to_stop_twice_all_are_killed_at_once() {
    let mut simulation = Simulation::ready(2);
    simulation.instruct(Instruction::Stop(TERM));
    simulation.instruct(Instruction::Stop(TERM));
    assert_eq!((simulation.running(), simulation.result), (vec![], Some(Ok(143))));
}

#[test]
fn workers_that_do_not_stop_are_killed_after_their_time() {
    let mut simulation = Simulation::ready(2);
    simulation.instruct(Instruction::Stop(TERM));
    simulation.pass(GRACE + Duration::from_secs(1));
    assert_eq!(simulation.running(), [1, 2]);
    simulation.pass(Duration::from_secs(2));
    assert_eq!((simulation.running(), simulation.result), (vec![], Some(Ok(0))));
}

#[test]
fn a_worker_that_died_is_replaced_at_once_if_it_had_lived_for_long() {
    let mut simulation = Simulation::ready(2);
    simulation.pass(Duration::from_secs(11));
    simulation.ends(1, "signal: 11 (SIGSEGV)");
    assert_eq!(simulation.running(), [2, 3]);
    // It has not, so the next one has to wait.
    simulation.ends(3, "signal: 11 (SIGSEGV)");
    assert_eq!(simulation.running(), [2]);
    simulation.pass(TICK);
    assert_eq!(simulation.running(), [2, 4]);
}

#[test]
fn workers_that_die_again_and_again_end_the_service() {
    let mut simulation = Simulation::ready(1);
    for death in 1..=6 {
        let id = *simulation.running().last().expect("it was replaced");
        simulation.tell(Event::Message(id, Message::Failed("it is Friday".to_owned())));
        simulation.ends(id, "exit status: 1");
        assert_eq!(simulation.result.is_some(), death == 6, "{death}");
        simulation.pass(Duration::from_secs(2));
    }
    let reason = simulation.result.clone().expect("it ended").expect_err("it failed");
    assert!(reason.contains("6 workers died") && reason.ends_with("the last one: it is Friday"), "{reason}");
    assert!(simulation.running().is_empty());
}

#[test]
fn a_worker_that_fails_before_any_was_ready_ends_the_service() {
    let mut simulation = Simulation::starting(3);
    simulation.tell(Event::Message(2, Message::Failed("there is no such model".to_owned())));
    simulation.ends(2, "exit status: 1");
    assert_eq!(simulation.result, Some(Err("there is no such model".to_owned())));
    assert!(simulation.running().is_empty());
}

#[test]
fn a_silent_worker_is_killed_and_replaced() {
    let mut simulation = Simulation::ready(2);
    simulation.processes.insert(1, Process::Silent);
    simulation.pass(TIMEOUT);
    assert_eq!(simulation.running(), [1, 2]);
    simulation.pass(TICK);
    assert_eq!(simulation.running(), [2, 3]);
}

#[test]
fn a_worker_with_a_stuck_thread_is_killed_although_it_beats() {
    let mut simulation = Simulation::ready(2);
    let stuck_for = |seconds| beat(Duration::from_secs(seconds), Some("request-1"));
    simulation.tell(Event::Message(1, stuck_for(29)));
    assert_eq!(simulation.running(), [1, 2]);
    simulation.tell(Event::Message(1, stuck_for(31)));
    assert_eq!(simulation.running(), [2, 3]);
}

#[test]
fn nobody_is_killed_for_the_supervisors_own_sleep() {
    let mut simulation = Simulation::ready(2);
    simulation.now += Duration::from_secs(3600);
    simulation.tell(Event::Resumed);
    simulation.pass(TICK);
    assert_eq!(simulation.running(), [1, 2]);
}

#[test]
fn an_unhealthy_worker_finishes_and_another_one_takes_its_place() {
    let mut simulation = Simulation::ready(2);
    simulation.pass(Duration::from_secs(11));
    for _ in 0..2 {
        simulation.tell(Event::Message(1, Message::Unhealthy("the model's thread has ended".to_owned())));
        assert_eq!((simulation.is(1), simulation.running()), (Some(Process::Terminated), vec![1, 2, 3]));
    }
    simulation.ends(1, "exit status: 0");
    assert_eq!(simulation.running(), [2, 3]);
}

#[test]
fn workers_that_become_unhealthy_again_and_again_end_the_service() {
    let mut simulation = Simulation::ready(1);
    for _ in 0..6 {
        let id = *simulation.running().last().expect("there is one");
        simulation.becomes_ready(id);
        simulation.tell(Event::Message(id, Message::Unhealthy("the model's thread has ended".to_owned())));
        simulation.ends(id, "exit status: 0");
        simulation.pass(Duration::from_secs(4));
    }
    let reason = simulation.result.expect("it ended").expect_err("it failed");
    assert!(reason.ends_with("the model's thread has ended"), "{reason}");
}

#[test]
fn on_reload_one_worker_after_the_other_is_replaced_by_one_that_is_ready() {
    let mut simulation = Simulation::ready(2);
    simulation.instruct(Instruction::Reload);
    for (old, new) in [(1, 3), (2, 4)] {
        assert_eq!((simulation.is(old), simulation.is(new)), (Some(Process::Alive), Some(Process::Alive)));
        simulation.pass(Duration::from_secs(5));
        simulation.becomes_ready(new);
        assert_eq!(simulation.is(old), Some(Process::Terminated));
        assert_eq!(simulation.running().len(), 3, "the next one waits until this one is gone");
        simulation.ends(old, "exit status: 0");
    }
    simulation.pass(Duration::from_secs(60));
    assert_eq!(simulation.running(), [3, 4]);
}

#[test]
fn a_replacement_that_never_gets_ready_gives_way_to_the_next_reload() {
    let mut simulation = Simulation::ready(2);
    simulation.instruct(Instruction::Reload);
    simulation.pass(Duration::from_secs(3600));
    assert_eq!(simulation.running(), [1, 2, 3], "it may still become ready");
    simulation.instruct(Instruction::Reload);
    assert_eq!(simulation.running(), [1, 2, 4]);
    // It said so before it was killed.
    simulation.becomes_ready(3);
    assert_eq!(simulation.is(1), Some(Process::Alive));
    simulation.becomes_ready(4);
    assert_eq!(simulation.is(1), Some(Process::Terminated));
    simulation.ends(1, "exit status: 0");
    simulation.becomes_ready(5);
    simulation.ends(2, "exit status: 0");
    assert_eq!(simulation.running(), [4, 5]);
}

#[test]
fn a_replacement_that_cannot_start_leaves_the_old_workers() {
    let mut simulation = Simulation::ready(2);
    for reload in 0..10 {
        simulation.instruct(Instruction::Reload);
        let replacement = *simulation.running().last().expect("it was started");
        assert_eq!(replacement, 3 + reload);
        simulation.ends(replacement, "exit status: 1");
        simulation.pass(Duration::from_secs(1));
        assert_eq!((simulation.running(), &simulation.result), (vec![1, 2], &None));
    }
}

#[test]
fn a_replacement_takes_the_place_of_a_worker_that_died_meanwhile() {
    let mut simulation = Simulation::ready(1);
    simulation.pass(Duration::from_secs(60));
    simulation.instruct(Instruction::Reload);
    simulation.ends(1, "signal: 9 (SIGKILL)");
    assert_eq!(simulation.running(), [2], "nobody else is started");
    simulation.becomes_ready(2);
    simulation.pass(Duration::from_secs(60));
    assert_eq!(simulation.running(), [2]);
}

#[test]
fn a_process_that_cannot_be_started_is_tried_again_while_others_serve() {
    let mut simulation = Simulation::ready(2);
    simulation.refuses = true;
    simulation.ends(1, "signal: 9 (SIGKILL)");
    simulation.pass(Duration::from_secs(600));
    assert_eq!((simulation.running(), &simulation.result), (vec![2], &None));
    simulation.refuses = false;
    simulation.pass(Duration::from_secs(10));
    assert_eq!(simulation.running().len(), 2);
}

#[test]
fn where_no_worker_is_left_and_none_can_be_started_the_service_ends() {
    let mut simulation = Simulation::ready(1);
    simulation.pass(Duration::from_secs(60));
    simulation.refuses = true;
    simulation.ends(1, "signal: 9 (SIGKILL)");
    assert_eq!(simulation.result, None, "it may be over in a moment");
    simulation.pass(Duration::from_secs(10));
    let reason = simulation.result.expect("it ended").expect_err("it failed");
    assert!(reason.ends_with("6 times in a row none could be started; the last time: no such file"), "{reason}");
}

#[test]
fn a_first_process_that_cannot_be_started_ends_the_service_at_once() {
    let mut simulation = Simulation::ready(0);
    simulation.refuses = true;
    simulation.instruct(Instruction::AddWorker);
    assert_eq!(simulation.result, Some(Err("cannot start a worker: no such file".to_owned())));
}

#[test]
fn a_reload_whose_process_cannot_be_started_leaves_the_old_workers() {
    let mut simulation = Simulation::ready(2);
    simulation.refuses = true;
    for _ in 0..10 {
        simulation.instruct(Instruction::Reload);
        simulation.pass(Duration::from_secs(1));
        assert_eq!((simulation.running(), &simulation.result), (vec![1, 2], &None));
    }
}

#[test]
fn workers_become_more_and_fewer_but_never_none() {
    let mut simulation = Simulation::ready(1);
    simulation.instruct(Instruction::AddWorker);
    assert_eq!(simulation.running(), [1, 2]);
    // The second one answers nobody yet.
    simulation.instruct(Instruction::RemoveWorker);
    assert_eq!((simulation.running(), simulation.is(1)), (vec![1], Some(Process::Alive)));
    for _ in 0..3 {
        simulation.instruct(Instruction::RemoveWorker);
        assert_eq!((simulation.running(), simulation.is(1)), (vec![1], Some(Process::Alive)));
    }
    simulation.instruct(Instruction::AddWorker);
    simulation.becomes_ready(3);
    simulation.instruct(Instruction::RemoveWorker);
    assert_eq!((simulation.is(1), simulation.is(3)), (Some(Process::Terminated), Some(Process::Alive)));
}

#[test]
fn while_everything_ends_no_worker_is_started() {
    let mut simulation = Simulation::ready(2);
    simulation.instruct(Instruction::Stop(TERM));
    for instruction in [Instruction::Reload, Instruction::AddWorker, Instruction::RemoveWorker] {
        simulation.instruct(instruction);
    }
    simulation.ends(1, "signal: 9 (SIGKILL)");
    assert_eq!(simulation.running(), [2]);
    simulation.ends(2, "exit status: 0");
    assert_eq!(simulation.result, Some(Ok(0)));
}
