use super::*;
use crate::LoadInfo;

fn entry(offset: f64, wait: f64, seconds: f64, error: Option<FailureKind>, status: Option<u16>) -> Entry {
    Entry { offset, wait, seconds, first_token: Some(seconds / 2.0), tokens: 0, status, error }
}

fn report(requests: Vec<Entry>) -> Report {
    let load = LoadInfo { url: "http://x/?a=1&b=\"<2>\"\u{1}".to_owned(), ..LoadInfo::default() };
    Report { version: 1, load, figures: Figures::default(), goals: Vec::new(), requests }
}

/// Elements by name, with their attributes' text. Fails where the picture is not well-formed.
fn elements(svg: &str) -> Vec<(String, String)> {
    let (mut open, mut found) = (Vec::new(), Vec::new());
    let mut rest = svg;
    while let Some((text, tail)) = rest.split_once('<') {
        check_text(text);
        assert!(text.trim().is_empty() || !open.is_empty(), "text outside of an element: {text}");
        let (tag, tail) = tail.split_once('>').expect("a tag ends");
        rest = tail;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "an element ends that was not the last to begin");
            continue;
        }
        let (inside, alone) = tag.strip_suffix('/').map_or((tag, false), |inside| (inside, true));
        let (name, attributes) = inside.split_once(' ').unwrap_or((inside, ""));
        assert!(name.chars().all(char::is_alphanumeric), "{name}");
        check_attributes(attributes);
        found.push((name.to_owned(), attributes.to_owned()));
        if !alone {
            open.push(name.to_owned());
        }
    }
    assert!(rest.trim().is_empty() && open.is_empty(), "left open: {open:?}, {rest}");
    found
}

fn check_text(text: &str) {
    assert!(!text.contains('>') && !text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    for part in text.split('&').skip(1) {
        assert!(["amp;", "lt;", "gt;", "quot;"].iter().any(|entity| part.starts_with(entity)), "{text}");
    }
}

fn check_attributes(text: &str) {
    let parts: Vec<&str> = text.split('"').collect();
    assert_eq!(parts.len() % 2, 1, "a quotation mark is missing: {text}");
    for pair in parts[..parts.len() - 1].chunks(2) {
        let name = pair[0].trim().strip_suffix('=').expect("a name and a value");
        assert!(!name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-'), "{text}");
        check_text(pair[1]);
        assert!(!pair[1].contains("NaN") && !pair[1].contains("inf"), "{text}");
    }
}

fn bars(svg: &str, colour: &str) -> Vec<(f64, f64)> {
    let number = |attributes: &str, name: &str| -> f64 {
        let (_, value) = attributes.split_once(&format!("{name}=\"")).expect("the attribute");
        value.split('"').next().expect("a value").parse().expect("a number")
    };
    let wanted = format!("fill=\"{colour}\"");
    let rects = elements(svg).into_iter().filter(|(name, attributes)| {
        // Those of the legend stand above all lanes.
        name == "rect"
            && attributes.contains(&wanted)
            && attributes.contains("y=\"")
            && !attributes.contains("y=\"60\"")
    });
    rects.map(|(_, attributes)| (number(&attributes, "x"), number(&attributes, "width"))).collect()
}

#[test]
fn pictures_are_well_formed_whatever_they_show() {
    let mixed = vec![
        entry(0.0, 0.0, 1.0, None, Some(200)),
        entry(0.5, 1.0, 2.0, Some(FailureKind::Status(503)), Some(503)),
        entry(1.0, 0.0, 1e-7, Some(FailureKind::Connect), None),
        entry(1.5, 0.0, 1.0, Some(FailureKind::Timeout), None),
        entry(1.5, 0.0, 1.0, Some(FailureKind::Cut), Some(200)),
    ];
    let many: Vec<Entry> = mixed.iter().cycle().take(15_000).cloned().collect();
    for requests in [Vec::new(), vec![entry(0.0, 0.0, 0.0, None, None)], mixed, many.clone()] {
        let svg = picture(&report(requests));
        let elements = elements(&svg);
        assert_eq!(elements[0].0, "svg");
        assert!(elements.len() < 10_000, "{}", elements.len());
    }
    let svg = picture(&report(many));
    assert!(svg.contains("one in 8 requests is drawn"), "{}", &svg[..2_000]);
    assert!(svg.contains("http://x/?a=1&amp;b=&quot;&lt;2&gt;&quot; "), "{}", &svg[..600]);
}

#[test]
fn the_batches_of_a_worker_that_takes_one_at_a_time_are_stairs() {
    // Three at once, each answered when the one before is done.
    let requests = (1..=3).map(|n| entry(0.0, 0.0, 12.0 * f64::from(n), None, Some(200))).collect();
    let found = bars(&picture(&report(requests)), Outcome::Answered.colour());
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|(x, _)| *x == LEFT), "{found:?}");
    let widths: Vec<f64> = found.iter().map(|(_, width)| width / found[0].1).collect();
    assert!(widths.iter().zip([1.0, 2.0, 3.0]).all(|(width, n)| (width - n).abs() < 0.01), "{widths:?}");
}

#[test]
fn waiting_is_drawn_before_sending() {
    let svg = picture(&report(vec![entry(1.0, 2.0, 4.0, None, Some(200)), entry(0.0, 0.0, 1.0, None, Some(200))]));
    let (waits, answers) = (bars(&svg, WAIT), bars(&svg, Outcome::Answered.colour()));
    assert_eq!((waits.len(), answers.len()), (1, 2));
    // In order of arrival: the later one is below.
    assert!((waits[0].0 + waits[0].1 - answers[1].0).abs() < 0.11, "{waits:?} {answers:?}");
    assert!((waits[0].1 - answers[1].1).abs() < 0.11);
    assert!(svg.contains("not sent yet") && !svg.contains("timeout"));
}

#[test]
fn axes_have_round_steps() {
    for (end, step, steps) in [(36.0, 5.0, 8), (1.0, 0.2, 5), (0.008, 0.001, 8), (0.0, 1e-6, 1), (80.0, 10.0, 8)] {
        let axis = Axis::up_to(end);
        assert!((axis.step / step - 1.0).abs() < 1e-9 && axis.steps == steps, "{end}: {} {}", axis.step, axis.steps);
        assert!(axis.end() >= end);
    }
    assert_eq!(Axis::up_to(1.0).label(2), "0.4");
    assert_eq!(Axis::up_to(36.0).label(2), "10");
}
