//! Limits of an endpoint on one call. They are not known before it says so; then they are kept.

use std::sync::Mutex;
use std::sync::PoisonError;

use crate::openai::{ErrorReport, Rejection};

/// Most texts of one call. OpenAI takes 2048; smaller servers less.
const MOST_TEXTS: usize = 256;
/// Most text of one call, in bytes: about 25,000 tokens.
const MOST_BYTES: usize = 100_000;
/// Fewest tokens to which texts are cut: an embedder that reads less is none.
const LEAST_TOKENS: usize = 16;

/// Parts of sentences that refuse a call for the number of its texts, or for their size together.
const ABOUT_BATCHES: [&str; 18] = [
    "batch size",
    "batch_size",
    "maximum allowed batch",
    "too many inputs",
    "number of inputs",
    "number of texts",
    "number of elements",
    "more batches",
    "in one batch",
    "inputs per request",
    "too many texts",
    "array too long",
    "array_above_max_length",
    "maximum length",
    "at most",
    "too large",
    "payload size",
    "length limit exceeded",
];
/// Words that the number of texts follows.
const BEFORE_COUNT: [&str; 11] = [
    "larger than ",
    "at most ",
    "maximum allowed batch size ",
    "max number of inputs is ",
    "maximum number of inputs is ",
    "maximum length ",
    "limit of ",
    "maximum of ",
    "less than or equal to ",
    "up to ",
    "max ",
];

/// Limits as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Texts in one call.
    pub(super) texts: usize,
    /// Bytes of text in one call.
    pub(super) bytes: usize,
    /// Tokens of one text.
    pub(super) tokens: usize,
}

impl Limits {
    pub(super) fn new(tokens: usize) -> Self {
        Self { texts: MOST_TEXTS, bytes: MOST_BYTES, tokens: tokens.max(1) }
    }

    /// The limits under which a refused call may succeed: fewer texts, or shorter ones. `longest` is the longest text
    /// of the call, in tokens as they are estimated.
    pub(super) fn after(self, rejection: &Rejection, texts: usize, longest: usize) -> Option<Self> {
        let report = &rejection.report;
        if !matches!(rejection.status, 200 | 400 | 413 | 422 | 500) {
            return None;
        }
        if is_about_one_text(rejection) {
            let longest = longest.min(self.tokens);
            // The estimate is on the high side, so the limit itself is short enough. Without one half is tried.
            let limit = report.lengths().1.filter(|limit| *limit < longest).unwrap_or(longest / 2);
            return (limit >= LEAST_TOKENS).then_some(Self { tokens: limit, ..self });
        }
        let is_about_batches = rejection.status == 413 || report.mentions(&ABOUT_BATCHES);
        if texts < 2 || !is_about_batches {
            return None;
        }
        let fewer = named_count(report).filter(|count| (1..texts).contains(count)).unwrap_or(texts / 2);
        Some(Self { texts: fewer, ..self })
    }

    /// Texts in calls of bounded size, in order.
    pub(super) fn batches(self, texts: Vec<String>) -> Vec<Vec<String>> {
        let mut batches: Vec<Vec<String>> = Vec::new();
        let mut bytes = 0;
        for text in texts {
            bytes += text.len();
            match batches.last_mut() {
                Some(batch) if batch.len() < self.texts && bytes <= self.bytes => batch.push(text),
                _ => {
                    bytes = text.len();
                    batches.push(vec![text]);
                }
            }
        }
        batches
    }
}

/// Whether one of the texts is too long, whatever comes with it.
fn is_about_one_text(rejection: &Rejection) -> bool {
    let together = ["too many tokens overall", "tokens per request", "total tokens", "more batches"];
    rejection.is_about_length() && !rejection.report.mentions(&together)
}

/// The number of texts that the endpoint takes, where it says so.
fn named_count(report: &ErrorReport) -> Option<usize> {
    let message = report.message.to_lowercase();
    let number = |words: &&str| {
        let (_, rest) = message.rsplit_once(*words)?;
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
    };
    BEFORE_COUNT.iter().find_map(number)
}

/// Limits that all calls share.
#[derive(Debug)]
pub(super) struct SharedLimits(Mutex<Limits>);

impl SharedLimits {
    pub(super) fn new(limits: Limits) -> Self {
        Self(Mutex::new(limits))
    }

    pub(super) fn get(&self) -> Limits {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps limits that turned out to be needed; others may have found narrower ones meanwhile.
    pub(super) fn narrow(&self, limits: Limits) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.texts = known.texts.min(limits.texts);
        known.tokens = known.tokens.min(limits.tokens);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ErrorReport, Limits, MOST_TEXTS, Rejection};

    fn rejection(status: u16, message: &str) -> Rejection {
        Rejection { status, report: ErrorReport::of(&json!({"message": message})), retry_after: None }
    }

    #[test]
    fn batches_are_bounded_and_keep_the_order() {
        let texts: Vec<String> =
            (0..700).map(|n| format!("{n}")).chain([" ".repeat(99_999), "x".repeat(200_000), "y".into()]).collect();
        let cut = Limits::new(100).batches(texts.clone());
        assert_eq!(cut.concat(), texts);
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [MOST_TEXTS, MOST_TEXTS, 188, 1, 1, 1]);
        assert!(Limits::new(100).batches(Vec::new()).is_empty());
    }

    #[test]
    fn limits_on_the_number_of_texts_are_understood() {
        for (status, message, texts) in [
            (400, "Value error, batch size is invalid, it should not be larger than 10.: input.contents", 10),
            (422, "batch size 473 > maximum allowed batch size 32", 32),
            (413, "input batch size 473 > maximum allowed batch size 64", 64),
            (400, "Too many inputs. The max number of inputs is 1. We hope to increase it.", 1),
            (400, "at most 100 requests can be in one batch", 100),
            (400, "Invalid 'input': array too long. Expected an array with maximum length 96, but got 200.", 96),
            (400, "Too many inputs in request, split into more batches.", 100),
            (400, "Too many tokens overall, split into more batches.", 100),
            (413, "Request Entity Too Large", 100),
            (413, "Failed to buffer the request body: length limit exceeded", 100),
            (413, "", 100),
        ] {
            let after = Limits::new(512).after(&rejection(status, message), 200, 300).expect(message);
            assert_eq!(after, Limits { texts, ..Limits::new(512) }, "{message}");
        }
        for (status, message) in
            [(400, "Unknown model"), (401, "batch size"), (500, "oops"), (429, "Too many inputs"), (404, "")]
        {
            assert_eq!(Limits::new(512).after(&rejection(status, message), 200, 300), None, "{message}");
        }
        assert_eq!(Limits::new(512).after(&rejection(413, "Too large"), 1, 300), None, "one text is not halved");
    }

    #[test]
    fn limits_on_the_length_of_a_text_are_understood() {
        for (status, message, tokens) in [
            (413, "`inputs` must have less than 256 tokens. Given: 600", 256),
            (400, "This model's maximum context length is 200 tokens, however you requested 310", 200),
            (500, "input is too large to process. increase the physical batch size", 150),
            (400, "the input length exceeds the context length", 150),
        ] {
            let after = Limits::new(512).after(&rejection(status, message), 20, 300).expect(message);
            assert_eq!(after, Limits { tokens, ..Limits::new(512) }, "{message}");
        }
        let tiny = rejection(500, "input is too large to process");
        assert_eq!(Limits::new(20).after(&tiny, 1, 20), None, "it ends");
    }
}
