use std::collections::HashMap;
use std::fmt::Write;

/// Name, type and meaning of each figure, in the order in which they are told.
const FAMILIES: [(&str, &str, &str); 5] = [
    ("qanda_requests_total", "counter", "Requests answered; status 499 for callers that left before an answer."),
    ("qanda_request_seconds", "histogram", "Time from a request's arrival to the last byte of its answer."),
    ("qanda_requests_in_flight", "gauge", "Requests that are being answered."),
    ("qanda_workers", "gauge", "Processes that serve."),
    ("process_resident_memory_bytes", "gauge", "Memory of each process that is in RAM."),
];

/// Whether the process whose figures are added still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    Running,
    /// Only what it has counted still holds.
    Ended,
}

/// Figures of several processes, added up. They stay in the order in which they came, which is that of the bounds for
/// a histogram's buckets.
#[derive(Debug, Default)]
pub(super) struct Sum {
    values: Vec<(String, f64)>,
    places: HashMap<String, usize>,
}

impl Sum {
    /// Adds figures, one a line. A line that is none is passed over.
    pub(super) fn add(&mut self, text: &str, process: Process) {
        for line in text.lines() {
            let Some((key, value)) = line.rsplit_once(' ') else { continue };
            let Ok(value) = value.parse::<f64>() else { continue };
            let Some((_, kind, _)) = FAMILIES.iter().find(|(family, ..)| belongs(key, family)) else { continue };
            if process == Process::Ended && *kind == "gauge" {
                continue;
            }
            if let Some(place) = self.places.get(key) {
                self.values[*place].1 += value;
            } else {
                self.places.insert(key.to_owned(), self.values.len());
                self.values.push((key.to_owned(), value));
            }
        }
    }

    /// All of them in the text format of Prometheus.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (family, kind, help) in FAMILIES {
            // Writing to a string does not fail.
            let _ = writeln!(text, "# HELP {family} {help}\n# TYPE {family} {kind}");
            for (key, value) in self.values.iter().filter(|(key, _)| belongs(key, family)) {
                let _ = writeln!(text, "{key} {value}");
            }
        }
        text
    }
}

/// Whether a figure is one of a family: it has its name, or that of a part of a histogram.
fn belongs(key: &str, family: &str) -> bool {
    let name = key.split('{').next().unwrap_or_default();
    name.strip_prefix(family).is_some_and(|rest| matches!(rest, "" | "_bucket" | "_sum" | "_count"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_all_and_gauges_of_those_that_run_are_added_up() {
        let mut sum = Sum::default();
        let figures = "qanda_requests_in_flight 2\nqanda_requests_total{route=\"/\",status=\"200\"} 3\n\
            qanda_request_seconds_bucket{route=\"/\",le=\"0.5\"} 1\nqanda_request_seconds_bucket{route=\"/\",le=\"+Inf\"} 3\n\
            qanda_request_seconds_sum{route=\"/\"} 1.25\ntorn li";
        sum.add(figures, Process::Running);
        sum.add(figures, Process::Ended);
        sum.add("qanda_requests_total{route=\"/\",status=\"404\"} 1\n", Process::Ended);
        let text = sum.text();
        for line in [
            "qanda_requests_in_flight 2",
            "qanda_requests_total{route=\"/\",status=\"200\"} 6",
            "qanda_requests_total{route=\"/\",status=\"404\"} 1",
            "qanda_request_seconds_sum{route=\"/\"} 2.5",
            "qanda_request_seconds_bucket{route=\"/\",le=\"0.5\"} 2\nqanda_request_seconds_bucket{route=\"/\",le=\"+Inf\"} 6",
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line} is not in {text}");
        }
        assert!(!text.contains("torn"));
    }
}
