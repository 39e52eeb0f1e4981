use rustix::process::{Resource, getrlimit, setrlimit};

use crate::terminal;

/// Every waiting request holds a connection, which is an open file. The usual limit is 1,024; anyone may raise it as
/// far as the hard one.
pub(super) fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        terminal::note(&format!("the limit of open files stays as it was: {error}"));
    }
}
