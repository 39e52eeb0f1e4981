//! Every question that waits holds connections, and connections are open files, of which a process has only so many.

use std::sync::OnceLock;

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::terminal;

/// Files that are no connection of a question: the store's, logs, idle connections to other services.
const OTHERS: usize = 500;
/// More would be of no use.
const MOST: usize = 1 << 20;

/// Connections that fit into the open files of this process. Those beyond wait instead of failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shares {
    /// Of those who ask.
    pub(crate) callers: usize,
    /// To the language model. Fewer, as not everyone who asks waits for it at the same moment.
    pub(crate) model: usize,
}

/// The usual limit is 1,024; anyone may raise it as far as the hard one.
pub(crate) fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        terminal::note(format!("the limit of open files stays as it was: {error}"));
    }
}

/// The shares of this process, with its limit raised.
pub(crate) fn shares() -> Shares {
    static SHARES: OnceLock<Shares> = OnceLock::new();
    *SHARES.get_or_init(|| {
        raise_limit();
        let limit = getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok());
        Shares::of(limit.unwrap_or(MOST).min(MOST))
    })
}

impl Shares {
    fn of(limit: usize) -> Self {
        let connections = limit.saturating_sub(OTHERS).max(limit / 2).max(2);
        let model = (connections * 19 / 40).max(1);
        Self { callers: connections - model, model }
    }
}

#[cfg(test)]
mod tests {
    use super::Shares;

    #[test]
    fn shares_fit_into_the_limit() {
        for limit in [4, 64, 1_024, 20_000, 1 << 20] {
            let Shares { callers, model } = Shares::of(limit);
            assert!(model > 0 && callers >= model && callers + model <= limit, "{limit}: {callers} and {model}");
        }
        assert_eq!(Shares::of(20_000), Shares { callers: 10_238, model: 9_262 });
    }
}
