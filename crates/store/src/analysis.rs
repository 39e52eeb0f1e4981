//! From text to terms, the same for documents and questions.

use std::collections::HashSet;
use std::sync::LazyLock;

use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, StopWordFilter, TextAnalyzer,
};

/// Name under which the index knows the analyser.
pub(crate) const ANALYSER: &str = "qanda-1";

/// Words, lower case, without accents and English stop words, stemmed by Porter's rules for English. Words of
/// other languages stay whole, which still finds them.
pub(crate) fn analyser() -> TextAnalyzer {
    // The list of stop words is made once; every search has an analyser of its own.
    static ANALYSER: LazyLock<TextAnalyzer> = LazyLock::new(make);
    ANALYSER.clone()
}

fn make() -> TextAnalyzer {
    let stop_words = StopWordFilter::new(Language::English).expect("tantivy has English stop words");
    TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(64))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter)
        .filter(stop_words)
        .filter(Stemmer::new(Language::English))
        .build()
}

/// Calls `take` with every term of a text.
pub(crate) fn each_term(analyser: &mut TextAnalyzer, text: &str, mut take: impl FnMut(&str)) {
    let mut stream = analyser.token_stream(text);
    while let Some(token) = stream.next() {
        take(&token.text);
    }
}

/// The terms of a question, each once, in their order.
pub(crate) fn unique_terms(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut terms = Vec::new();
    each_term(&mut analyser(), text, |term| {
        if seen.insert(term.to_owned()) {
            terms.push(term.to_owned());
        }
    });
    // Nobody types this many; a pasted document must not make a search slow.
    terms.truncate(128);
    terms
}
