//! Documents are read by copies of this program that may compute and answer and nothing else: what a document's author
//! can reach through a fault of a reader is one such process, which holds one document.

mod sandbox;

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use qanda_ingest::isolation::{Extractor, Isolated, child};

/// First argument of such a process. It is no command of the command line: nobody else has a use for it.
const ARGUMENT: &str = "read-documents";

/// Reads each document in a process of its own, for at most `limit`.
pub(crate) fn isolated(limit: Duration) -> Arc<dyn Extractor> {
    Arc::new(Isolated::new(command, limit))
}

fn command() -> Command {
    let mut command = Command::new(own_program());
    command
        .arg0("qanda")
        .arg(ARGUMENT)
        // Keys of services are among the variables.
        .env_clear()
        .current_dir("/")
        // Ctrl-C on a terminal goes to a whole group. It is for the job, whose end ends this process, too.
        .process_group(0);
    command
}

/// The program that runs, also after its file was replaced by a newer one, which might speak differently.
fn own_program() -> PathBuf {
    let running = Path::new("/proc/self/exe");
    if running.exists() { running.to_owned() } else { std::env::current_exe().unwrap_or_else(|_| running.to_owned()) }
}

/// Whether this process is to read documents for another one.
pub(crate) fn is_reader() -> bool {
    std::env::args_os().nth(1).is_some_and(|first| first == ARGUMENT) && std::env::args_os().len() == 2
}

/// Reads documents until nobody asks for more.
pub(crate) fn run() -> ExitCode {
    // A panic is told in the answer.
    std::panic::set_hook(Box::new(|_| {}));
    let without = sandbox::enter();
    match child::serve(std::io::stdin().lock(), std::io::stdout(), without) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
