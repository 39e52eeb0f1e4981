//! The page at `/`: the files in `web/`, sent as one document that needs nothing else.

mod bundle;

use std::io::Write as _;
use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

use self::bundle::Bundle;

/// The page as it is sent.
struct Page {
    plain: &'static str,
    gzip: &'static [u8],
    policy: HeaderValue,
    etag: HeaderValue,
}

/// Made when it is asked for first, and kept: a few milliseconds.
static PAGE: LazyLock<Page> = LazyLock::new(|| Page::of(Bundle::of_the_page()));

/// Sends the page; nothing but its name to a browser that has this very one.
#[utoipa::path(
    get,
    path = "/",
    tag = "Page",
    responses((status = 200, description = "The page", body = String, content_type = "text/html")),
)]
pub(crate) async fn page(headers: HeaderMap) -> Response {
    PAGE.respond(&headers)
}

impl Page {
    fn of(bundle: Bundle) -> Self {
        let plain: &'static str = bundle.html.leak();
        let digest = BASE64_STANDARD.encode(Sha256::digest(plain));
        let header = |value: String| HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""));
        Self {
            plain,
            gzip: gzip(plain.as_bytes()).leak(),
            policy: header(policy(&bundle.script, &bundle.style)),
            etag: header(format!("\"{digest}\"")),
        }
    }

    fn respond(&self, headers: &HeaderMap) -> Response {
        let mut response = if is_known(headers, &self.etag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else if takes_gzip(headers) {
            ([(header::CONTENT_ENCODING, "gzip")], self.gzip).into_response()
        } else {
            self.plain.into_response()
        };
        let fixed = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            // Asked for each time: a newer service has a newer page.
            (header::CACHE_CONTROL, "no-cache"),
            (header::VARY, "accept-encoding"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ];
        let own = [(header::CONTENT_SECURITY_POLICY, &self.policy), (header::ETAG, &self.etag)];
        let sent = response.headers_mut();
        for (name, value) in fixed {
            sent.insert(name, HeaderValue::from_static(value));
        }
        for (name, value) in own {
            sent.insert(name, value.clone());
        }
        response
    }
}

/// What the page may do: run and look as it is here, speak to its own service, and nothing else. Trusted types forbid
/// it to make HTML of text, so that no document and no answer can become a part of it.
fn policy(script: &str, style: &str) -> String {
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src 'self' data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash(script),
        hash(style)
    )
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|value| value.split(',')).any(|value| value.trim().trim_start_matches("W/").as_bytes() == etag)
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|value| {
        let mut parts = value.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"))
            && !parts.any(|weight| matches!(weight.strip_prefix("q="), Some("0" | "0.0" | "0.00" | "0.000")))
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// Largest size of the one response that the page is.
    const MOST_BYTES: usize = 60_000;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn the_page_is_small_and_the_same_compressed() {
        assert!(PAGE.gzip.len() < MOST_BYTES, "{}", PAGE.gzip.len());
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(PAGE.gzip).read_to_string(&mut unpacked).expect("it is gzip");
        assert_eq!(unpacked, PAGE.plain);
        let response = PAGE.respond(&headers(header::ACCEPT_ENCODING, "gzip"));
        assert_eq!(response.headers().get_all("content-type").iter().collect::<Vec<_>>(), ["text/html; charset=utf-8"]);
    }

    #[test]
    fn the_page_needs_no_other_address() {
        for foreign in ["src=", "href=\"http", "@import", "url(", "import("] {
            assert!(!PAGE.plain.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn it_is_sent_in_the_form_that_the_browser_takes() {
        let encoding =
            |value| PAGE.respond(&headers(header::ACCEPT_ENCODING, value)).headers().get("content-encoding").cloned();
        for compressed in ["gzip", "br, GZIP;q=0.5", "deflate, gzip;q=1.0"] {
            assert_eq!(encoding(compressed).expect("compressed"), "gzip", "{compressed}");
        }
        for plain in ["", "br", "gzip;q=0", "identity, gzip; q=0.0"] {
            assert!(encoding(plain).is_none(), "{plain}");
        }
    }

    #[test]
    fn a_browser_that_has_it_gets_no_second_one() {
        let etag = PAGE.etag.to_str().expect("a header");
        for (given, status) in [(etag.to_owned(), 304), (format!("\"x\", W/{etag}"), 304), ("\"x\"".to_owned(), 200)] {
            let value = HeaderValue::from_str(&given).expect("a header");
            let response = PAGE.respond(&HeaderMap::from_iter([(header::IF_NONE_MATCH, value)]));
            assert_eq!(response.status(), status, "{given}");
            assert_eq!(response.headers()["etag"], etag);
        }
    }
}
