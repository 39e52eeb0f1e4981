//! A page that shows each question with its answer, the worst first. It needs no other file.

use std::fmt::Write;

use super::figures::{Figures, MEANS};
use super::judge::{Judged, Verdict};
use super::questions::Place;
use super::reply::Cited;
use super::report::Report;

const STYLE: &str = "body{font:15px/1.45 sans-serif;max-width:70rem;margin:1rem auto;padding:0 1rem;color:#222}\
table{border-collapse:collapse;font-size:13px}th,td{border:1px solid #ccc;padding:.2rem .5rem;text-align:right}\
th:first-child,td:first-child{text-align:left}\
article{border-left:.4rem solid #999;margin:1rem 0;padding:.1rem 0 .1rem .8rem}\
.failed,.false_answer{border-color:#a00}.wrong{border-color:#d60}.false_refusal{border-color:#c9a400}\
.right,.refused{border-color:#2a7}h2{font-size:1rem;margin:.4rem 0}dl{display:grid;grid-template-columns:7rem 1fr;\
gap:.15rem .6rem;margin:.3rem 0}dt{color:#666}dd{margin:0;white-space:pre-line;overflow-wrap:anywhere}\
small{color:#666}.touches{background:#dfd}";

pub(super) fn page(report: &Report) -> String {
    let mut judged: Vec<&Judged> = report.judged.iter().collect();
    judged.sort_by(|a, b| {
        let (a, b) = (a.rank(), b.rank());
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    let about = &report.about;
    let title = escaped(&format!("{}, {}: {}", about.questions, about.part, about.service));
    let articles: String = judged.into_iter().map(article).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>{STYLE}</style></head>\n<body><h1>{title}</h1>\n{}\n{articles}</body></html>\n",
        table(report)
    )
}

fn table(report: &Report) -> String {
    let mut heads = String::new();
    for label in MEANS.iter().map(|mean| mean.label).chain(["seconds, median", "seconds, p90", "ECE", "AUC"]) {
        let _ = write!(heads, "<th>{label}</th>");
    }
    let kinds = report.kinds.iter().filter(|_| report.has_kinds()).map(|(kind, figures)| row(kind, figures));
    let rows: String = kinds.chain([row("all", &report.all)]).collect();
    format!("<table><tr><th></th><th>questions</th>{heads}</tr>{rows}</table>")
}

fn row(name: &str, figures: &Figures) -> String {
    let shown = |value: Option<f64>, digits: usize| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.digits$}"));
    let mut row = format!("<tr><td>{}</td><td>{}</td>", escaped(name), shown(figures.get("questions"), 0));
    let names = MEANS.iter().map(|mean| mean.name).chain(["seconds_median", "seconds_p90", "ece", "auc"]);
    for name in names {
        let _ = write!(row, "<td>{}</td>", shown(figures.get(name), 2));
    }
    row + "</tr>\n"
}

fn article(judged: &Judged) -> String {
    let (class, words) = match judged.verdict {
        Verdict::Failed => ("failed", "failed"),
        Verdict::FalseAnswer => ("false_answer", "false answer"),
        Verdict::Wrong => ("wrong", "wrong"),
        Verdict::FalseRefusal => ("false_refusal", "false refusal"),
        Verdict::Right => ("right", "right"),
        Verdict::Refused => ("refused", "refused, as it should"),
    };
    let mut list = String::new();
    let mut line = |name: &str, html: &str| {
        let _ = write!(list, "<dt>{name}</dt><dd>{html}</dd>");
    };
    if !judged.history.is_empty() {
        line("before it", &escaped(&judged.history.join("\n")));
    }
    let reply = &judged.reply;
    line("answer", &escaped(reply.error.as_ref().unwrap_or(&reply.answer)));
    if !judged.accepted.is_empty() {
        line("accepted", &escaped(&judged.accepted.join("\n")));
    }
    for place in &judged.places {
        line("stands in", &place_html(place));
    }
    for cited in &reply.citations {
        line("cited", &cited_html(cited, &judged.places));
    }
    let confidence = reply.confidence.map(|confidence| format!(", confidence {confidence:.2}")).unwrap_or_default();
    let unsupported =
        if reply.unsupported > 0 { format!(", {} unsupported", reply.unsupported) } else { String::new() };
    format!(
        "<article class=\"{class}\"><h2>{}</h2><small>{words} · {} · {} · {:.2} s{confidence}{unsupported}</small>\
         <dl>{list}</dl></article>\n",
        escaped(&judged.question),
        escaped(&judged.id),
        escaped(&judged.kind),
        reply.seconds
    )
}

fn place_html(place: &Place) -> String {
    let words = place.text.as_deref().map(|text| format!(": {}", escaped(text))).unwrap_or_default();
    format!("<small>{}, bytes {}–{}</small>{words}", escaped(&place.document), place.start, place.end)
}

fn cited_html(cited: &Cited, places: &[Place]) -> String {
    let touches = places.iter().any(|place| place.touches(&cited.document, cited.start, cited.end));
    let class = if touches { " class=\"touches\"" } else { "" };
    let Cited { document, start, end, text } = cited;
    format!("<small>{}, bytes {start}–{end}</small>: <span{class}>{}</span>", escaped(document), escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::reply::Reply;
    use super::super::report::About;
    use super::*;

    #[test]
    fn the_worst_come_first_and_nothing_of_an_answer_is_markup() {
        let judged = |id: &str, answer: &str| {
            let known = json!({"id": id, "question": "How <much>?", "answers": ["5 mg"], "kind": "fact"});
            let known = serde_json::from_value(known).expect("a question");
            Judged::new(&known, Reply::of(&json!({"answer": answer}), 1.0))
        };
        let about = About { questions: "q.jsonl".into(), part: "all".into(), service: "direct".into() };
        let all = vec![judged("good", "5 mg"), judged("bad", "<script>x</script>"), judged("mild", "")];
        let page = page(&Report::new(about, all));
        let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("no {words} in {page}"));
        assert!(at("· bad ·") < at("· mild ·") && at("· mild ·") < at("· good ·"));
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;") && page.contains("How &lt;much&gt;?"));
        assert!(!page.contains("http"), "it needs nothing from elsewhere");
    }
}
