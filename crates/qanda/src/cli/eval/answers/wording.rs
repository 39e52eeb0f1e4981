//! Whether an answer says what was accepted: after both are rewritten alike, so that "Two to six months" is
//! "2-6 months".

use std::collections::HashMap;
use std::fmt;

use qanda_core::language::{is_spaceless, words};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

/// An accepted answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) enum Accepted {
    /// It is enough that this is said.
    One(Wording),
    /// All of these must be said.
    All(Vec<Wording>),
}

/// Words to be found in an answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) enum Wording {
    /// A text, rewritten, and as it was given.
    Text { normal: String, given: String },
    /// A regular expression over the rewritten answer.
    Pattern(Box<Regex>),
}

impl TryFrom<Value> for Accepted {
    type Error = String;

    fn try_from(json: Value) -> Result<Self, String> {
        Ok(match json {
            Value::Array(all) => Self::All(all.into_iter().map(Wording::try_from).collect::<Result<_, _>>()?),
            one => Self::One(one.try_into()?),
        })
    }
}

impl TryFrom<Value> for Wording {
    type Error = String;

    fn try_from(json: Value) -> Result<Self, String> {
        if let Some(given) = json.as_str() {
            return Ok(Self::text(given));
        }
        let pattern =
            json["pattern"].as_str().ok_or_else(|| format!("{json} is neither a text nor a {{\"pattern\"}}"))?;
        let regex = Regex::new(pattern).map_err(|error| format!("{pattern:?} is no regular expression: {error}"))?;
        Ok(Self::Pattern(Box::new(regex)))
    }
}

impl Wording {
    fn text(given: &str) -> Self {
        Self::Text { normal: normal(given), given: given.to_owned() }
    }

    /// Whether a rewritten answer has it: whole words of it, next to each other.
    pub(crate) fn is_in(&self, answer: &str) -> bool {
        match self {
            Self::Text { normal, .. } => format!(" {answer} ").contains(&format!(" {normal} ")),
            Self::Pattern(pattern) => pattern.is_match(answer),
        }
    }
}

impl fmt::Display for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { given, .. } => f.write_str(given),
            Self::Pattern(pattern) => write!(f, "/{pattern}/"),
        }
    }
}

impl Accepted {
    /// Whether a rewritten answer says it.
    pub(crate) fn is_in(&self, answer: &str) -> bool {
        self.wordings().iter().all(|wording| wording.is_in(answer))
    }

    /// Everything that must be said.
    pub(crate) fn wordings(&self) -> &[Wording] {
        match self {
            Self::One(wording) => std::slice::from_ref(wording),
            Self::All(wordings) => wordings,
        }
    }

    /// Its words, rewritten, where they are all texts.
    fn words(&self) -> Option<String> {
        let text = |wording: &Wording| match wording {
            Wording::Text { normal, .. } => Some(normal.clone()),
            Wording::Pattern(_) => None,
        };
        self.wordings().iter().map(text).collect::<Option<Vec<_>>>().map(|texts| texts.join(" "))
    }
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.wordings().iter().map(ToString::to_string).collect();
        f.write_str(&parts.join(" and "))
    }
}

const NUMBER_WORDS: [&str; 13] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// The form in which texts are compared: lower case, no articles, number words as digits, no commas inside of
/// numbers, `%` as `percent`, a dash between numbers as `to`, markers of citations left out, and everything else
/// that is no letter, digit or decimal point as one space. In scripts without spaces each character is a word, as in the
/// evaluation of MLQA (Lewis et al., 2020): where their words begin depends on what stands around them.
pub(crate) fn normal(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len() + 8);
    let chars: Vec<char> = without_markers(text).to_lowercase().chars().collect();
    for (at, &c) in chars.iter().enumerate() {
        let digit = |n: Option<&char>| n.is_some_and(char::is_ascii_digit);
        let between = at > 0 && digit(chars.get(at - 1)) && digit(chars.get(at + 1));
        match c {
            '%' => spaced.push_str(" percent "),
            '.' if between => spaced.push('.'),
            ',' if between => {}
            '-' | '\u{2013}' if between => spaced.push_str(" to "),
            '\'' | '\u{2019}' => {}
            // What stands on a letter, and what is no part of a word, is told apart below.
            c if c.is_alphanumeric() || !c.is_ascii() => spaced.push(c),
            _ => spaced.push(' '),
        }
    }
    let spaced = spaced.replace("per cent", "percent");
    let forms = words(&spaced).map(|word| word.form).filter(|word| !matches!(word.as_ref(), "a" | "an" | "the"));
    forms.map(|word| rewritten(&word)).collect::<Vec<_>>().join(" ")
}

/// A word, a number in words as digits, one without spaces around it as its characters.
fn rewritten(word: &str) -> String {
    if let Some(number) = NUMBER_WORDS.iter().position(|name| *name == word) {
        return number.to_string();
    }
    if word.starts_with(is_spaceless) {
        return word.chars().map(String::from).collect::<Vec<_>>().join(" ");
    }
    word.to_owned()
}

/// `[2]` marks a citation; its number is no part of what an answer says.
fn without_markers(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some(open) = rest.find('[') {
        let inside = rest[open + 1..].find(']').map(|close| &rest[open + 1..open + 1 + close]);
        kept.push_str(&rest[..open]);
        match inside.filter(|inside| !inside.is_empty() && inside.bytes().all(|byte| byte.is_ascii_digit())) {
            Some(inside) => rest = &rest[open + inside.len() + 2..],
            None => {
                kept.push('[');
                rest = &rest[open + 1..];
            }
        }
    }
    kept + rest
}

/// Agreement in words between an answer and the accepted one that it is most like: the harmonic mean of the share of
/// its own words and the share of the accepted ones, as SQuAD defines it. None where no words are given.
pub(crate) fn token_f1(answer: &str, accepted: &[Accepted], reference: Option<&str>) -> Option<f64> {
    let texts = accepted.iter().filter_map(Accepted::words).chain(reference.map(normal));
    texts.map(|text| f1(answer, &text)).max_by(f64::total_cmp)
}

fn f1(answer: &str, accepted: &str) -> f64 {
    let mut wanted: HashMap<&str, usize> = HashMap::new();
    for word in accepted.split(' ') {
        *wanted.entry(word).or_default() += 1;
    }
    let mut shared = 0_usize;
    for word in answer.split(' ') {
        if let Some(left) = wanted.get_mut(word).filter(|left| **left > 0) {
            *left -= 1;
            shared += 1;
        }
    }
    let (all, most) = (answer.split(' ').count() + accepted.split(' ').count(), 2 * shared);
    most as f64 / all as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_rewritten_alike() {
        for (a, b) in [
            ("Two to six months", "2-6 months"),
            ("2\u{2013}6 Months.", "2 to 6 months"),
            ("the 2,000 mg dose", "2000 mg  dose"),
            ("5.7% (of adults)", "5.7 percent of adults"),
            ("twenty per cent", "twenty percent"),
            ("Don\u{2019}t stop [1][12].", "dont stop"),
            ("argv[x] [ 1 ] [", "argv x 1"),
            ("140/90\nmmHg", "140 90 mmhg"),
            ("Cafe\u{301}", "caf\u{e9}"),
            ("每两周，更换。", "每两周更换"),
        ] {
            assert_eq!(normal(a), normal(b), "{a}");
        }
    }

    #[test]
    fn an_answer_contains_whole_words_only() {
        let answer = normal("It is 115 mg, or 2.5 g \u{2014} twice a day [3].");
        for (words, there) in [("115 mg", true), ("15 mg", false), ("5 g", false), ("2.5 g", true), ("3", false)] {
            assert_eq!(Wording::text(words).is_in(&answer), there, "{words}");
        }
        let answer = normal("滤芯每两周更换一次，由值班人员完成 [1]。");
        for (words, there) in
            [("两周", true), ("每两周更换", true), ("两天", false), ("值班 人员", true), ("2周", false)]
        {
            assert_eq!(Wording::text(words).is_in(&answer), there, "{words}");
        }
        let answer = normal("It is 115 mg, or 2.5 g.");
        let pattern: Wording = json!({"pattern": "^it is \\d+"}).try_into().expect("a pattern");
        assert!(pattern.is_in(&answer));
        assert!(Accepted::All(vec![Wording::text("115 mg"), Wording::text("2.5 g")]).is_in(&answer));
        assert!(!Accepted::All(vec![Wording::text("115 mg"), Wording::text("2.6 g")]).is_in(&answer));
    }

    #[test]
    fn what_is_no_wording_is_refused() {
        for (wrong, words) in [(json!(3), "neither"), (json!([{"pattern": "("}]), "no regular expression")] {
            let error = Accepted::try_from(wrong).expect_err("it is refused");
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn shared_words_are_counted_as_in_squad() {
        let accepted = [Accepted::One(Wording::text("in March 1974")), Accepted::One(Wording::text("1974"))];
        assert_eq!(token_f1("1974", &accepted, None), Some(1.0));
        assert_eq!(token_f1("march 1974", &accepted, None), Some(0.8));
        assert_eq!(token_f1("1974 1974", &accepted[1..], None), Some(2.0 / 3.0));
        assert_eq!(token_f1(&normal("两周"), &[Accepted::One(Wording::text("每两周"))], None), Some(0.8));
        assert_eq!(token_f1("no word", &[], Some("nothing shared")), Some(0.0));
        assert_eq!(token_f1("x", &[], None), None);
    }
}
