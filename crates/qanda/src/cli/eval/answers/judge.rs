//! One reply against what is known.

use serde::{Deserialize, Serialize};

use super::questions::{KnownQuestion, Place};
use super::reply::Reply;
use super::wording::{normal, token_f1};

/// A question, its reply, and how good that is. Reports hold these, so that two of them can be compared.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Judged {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) question: String,
    /// The conversation before it.
    pub(crate) history: Vec<String>,
    pub(crate) answerable: bool,
    /// For people: the accepted answers.
    pub(crate) accepted: Vec<String>,
    pub(crate) places: Vec<Place>,
    pub(crate) reply: Reply,
    pub(crate) verdict: Verdict,
    /// Words shared with the accepted answer, 0 to 1; for answerable questions with words to share.
    pub(crate) f1: Option<f64>,
    /// Share of the citations that touch a right place.
    pub(crate) citation_precision: Option<f64>,
    /// Share of the right places that are cited.
    pub(crate) citation_recall: Option<f64>,
}

/// Fate of a question, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// There was no answer, but an error.
    Failed,
    /// The documents do not answer it, and yet there is an answer.
    FalseAnswer,
    /// The answer does not say what it should.
    Wrong,
    /// The documents answer it, and the service says they do not.
    FalseRefusal,
    /// The answer says what it should.
    Right,
    /// The documents do not answer it, and the service says so.
    Refused,
}

impl Verdict {
    pub(crate) const fn is_good(self) -> bool {
        matches!(self, Self::Right | Self::Refused)
    }
}

impl Judged {
    pub(crate) fn new(known: &KnownQuestion, reply: Reply) -> Self {
        let places = known.places();
        let (precision, recall) = citations(&reply, &places);
        let answer = normal(&reply.answer);
        let verdict = verdict(known, &reply, &answer, precision.is_some_and(|share| share > 0.0));
        let wordy = known.answerable && reply.error.is_none();
        let f1 = || token_f1(&answer, &known.answers, known.reference.as_deref());
        let f1 = if reply.answered { f1() } else { f1().map(|_| 0.0) };
        Self {
            id: known.id.clone(),
            kind: known.kind.clone(),
            question: known.question.clone(),
            history: known.turns().into_iter().map(|turn| turn.content).collect(),
            answerable: known.answerable,
            accepted: known.answers.iter().map(ToString::to_string).collect(),
            f1: f1.filter(|_| wordy),
            citation_precision: precision,
            citation_recall: recall,
            places,
            reply,
            verdict,
        }
    }

    /// Key of an order that has the worst first.
    pub(crate) fn rank(&self) -> (Verdict, f64) {
        (self.verdict, self.citation_recall.unwrap_or(1.0) + self.f1.unwrap_or(1.0))
    }
}

fn verdict(known: &KnownQuestion, reply: &Reply, answer: &str, cites_a_place: bool) -> Verdict {
    if reply.error.is_some() {
        return Verdict::Failed;
    }
    let is_accepted = match known.answers.is_empty() {
        true => cites_a_place,
        false => known.answers.iter().any(|accepted| accepted.is_in(answer)),
    };
    match (known.answerable, reply.answered) {
        (false, true) => Verdict::FalseAnswer,
        (false, false) => Verdict::Refused,
        (true, false) => Verdict::FalseRefusal,
        (true, true) if is_accepted && !known.rejected.iter().any(|wrong| wrong.is_in(answer)) => Verdict::Right,
        (true, true) => Verdict::Wrong,
    }
}

/// Precision and recall of the citations; of an answer without citations there is no precision, of a question without
/// places neither.
fn citations(reply: &Reply, places: &[Place]) -> (Option<f64>, Option<f64>) {
    if places.is_empty() || reply.error.is_some() {
        return (None, None);
    }
    let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
    let cited = &reply.citations;
    let right = cited.iter().filter(|c| places.iter().any(|p| p.touches(&c.document, c.start, c.end))).count();
    let found = places.iter().filter(|p| cited.iter().any(|c| p.touches(&c.document, c.start, c.end))).count();
    (share(right, cited.len()), share(found, places.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn judged(known: Value, reply: &Value) -> Judged {
        Judged::new(&serde_json::from_value(known).expect("a question"), Reply::of(reply, 1.0))
    }

    fn known() -> Value {
        json!({"id": "a", "question": "How much?", "answers": ["5 mg", ["two", "tablets"]], "rejected": ["10 mg"],
            "document": "dose.md", "start": 10, "end": 20, "more": [{"document": "b.md", "start": 0, "end": 5}]})
    }

    fn cited(places: &[(&str, usize, usize)]) -> Value {
        json!(places.iter().map(|(d, s, e)| json!({"document": d, "start": s, "end": e})).collect::<Vec<_>>())
    }

    #[test]
    fn a_right_answer_says_something_accepted_and_nothing_rejected() {
        for (answer, verdict) in [
            ("It is 5 mg [1].", Verdict::Right),
            ("Take 2 of the tablets.", Verdict::Right),
            ("Take 2.", Verdict::Wrong),
            ("It is 15 mg.", Verdict::Wrong),
            ("5 mg or 10 mg.", Verdict::Wrong),
            ("", Verdict::FalseRefusal),
        ] {
            assert_eq!(judged(known(), &json!({"answer": answer})).verdict, verdict, "{answer}");
        }
        let absent = json!({"id": "b", "question": "Who?", "answerable": false});
        assert_eq!(judged(absent.clone(), &json!({"answer": "Me."})).verdict, Verdict::FalseAnswer);
        assert_eq!(judged(absent, &json!({"answer": "Me.", "answered": false})).verdict, Verdict::Refused);
    }

    #[test]
    fn citations_count_by_the_bytes_that_they_share_with_the_right_places() {
        let with = |places| judged(known(), &json!({"answer": "5 mg", "citations": cited(places)}));
        let all = with(&[("docs/dose.md", 0, 11), ("dose.md", 20, 30), ("undose.md", 10, 20), ("b.md", 4, 9)]);
        assert_eq!((all.citation_precision, all.citation_recall), (Some(0.5), Some(1.0)));
        let none = with(&[]);
        assert_eq!((none.citation_precision, none.citation_recall), (None, Some(0.0)));
    }

    #[test]
    fn without_accepted_words_a_citation_of_the_right_place_decides() {
        let place = json!({"id": "c", "question": "Why?", "document": "a.md", "start": 0, "end": 9});
        let with = |places| judged(place.clone(), &json!({"answer": "So.", "citations": cited(places)})).verdict;
        assert_eq!(with(&[("a.md", 3, 4)]), Verdict::Right);
        assert_eq!(with(&[("a.md", 9, 12)]), Verdict::Wrong);
    }
}
