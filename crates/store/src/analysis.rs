//! From text to terms, the same for documents and questions.

use std::collections::HashSet;
use std::sync::LazyLock;

use qanda_core::language::stem;
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, StopWordFilter, TextAnalyzer, Token,
    TokenFilter, TokenStream, Tokenizer,
};

/// Name under which the index knows the analyser.
pub(crate) const ANALYSER: &str = "qanda-1";

/// Words, lower case, without accents and English stop words, each as its stem. Words of other languages stay
/// nearly whole, which still finds them.
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
        .filter(Stems)
        .build()
}

/// Puts the stems of core in the place of the words.
#[derive(Clone)]
struct Stems;

impl TokenFilter for Stems {
    type Tokenizer<T: Tokenizer> = StemsOf<T>;

    fn transform<T: Tokenizer>(self, words: T) -> StemsOf<T> {
        StemsOf(words)
    }
}

#[derive(Clone)]
struct StemsOf<T>(T);

impl<T: Tokenizer> Tokenizer for StemsOf<T> {
    type TokenStream<'a> = StemStream<T::TokenStream<'a>>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Self::TokenStream<'a> {
        StemStream(self.0.token_stream(text))
    }
}

struct StemStream<T>(T);

impl<T: TokenStream> TokenStream for StemStream<T> {
    fn advance(&mut self) -> bool {
        let more = self.0.advance();
        if more {
            let token = self.0.token_mut();
            let stem = stem(&token.text).into_owned();
            token.text = stem;
        }
        more
    }

    fn token(&self) -> &Token {
        self.0.token()
    }

    fn token_mut(&mut self) -> &mut Token {
        self.0.token_mut()
    }
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
