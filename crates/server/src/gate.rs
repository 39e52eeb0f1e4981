//! Keeps other people's pages out: a browser on this machine, or on a network that reaches it, must not become the
//! hand of any site that it shows.

use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::Problem;

/// Name by which people reach the service: `qa.example.org`, or `qa.example.org:8443` for that port only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicHost(Authority);

impl FromStr for PublicHost {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let authority = name.parse::<Authority>().ok().filter(|authority| !authority.as_str().contains('@'));
        authority.map(Self).ok_or_else(|| format!("\"{name}\" is no host name like qa.example.org"))
    }
}

impl PublicHost {
    fn is(&self, host: &Authority) -> bool {
        same_host(&self.0, host) && (self.0.port().is_none() || self.0.port_u16() == host.port_u16())
    }
}

/// Rules for what is let through.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate {
    /// Whether only this machine reaches the listener.
    pub(crate) is_loopback: bool,
    pub(crate) public_hosts: Arc<[PublicHost]>,
}

/// What a request may do, as an extension of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access {
    /// Whether it may change what is stored.
    pub(crate) may_write: bool,
}

impl Access {
    /// Refuses a request that would change what is stored.
    pub(crate) fn check_write(self) -> Result<(), Problem> {
        if self.may_write { Ok(()) } else { Err(Problem::writing_not_allowed()) }
    }
}

/// Headers by which a proxy says for whom it asks. With one of them, a request to a loopback listener comes from elsewhere.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// Refuses requests of foreign pages.
pub(crate) async fn check(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).map(authority);
    let host = match host {
        // A request without a host comes from no browser.
        None => None,
        Some(Some(host)) if gate.admits_host(&host) => Some(host),
        Some(_) => return Problem::misdirected().into_response(),
    };
    if headers.get_all(header::ORIGIN).iter().any(|origin| !gate.admits_origin(origin, host.as_ref())) {
        return Problem::foreign_origin().into_response();
    }
    let access = Access { may_write: gate.may_write(headers, host.as_ref()) };
    request.extensions_mut().insert(access);
    next.run(request).await
}

impl Gate {
    /// Whoever points a name of theirs at 127.0.0.1 has their pages speak to this machine as if to their own site.
    fn admits_host(&self, host: &Authority) -> bool {
        !self.is_loopback || is_loopback(host.host()) || self.is_public(host)
    }

    /// A page may only ask the service that it came from, or belongs to.
    fn admits_origin(&self, origin: &HeaderValue, host: Option<&Authority>) -> bool {
        let Some(origin) = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok()) else { return false };
        let (Some(scheme), Some(from)) = (origin.scheme_str(), origin.authority()) else { return false };
        let usual_port = if scheme == "https" { 443 } else { 80 };
        let port = |authority: &Authority| authority.port_u16().unwrap_or(usual_port);
        self.is_public(from) || host.is_some_and(|host| same_host(from, host) && port(from) == port(host))
    }

    /// As long as nobody has a key, only who works on this machine may change what is stored: a request to a loopback
    /// listener, by a name of this machine, that no proxy has passed on.
    fn may_write(&self, headers: &HeaderMap, host: Option<&Authority>) -> bool {
        self.is_loopback
            && host.is_none_or(|host| is_loopback(host.host()))
            && FORWARDED.iter().all(|name| !headers.contains_key(*name))
    }

    fn is_public(&self, host: &Authority) -> bool {
        self.public_hosts.iter().any(|public| public.is(host))
    }
}

fn authority(host: &HeaderValue) -> Option<Authority> {
    host.to_str().ok()?.parse().ok()
}

fn same_host(a: &Authority, b: &Authority) -> bool {
    a.host().eq_ignore_ascii_case(b.host())
}

fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name == "localhost" || name.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(is_loopback: bool, public: &[&str]) -> Gate {
        let public_hosts = public.iter().map(|name| name.parse().expect("a name")).collect();
        Gate { is_loopback, public_hosts }
    }

    fn admits_host(gate: &Gate, host: &str) -> bool {
        gate.admits_host(&host.parse().expect("an authority"))
    }

    fn admits_origin(gate: &Gate, origin: &str, host: &str) -> bool {
        let host = host.parse().expect("an authority");
        gate.admits_origin(&HeaderValue::from_str(origin).expect("a header"), Some(&host))
    }

    #[test]
    fn a_loopback_listener_is_reached_by_loopback_names_only() {
        let gate = gate(true, &["qa.example.org", "team.example.org:8443"]);
        let own = ["localhost", "LOCALHOST:8000", "qa.localhost:1", "127.0.0.1:8000", "127.1.2.3", "[::1]:8000"];
        for host in own.into_iter().chain(["qa.example.org", "QA.example.org:80", "team.example.org:8443"]) {
            assert!(admits_host(&gate, host), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "team.example.org"]
        {
            assert!(!admits_host(&gate, host), "{host}");
            assert!(admits_host(&super::Gate::default(), host), "another listener has names of its own: {host}");
        }
    }

    #[test]
    fn a_page_may_only_ask_its_own_service() {
        let gate = gate(true, &["qa.example.org"]);
        assert!(admits_origin(&gate, "http://127.0.0.1:8000", "127.0.0.1:8000"));
        assert!(admits_origin(&gate, "http://localhost", "localhost:80"));
        assert!(admits_origin(&gate, "https://qa.example.org", "127.0.0.1:8000"), "behind a proxy");
        assert!(admits_origin(&gate, "https://intern.example.org", "intern.example.org"), "the proxy keeps the name");
        for origin in
            ["http://evil.example", "http://localhost:3000", "https://localhost:8000.evil.example", "null", ""]
        {
            assert!(!admits_origin(&gate, origin, "localhost:8000"), "{origin}");
        }
    }

    #[test]
    fn only_this_machine_may_write() {
        let may_write = |is_loopback, host: Option<&str>, header: Option<&'static str>| {
            let host = host.map(|host| host.parse().expect("an authority"));
            let headers = header.map(|name| (header::HeaderName::from_static(name), HeaderValue::from_static("x")));
            gate(is_loopback, &["qa.example.org"]).may_write(&headers.into_iter().collect(), host.as_ref())
        };
        assert!(may_write(true, Some("127.0.0.1:8000"), None) && may_write(true, None, None));
        assert!(may_write(true, Some("localhost"), Some("accept")));
        assert!(!may_write(false, Some("127.0.0.1:8000"), None));
        assert!(!may_write(true, Some("qa.example.org"), None), "behind a proxy that keeps the name");
        for name in FORWARDED {
            assert!(!may_write(true, Some("127.0.0.1:8000"), Some(name)), "{name}");
        }
    }

    #[test]
    fn what_is_no_name_is_no_public_host() {
        for name in ["", "https://qa.example.org", "a b", "user@host", "qa.example.org/path"] {
            assert!(name.parse::<PublicHost>().is_err(), "{name}");
        }
    }
}
