use std::fmt::{self, Display};

use anstyle::Style;

use super::visible;

/// Pieces of text with their styles. Whatever the pieces hold, they are made visible when the text is shown; colours come
/// from the styles alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text(Vec<(Style, String)>);

impl Text {
    /// A piece in a style.
    pub(crate) fn styled(style: Style, piece: impl Display) -> Self {
        Self(vec![(style, piece.to_string())])
    }

    /// The text and a plain piece.
    pub(crate) fn and(self, piece: impl Display) -> Self {
        self.and_styled(Style::new(), piece)
    }

    /// The text and a piece in a style.
    pub(crate) fn and_styled(mut self, style: Style, piece: impl Display) -> Self {
        self.0.push((style, piece.to_string()));
        self
    }
}

impl<S: AsRef<str>> From<S> for Text {
    fn from(piece: S) -> Self {
        Self::default().and(piece.as_ref())
    }
}

impl Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (style, piece) in &self.0 {
            write!(formatter, "{style}{}{style:#}", visible::text(piece))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::BOLD;

    #[test]
    fn styles_are_kept_and_what_documents_say_is_made_visible() {
        let text = Text::styled(BOLD, "a\u{1b}[0m").and("\u{1b}[8mb");
        assert_eq!(text.to_string(), format!("{BOLD}a\\u{{1b}}[0m{BOLD:#}\\u{{1b}}[8mb"));
    }
}
