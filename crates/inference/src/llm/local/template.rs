//! Chat templates: the Jinja2 programs in GGUF files that write a prompt around messages.
//!
//! They are run as transformers runs them (`apply_chat_template`): blocks take their line breaks along, the strings,
//! lists and dictionaries have Python's methods, and there are `raise_exception` and `strftime_now`.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Value, context};
use minijinja_contrib::pycompat::unknown_method_callback;
use qanda_core::ports::Message;
use qanda_core::question::Role;
use time::OffsetDateTime;
use time::format_description::parse_strftime_owned;

use crate::llm::arrangement::Arrangement;

/// Name of the only template, which errors show.
const NAME: &str = "chat_template";
/// Instructions that one prompt may take, some thousand times what the templates known need. A template comes with a
/// file from anywhere and may not keep a thread for itself.
const FUEL: u64 = 2_000_000;
/// Both ends of the place that a message takes in a rendered template.
const PLACE: (&str, &str) = ("<<message-", ">>");

/// A chat template, compiled.
pub(super) struct ChatTemplate(Environment<'static>);

/// A part of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text that the template wrote.
    Markup(String),
    /// Text of a message.
    Message(String),
}

impl ChatTemplate {
    /// Compiles a template for a model whose texts begin with `bos` and end with `eos`.
    ///
    /// # Errors
    /// When it is no Jinja2 or leaves out what it is to write around.
    pub(super) fn compile(source: &str, bos: String, eos: String) -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        environment.set_unknown_method_callback(unknown_method_callback);
        environment.set_fuel(Some(FUEL));
        environment.add_function("raise_exception", |message: String| {
            Err::<Value, _>(Error::new(ErrorKind::InvalidOperation, message))
        });
        environment.add_function("strftime_now", strftime_now);
        // transformers passes the last two, empty, and some templates count on it.
        for (name, value) in [
            ("bos_token", bos.into()),
            ("eos_token", eos.into()),
            ("add_generation_prompt", true.into()),
            ("tools", Value::from(())),
            ("documents", Value::from(())),
        ] {
            environment.add_global(name, value);
        }
        environment.add_template_owned(NAME, without_generation_blocks(source))?;
        let template = Self(environment);
        template.fill(&[Message::new(Role::System, "instructions"), Message::new(Role::User, "question")])?;
        Ok(template)
    }

    /// A prompt that ends where the model is to go on. Instructions of the service go into the user's message where
    /// the template knows no such role, and neighbours of one role into one message where it wants them to alternate.
    ///
    /// # Errors
    /// When the template refuses the messages in every arrangement.
    pub(super) fn fill(&self, messages: &[Message]) -> Result<Vec<Piece>, Error> {
        let mut refusal = Error::new(ErrorKind::InvalidOperation, "there are no messages");
        for arrangement in Arrangement::ALL {
            match self.pieces(&arrangement.of(messages)) {
                Ok(pieces) => return Ok(pieces),
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    /// Renders the template with a place for each message and puts the messages in afterwards: what they say is not
    /// the template's to read, cut or escape.
    fn pieces(&self, messages: &[Message]) -> Result<Vec<Piece>, Error> {
        let places: Vec<Value> = messages
            .iter()
            .enumerate()
            .map(|(number, message)| {
                context! { role => message.role.as_str(), content => format!("{}{number}{}", PLACE.0, PLACE.1) }
            })
            .collect();
        let rendered = self.0.get_template(NAME)?.render(context! { messages => places })?;
        put_in(&rendered, messages)
    }
}

/// Puts messages in their places.
///
/// # Errors
/// When one has no place: some templates leave out the service's instructions without a word.
fn put_in(rendered: &str, messages: &[Message]) -> Result<Vec<Piece>, Error> {
    let mut pieces = Vec::new();
    let mut missing: Vec<usize> = (0..messages.len()).collect();
    let mut rest = rendered;
    while let Some((markup, after)) = rest.split_once(PLACE.0) {
        let place = after.split_once(PLACE.1).and_then(|(number, after)| Some((number.parse().ok()?, after)));
        let place = place.filter(|(number, _): &(usize, _)| *number < messages.len());
        let Some((number, after)) = place else {
            return Err(Error::new(ErrorKind::InvalidOperation, "the template takes messages apart"));
        };
        pieces.push(Piece::Markup(markup.to_owned()));
        pieces.push(Piece::Message(messages[number].content.trim().to_owned()));
        missing.retain(|other| *other != number);
        rest = after;
    }
    pieces.push(Piece::Markup(rest.to_owned()));
    match missing.first() {
        None => Ok(pieces),
        Some(number) => {
            let role = messages[*number].role.as_str();
            Err(Error::new(ErrorKind::InvalidOperation, format!("the template leaves out a message of the {role}")))
        }
    }
}

/// The time now (UTC) in the codes of C's `strftime`, as in `%d %b %Y`.
fn strftime_now(format: &str) -> Result<String, Error> {
    let failed = |cause: String| Error::new(ErrorKind::InvalidOperation, format!("the date as {format:?}: {cause}"));
    let description = parse_strftime_owned(format).map_err(|cause| failed(cause.to_string()))?;
    OffsetDateTime::now_utc().format(&description).map_err(|cause| failed(cause.to_string()))
}

/// The template without the marks around what a model wrote, which are for training and write nothing
/// (`{% generation %}`, an extension of transformers).
fn without_generation_blocks(source: &str) -> String {
    let mut plain = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let Some(length) = rest[start..].find("%}") else { break };
        let (before, tag) = (&rest[..start], &rest[start..start + length + 2]);
        plain.push_str(before);
        match tag[2..length].trim_matches(['-', '+']).trim() {
            "generation" => plain.push_str(&tag.replace("generation", "if true")),
            "endgeneration" => plain.push_str(&tag.replace("endgeneration", "endif")),
            _ => plain.push_str(tag),
        }
        rest = &rest[start + length + 2..];
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
