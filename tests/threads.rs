//! Threads that compute, where nothing is said about their number: as many as the process may keep busy, whatever the
//! machine has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;

use qanda_tests::Server;
use qanda_tests::data::samples;
use serde_json::json;

/// Settings of the tests' own that the default is looked for behind.
const DEFAULT: &str = "unset QANDA_MODEL_THREADS QANDA_LLM_THREADS";

/// Threads of the embedder and of the language model of a server that has answered.
fn threads(line: &str, data: &Path) -> (usize, usize) {
    let server = Server::start_after(&format!("{DEFAULT} && {line}"), data, &["--max-tokens", "8"]);
    // Without documents: over them the model might not be asked.
    let answer = server.ask(&json!({"content": "What is the capital of France?", "query_option": false}));
    assert_eq!(answer.status(), 200);
    let tasks = fs::read_dir(format!("/proc/{}/task", server.id())).expect("a running process");
    let names: Vec<String> = tasks
        .map(|task| fs::read_to_string(task.expect("a thread").path().join("comm")).expect("it has a name"))
        .collect();
    // Threads that a thread starts have its name.
    let count = |name: &str| names.iter().filter(|given| given.starts_with(name)).count();
    (count("embed-"), count("llm"))
}

#[test]
fn models_take_the_cores_that_the_process_may_use() {
    let data = samples();
    let cores = std::thread::available_parallelism().expect("is known").get();
    assert_eq!(threads("true", data.path()), (cores, cores), "all of them");
    let first = fs::read_to_string("/proc/self/status").expect("is there");
    let first = first.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).expect("is listed");
    let first = first.trim().split([',', '-']).next().expect("at least one").to_owned();
    let masked = threads(&format!("taskset -p -c {first} $$ >/dev/null"), data.path());
    assert_eq!(masked, (1, 1), "one core of the mask");
    let Some(group) = Group::of_one_core() else { return };
    assert_eq!(
        threads(&format!("echo $$ > {}", group.processes().display()), data.path()),
        (1, 1),
        "a quota of one core"
    );
}

/// A group of processes that have one core's time together. Removed when dropped.
struct Group(PathBuf);

impl Group {
    /// None, said aloud, where this user may make no groups.
    fn of_one_core() -> Option<Self> {
        let name = format!("qanda-test-{}", process::id());
        // Where the first version of groups is in use, and the second.
        let first = (Path::new("/sys/fs/cgroup/cpu").join(&name), "cpu.cfs_quota_us", "100000");
        let second = (Path::new("/sys/fs/cgroup").join(&name), "cpu.max", "100000 100000");
        let made = [first, second].into_iter().find_map(|(folder, file, quota)| {
            fs::create_dir(&folder).ok()?;
            let group = Self(folder);
            fs::write(group.0.join(file), quota).ok().map(|()| group)
        });
        if made.is_none() {
            qanda_tests::skip("no group of processes with a quota can be made here (only root may)");
        }
        made
    }

    fn processes(&self) -> PathBuf {
        self.0.join("cgroup.procs")
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its processes have ended. A folder that stays does no harm.
        let _ = fs::remove_dir(&self.0);
    }
}
