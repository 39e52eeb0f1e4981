//! Addresses that a base address may mean. People give it with and without the version, or whole with the route.

use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Url;

/// The bases that may be meant, and the one that is.
#[derive(Debug)]
pub(super) struct Routes {
    /// Likeliest first; never empty.
    bases: Vec<Url>,
    current: AtomicUsize,
}

impl Routes {
    pub(super) fn new(given: &Url) -> Self {
        let mut base = given.clone();
        let path = given.path().trim_end_matches('/');
        for route in ["/chat/completions", "/completions", "/embeddings"] {
            if let Some(start) = path.strip_suffix(route) {
                base.set_path(start);
                break;
            }
        }
        let path = base.path().trim_end_matches('/').to_owned();
        let last = path.rsplit('/').next().unwrap_or_default();
        let has_version = last.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let mut other = base.clone();
        if has_version {
            // A gateway may put the version in front by itself.
            other.set_path(&path[..path.len() - last.len()]);
        } else {
            other.set_path(&format!("{path}/v1"));
        }
        Self { bases: vec![base, other], current: AtomicUsize::new(0) }
    }

    /// Number of the base to try first: the one that worked last.
    pub(super) fn first(&self) -> usize {
        self.current.load(Ordering::Relaxed)
    }

    /// Number of the base to try after one where nothing was found.
    pub(super) fn after(&self, number: usize) -> usize {
        (number + 1) % self.bases.len()
    }

    /// Keeps the one that worked.
    pub(super) fn keep(&self, number: usize) {
        self.current.store(number, Ordering::Relaxed);
    }

    pub(super) fn url(&self, number: usize, path: &[&str]) -> Url {
        let mut url = self.bases[number].clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::Routes;

    #[test]
    fn an_address_is_understood_with_and_without_version_and_route() {
        for (given, urls) in [
            ("http://host/v1", ["http://host/v1/chat/completions", "http://host/chat/completions"]),
            ("http://host/v1/", ["http://host/v1/chat/completions", "http://host/chat/completions"]),
            ("http://host:11434", ["http://host:11434/chat/completions", "http://host:11434/v1/chat/completions"]),
            ("http://host/api/v3", ["http://host/api/v3/chat/completions", "http://host/api/chat/completions"]),
            ("http://host/v1/chat/completions", ["http://host/v1/chat/completions", "http://host/chat/completions"]),
            (
                "http://host/v1beta/openai",
                ["http://host/v1beta/openai/chat/completions", "http://host/v1beta/openai/v1/chat/completions"],
            ),
        ] {
            let routes = Routes::new(&given.parse().expect("an address"));
            let found = [0, 1].map(|number| routes.url(number, &["chat", "completions"]).to_string());
            assert_eq!(found, urls, "{given}");
        }
    }

    #[test]
    fn what_worked_comes_first_from_then_on() {
        let routes = Routes::new(&"http://host".parse().expect("an address"));
        assert_eq!((routes.first(), routes.after(0), routes.after(1)), (0, 1, 0));
        routes.keep(1);
        assert_eq!(routes.first(), 1);
    }
}
