//! More questions at once than the process may have open files.

use qanda_tests::data::{argument, folder};
use qanda_tests::{Mock, Server, qanda, wait_until};

const LIMIT: u32 = 200;

#[test]
fn more_questions_than_open_files_wait_and_none_fails() {
    let model = Mock::start(&["--latency", "200ms"]);
    let data = folder();
    let server = Server::start_after(&format!("ulimit -n {LIMIT}"), data.path(), &model.arguments());

    // One that this test keeps for itself.
    let before = open_connections(&server);
    let url = format!("http://{}", server.address());
    let result = data.path().join("result.json");
    let tasks = (3 * LIMIT).to_string();
    let load = ["bench", "--url", &url, "--tasks", &tasks, "--interval", "0", "--model-alone", "--stream=false"];
    let output = ["--log", "none", "--json", argument(&result)];
    let asked = qanda(&[&load[..], &output].concat());
    let said = asked.ok().stdout;
    assert!(said.contains(&format!("tasks completed: {tasks} / {tasks}")), "{said}");
    assert!(!server.said().contains("Too many open files"), "{}", server.said());
    assert!(server.said().contains("as many connections as open files allow"), "there were more: {}", server.said());

    // All connections are given back.
    wait_until("no connection of a caller is left", || open_connections(&server) <= before);
    server.assert_healthy();
}

/// Connections of callers that the server has not closed, whether or not their caller has.
fn open_connections(server: &Server) -> usize {
    const ESTABLISHED: &str = "01";
    const CLOSE_WAIT: &str = "08";
    let port: u16 = server.address().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let local = format!("0100007F:{port:04X}");
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the system tells its connections");
    let is_open = |line: &&str| {
        let mut fields = line.split_whitespace().skip(1);
        fields.next() == Some(&local) && matches!(fields.nth(1), Some(ESTABLISHED | CLOSE_WAIT))
    };
    table.lines().filter(is_open).count()
}
