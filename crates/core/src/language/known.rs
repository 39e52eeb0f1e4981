//! Languages: how each is stemmed, and which of its words say nothing.

use std::collections::HashSet;
use std::sync::LazyLock;

use frostem::Algorithm;

use super::stop_words::{self, STOP_WORDS};

/// Language of a text, one of those that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Language(usize);

struct Facts {
    /// BCP 47.
    tag: &'static str,
    /// ISO 639-3.
    code: &'static str,
    stemmer: Option<Algorithm>,
    /// Parted by spaces.
    stop_words: &'static str,
}

const fn plain(tag: &'static str, code: &'static str) -> Facts {
    Facts { tag, code, stemmer: None, stop_words: "" }
}

const fn with(tag: &'static str, code: &'static str, stop_words: &'static str) -> Facts {
    Facts { tag, code, stemmer: None, stop_words }
}

const fn stemmed(tag: &'static str, code: &'static str, stemmer: Algorithm, stop_words: &'static str) -> Facts {
    Facts { tag, code, stemmer: Some(stemmer), stop_words }
}

/// English comes first. Norwegian is Bokmål.
const FACTS: &[Facts] = &[
    stemmed("en", "eng", Algorithm::English, ""),
    stemmed("ar", "ara", Algorithm::Arabic, stop_words::ARABIC),
    stemmed("cs", "ces", Algorithm::Czech, stop_words::CZECH),
    stemmed("da", "dan", Algorithm::Danish, stop_words::DANISH),
    stemmed("de", "deu", Algorithm::German, stop_words::GERMAN),
    stemmed("el", "ell", Algorithm::Greek, stop_words::GREEK),
    stemmed("es", "spa", Algorithm::Spanish, stop_words::SPANISH),
    stemmed("fi", "fin", Algorithm::Finnish, stop_words::FINNISH),
    stemmed("fr", "fra", Algorithm::French, stop_words::FRENCH),
    stemmed("hi", "hin", Algorithm::Hindi, stop_words::HINDI),
    stemmed("hu", "hun", Algorithm::Hungarian, stop_words::HUNGARIAN),
    stemmed("id", "ind", Algorithm::Indonesian, ""),
    stemmed("it", "ita", Algorithm::Italian, stop_words::ITALIAN),
    stemmed("nb", "nob", Algorithm::Norwegian, stop_words::NORWEGIAN),
    stemmed("nl", "nld", Algorithm::Dutch, stop_words::DUTCH),
    stemmed("pl", "pol", Algorithm::Polish, stop_words::POLISH),
    stemmed("pt", "por", Algorithm::Portuguese, stop_words::PORTUGUESE),
    stemmed("ro", "ron", Algorithm::Romanian, stop_words::ROMANIAN),
    stemmed("ru", "rus", Algorithm::Russian, stop_words::RUSSIAN),
    stemmed("sv", "swe", Algorithm::Swedish, stop_words::SWEDISH),
    stemmed("ta", "tam", Algorithm::Tamil, ""),
    stemmed("tr", "tur", Algorithm::Turkish, stop_words::TURKISH),
    with("fa", "pes", stop_words::PERSIAN),
    with("he", "heb", stop_words::HEBREW),
    with("ja", "jpn", stop_words::JAPANESE),
    with("ko", "kor", stop_words::KOREAN),
    with("th", "tha", stop_words::THAI),
    with("uk", "ukr", stop_words::UKRAINIAN),
    with("zh", "cmn", stop_words::CHINESE),
    plain("af", "afr"),
    plain("ak", "aka"),
    plain("am", "amh"),
    plain("az", "aze"),
    plain("be", "bel"),
    plain("bg", "bul"),
    plain("bn", "ben"),
    plain("ca", "cat"),
    plain("cy", "cym"),
    plain("eo", "epo"),
    plain("et", "est"),
    plain("gu", "guj"),
    plain("hr", "hrv"),
    plain("hy", "hye"),
    plain("jv", "jav"),
    plain("ka", "kat"),
    plain("km", "khm"),
    plain("kn", "kan"),
    plain("la", "lat"),
    plain("lo", "lao"),
    plain("lt", "lit"),
    plain("lv", "lav"),
    plain("mk", "mkd"),
    plain("ml", "mal"),
    plain("mr", "mar"),
    plain("my", "mya"),
    plain("ne", "nep"),
    plain("or", "ori"),
    plain("pa", "pan"),
    plain("si", "sin"),
    plain("sk", "slk"),
    plain("sl", "slv"),
    plain("sn", "sna"),
    plain("sr", "srp"),
    plain("te", "tel"),
    plain("tk", "tuk"),
    plain("tl", "tgl"),
    plain("und", "und"),
    plain("ur", "urd"),
    plain("uz", "uzb"),
    plain("vi", "vie"),
    plain("yi", "yid"),
    plain("zu", "zul"),
];

static WORDS: LazyLock<Vec<HashSet<&str, foldhash::fast::RandomState>>> = LazyLock::new(|| {
    let of = |(at, facts): (usize, &Facts)| match at {
        0 => STOP_WORDS.iter().copied().collect(),
        _ => facts.stop_words.split_whitespace().collect(),
    };
    FACTS.iter().enumerate().map(of).collect()
});

impl Language {
    /// English, which also stands for a text whose language is not known.
    pub const ENGLISH: Self = Self(0);

    /// The language with a BCP 47 tag (`de`, `pt-BR`); English where it is missing or not known.
    #[must_use]
    pub fn of_tag(tag: Option<&str>) -> Self {
        let primary = tag.unwrap_or_default().split(['-', '_']).next().unwrap_or_default();
        Self::find(|facts| facts.tag.eq_ignore_ascii_case(primary)).unwrap_or(Self::ENGLISH)
    }

    /// The language with an ISO 639-3 code.
    pub(super) fn of_code(code: &str) -> Option<Self> {
        Self::find(|facts| facts.code == code)
    }

    fn find(is: impl Fn(&Facts) -> bool) -> Option<Self> {
        FACTS.iter().position(is).map(Self)
    }

    /// All languages.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..FACTS.len()).map(Self)
    }

    /// Its BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        FACTS[self.0].tag
    }

    pub(super) fn stemmer(self) -> Option<Algorithm> {
        FACTS[self.0].stemmer
    }

    /// Whether a word in lower case says nothing about what a text is about.
    pub(super) fn is_stop_word(self, word: &str) -> bool {
        WORDS[self.0].contains(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_known_by_their_tags() {
        for (tag, found) in [(Some("de"), "de"), (Some("PT-br"), "pt"), (None, "en"), (Some("xx"), "en")] {
            assert_eq!(Language::of_tag(tag).tag(), found, "{tag:?}");
        }
        for language in Language::all() {
            assert_eq!(Language::of_tag(Some(language.tag())), language, "{}", language.tag());
        }
    }

    #[test]
    fn every_language_that_is_detected_is_known() {
        for language in whatlang::Lang::all() {
            assert!(Language::of_code(language.code()).is_some(), "{}", language.code());
        }
    }
}
