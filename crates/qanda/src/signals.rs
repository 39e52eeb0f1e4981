//! Signals to a process that serves, as instructions.

use std::fs::File;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTTIN, SIGTTOU};
use signal_hook::iterator::Signals;

/// An instruction that somebody gives by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instruction {
    /// TERM, INT, or HUP because the terminal is gone.
    Stop(Signal),
    /// HUP.
    Reload,
    /// TTIN.
    AddWorker,
    /// TTOU.
    RemoveWorker,
}

/// The number of a signal that ends a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signal(pub(crate) u8);

impl Signal {
    /// The exit code of a process that ended at once because of this signal, as shells show it.
    pub(crate) const fn exit_code(self) -> u8 {
        128 + self.0
    }
}

/// Signals that are caught and not yet followed.
pub(crate) struct Caught {
    signals: Signals,
    terminal: Terminal,
}

/// Catches signals from now on.
///
/// # Errors
/// When the system refuses a signal handler.
pub(crate) fn catch() -> std::io::Result<Caught> {
    let terminal = Terminal::of_this_process();
    let signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGTTIN, SIGTTOU])?;
    Ok(Caught { signals, terminal })
}

impl Caught {
    /// Gives every instruction to `follow`, on a thread of its own, to the end of the process. So they are followed
    /// whatever the runtime is busy with.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn follow(self, mut follow: impl FnMut(Instruction) + Send + 'static) -> std::io::Result<()> {
        let Self { mut signals, terminal } = self;
        let pass_on = move || {
            for signal in signals.forever() {
                follow(match signal {
                    SIGHUP if !terminal.is_gone() => Instruction::Reload,
                    SIGTTIN => Instruction::AddWorker,
                    SIGTTOU => Instruction::RemoveWorker,
                    other => Instruction::Stop(Signal(u8::try_from(other).unwrap_or_default())),
                });
            }
        };
        thread::Builder::new().name("signals".to_owned()).spawn(pass_on)?;
        Ok(())
    }
}

/// Ends the process without waiting for any of its threads. Libraries that compute are not taken down in an orderly
/// way, which they would not survive while their threads run.
pub(crate) fn exit_at_once(code: u8) -> ! {
    signal_hook::low_level::exit(code.into())
}

/// The terminal that a process was started from. When it is closed, programs in it are expected to end, which is the
/// older meaning of HUP.
#[derive(Debug, Clone, Copy)]
struct Terminal {
    /// Whether there was one, and the process was not started to outlive it (`nohup`).
    attached: bool,
}

impl Terminal {
    fn of_this_process() -> Self {
        Self { attached: Self::opens() && !hangup_is_ignored() }
    }

    fn is_gone(self) -> bool {
        self.attached && !Self::opens()
    }

    /// Whether this process has a terminal now.
    fn opens() -> bool {
        File::open("/dev/tty").is_ok()
    }
}

/// Whether HUP was set to be ignored before this program began, as `nohup` does.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}
