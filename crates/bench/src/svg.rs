//! A picture of a run: each request as a bar, from when it was to be sent to its answer.

use std::fmt::Write;

use crate::{Entry, FailureKind, Figures, Report, time};

const WIDTH: f64 = 1000.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 92.0;
const BOTTOM: f64 = 48.0;
/// Height of all lanes together: what is more than this gets thinner lanes.
const PLOT: f64 = 600.0;
const THICKEST_LANE: f64 = 18.0;
/// Lanes that are still told apart on a screen. Of more requests, every second, third, … is drawn.
const MOST_LANES: usize = 2_000;
/// Up to so many, bars say more when pointed at.
const MOST_HINTS: usize = 1_000;
const LONGEST_TITLE: usize = 125;
const WAIT: &str = "#c4cad3";

/// Outcome of a request, which gives its bar a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Answered,
    Refused,
    ServerError,
    Timeout,
    NoConnection,
    BrokenOff,
}

impl Outcome {
    /// In the order of the legend.
    const ALL: [Self; 6] =
        [Self::Answered, Self::Refused, Self::ServerError, Self::Timeout, Self::NoConnection, Self::BrokenOff];

    const fn of(entry: &Entry) -> Self {
        match entry.error {
            None => Self::Answered,
            Some(FailureKind::Status(500..)) => Self::ServerError,
            Some(FailureKind::Status(_)) => Self::Refused,
            Some(FailureKind::Timeout) => Self::Timeout,
            Some(FailureKind::Connect | FailureKind::OpenFiles | FailureKind::Closed) => Self::NoConnection,
            Some(FailureKind::Cut | FailureKind::ErrorEvent) => Self::BrokenOff,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "status 4xx",
            Self::ServerError => "status 5xx",
            Self::Timeout => "timeout",
            Self::NoConnection => "no connection",
            Self::BrokenOff => "broken off",
        }
    }

    /// The colours differ in brightness too, for those who see no difference between hues.
    const fn colour(self) -> &'static str {
        match self {
            Self::Answered => "#2b7bba",
            Self::Refused => "#e3a008",
            Self::ServerError => "#c81e1e",
            Self::Timeout => "#7e3af2",
            Self::NoConnection => "#1f2937",
            Self::BrokenOff => "#f2701d",
        }
    }
}

/// Draws a run.
#[must_use]
pub fn picture(report: &Report) -> String {
    let mut entries: Vec<(usize, &Entry)> = report.requests.iter().enumerate().collect();
    entries.sort_by(|(_, a), (_, b)| a.offset.total_cmp(&b.offset));
    let step = entries.len().div_ceil(MOST_LANES).max(1);
    let lanes: Vec<(usize, &Entry)> = entries.into_iter().step_by(step).collect();
    let height = (PLOT / lanes.len().max(1) as f64).min(THICKEST_LANE);
    let end = report.requests.iter().map(|entry| entry.offset + entry.seconds).fold(0.0, f64::max);
    let axis = Axis::up_to(end);
    let picture = Picture { lanes, lane: height, axis, step };
    picture.draw(report)
}

/// Seconds across the picture.
struct Axis {
    step: f64,
    steps: usize,
}

impl Axis {
    /// Round steps, some eight of them.
    fn up_to(end: f64) -> Self {
        const STEPS: f64 = 8.0;
        let rough = (end / STEPS).max(1e-6);
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0]
            .into_iter()
            .map(|n| n * power)
            .find(|step| *step >= rough * (1.0 - 1e-9))
            .unwrap_or(10.0 * power);
        // A little less than a step too many is no reason for another one.
        Self { step, steps: ((end / step - 1e-9).ceil() as usize).max(1) }
    }

    fn end(&self) -> f64 {
        self.step * self.steps as f64
    }

    fn x(&self, seconds: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * (seconds / self.end()).clamp(0.0, 1.0)
    }

    fn label(&self, number: usize) -> String {
        let decimals = (-self.step.log10().floor()).max(0.0) as usize;
        format!("{:.decimals$}", self.step * number as f64)
    }
}

struct Picture<'a> {
    /// Number and request, from top to bottom.
    lanes: Vec<(usize, &'a Entry)>,
    /// Height of a lane.
    lane: f64,
    axis: Axis,
    /// Each lane stands for so many requests.
    step: usize,
}

impl Picture<'_> {
    fn draw(&self, report: &Report) -> String {
        let bottom = TOP + self.lane * self.lanes.len() as f64;
        let height = bottom + BOTTOM;
        let mut svg = String::new();
        let sentence = escape(&shortened(&report.load.sentence()));
        // Writing to a string cannot fail.
        let _ = writeln!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.1}\" width=\"{WIDTH}\" \
             height=\"{height:.1}\" role=\"img\" aria-label=\"{sentence}\" font-family=\"system-ui, sans-serif\" \
             font-size=\"12\" fill=\"#1f2937\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <text x=\"{LEFT}\" y=\"26\" font-size=\"15\" font-weight=\"600\">{sentence}</text>\n\
             <text x=\"{LEFT}\" y=\"47\">{}</text>",
            escape(&figures(&report.figures))
        );
        self.legend(&mut svg);
        self.grid(&mut svg, bottom);
        for (lane, (number, entry)) in self.lanes.iter().enumerate() {
            self.bar(&mut svg, lane, *number, entry);
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// Says what the colours mean, of those that there are.
    fn legend(&self, svg: &mut String) {
        let mut keys: Vec<(&str, &str)> = Vec::new();
        // What cannot be seen needs no name.
        if self.lanes.iter().any(|(_, entry)| self.axis.x(entry.wait) - LEFT > 1.0) {
            keys.push(("not sent yet", WAIT));
        }
        let occurs = |outcome: &Outcome| self.lanes.iter().any(|(_, entry)| Outcome::of(entry) == *outcome);
        keys.extend(Outcome::ALL.into_iter().filter(occurs).map(|outcome| (outcome.name(), outcome.colour())));
        let mut x = LEFT;
        for (name, colour) in keys {
            let text = x + 17.0;
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"60\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\
                 <text x=\"{text}\" y=\"70\">{name}</text>"
            );
            x = text + 22.0 + 6.5 * name.len() as f64;
        }
        if self.step > 1 {
            let _ = writeln!(svg, "<text x=\"{x}\" y=\"70\">one in {} requests is drawn</text>", self.step);
        }
    }

    fn grid(&self, svg: &mut String, bottom: f64) {
        for number in 0..=self.axis.steps {
            let x = self.axis.x(self.axis.step * number as f64);
            let (text, label) = (bottom + 17.0, self.axis.label(number));
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {TOP}V{bottom:.1}\" stroke=\"#e5e7eb\"/>\
                 <text x=\"{x:.1}\" y=\"{text:.1}\" text-anchor=\"middle\">{label}</text>"
            );
        }
        let (x, y) = ((LEFT + WIDTH - RIGHT) / 2.0, bottom + 36.0);
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"middle\">seconds since the start</text>");
    }

    fn bar(&self, svg: &mut String, lane: usize, number: usize, entry: &Entry) {
        // Thin lanes overlap: the seams between them would be all that is seen.
        let thickness = if self.lane >= 3.0 { self.lane * 0.78 } else { self.lane + 0.4 };
        let y = TOP + self.lane * lane as f64;
        let at = |seconds: f64| self.axis.x(entry.offset + seconds);
        let (due, sent, end) = (at(0.0), at(entry.wait), at(entry.seconds));
        let mut rect = |from: f64, to: f64, colour: &str| {
            // What took no time is seen all the same.
            let width = (to - from).max(0.7);
            let _ = write!(
                svg,
                "<rect x=\"{from:.1}\" y=\"{y:.2}\" width=\"{width:.1}\" height=\"{thickness:.2}\" fill=\"{colour}\"/>"
            );
        };
        if sent - due >= 0.5 {
            rect(due, sent, WAIT);
        }
        rect(sent, end, Outcome::of(entry).colour());
        if let Some(first) = entry.first_token.filter(|first| self.lane >= 5.0 && end - at(*first) > 2.0) {
            rect(at(first) - 0.5, at(first) + 0.5, "#ffffff");
        }
        if self.lane >= 9.0 {
            let (x, y) = (LEFT - 8.0, y + thickness / 2.0 + 4.0);
            let _ = write!(svg, "<text x=\"{x}\" y=\"{y:.1}\" font-size=\"11\" text-anchor=\"end\">{number}</text>");
        }
        if self.lanes.len() <= MOST_HINTS {
            let hint = escape(&hint(number, entry));
            // Over the whole bar, so that there is something to point at.
            let width = (end - due).max(0.7);
            let _ = write!(
                svg,
                "<rect x=\"{due:.1}\" y=\"{y:.2}\" width=\"{width:.1}\" height=\"{thickness:.2}\" \
                 fill-opacity=\"0\"><title>{hint}</title></rect>"
            );
        }
        svg.push('\n');
    }
}

fn figures(figures: &Figures) -> String {
    let mut text = format!("{} of {} answered", figures.completed, figures.sent);
    if let Some(latency) = figures.latency {
        let named = [("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99), ("max", latency.max)];
        for (name, seconds) in named {
            let _ = write!(text, ", {name} {}", time::show(seconds));
        }
    }
    let _ = write!(text, "; {:.1} answers per second; at most {} in flight", figures.rate, figures.most_in_flight);
    text
}

fn hint(number: usize, entry: &Entry) -> String {
    let ended = match (&entry.error, entry.status) {
        (Some(error), _) => error.to_string(),
        (None, Some(status)) => format!("status {status}"),
        (None, None) => String::new(),
    };
    let (from, wait, took) = (time::show(entry.offset), time::show(entry.wait), time::show(entry.seconds));
    format!("request {number}: due at {from}, waited {wait}, took {took}: {ended}")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TITLE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Text as it may stand in an element or an attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no way to write these.
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
