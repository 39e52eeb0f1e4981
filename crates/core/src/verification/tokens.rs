//! What of a sentence is compared: words by their sense, numbers with their units, denials and comparators.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use super::wording::{EMPTY, PHRASES, representative};
use super::{comparators, negation};
use crate::language::{STOP_WORDS, Unit, composed, number_word, stem, unit, words};

/// Part of a sentence that counts in a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// The stem of a word, the digits of a number; empty for others.
    pub(super) word: String,
    pub(super) kind: Kind,
    /// Clauses before it: parted by punctuation and by "and", "or", "but".
    pub(super) clause: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Word,
    /// A number, in the smallest of the units that its own can be compared with.
    Number(Quantity),
    Denial,
    /// Above or below a bound that follows, or that stands before it.
    Comparator {
        up: bool,
        behind: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quantity {
    pub(super) value: f64,
    pub(super) unit: Option<Unit>,
}

impl Quantity {
    fn amount(self) -> f64 {
        self.value * self.unit.map_or(1.0, |unit| unit.factor)
    }

    /// Whether both are as much of the same; what has no unit may have any.
    pub(super) fn is_same(self, other: Self) -> bool {
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
        match (self.unit, other.unit) {
            (Some(one), Some(two)) => one.kind == two.kind && close(self.amount(), other.amount()),
            _ => close(self.value, other.value),
        }
    }

    /// Whether one could be put for the other: they count the same.
    pub(super) fn is_alike(self, other: Self) -> bool {
        self.unit.is_none()
            || other.unit.is_none()
            || self.unit.map(|unit| unit.kind) == other.unit.map(|unit| unit.kind)
    }
}

impl Token {
    /// Whether it is a word or a number.
    pub(super) const fn says(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Number(_))
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self.kind, other.kind) {
            (Kind::Number(one), Kind::Number(two)) => one.is_same(two),
            (Kind::Word, Kind::Word) => self.word == other.word,
            _ => false,
        }
    }
}

/// A word or a sign as it is written, in lower case.
#[derive(Debug, Clone, PartialEq)]
enum Lexeme {
    Word(String),
    Number(f64),
    Sign(char),
    Comparator { up: bool, behind: bool },
    Denial,
}

/// The tokens of a sentence.
pub(super) fn tokens(sentence: &str) -> Vec<Token> {
    let lexemes = with_phrases(&lexemes(sentence));
    let (mut found, mut clause, mut at) = (Vec::new(), 0, 0);
    while at < lexemes.len() {
        let push = |word: String, kind: Kind| Token { word, kind, clause };
        let mut used = 1;
        match &lexemes[at] {
            Lexeme::Sign(c) if ",;:()".contains(*c) => clause += 1,
            Lexeme::Sign(_) => {}
            Lexeme::Denial => found.push(push(String::new(), Kind::Denial)),
            Lexeme::Comparator { up, behind } => {
                found.push(push(String::new(), Kind::Comparator { up: *up, behind: *behind }));
            }
            Lexeme::Number(value) => {
                let (quantity, length) = quantity(*value, &lexemes[at + 1..]);
                used += length;
                found.push(push(value.to_string(), Kind::Number(quantity)));
            }
            Lexeme::Word(word) if matches!(word.as_str(), "and" | "or" | "but") => clause += 1,
            Lexeme::Word(word) if is_empty(word) => {}
            Lexeme::Word(word) => found.push(push(canonical(word).into_owned(), Kind::Word)),
        }
        at += used;
    }
    found
}

/// The stem of the word that stands for this one and those that mean the same.
pub(super) fn canonical(word: &str) -> Cow<'_, str> {
    stem(representative(word))
}

/// Words of degree, which change what is said though they are stop words elsewhere.
const DEGREES: &[&str] = &["all", "less", "more", "most", "only", "some"];

fn is_empty(word: &str) -> bool {
    let counts = DEGREES.contains(&word);
    !counts && (STOP_WORDS.binary_search(&word).is_ok() || EMPTY.contains(&representative(word)) || word.len() == 1)
}

/// A number with its multiplier and its unit, or that of the number it is in a range with, and how many lexemes
/// these are.
fn quantity(value: f64, behind: &[Lexeme]) -> (Quantity, usize) {
    let word = |at: usize| match behind.get(at) {
        Some(Lexeme::Word(word)) => word.as_str(),
        Some(Lexeme::Sign('%')) => "%",
        _ => "",
    };
    let (value, skipped) = match word(0) {
        "hundred" => (value * 1e2, 1),
        "thousand" => (value * 1e3, 1),
        "million" => (value * 1e6, 1),
        "billion" => (value * 1e9, 1),
        _ => (value, 0),
    };
    if let Some(unit) = unit(word(skipped)) {
        return (Quantity { value, unit: Some(unit) }, skipped + 1);
    }
    let is_range = matches!(word(skipped), "to" | "or" | "and")
        || matches!(behind.get(skipped), Some(Lexeme::Sign('-' | '–' | '/')));
    let of_range = match (is_range, behind.get(skipped + 1)) {
        (true, Some(Lexeme::Number(_))) => unit(word(skipped + 2)),
        _ => None,
    };
    (Quantity { value, unit: of_range }, skipped)
}

fn lexemes(text: &str) -> Vec<Lexeme> {
    let text = composed(text).to_lowercase().replace('\u{2019}', "'");
    let mut found = Vec::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let length = if c.is_ascii_digit() {
            number(rest, &mut found)
        } else if !c.is_ascii() && c.is_alphabetic() && !matches!(c, 'µ' | 'μ') {
            other_words(rest, &mut found)
        } else if c.is_alphabetic() || matches!(c, '°' | 'µ' | 'μ') {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '°' | 'µ' | 'μ')));
            let word = &rest[..end.unwrap_or(rest.len())];
            written(word.trim_end_matches('\''), &mut found);
            word.len()
        } else {
            match c {
                '≥' | '>' => found.push(Lexeme::Comparator { up: true, behind: false }),
                '≤' | '<' => found.push(Lexeme::Comparator { up: false, behind: false }),
                c if c.is_whitespace() => {}
                c => found.push(Lexeme::Sign(c)),
            }
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    found
}

/// Reads a word that begins with a letter beyond ASCII, with all words of its run where there are no spaces. Returns their
/// length.
fn other_words(text: &str, found: &mut Vec<Lexeme>) -> usize {
    let mut end = 0;
    for word in words(text) {
        if word.span.start != end || word.form.starts_with(|c: char| c.is_ascii_digit()) {
            break;
        }
        end = word.span.end;
        written(&word.form, found);
    }
    // Some letters are no word by themselves.
    end.max(text.chars().next().map_or(0, char::len_utf8))
}

/// Reads a number: "1,000", "0.5". Returns its length; letters that follow at once begin a word, but for ordinals.
fn number(text: &str, found: &mut Vec<Lexeme>) -> usize {
    let inner = |(at, c): (usize, char)| {
        c.is_ascii_digit() || (matches!(c, '.' | ',') && text[at + 1..].starts_with(|c: char| c.is_ascii_digit()))
    };
    let end = text.char_indices().find(|place| !inner(*place)).map_or(text.len(), |(at, _)| at);
    let ordinal = ["st", "nd", "rd", "th"].iter().find(|ending| text[end..].starts_with(**ending));
    if let Some(ending) = ordinal {
        found.push(Lexeme::Word(text[..end + ending.len()].to_owned()));
        return end + ending.len();
    }
    let digits = &text[..end];
    // A comma before exactly three digits parts thousands; else it parts numbers of a list.
    let groups: Vec<&str> = digits.split(',').collect();
    let is_whole = groups.iter().skip(1).all(|group| group.split('.').next().is_some_and(|group| group.len() == 3));
    let parts = if is_whole { vec![groups.concat()] } else { groups.into_iter().map(str::to_owned).collect() };
    for part in parts {
        match part.parse::<f64>() {
            Ok(value) => found.push(Lexeme::Number(value)),
            Err(_) => found.push(Lexeme::Word(part)),
        }
    }
    end
}

/// A word as lexemes: contractions are taken apart, number words are numbers.
fn written(word: &str, found: &mut Vec<Lexeme>) {
    let bare = word.strip_suffix("'s").unwrap_or(word);
    if bare.ends_with("n't") {
        found.push(Lexeme::Denial);
    } else if let Some((_, denied)) = negation::DENIED.iter().find(|(name, _)| *name == bare) {
        found.extend([Lexeme::Denial, Lexeme::Word((*denied).to_owned())]);
    } else if let Some(value) = number_word(bare) {
        found.push(Lexeme::Number(f64::from(value)));
    } else {
        found.push(Lexeme::Word(bare.split('\'').next().unwrap_or(bare).to_owned()));
    }
}

/// Puts what phrases mean in their place.
fn with_phrases(lexemes: &[Lexeme]) -> Vec<Lexeme> {
    let mut out = Vec::with_capacity(lexemes.len());
    let mut at = 0;
    while at < lexemes.len() {
        match phrase(&lexemes[at..]) {
            Some((length, put)) => {
                out.extend(put);
                at += length;
            }
            None => {
                out.push(lexemes[at].clone());
                at += 1;
            }
        }
    }
    out
}

/// First words of all phrases: most words begin none.
static BEGINNINGS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let tables =
        [comparators::UP, comparators::DOWN, comparators::UP_BEHIND, comparators::DOWN_BEHIND, negation::DENIALS];
    let alone = comparators::WITH_NUMBERS.iter().map(|(word, _)| *word);
    let phrases = PHRASES.iter().map(|(phrase, _)| *phrase).chain(alone).chain(tables.into_iter().flatten().copied());
    phrases.filter_map(|phrase| phrase.split(' ').next()).collect()
});

/// The phrase that lexemes begin with: how many they are, and what is put in their place.
fn phrase(lexemes: &[Lexeme]) -> Option<(usize, Vec<Lexeme>)> {
    let Lexeme::Word(first) = &lexemes[0] else { return None };
    if !BEGINNINGS.contains(first.as_str()) {
        return None;
    }
    let length = |phrase: &str| {
        let mut words = phrase.split(' ');
        if words.next() != Some(first.as_str()) {
            return None;
        }
        let length = 1 + phrase.matches(' ').count();
        let same = |(word, lexeme): (&str, &Lexeme)| {
            matches!(lexeme, Lexeme::Word(known) if known == word)
                || matches!(lexeme, Lexeme::Number(value) if number_word(word).map(f64::from) == Some(*value))
        };
        (lexemes.len() >= length && words.zip(&lexemes[1..]).all(same)).then_some(length)
    };
    let of = |table: &[&str], put: Lexeme| {
        let longest = table.iter().filter_map(|phrase| length(phrase)).max()?;
        Some((longest, vec![put]))
    };
    let comparator = |up, behind| Lexeme::Comparator { up, behind };
    let plain = || {
        let (phrase, put) = PHRASES.iter().find(|(phrase, _)| length(phrase).is_some())?;
        Some((length(phrase)?, self::lexemes(put)))
    };
    let with_number = || {
        let (_, up) = comparators::WITH_NUMBERS.iter().find(|(word, _)| word == first)?;
        let number = lexemes.iter().take(5).position(|lexeme| matches!(lexeme, Lexeme::Number(_)))?;
        let is_range = lexemes[number..].iter().take(4).any(|next| *next == Lexeme::Word("to".to_owned()));
        let near = lexemes[1..number].iter().all(
            |next| matches!(next, Lexeme::Word(word) if STOP_WORDS.contains(&word.as_str()) || word.starts_with("age")),
        );
        (near && !(first == "from" && is_range)).then(|| (1, vec![comparator(*up, false)]))
    };
    let candidates = [
        of(comparators::UP, comparator(true, false)),
        of(comparators::DOWN, comparator(false, false)),
        of(comparators::UP_BEHIND, comparator(true, true)),
        of(comparators::DOWN_BEHIND, comparator(false, true)),
        plain(),
        with_number(),
        of(negation::DENIALS, Lexeme::Denial),
    ];
    // The longest phrase counts, the first of equals.
    candidates.into_iter().flatten().reduce(|best, next| if next.0 > best.0 { next } else { best })
}
