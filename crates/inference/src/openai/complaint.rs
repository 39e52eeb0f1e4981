//! What an endpoint says when it refuses. OpenAI's form is `{"error": {"message", "type", "param", "code"}}`; others
//! send a text, `message`, or `detail`, or answer in HTML.

use serde_json::Value;

/// Longest message passed on, in characters.
const LONGEST: usize = 300;

/// An endpoint's own words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Complaint {
    pub(crate) message: String,
    /// The field it is about.
    pub(crate) param: Option<String>,
    pub(crate) code: Option<String>,
}

impl Complaint {
    /// Reads the body of an error.
    pub(crate) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::of(value.get("error").unwrap_or(&value)),
            Err(_) => Self::of(&Value::String(plain(&String::from_utf8_lossy(body)))),
        }
    }

    /// Reads an error object, or whatever stands in its place.
    pub(crate) fn of(error: &Value) -> Self {
        let text = |name: &str| match error.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        };
        let message = match error {
            Value::String(text) => text.clone(),
            other => text("message").or_else(|| text("detail")).unwrap_or_else(|| match other {
                Value::Null => String::new(),
                other => other.to_string(),
            }),
        };
        Self { message: shortened(&message), param: text("param"), code: text("code").or_else(|| text("type")) }
    }

    /// Whether it is about one of these words: in the field it names, its code or its message.
    pub(crate) fn mentions(&self, words: &[&str]) -> bool {
        let all = [Some(&self.message), self.param.as_ref(), self.code.as_ref()];
        let all = all.into_iter().flatten().map(|text| text.to_lowercase());
        all.into_iter().any(|text| words.iter().any(|word| text.contains(word)))
    }

    /// Whether the prompt was too long.
    pub(crate) fn is_about_length(&self) -> bool {
        let words = ["context_length", "context length", "context window", "context size", "exceed_context"];
        self.mentions(&words) || self.mentions(&["prompt is too long", "too many tokens", "maximum number of tokens"])
    }

    /// Tokens that were sent and tokens that fit, where the message tells both. The wordings known (OpenAI, vLLM,
    /// llama.cpp) name the limit first or the smaller number is it.
    pub(crate) fn lengths(&self) -> Option<(usize, usize)> {
        let numbers = self.message.split(|character: char| !character.is_ascii_digit());
        let mut numbers = numbers.filter_map(|number| number.parse::<usize>().ok()).filter(|number| *number >= 16);
        let (first, second) = (numbers.next()?, numbers.next()?);
        (first != second).then(|| (first.max(second), first.min(second)))
    }
}

/// One line of bounded length.
fn shortened(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Text of an error page without its tags.
fn plain(body: &str) -> String {
    if !body.trim_start().starts_with('<') {
        return body.to_owned();
    }
    let texts = body.split('<').map(|piece| piece.split_once('>').map_or("", |(_, text)| text));
    texts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::Complaint;

    #[test]
    fn every_form_of_error_is_read() {
        for (body, message) in [
            (r#"{"error": {"message": "No such model", "type": "x", "param": null, "code": 404}}"#, "No such model"),
            (r#"{"error": "No such model"}"#, "No such model"),
            (r#"{"object": "error", "message": "No such model"}"#, "No such model"),
            (r#"{"detail": "No such model"}"#, "No such model"),
            ("No such\n model\n", "No such model"),
            ("<html><h1>No such</h1><p>model</p></html>", "No such model"),
            ("", ""),
        ] {
            assert_eq!(Complaint::read(body.as_bytes()).message, message, "{body}");
        }
        let list = Complaint::read(br#"{"detail": [{"loc": ["body", "model"], "msg": "field required"}]}"#);
        assert!(list.message.contains("field required"), "{list:?}");
        assert!(Complaint::read("x".repeat(100_000).as_bytes()).message.len() < 400);
    }

    #[test]
    fn lengths_are_read_out_of_the_usual_sentences() {
        for (message, lengths) in [
            (
                "This model's maximum context length is 4097 tokens. However, your messages resulted in 5218 tokens.",
                Some((5218, 4097)),
            ),
            ("This model's maximum context length is 512 tokens, however you requested 1030", Some((1030, 512))),
            ("the request exceeds the available context size", None),
        ] {
            let complaint = Complaint { message: message.to_owned(), ..Complaint::default() };
            assert!(complaint.is_about_length());
            assert_eq!(complaint.lengths(), lengths);
        }
    }
}
