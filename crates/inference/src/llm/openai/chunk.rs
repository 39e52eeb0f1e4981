//! A piece of an answer, in the shapes that servers and gateways give it.

use serde_json::Value;

use crate::openai::ErrorReport;

/// Names of the fields in which thoughts come beside the answer.
const THOUGHTS: [&str; 7] = [
    "reasoning_content",
    "reasoning",
    "reasoning_details",
    "reasoning_text",
    "thinking",
    "thinking_content",
    "thought",
];

/// A piece of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: String,
    /// Whether the model reasons in it.
    pub(super) reasons: bool,
    pub(super) ending: Option<Ending>,
    /// Whether it holds nothing but what the answer has cost, which is known at its end.
    pub(super) is_usage: bool,
}

/// Reason that an endpoint gives for the end of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Stop,
    Length,
    Filtered,
    Failed,
}

impl Ending {
    /// Reads the words of OpenAI, and those that others have for the same. An answer that ended for a reason that is
    /// not known has ended.
    fn read(word: &str) -> Self {
        let word = word.to_ascii_lowercase();
        let word = word.trim_start_matches("finishreason.").trim_start_matches("finish_reason_");
        match word {
            "length"
            | "max_tokens"
            | "max_output_tokens"
            | "max_new_tokens"
            | "max_length"
            | "model_length"
            | "model_context_window_exceeded"
            | "context_length"
            | "context_length_exceeded"
            | "token_limit"
            | "limit"
            | "incomplete" => Self::Length,
            "content_filter"
            | "contentfilter"
            | "content_filtered"
            | "safety"
            | "recitation"
            | "blocklist"
            | "prohibited_content"
            | "spii"
            | "sensitive"
            | "refusal"
            | "guardrail_intervened" => Self::Filtered,
            "error"
            | "network_error"
            | "failed"
            | "abort"
            | "aborted"
            | "cancelled"
            | "canceled"
            | "timeout"
            | "insufficient_system_resource"
            | "malformed_response" => Self::Failed,
            _ => Self::Stop,
        }
    }
}

impl Piece {
    /// Reads a piece. `event` is the name of its event. `is_first` says that no text came before it: a whole message
    /// counts only then, since some servers repeat it with every piece.
    ///
    /// # Errors
    /// The endpoint's words when the piece is an error.
    pub(super) fn read(value: &Value, event: Option<&str>, is_first: bool) -> Result<Self, ErrorReport> {
        if event == Some("error") {
            return Err(ErrorReport::of(value));
        }
        if let Some(report) = ErrorReport::in_answer(value) {
            return Err(report);
        }
        let choices = value.get("choices").and_then(Value::as_array);
        let Some(choice) = choices.and_then(|choices| choices.first()) else {
            let is_usage = value.get("usage").is_some_and(Value::is_object);
            return Ok(Self { is_usage, ..Self::default() });
        };
        if let Some(error) = choice.get("error").filter(|error| error.is_object()) {
            return Err(ErrorReport::of(error));
        }
        let mut piece = Self { ending: ending(choice), ..Self::default() };
        let delta = choice.get("delta").filter(|delta| delta.is_object());
        let message = || choice.get("message").filter(|message| is_first && message.is_object());
        match delta.or_else(message) {
            Some(message) => piece.add_message(message),
            // The form of the older completions, and of gateways that leave the message out.
            None => ["text", "content"].iter().for_each(|name| piece.add_content(&choice[*name])),
        }
        Ok(piece)
    }

    fn add_message(&mut self, message: &Value) {
        self.reasons |= THOUGHTS.iter().any(|name| is_filled(&message[*name]));
        // Gemini marks the thoughts in its content.
        if message.pointer("/extra_content/google/thought") == Some(&Value::Bool(true)) {
            self.reasons |= is_filled(&message["content"]);
            return;
        }
        self.add_content(&message["content"]);
        // A model's own words when it declines to write JSON of the shape asked for.
        self.add_content(&message["refusal"]);
    }

    /// Adds a text, or a list of parts of which some are thoughts.
    fn add_content(&mut self, content: &Value) {
        match content {
            Value::String(text) => self.text.push_str(text),
            Value::Number(number) => self.text.push_str(&number.to_string()),
            Value::Array(parts) => parts.iter().for_each(|part| self.add_content(part)),
            Value::Object(part) => {
                let kind = part.get("type").and_then(Value::as_str).unwrap_or("text");
                if kind.contains("think") || kind.contains("reason") {
                    self.reasons = true;
                } else if let Some(text) = ["text", "refusal", "content"].iter().find_map(|name| part.get(*name)) {
                    self.add_content(text);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}

fn ending(choice: &Value) -> Option<Ending> {
    match choice.get("finish_reason").or_else(|| choice.get("finishReason"))? {
        Value::String(word) if word.is_empty() || word == "null" || word == "none" => None,
        Value::String(word) => Some(Ending::read(word)),
        Value::Object(reason) => Some(Ending::read(reason.get("type")?.as_str()?)),
        _ => None,
    }
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(parts) => !parts.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Ending, Piece};

    fn read(value: &Value) -> Piece {
        Piece::read(value, None, true).expect("a piece")
    }

    #[test]
    fn text_is_found_in_every_shape() {
        for choice in [
            json!({"delta": {"content": "Yes."}}),
            json!({"delta": {"role": "assistant", "content": "Yes.", "tool_calls": null}, "finish_reason": null}),
            json!({"delta": {"content": [{"type": "text", "text": "Yes."}]}}),
            json!({"delta": {"content": [{"type": "output_text", "text": "Ye"}, "s."]}}),
            json!({"delta": {"content": {"type": "text", "text": "Yes."}}}),
            json!({"delta": {"content": null, "refusal": "Yes."}}),
            json!({"delta": {"content": "Yes.", "refusal": null}, "message": {"content": "So far: Yes."}}),
            json!({"message": {"role": "assistant", "content": "Yes."}}),
            json!({"delta": null, "message": {"content": "Yes."}}),
            json!({"text": "Yes.", "logprobs": null}),
            json!({"role": "assistant", "content": "Yes."}),
            json!({"delta": {"content": "Yes."}, "finish_reason": ""}),
        ] {
            let piece = read(&json!({"choices": [choice]}));
            assert_eq!(piece, Piece { text: "Yes.".into(), ..Piece::default() }, "{choice}");
        }
        let repeated = json!({"choices": [{"message": {"content": "Yes. No."}}]});
        assert_eq!(Piece::read(&repeated, None, false), Ok(Piece::default()));
        assert_eq!(read(&json!({"choices": [{"delta": {"content": 7}}]})).text, "7");
    }

    #[test]
    fn thoughts_beside_the_answer_are_no_text() {
        for delta in [
            json!({"reasoning_content": "Hm"}),
            json!({"content": "", "reasoning": "Hm"}),
            json!({"content": null, "reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]}),
            json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]}),
            json!({"content": "<thought>Hm", "extra_content": {"google": {"thought": true}}}),
        ] {
            let piece = read(&json!({"choices": [{"delta": delta}]}));
            assert!(piece.reasons && piece.text.is_empty(), "{delta}: {piece:?}");
        }
        assert!(!read(&json!({"choices": [{"delta": {"content": "a", "reasoning": null}}]})).reasons);
    }

    #[test]
    fn pieces_without_a_choice_say_nothing() {
        for value in [json!({}), json!({"choices": []}), json!({"choices": null}), json!(3), json!(null)] {
            assert_eq!(read(&value), Piece::default());
        }
        assert!(read(&json!({"choices": [], "usage": {"total_tokens": 3}})).is_usage);
        assert!(!read(&json!({"choices": [{"delta": {}}], "usage": {"total_tokens": 3}})).is_usage);
        assert!(!read(&json!({"choices": [], "usage": null, "prompt_filter_results": []})).is_usage);
    }

    #[test]
    fn endings_are_known_by_their_many_names() {
        for (reason, ending) in [
            (json!("stop"), Some(Ending::Stop)),
            (json!("eos"), Some(Ending::Stop)),
            (json!("end_turn"), Some(Ending::Stop)),
            (json!("tool_calls"), Some(Ending::Stop)),
            (json!("something new"), Some(Ending::Stop)),
            (json!({"type": "length"}), Some(Ending::Length)),
            (json!("MAX_TOKENS"), Some(Ending::Length)),
            (json!("model_length"), Some(Ending::Length)),
            (json!("content_filter"), Some(Ending::Filtered)),
            (json!("SAFETY"), Some(Ending::Filtered)),
            (json!("error"), Some(Ending::Failed)),
            (json!("insufficient_system_resource"), Some(Ending::Failed)),
            (json!(null), None),
            (json!(""), None),
            (json!("null"), None),
        ] {
            let piece = read(&json!({"choices": [{"delta": {}, "finish_reason": reason}]}));
            assert_eq!(piece.ending, ending, "{reason}");
        }
    }

    #[test]
    fn errors_are_no_pieces() {
        let error = Piece::read(&json!({"message": "no"}), Some("error"), true).expect_err("an error");
        assert_eq!(error.message, "no");
        for value in [
            json!({"error": {"message": "no"}, "choices": []}),
            json!({"choices": [{"delta": {"content": ""}, "finish_reason": "error", "error": {"message": "no"}}]}),
        ] {
            assert_eq!(Piece::read(&value, None, true).expect_err("an error").message, "no");
        }
    }
}
