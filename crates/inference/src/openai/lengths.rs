//! Error reports about the length of what was sent. Servers have as many wordings for it as there are servers.

/// Parts of sentences that speak of a prompt, or a text to embed, that is too long.
const WORDS: [&str; 27] = [
    "context_length",
    "context length",
    "context window",
    "context size",
    "context limit",
    "exceed_context",
    "prompt is too long",
    "prompt too long",
    "input is too long",
    "input too long",
    "messages is too long",
    "too large for model",
    "too many tokens",
    "too many input tokens",
    "input tokens exceed",
    "input token count",
    "maximum number of tokens",
    "maximum input length",
    "maximum sequence length",
    "length of the messages",
    "must have less than",
    "range of input length",
    "too large to process",
    "tokens to keep from the initial prompt",
    "kv size",
    "`inputs` tokens + `max_new_tokens`",
    "string_above_max_length",
];

/// Words that the limit follows.
const BEFORE_LIMIT: [&str; 19] = [
    "> ",
    "maximum context length is",
    "maximum context length of",
    "context length of only",
    "configured limit of",
    "context limit:",
    "context size (",
    "context length (",
    "tokens allowed (",
    "maximum input length (",
    "maximum sequence length (",
    "must be <=",
    "must have less than",
    "cannot exceed",
    "input length should be [1,",
    "maximum of",
    "tpm): limit",
    "at most",
    "limit of",
];
/// Words that the limit stands before.
const BEHIND_LIMIT: [&str; 2] = ["maximum context length", "maximum"];

/// Whether a message is about length.
pub(super) fn is_about_length(message: &str) -> bool {
    let message = message.to_lowercase();
    WORDS.iter().any(|word| message.contains(word))
}

/// Tokens that were sent and tokens that fit, as far as the message tells.
pub(super) fn lengths(message: &str) -> (Option<usize>, Option<usize>) {
    let message = message.to_lowercase();
    let Some(limit) = limit(&message) else { return (None, None) };
    // Smaller numbers are parts of the whole, or of an address.
    let sent = numbers(&message).map(|(_, number)| number).filter(|number| *number > limit).max();
    (sent, Some(limit))
}

fn limit(message: &str) -> Option<usize> {
    let behind = |word: &&str| {
        let (_, rest) = message.split_once(*word)?;
        let (at, number) = numbers(rest).next()?;
        // Words between belong to something else.
        (at <= 2).then_some(number)
    };
    let before = |word: &&str| {
        let (start, _) = message.split_once(*word)?;
        let (at, number) = numbers(start).last()?;
        let digits = number.to_string().len();
        (at + digits + 1 == start.len()).then_some(number)
    };
    BEFORE_LIMIT.iter().find_map(behind).or_else(|| BEHIND_LIMIT.iter().find_map(before))
}

/// Whole numbers with their places. Commas may part thousands.
fn numbers(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(|character: char| character.is_ascii_digit())?;
        let tail = &rest[start..];
        let is_part = |at: usize, character: char| {
            let parts_thousands = || {
                let next = tail.as_bytes().get(at + 1..at + 4);
                character == ',' && next.is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
            };
            character.is_ascii_digit() || parts_thousands()
        };
        let end =
            tail.char_indices().find(|(at, character)| !is_part(*at, *character)).map_or(tail.len(), |(at, _)| at);
        let at = text.len() - rest.len() + start;
        rest = &tail[end..];
        Some((at, tail[..end].replace(',', "").parse().unwrap_or(usize::MAX)))
    })
}

#[cfg(test)]
mod tests {
    use super::{is_about_length, lengths};

    #[test]
    fn lengths_are_read_out_of_every_servers_sentence() {
        for (message, sent, limit) in [
            (
                "This model's maximum context length is 4097 tokens. However, your messages resulted in 5218 tokens.",
                Some(5218),
                Some(4097),
            ),
            (
                "This model's maximum context length is 4097 tokens, however you requested 5100 tokens (4100 in your \
                 prompt; 1000 for the completion). Please reduce your prompt; or completion length.",
                Some(5100),
                Some(4097),
            ),
            ("This model's maximum context length is 512 tokens, however you requested 1030", Some(1030), Some(512)),
            ("prompt is too long: 209303 tokens > 200000 maximum", Some(209_303), Some(200_000)),
            ("input length and `max_tokens` exceed context limit: 195261 + 12288 > 204650", None, Some(204_650)),
            (
                "Input tokens exceed the configured limit of 272,000 tokens. Your messages resulted in 509,178 tokens.",
                Some(509_178),
                Some(272_000),
            ),
            ("The input (600 tokens) is longer than the model's context length (512 tokens).", Some(600), Some(512)),
            ("the request exceeds the available context size (4096 tokens), try increasing it", None, Some(4096)),
            ("the request exceeds the available context size", None, None),
            (
                "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 5000 `inputs` tokens and 20 `max_new_tokens`",
                Some(5000),
                Some(2048),
            ),
            ("`inputs` must have less than 512 tokens. Given: 600", Some(600), Some(512)),
            (
                "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
                Some(1_200_000),
                Some(1_048_576),
            ),
            (
                "Prompt contains 33000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
                Some(33_000),
                Some(32_768),
            ),
            (
                "too many tokens: total number of tokens in this prompt cannot exceed 4081 - received 4292.",
                Some(4292),
                Some(4081),
            ),
            ("InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]", None, Some(30_720)),
            (
                "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with \
                 context length of only 4096 tokens, which is not enough.",
                Some(5000),
                Some(4096),
            ),
            ("Prompt length (5000) exceeds maximum input length (4096)", Some(5000), Some(4096)),
            ("The total length of all messages is too long.", None, None),
            ("Please reduce the length of the messages or completion.", None, None),
            ("input is too large to process. increase the physical batch size", None, None),
        ] {
            assert!(is_about_length(message), "{message}");
            assert_eq!(lengths(message), (sent, limit), "{message}");
        }
    }

    #[test]
    fn other_complaints_are_about_something_else() {
        for message in ["Unknown model.", "max_tokens is too large", "Rate limit reached", "System role not supported"]
        {
            assert!(!is_about_length(message), "{message}");
        }
    }
}
