use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the histogram's buckets, in seconds: from an answer out of memory to a slow model.
const BOUNDS: [f64; 14] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The figures of one process.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    in_flight: AtomicI64,
    /// By route.
    routes: Mutex<BTreeMap<String, Route>>,
}

#[derive(Debug, Default)]
struct Route {
    by_status: BTreeMap<u16, u64>,
    /// How many were not above each bound, but above the one before it.
    buckets: [u64; BOUNDS.len()],
    seconds: f64,
    count: u64,
}

impl Figures {
    /// A request has arrived.
    pub(crate) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// A request has been answered.
    pub(crate) fn end(&self, route: &str, status: u16, took: Duration) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let seconds = took.as_secs_f64();
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if !routes.contains_key(route) {
            routes.insert(route.to_owned(), Route::default());
        }
        let Some(figures) = routes.get_mut(route) else { return };
        *figures.by_status.entry(status).or_default() += 1;
        if let Some(bucket) = BOUNDS.iter().position(|bound| seconds <= *bound) {
            figures.buckets[bucket] += 1;
        }
        figures.seconds += seconds;
        figures.count += 1;
    }

    /// One line a figure, without comments.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let process = std::process::id();
        // Writing to a string does not fail.
        let _ = writeln!(text, "qanda_requests_in_flight {}", self.in_flight.load(Ordering::Relaxed));
        let _ = writeln!(text, "qanda_workers 1");
        if let Some(bytes) = resident_bytes() {
            let _ = writeln!(text, "process_resident_memory_bytes{{process=\"{process}\"}} {bytes}");
        }
        for (route, figures) in self.routes.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            figures.write(route, &mut text);
        }
        text
    }
}

impl Route {
    fn write(&self, route: &str, text: &mut String) {
        let Self { by_status, buckets, seconds, count } = self;
        for (status, requests) in by_status {
            let _ = writeln!(text, "qanda_requests_total{{route=\"{route}\",status=\"{status}\"}} {requests}");
        }
        let mut below = 0;
        for (bound, requests) in BOUNDS.iter().zip(buckets) {
            below += requests;
            let _ = writeln!(text, "qanda_request_seconds_bucket{{route=\"{route}\",le=\"{bound}\"}} {below}");
        }
        let _ = writeln!(text, "qanda_request_seconds_bucket{{route=\"{route}\",le=\"+Inf\"}} {count}");
        let _ = writeln!(text, "qanda_request_seconds_sum{{route=\"{route}\"}} {seconds}");
        let _ = writeln!(text, "qanda_request_seconds_count{{route=\"{route}\"}} {count}");
    }
}

/// Memory of this process that is in RAM. None where the system does not tell.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().strip_suffix("kB")?;
    Some(kilobytes.trim().parse::<u64>().ok()? * 1024)
}
