//! Forms of a request. Servers and models differ in what they understand, and say so only when asked.

use qanda_core::ports::Prompt;

use crate::llm::arrangement::Arrangement;
use crate::openai::{ErrorReport, Rejection};

/// Form in which a JSON shape is asked for, richest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum ShapeField {
    /// The whole schema, as OpenAI has it.
    #[default]
    Schema,
    /// Some JSON object, with the schema beside it, as llama.cpp's servers had it before.
    ObjectWithSchema,
    /// Some JSON object.
    Object,
    /// Not at all; the prompt has to do it.
    Absent,
}

/// Name of the field that limits the tokens of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum LimitField {
    #[default]
    MaxTokens,
    /// OpenAI's reasoning models know only this one.
    MaxCompletionTokens,
    Absent,
}

/// A form of request. Starts with everything and only gets plainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Dialect {
    pub(super) limit: LimitField,
    /// Most tokens that an answer may be allowed, where the endpoint has said so.
    pub(super) most_tokens: Option<usize>,
    /// No `temperature`, which reasoning models refuse.
    pub(super) no_temperature: bool,
    pub(super) shape: ShapeField,
    pub(super) arrangement: Arrangement,
    /// The answer in one piece, for endpoints that do not stream.
    pub(super) whole: bool,
}

/// Parts of sentences with which servers and the templates of their models refuse a message for who says it.
const ABOUT_ROLES: [&str; 14] = [
    "role",
    "system message",
    "system prompt",
    "system instruction",
    "developer instruction",
    "developer message",
    "'system'",
    "\"system\"",
    "`system`",
    "alternate",
    "first message",
    "jinja",
    "chat template",
    "chat_template",
];
/// Parts that ask for another order of the roles.
const ABOUT_ORDER: [&str; 5] = ["alternat", "consecutive", "in a row", "same role", "followed by"];
/// Words that a limit on an answer's tokens follows.
const BEFORE_LIMIT: [&str; 7] = [
    "at most ",
    "less than or equal to ",
    "should be [1, ",
    "must be <= ",
    "maximum of ",
    "maximum value of ",
    "up to ",
];

impl Dialect {
    /// The form to try after a refusal, if another one may help.
    pub(super) fn after(self, rejection: &Rejection, prompt: &Prompt) -> Option<Self> {
        let report = &rejection.report;
        if !rejection.is_about_the_request() || rejection.is_about_length() {
            return None;
        }
        if report.mentions(&["max_tokens", "max_completion_tokens", "max_new_tokens"]) {
            return self.with_other_limit(report, prompt.max_tokens);
        }
        if report.mentions(&["temperature"]) {
            return (!self.no_temperature).then_some(Self { no_temperature: true, ..self });
        }
        if report.mentions(&ABOUT_ROLES)
            && let Some(plainer) = self.with_other_messages(report, prompt)
        {
            return Some(plainer);
        }
        if !self.whole && report.mentions(&["stream"]) {
            return Some(Self { whole: true, ..self });
        }
        // Refusals of a shape have no common words ("response_format", "schema", "grammar", "guided decoding"), so
        // any other refusal of a shaped request may be one.
        prompt.shape.as_ref()?;
        let shape = match self.shape {
            ShapeField::Schema => ShapeField::ObjectWithSchema,
            ShapeField::ObjectWithSchema => ShapeField::Object,
            ShapeField::Object => ShapeField::Absent,
            ShapeField::Absent => return None,
        };
        Some(Self { shape, ..self })
    }

    fn with_other_limit(self, report: &ErrorReport, wanted: usize) -> Option<Self> {
        let message = report.message.to_lowercase();
        let number = |words: &str| {
            let (_, rest) = message.split_once(words)?;
            let digits: String =
                rest.trim_start_matches(['`', '\'', '"']).chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        };
        let allowed: Option<usize> = BEFORE_LIMIT.iter().find_map(|words| number(words));
        if let Some(allowed) = allowed
            && allowed > 0
            && allowed < self.most_tokens.unwrap_or(wanted.max(allowed + 1))
        {
            return Some(Self { most_tokens: Some(allowed), ..self });
        }
        let limit = match self.limit {
            LimitField::MaxTokens => LimitField::MaxCompletionTokens,
            LimitField::MaxCompletionTokens => LimitField::Absent,
            LimitField::Absent => return None,
        };
        Some(Self { limit, ..self })
    }

    fn with_other_messages(self, report: &ErrorReport, prompt: &Prompt) -> Option<Self> {
        let plainest = Arrangement::WithoutSystem;
        let arrangement = if report.mentions(&ABOUT_ORDER) {
            self.arrangement.plainer(&prompt.messages)?
        } else {
            let changes =
                plainest > self.arrangement && plainest.of(&prompt.messages) != self.arrangement.of(&prompt.messages);
            changes.then_some(plainest)?
        };
        Some(Self { arrangement, ..self })
    }

    /// Keeps what a request that went well did without.
    pub(super) fn learn(&mut self, worked: Self) {
        self.limit = self.limit.max(worked.limit);
        self.most_tokens = [self.most_tokens, worked.most_tokens].into_iter().flatten().min();
        self.no_temperature |= worked.no_temperature;
        self.shape = self.shape.max(worked.shape);
        self.arrangement = self.arrangement.max(worked.arrangement);
        self.whole |= worked.whole;
    }
}

#[cfg(test)]
mod tests {
    use qanda_core::ports::Message;
    use qanda_core::question::Role;
    use serde_json::json;

    use super::{Arrangement, Dialect, ErrorReport, LimitField, Prompt, Rejection};

    fn after(dialect: Dialect, status: u16, message: &str) -> Option<Dialect> {
        let messages = vec![Message::new(Role::System, "Be brief."), Message::new(Role::User, "Why?")];
        let prompt = Prompt { messages, max_tokens: 512, temperature: 0.5, shape: None };
        let report = ErrorReport::of(&json!({"message": message}));
        dialect.after(&Rejection { status, report, retry_after: None }, &prompt)
    }

    #[test]
    fn refusals_of_the_system_role_are_understood_in_every_servers_words() {
        let plain = Dialect { arrangement: Arrangement::WithoutSystem, ..Dialect::default() };
        for (status, message) in [
            (400, "System role not supported"),
            (400, "Conversation roles must alternate user/assistant/user/assistant/..."),
            (400, "Only user and assistant roles are supported!"),
            (400, "Developer instruction is not enabled for models/gemma-3-27b-it"),
            (400, "Unsupported value: 'messages[0].role' does not support 'system' with this model."),
            (422, "Input should be 'user' or 'assistant' (messages.0.role)"),
            (400, "A conversation must alternate between user and assistant roles."),
            (400, "messages: first message must use the \"user\" role"),
            (400, "Invalid role: system"),
            (400, "the role of first message must be user"),
            (500, "Jinja Exception: System role not supported"),
            (500, "Error rendering prompt with jinja template"),
            (200, "System message is not supported"),
        ] {
            assert_eq!(after(Dialect::default(), status, message), Some(plain), "{message}");
            assert_eq!(after(plain, status, message), None, "{message}, again");
        }
        for (status, message) in
            [(500, "Internal error"), (401, "Your role has no access"), (404, "No such role"), (400, "Unknown model.")]
        {
            assert_eq!(after(Dialect::default(), status, message), None, "{message}");
        }
    }

    #[test]
    fn limits_on_tokens_are_kept_or_named_otherwise() {
        let most = |tokens| Some(Dialect { most_tokens: Some(tokens), ..Dialect::default() });
        for (message, next) in [
            ("max_tokens is too large: 512. This model supports at most 256 completion tokens.", most(256)),
            ("`max_tokens` must be less than or equal to `128`", most(128)),
            ("Range of max_tokens should be [1, 300]", most(300)),
            (
                "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
                Some(Dialect { limit: LimitField::MaxCompletionTokens, ..Dialect::default() }),
            ),
        ] {
            assert_eq!(after(Dialect::default(), 400, message), next, "{message}");
        }
        let last = Dialect { limit: LimitField::Absent, ..Dialect::default() };
        assert_eq!(after(last, 400, "Unknown field max_tokens"), None);
    }

    #[test]
    fn streams_that_are_refused_are_not_asked_for() {
        let whole = Dialect { whole: true, ..Dialect::default() };
        assert_eq!(after(Dialect::default(), 400, "'stream' is not supported with this model"), Some(whole));
        assert_eq!(after(whole, 400, "'stream' is not supported with this model"), None);
    }
}
