//! Which fields an endpoint understands. Servers and models differ, and say so only when asked.

use qanda_core::ports::Prompt;

use crate::openai::Rejection;

/// How a JSON shape is asked for, richest first.
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

/// A form of request. Starts with everything and only gets plainer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Dialect {
    /// `max_completion_tokens` instead of `max_tokens`, as OpenAI's reasoning models want.
    pub(super) completion_tokens: bool,
    /// No `temperature`, which the same models refuse.
    pub(super) no_temperature: bool,
    pub(super) shape: ShapeField,
}

impl Dialect {
    /// The form to try after a refusal, if another one may help.
    pub(super) fn after(self, rejection: &Rejection, prompt: &Prompt) -> Option<Self> {
        let complaint = &rejection.complaint;
        if !rejection.is_about_the_request() || complaint.is_about_length() {
            return None;
        }
        if complaint.mentions(&["max_tokens", "max_completion_tokens"]) {
            return (!self.completion_tokens).then_some(Self { completion_tokens: true, ..self });
        }
        if complaint.mentions(&["temperature"]) {
            return (!self.no_temperature).then_some(Self { no_temperature: true, ..self });
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

    /// Keeps what a request that went well did without.
    pub(super) fn learn(&mut self, worked: Self) {
        self.completion_tokens |= worked.completion_tokens;
        self.no_temperature |= worked.no_temperature;
        self.shape = self.shape.max(worked.shape);
    }
}
