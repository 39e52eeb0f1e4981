//! OpenAI-compatible endpoints: what the language model and the embedder share.
//!
//! HTTP is spoken with `reqwest` directly and not through a client library: the ones there are hide the headers of
//! an error (`Retry-After`), end a cut stream like a complete one, or fail on error objects that other servers
//! than OpenAI's send.

mod deadline;
mod endpoint;
mod error_report;
mod estimate;
mod failure;
mod headers;
mod lengths;
mod redaction;
mod retry;
mod routes;
mod settings;

pub use secrecy::{ExposeSecret, SecretString};

pub use self::estimate::estimate_tokens;
pub use self::settings::{OpenAiSettings, SettingNames, is_same_host};

pub(crate) use self::deadline::{Deadline, end_of};
pub(crate) use self::endpoint::{Endpoint, Reply};
pub(crate) use self::error_report::ErrorReport;
pub(crate) use self::estimate::fitting_start;
pub(crate) use self::failure::{Failure, Rejection};
