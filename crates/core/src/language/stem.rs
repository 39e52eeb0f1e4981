//! Forms of a word reduced to one stem.

use std::borrow::Cow;

use frostem::Stemmer;

use super::Language;
use super::fold::without_accents;

/// The stem of a word in lower case, by Porter's rules for English: "vaccines" and "vaccination" meet "vaccine". Words
/// of other languages stay nearly whole, which still finds them.
#[must_use]
pub fn stem(word: &str) -> Cow<'_, str> {
    stem_in(word, Language::ENGLISH)
}

/// The stem of a word in lower case by the rules of a language (Snowball's, where it has any), without accents.
#[must_use]
pub(crate) fn stem_in(word: &str, language: Language) -> Cow<'_, str> {
    if word.starts_with(is_hangul) {
        return Cow::Borrowed(without_particle(word));
    }
    // Making a stemmer costs nothing: it is a choice of rules.
    match language.stemmer() {
        Some(rules) => without_accents(Stemmer::new(rules).stem(word)),
        None => without_accents(Cow::Borrowed(word)),
    }
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{ac00}'..='\u{d7a3}')
}

/// Particles that Korean writes at the end of a noun, the longer ones first.
const PARTICLES: [&str; 30] = [
    "에서는",
    "으로는",
    "에게서",
    "까지는",
    "부터는",
    "이라고",
    "에서",
    "에게",
    "으로",
    "까지",
    "부터",
    "보다",
    "처럼",
    "마다",
    "에는",
    "이나",
    "은",
    "는",
    "이",
    "가",
    "을",
    "를",
    "의",
    "에",
    "와",
    "과",
    "도",
    "로",
    "만",
    "나",
];

/// A Korean word without its particle; at least two syllables stay.
fn without_particle(word: &str) -> &str {
    let bare = PARTICLES.iter().find_map(|particle| word.strip_suffix(particle));
    bare.filter(|bare| bare.chars().count() >= 2).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for [a, b] in [["vaccines", "vaccination"], ["recommended", "recommends"], ["doses", "dose"]] {
            assert_eq!(stem(a), stem(b));
        }
        for word in ["140", "0.5", "漢字"] {
            assert_eq!(stem(word), word);
        }
        assert_eq!(stem("größe"), "grosse");
    }

    #[test]
    fn each_language_has_its_rules() {
        for (tag, a, b) in [
            ("de", "kühlschränke", "kühlschrank"),
            ("fr", "prévention", "prevention"),
            ("es", "vacunas", "vacuna"),
            ("ru", "вакцины", "вакцина"),
            ("ar", "المضخة", "مضخة"),
            ("hi", "टीके", "टीका"),
            ("ko", "밸브는", "밸브를"),
        ] {
            let language = Language::of_tag(Some(tag));
            assert_eq!(stem_in(a, language), stem_in(b, language), "{tag}");
        }
    }
}
