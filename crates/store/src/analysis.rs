//! From text to terms, the same for documents and questions: core says what words and stems are.

use qanda_core::language::{Language, each_term};
use tantivy::tokenizer::{PreTokenizedString, RawTokenizer, TextAnalyzer, Token};

/// Name under which an index knows how its terms were made. Another one makes indexes anew that were made otherwise.
pub(crate) const ANALYSER: &str = "qanda-2";

/// What tantivy is told of it: texts come taken apart, by their own language, so there is nothing left to do.
pub(crate) fn analyser() -> TextAnalyzer {
    TextAnalyzer::from(RawTokenizer::default())
}

/// A text taken apart for the index. Places of words are not kept, so tokens have none.
pub(crate) fn taken_apart(text: &str, language: Language) -> PreTokenizedString {
    let mut tokens = Vec::new();
    each_term(text, language, |term| {
        tokens.push(Token { text: term.to_owned(), position: tokens.len(), ..Token::default() });
    });
    PreTokenizedString { text: String::new(), tokens }
}
