use std::fmt;
use std::str::FromStr;

/// Habits of other people's endpoints that differ from OpenAI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `finish_reason: "stop"` with every piece of a stream.
    StopInEveryPiece,
    /// No reason for the end of a stream.
    NoFinishReason,
    /// No `[DONE]`.
    NoDone,
    /// Lines that end in CRLF, without a space behind `data:`.
    Crlf,
    /// `text` in the place of `delta`, as the older completions had it.
    LegacyText,
    /// A whole answer where a stream is asked for.
    NoStream,
    /// An error in the middle of a stream.
    ErrorInStream,
    /// An error with status 200.
    ErrorInAnswer,
    /// Thoughts between `<think>` and `</think>` before the answer.
    Think,
    /// Thoughts with the closing marker alone, as after a template that opens them.
    OpenThink,
    /// Thoughts that use up the tokens.
    OnlyThink,
    /// Thoughts in `reasoning_content`.
    ReasoningField,
    /// Thoughts and answer as lists of parts.
    Parts,
    /// A refusal of the system role.
    NoSystemRole,
    /// A refusal of two messages of one role in a row.
    AlternatingRoles,
    /// A refusal of `max_tokens`.
    MaxCompletionTokens,
    /// A refusal of JSON schemas.
    NoJsonSchema,
    /// Vectors in base64.
    Base64Vectors,
    /// Vectors in another order than the texts.
    UnorderedVectors,
    /// Vectors without `index`.
    NoIndex,
}

const NAMES: [(&str, Dialect); 20] = [
    ("stop-in-every-piece", Dialect::StopInEveryPiece),
    ("no-finish-reason", Dialect::NoFinishReason),
    ("no-done", Dialect::NoDone),
    ("crlf", Dialect::Crlf),
    ("legacy-text", Dialect::LegacyText),
    ("no-stream", Dialect::NoStream),
    ("error-in-stream", Dialect::ErrorInStream),
    ("error-in-answer", Dialect::ErrorInAnswer),
    ("think", Dialect::Think),
    ("open-think", Dialect::OpenThink),
    ("only-think", Dialect::OnlyThink),
    ("reasoning-field", Dialect::ReasoningField),
    ("parts", Dialect::Parts),
    ("no-system-role", Dialect::NoSystemRole),
    ("alternating-roles", Dialect::AlternatingRoles),
    ("max-completion-tokens", Dialect::MaxCompletionTokens),
    ("no-json-schema", Dialect::NoJsonSchema),
    ("base64-vectors", Dialect::Base64Vectors),
    ("unordered-vectors", Dialect::UnorderedVectors),
    ("no-index", Dialect::NoIndex),
];

impl Dialect {
    /// The names of all.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = NAMES.iter().find(|(name, _)| *name == text).map(|(_, dialect)| *dialect);
        found.ok_or_else(|| format!("must be one of {}", Self::names().collect::<Vec<_>>().join(", ")))
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, dialect)| dialect == self).map_or("", |(name, _)| name);
        formatter.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::Dialect;

    #[test]
    fn every_name_is_read_and_written() {
        for name in Dialect::names() {
            assert_eq!(name.parse::<Dialect>().map(|dialect| dialect.to_string()), Ok(name.to_owned()));
        }
        assert!("klingon".parse::<Dialect>().is_err_and(|error| error.contains("no-system-role")));
    }
}
