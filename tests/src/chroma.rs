//! A Chroma server of the tests' own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::data::folder;

/// Until a server answers.
const START: Duration = Duration::from_secs(60);

/// A Chroma server on a free port of this machine, with data of its own. Killed when dropped.
#[derive(Debug)]
pub struct Chroma {
    program: PathBuf,
    port: u16,
    data: TempDir,
    child: Mutex<Option<Child>>,
}

impl Chroma {
    /// Starts a server and waits until it answers; `None`, said aloud, where Chroma is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let server = Self { program: program()?, port: free_port(), data: folder(), child: Mutex::new(None) };
        server.run();
        Some(server)
    }

    /// A server that the tests that run at the same time share.
    #[must_use]
    pub fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<Chroma>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().or_else(|| {
            let server = Arc::new(Self::start()?);
            *shared = Arc::downgrade(&server);
            Some(server)
        })
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts it on the same port and data, after [`Chroma::kill`].
    ///
    /// # Panics
    /// When it does not start.
    pub fn run(&self) {
        let mut command = Command::new(&self.program);
        command.args(["run", "--host", "127.0.0.1", "--port", &self.port.to_string(), "--path"]).arg(self.data.path());
        command.env("ANONYMIZED_TELEMETRY", "False").current_dir(self.data.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("Chroma starts");
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        let began = Instant::now();
        while !self.answers() {
            assert!(began.elapsed() < START, "Chroma does not answer after {START:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn answers(&self) -> bool {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            stream.write_all(b"GET /api/v2/heartbeat HTTP/1.1\r\nhost: chroma\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).map(|_| answer)
        };
        ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// Sends it a signal by name: `STOP` makes it silent, `CONT` lets it go on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn signal(&self, name: &str) {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let id = child.as_ref().expect("Chroma runs").id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().expect("there is a `kill`");
        assert!(sent.success(), "the signal {name} could not be sent");
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Chroma {
    fn drop(&mut self) {
        self.kill();
    }
}

/// `QANDA_CHROMA`, else where `scripts/chroma.sh` puts it.
fn program() -> Option<PathBuf> {
    let given = std::env::var_os("QANDA_CHROMA").filter(|value| !value.is_empty()).map(PathBuf::from);
    let program = given.or_else(|| Some(crate::cache()?.join("chroma/bin/chroma")))?;
    if !program.is_file() {
        crate::skip(&format!("there is no {}; scripts/chroma.sh installs it", program.display()));
        return None;
    }
    Some(program)
}

/// A port that nobody uses just now.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it has an address").port()
}
