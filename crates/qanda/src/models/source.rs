use anyhow::Context;

use super::catalogue::{ALL, Model};
use crate::hints::WithHint;

/// A model that is to be pulled.
#[derive(Debug)]
pub(crate) enum Source {
    /// One that is known by name.
    Known(&'static Model),
    /// One of a hub.
    Hub {
        /// Owner and name.
        repository: String,
        /// Path in the repository.
        file: Option<String>,
    },
}

impl Source {
    /// Reads `NAME` or `hub:OWNER/REPO[/FILE]`.
    ///
    /// # Errors
    /// When it is neither.
    pub(crate) fn parse(given: &str) -> anyhow::Result<Self> {
        if let Some(place) = given.strip_prefix("hub:") {
            return hub(place).with_context(|| format!("\"{given}\" is not of the form hub:OWNER/REPO[/FILE]"));
        }
        let known = ALL.into_iter().find(|model| model.is_called(given));
        let names: Vec<_> = ALL.iter().map(|model| model.name).collect();
        known
            .map(Self::Known)
            .with_context(|| format!("there is no model {given} in the catalogue"))
            .hint(format!("take one of {}, or hub:OWNER/REPO[/FILE]", names.join(", ")))
    }
}

fn hub(place: &str) -> Option<Source> {
    let is_plain = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(allowed)
    };
    let mut parts = place.splitn(3, '/');
    let (owner, name, file) = (parts.next()?, parts.next()?, parts.next());
    let file_is_inside = file.is_none_or(|file| file.split('/').all(|part| !part.is_empty() && !part.starts_with('.')));
    (is_plain(owner) && is_plain(name) && file_is_inside)
        .then(|| Source::Hub { repository: format!("{owner}/{name}"), file: file.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_named_as_in_the_catalogue_or_by_their_place_on_a_hub() {
        for name in ["SmolLM2-135M-Instruct", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"] {
            let known = Source::parse(name).expect("is known");
            assert!(matches!(known, Source::Known(model) if model.name == "SmolLM2-135M-Instruct"), "{name}");
        }
        let hub = |given: &str| match Source::parse(given).expect("is of a hub") {
            Source::Hub { repository, file } => (repository, file),
            Source::Known(model) => panic!("{model:?}"),
        };
        assert_eq!(hub("hub:a/b-1.5"), ("a/b-1.5".to_owned(), None));
        assert_eq!(hub("hub:a/b/sub/c d.gguf"), ("a/b".to_owned(), Some("sub/c d.gguf".to_owned())));
        for wrong in ["hub:", "hub:a", "hub:a/", "hub:a/..", "hub:a/b/", "hub:a/b/../c.gguf", "hub:a b/c", "gpt", ""] {
            assert!(Source::parse(wrong).is_err(), "{wrong}");
        }
    }
}
