//! From scores of tokens to answers in whole words, and how surely one is there.

use qanda_core::Span;
use qanda_core::ports::{FoundSpan, Reading};
use serde::Deserialize;

use super::windows::Window;

/// Scores of one window.
pub(super) struct Logits {
    /// For each token that of being the first of the answer; for `[CLS]`, of its absence.
    pub(super) start: Vec<f32>,
    /// The same for the last one.
    pub(super) end: Vec<f32>,
    /// Score of "the answer is here", where the model has one.
    pub(super) here: Option<f32>,
}

/// Answers that one window has.
pub(super) struct WindowReading {
    spans: Vec<FoundSpan>,
    here: Option<f32>,
}

/// Most answers of a passage.
const MOST: usize = 5;

impl WindowReading {
    /// The best answers of up to `longest` tokens that share no word, best first.
    pub(super) fn new(window: &Window, logits: &Logits, longest: usize) -> Self {
        let (words, part, first) = (&window.text.words, window.part.clone(), window.first);
        let absent = logits.start[0] + logits.end[0];
        let mut found: Vec<(f32, usize, usize)> = Vec::new();
        while found.len() < MOST {
            let mut best: Option<(f32, usize, usize)> = None;
            for start in part.clone() {
                for end in start..part.end.min(start + longest) {
                    let (low, high) = (words[start], words[end]);
                    if found.iter().any(|(_, from, to)| low <= *to && *from <= high) {
                        // Any longer one from here reaches into the same answer.
                        break;
                    }
                    let score = logits.start[first + start - part.start] + logits.end[first + end - part.start];
                    if best.is_none_or(|(most, ..)| score > most) {
                        best = Some((score, low, high));
                    }
                }
            }
            let Some(best) = best else { break };
            found.push(best);
        }
        let bytes = &window.text.spans;
        let spans = found.into_iter().map(|(score, low, high)| FoundSpan {
            span: Span::new(bytes[low].start, bytes[high].end),
            score: score - absent,
        });
        Self { spans: spans.collect(), here: logits.here }
    }
}

/// A logistic model of the probability that a passage answers.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(super) struct Calibration {
    /// Weight of the best span's score.
    span_score: f32,
    /// Weight of the score of "the answer is here".
    here: f32,
    bias: f32,
}

impl Calibration {
    /// The odds of the best span and "not here", by the model's own account.
    pub(super) const NONE: Self = Self { span_score: 1.0, here: 0.0, bias: 0.0 };

    /// What all windows of a passage say together: the best answers, and of each score the highest.
    pub(super) fn join(&self, windows: Vec<WindowReading>) -> Reading {
        let here = windows.iter().filter_map(|window| window.here).reduce(f32::max);
        let mut found: Vec<FoundSpan> = windows.into_iter().flat_map(|window| window.spans).collect();
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut spans: Vec<FoundSpan> = Vec::new();
        for one in found {
            let apart = |other: &FoundSpan| one.span.end <= other.span.start || other.span.end <= one.span.start;
            if spans.len() < MOST && spans.iter().all(apart) {
                spans.push(one);
            }
        }
        let best = spans.first().map(|found| found.score);
        let here = here.or(best).unwrap_or_default();
        let confidence = best.map_or(0.0, |best| self.confidence(best, here));
        Reading { spans, here, confidence }
    }

    fn confidence(&self, span_score: f32, here: f32) -> f32 {
        1.0 / (1.0 + (-(self.span_score * span_score + self.here * here + self.bias)).exp())
    }
}
