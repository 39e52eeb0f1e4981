use std::time::Duration;

use anyhow::Context;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, RANGE};

use super::{Hub, accepted};
use crate::models::part::Part;

/// Times in a row that a download may break off without having come further.
const ATTEMPTS: u32 = 4;

/// A file to download.
pub(in crate::models) struct Wanted {
    pub(in crate::models) url: String,
    /// Its name, for people.
    pub(in crate::models) name: String,
    pub(in crate::models) bytes: Option<u64>,
}

/// End of one request.
enum Ended {
    /// The file is complete.
    Complete,
    /// The connection broke, or the hub was busy: another request may go on.
    Broken(anyhow::Error),
}

impl Hub {
    /// Downloads what a file lacks, and reports how far it has come. A connection that breaks is taken up again.
    ///
    /// # Errors
    /// When the hub cannot be reached, does not have the file, or breaks off several times in a row; what is there by
    /// then stays.
    pub(in crate::models) async fn download(
        &self,
        wanted: &Wanted,
        part: &mut Part,
        report: impl Fn(u64),
    ) -> anyhow::Result<()> {
        let mut failures = 0;
        while wanted.bytes != Some(part.length()) {
            let before = part.length();
            match self.continue_download(wanted, part, &report).await? {
                Ended::Complete => break,
                Ended::Broken(error) => {
                    failures = if part.length() > before { 1 } else { failures + 1 };
                    if failures >= ATTEMPTS {
                        return Err(error.context(format!("the download of {} broke off", wanted.name)));
                    }
                    tokio::time::sleep(Duration::from_millis(250) * 2_u32.pow(failures)).await;
                }
            }
        }
        Ok(())
    }

    async fn continue_download(
        &self,
        wanted: &Wanted,
        part: &mut Part,
        report: &impl Fn(u64),
    ) -> anyhow::Result<Ended> {
        let mut request = self.get(&wanted.url);
        if part.length() > 0 {
            request = request.header(RANGE, format!("bytes={}-", part.length()));
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            // One that was never reached will not be by asking again at once.
            Err(error) if error.is_connect() => return Err(self.away(error)),
            Err(error) => return Ok(Ended::Broken(self.away(error))),
        };
        let status = response.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Ok(Ended::Broken(anyhow::anyhow!("the hub answers {status}")));
        }
        if status == StatusCode::RANGE_NOT_SATISFIABLE {
            part.cut(0)?;
            return Ok(Ended::Broken(anyhow::anyhow!("the file on the hub is another one now")));
        }
        response = accepted(response, &wanted.name)?;
        if !goes_on_at(&response, part.length()) {
            part.cut(0)?;
        }
        loop {
            match response.chunk().await {
                Ok(Some(bytes)) => part.append(&bytes)?,
                Ok(None) => break,
                Err(error) => return Ok(Ended::Broken(error.without_url().into())),
            }
            report(part.length());
        }
        match wanted.bytes {
            Some(bytes) if part.length() < bytes => Ok(Ended::Broken(anyhow::anyhow!("it ended too early"))),
            Some(bytes) if part.length() > bytes => {
                let got = part.length();
                part.cut(0)?;
                Err(anyhow::anyhow!("{} has {got} bytes instead of {bytes}", wanted.name))
            }
            _ => Ok(Ended::Complete),
        }
        .context("the hub sent something else than it had announced")
    }
}

/// Whether a response goes on at a byte. A server that knows no ranges sends everything, from the start.
fn goes_on_at(response: &reqwest::Response, length: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let start = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse::<u64>().ok());
    response.status() == StatusCode::PARTIAL_CONTENT && start == Some(length)
}
