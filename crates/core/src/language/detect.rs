//! Which language a text is in.

use whatlang::{Detector, Script};

use super::{Language, words};

/// Bytes of a document that are looked at: more tell nothing new.
const ENOUGH: usize = 8_000;
/// Fewest letters of a document that tell its language, where it shares its script with others.
const FEWEST_LETTERS: usize = 60;

/// Fewest function words that tell the language of a short document.
const FEWEST_FUNCTION_WORDS: usize = 3;

/// The language of a document (by trigrams: Cavnar and Trenkle, 1994); `None` where it is too short or too mixed to
/// tell.
#[must_use]
pub fn language_of_document(text: &str) -> Option<Language> {
    let sample = &text[..text.floor_char_boundary(ENOUGH)];
    if sample.is_ascii() && sample.bytes().filter(u8::is_ascii_alphabetic).count() < FEWEST_LETTERS {
        return None;
    }
    if let Some(language) = by_script(sample) {
        return Some(language);
    }
    let found = Detector::new().detect(sample)?;
    if found.is_reliable() || is_alone(found.script()) {
        return Language::of_code(found.lang().code());
    }
    // A few sentences: their small words tell more than their trigrams.
    let (language, words) = by_function_words(sample);
    (words >= FEWEST_FUNCTION_WORDS).then_some(language)
}

/// The language of a question. In Latin letters the words say it that questions are asked with, English where none
/// does; in other scripts the letters do.
#[must_use]
pub fn language_of_question(text: &str) -> Language {
    let letters = text.chars().filter(|c| c.is_alphabetic());
    let (latin, other) = letters.fold((0, 0), |(latin, other), c| match is_latin(c) {
        true => (latin + 1, other),
        // A syllable or a word, not a letter.
        false => (latin, other + if c > '\u{2e80}' { 3 } else { 1 }),
    });
    if other > latin {
        return by_script(text).or_else(|| by_letters(text)).unwrap_or(Language::of_tag(Some("und")));
    }
    by_function_words(text).0
}

/// The language of a question that is not in Latin letters.
fn by_letters(text: &str) -> Option<Language> {
    let found = Detector::new().detect(text)?;
    let (language, words) = by_function_words(text);
    if words > 0 && !is_alone(found.script()) { Some(language) } else { Language::of_code(found.lang().code()) }
}

fn is_latin(c: char) -> bool {
    c < '\u{250}' || matches!(c, '\u{1e00}'..='\u{1eff}' | '\u{ff21}'..='\u{ff5a}')
}

/// The language of which most function words are there, and how many; English where no other has more of them.
fn by_function_words(text: &str) -> (Language, usize) {
    let words: Vec<_> = words(text).map(|word| word.form).collect();
    let count = |language: Language| words.iter().filter(|word| language.is_stop_word(word)).count();
    let best = |best: (Language, usize), next: Language| {
        let found = count(next);
        if found > best.1 { (next, found) } else { best }
    };
    let english = (Language::ENGLISH, count(Language::ENGLISH));
    Language::all().fold(english, best)
}

/// Languages that the detector does not know, by letters that no other language has.
fn by_script(text: &str) -> Option<Language> {
    let letters = || text.chars().filter(|c| c.is_alphabetic());
    let lao = letters().filter(|c| matches!(c, '\u{e80}'..='\u{eff}')).count();
    (2 * lao > letters().count()).then(|| Language::of_tag(Some("lo")))
}

/// Whether one language alone of those that are told apart is written in a script: a few letters are enough.
fn is_alone(script: Script) -> bool {
    !matches!(script, Script::Latin | Script::Cyrillic | Script::Arabic | Script::Devanagari | Script::Hebrew)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_tell_their_language() {
        for (tag, text) in [
            (
                "en",
                "The vaccine refrigerator is checked twice a day, and the temperature is written into the blue book.",
            ),
            (
                "de",
                "Der Impfstoffkühlschrank wird zweimal täglich geprüft, und die Temperatur wird in das blaue Buch eingetragen.",
            ),
            (
                "fr",
                "La température du réfrigérateur est contrôlée deux fois par jour et notée dans le cahier bleu de l'équipe.",
            ),
            ("ru", "Температура холодильника с вакцинами проверяется два раза в день и записывается в синюю тетрадь."),
            ("zh", "锅炉房的阀门每年十月由值班工程师检查一次。"),
            ("ja", "温室の換気窓は二十七度で自動的に開きます。"),
            ("th", "ตู้เย็นวัคซีนต้องตรวจอุณหภูมิวันละสองครั้ง"),
            ("lo", "ຕູ້ເຢັນວັກຊີນຕ້ອງກວດອຸນຫະພູມມື້ລະສອງຄັ້ງ"),
            ("ko", "보일러실의 밸브는 매년 시월에 점검합니다."),
        ] {
            assert_eq!(language_of_document(text).map(Language::tag), Some(tag), "{text}");
        }
        for text in ["", "E-1042 12 kg", "| 12 | 13 |"] {
            assert_eq!(language_of_document(text), None, "{text}");
        }
    }

    #[test]
    fn questions_tell_their_language_by_the_words_they_are_asked_with() {
        for (tag, text) in [
            ("en", "What is the dose of metformin?"),
            ("en", "metformin"),
            ("en", "Was it die casting in the war?"),
            ("en", "What does 阀门 mean here?"),
            ("en", "naïve Bayes café"),
            ("de", "Wie hoch ist die Dosis von Metformin?"),
            ("de", "Wann wird der Kühlschrank geprüft?"),
            ("fr", "Quelle est la dose de metformine ?"),
            ("es", "¿Cuál es la dosis de metformina?"),
            ("it", "Qual è la dose di metformina?"),
            ("nl", "Hoeveel water moet er in de ketel?"),
            ("ru", "Когда проверяют холодильник?"),
            ("zh", "阀门什么时候检查？"),
            ("zh", "VPN 怎么连接？"),
            ("ja", "換気窓はいつ開きますか。"),
            ("th", "ตู้เย็นต้องตรวจวันละกี่ครั้ง"),
        ] {
            assert_eq!(language_of_question(text).tag(), tag, "{text}");
        }
    }
}
