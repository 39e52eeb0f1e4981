//! Circumstances of a request, made when it arrives.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName};
use qanda_core::{Caller, Collection, RequestContext};

/// Header in which a request's identity comes and goes.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest identity that is taken over from a caller.
const LONGEST_ID: usize = 128;

/// The context of a request that arrives now and has so long.
pub(crate) fn context(headers: &HeaderMap, timeout: Duration) -> RequestContext {
    RequestContext {
        request_id: given_id(headers).map_or_else(new_id, Arc::from),
        caller: Caller::Anonymous,
        collection: Collection::default(),
        deadline: Instant::now().checked_add(timeout),
    }
}

/// The identity that a proxy or a caller has given the request, if it can stand in a log line as it is.
fn given_id(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(REQUEST_ID)?.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@~".contains(&byte);
    (1..=LONGEST_ID).contains(&given.len()).then_some(given).filter(|given| given.bytes().all(plain))
}

/// An identity that no other request is likely to have.
fn new_id() -> Arc<str> {
    // Each of these is seeded anew, by the system's randomness and a counter.
    let random = RandomState::new().build_hasher().finish();
    format!("{random:016x}").into()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_plain_identity_is_taken_over_and_any_other_replaced() {
        let of = |given: &[u8]| {
            let value = HeaderValue::from_bytes(given).expect("a header");
            context(&[(REQUEST_ID, value)].into_iter().collect(), Duration::from_secs(1)).request_id
        };
        assert_eq!(&*of(b"4bf92f3577b34da6-a3ce929d/0e0e4736:1"), "4bf92f3577b34da6-a3ce929d/0e0e4736:1");
        for given in [&b""[..], b"a b", b"a\"b", b"\xff", &[b'x'; 129]] {
            let id = of(given);
            assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        }
        assert_ne!(new_id(), new_id());
    }
}
