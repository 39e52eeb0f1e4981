//! Address of a Chroma server, and the manner of speaking to it.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use qanda_core::StoreError;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

/// Address of a Chroma server, and the manner of speaking to it.
#[derive(Clone, PartialEq, Eq)]
pub struct ChromaSettings {
    /// Name or address of the machine, without scheme and port.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether to speak HTTPS.
    pub ssl: bool,
    /// Tenant; `default_tenant` on a server of one's own.
    pub tenant: String,
    /// Database; `default_database` on a server of one's own.
    pub database: String,
    /// Name of the collection: 3 to 512 of the characters `a-z A-Z 0-9 . _ -`.
    pub collection: String,
    /// A secret that the server, or a proxy in front of it, asks for.
    pub token: Option<String>,
    /// The header that carries it.
    pub token_header: TokenHeader,
    /// Time that one step of the store may take, connecting included. A search is one step, and so is each batch of
    /// a document that is written. Waiting for its turn counts only while nobody is answered.
    pub timeout: Duration,
    /// Steps at the same time; others wait for their turn. At least 1.
    pub concurrency: usize,
}

/// The header that carries the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenHeader {
    /// `Authorization: Bearer TOKEN`.
    #[default]
    Authorization,
    /// `X-Chroma-Token: TOKEN`.
    ChromaToken,
}

impl Default for ChromaSettings {
    /// A server on this machine, on the port of the original service.
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 17171,
            ssl: false,
            tenant: "default_tenant".to_owned(),
            database: "default_database".to_owned(),
            collection: "qanda".to_owned(),
            token: None,
            token_header: TokenHeader::default(),
            timeout: Duration::from_secs(5),
            concurrency: 16,
        }
    }
}

impl ChromaSettings {
    /// `HOST:PORT`, as messages name it.
    #[must_use]
    pub fn address(&self) -> String {
        // An IPv6 address needs brackets before a port.
        match self.host.contains(':') && !self.host.starts_with('[') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// The address of the database's collections.
    pub(super) fn collections(&self) -> Result<Url, StoreError> {
        let scheme = if self.ssl { "https" } else { "http" };
        let server = Url::parse(&format!("{scheme}://{}", self.address()))
            .ok()
            .filter(|url| url.path() == "/" && url.query().is_none() && url.username().is_empty())
            .ok_or_else(|| invalid(format!("\"{}\" is not the name of a host", self.host)))?;
        for (what, name) in [("collection", &self.collection), ("tenant", &self.tenant), ("database", &self.database)] {
            if !is_name(name) {
                let rule = "a name has 3 to 512 of the characters a-z A-Z 0-9 . _ -";
                return Err(invalid(format!("\"{name}\" cannot be the name of a {what}; {rule}")));
            }
        }
        let path = format!("/api/v2/tenants/{}/databases/{}/collections", self.tenant, self.database);
        server.join(&path).map_err(|cause| invalid(cause.to_string()))
    }

    /// The header that carries the token, if there is one.
    pub(super) fn headers(&self) -> Result<HeaderMap, StoreError> {
        let Some(token) = &self.token else { return Ok(HeaderMap::new()) };
        let (header, value) = match self.token_header {
            TokenHeader::Authorization => (AUTHORIZATION, format!("Bearer {token}")),
            TokenHeader::ChromaToken => (HeaderName::from_static("x-chroma-token"), token.clone()),
        };
        let mut value = HeaderValue::from_str(&value)
            .map_err(|_| invalid("the token has characters that a header cannot carry".to_owned()))?;
        value.set_sensitive(true);
        Ok(HeaderMap::from_iter([(header, value)]))
    }

    /// Whether the server is on this machine, which no proxy reaches.
    pub(super) fn is_local(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

fn invalid(what: String) -> StoreError {
    StoreError::failed("reading the settings for Chroma", what)
}

/// Chroma's rule for the names of collections. Those of tenants and databases are held to it as well, but for their
/// ends.
fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (3..=512).contains(&name.len()) && name.chars().all(allowed) && !name.contains("..")
}

impl fmt::Debug for ChromaSettings {
    /// Everything but the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChromaSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("ssl", &self.ssl)
            .field("tenant", &self.tenant)
            .field("database", &self.database)
            .field("collection", &self.collection)
            .field("token", &self.token.as_ref().map(|_| "(hidden)"))
            .field("token_header", &self.token_header)
            .field("timeout", &self.timeout)
            .field("concurrency", &self.concurrency)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLLECTIONS: &str = "/api/v2/tenants/default_tenant/databases/default_database/collections";

    #[test]
    fn debug_hides_the_token() {
        let settings = ChromaSettings { token: Some("s3cret".to_owned()), ..ChromaSettings::default() };
        assert!(!format!("{settings:?}").contains("s3cret"));
        let headers = settings.headers().expect("valid");
        assert!(!format!("{headers:?}").contains("s3cret"));
    }

    #[test]
    fn settings_that_cannot_be_used_are_refused_without_showing_the_token() {
        let change = |change: fn(&mut ChromaSettings)| {
            let mut settings = ChromaSettings::default();
            change(&mut settings);
            let address = settings.headers().and_then(|_| settings.collections());
            address.map(|address| address.to_string()).map_err(|error| error.to_string())
        };
        assert_eq!(change(|s| s.host = "::1".to_owned()).expect("valid"), format!("http://[::1]:17171{COLLECTIONS}"));
        assert_eq!(change(|s| s.ssl = true).expect("valid"), format!("https://localhost:17171{COLLECTIONS}"));
        assert!(change(|s| s.host = "http://localhost".to_owned()).is_err());
        assert!(change(|s| s.host = "a/b".to_owned()).is_err());
        assert!(change(|s| s.collection = "a?b".to_owned()).expect_err("refused").contains("collection"));
        let error = change(|s| s.token = Some("s3cret\n".to_owned())).expect_err("refused");
        assert!(error.contains("token") && !error.contains("s3cret"), "{error}");
    }
}
