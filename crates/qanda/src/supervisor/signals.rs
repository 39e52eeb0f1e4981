use std::sync::mpsc::Sender;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTTIN, SIGTTOU};
use signal_hook::iterator::Signals;

use super::Event;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// TERM, INT
    Stop,
    /// HUP
    Reload,
    /// TTIN
    More,
    /// TTOU
    Fewer,
}

/// Passes signals on, from now on.
pub(super) fn watch(events: Sender<Event>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGTTIN, SIGTTOU])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            let wish = match signal {
                SIGHUP => Wish::Reload,
                SIGTTIN => Wish::More,
                SIGTTOU => Wish::Fewer,
                _ => Wish::Stop,
            };
            if events.send(Event::Wish(wish)).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}
