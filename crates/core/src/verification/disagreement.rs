//! Disagreement: two places that say different things of the same.
//!
//! That is said only where nothing else tells them apart: one number, denial, bound or opposite is another, and all other
//! words of the shorter are in the longer. Passages about different cases ("adults", "children"; under other headings)
//! share less than that, so most of what differs in other words is not noticed.

use super::tokens::{Kind, Token, canonical, tokens};
use super::{comparators, negation, numbers, opposites};
use crate::document::{Passage, heading_path};
use crate::language::holding;

/// Words that both have to share, beside what differs: "It is 5 mg" says too little.
const FEWEST_SHARED: usize = 2;
/// Words that one may say more than the other.
const MOST_ADDED: usize = 3;
/// Words behind which it is said in which case something holds.
const RESTRICTING: &[&str] = &[
    "if", "in", "for", "with", "without", "during", "when", "while", "unless", "except", "after", "before", "on", "at",
];
/// Words that end what is said of the case.
const RELEASING: &[&str] = &["by", "because", "since", "and", "but", "so", "to"];
/// Words behind a restricting one that belong to it.
const RESTRICTED: usize = 4;
/// Numbers that may be years; they tell cases apart unless a year is asked for.
const YEARS: std::ops::RangeInclusive<f64> = 1_800.0..=2_200.0;

/// Opposites that turn a statement round. The others of the table tell cases apart: a child is not a contradiction of an
/// adult.
const TURNING: &[&str] = &[
    "accept",
    "allow",
    "avoid",
    "close",
    "continue",
    "dangerous",
    "decrease",
    "disable",
    "discouraged",
    "enable",
    "exclude",
    "false",
    "forbid",
    "give",
    "include",
    "increase",
    "lower",
    "mandatory",
    "need",
    "open",
    "optional",
    "permit",
    "prohibit",
    "raise",
    "recommended",
    "reduce",
    "refuse",
    "reject",
    "safe",
    "start",
    "stop",
    "take",
    "true",
    "use",
    "withhold",
];

/// Words of a passage, with those that they stand under.
struct Saying<'p> {
    text: &'p str,
    tokens: Vec<Token>,
    context: Vec<Token>,
}

/// What one saying has and another lacks.
#[derive(Default)]
struct Rest<'s> {
    numbers: Vec<&'s Token>,
    /// Words whose opposite the other has.
    turned: usize,
    added: Vec<&'s Token>,
}

/// Whether the words of two passages disagree about what a question asks.
pub(crate) fn disagree(question: &str, one: &Passage, other: &Passage) -> bool {
    let asked = tokens(question);
    let (one, other) = (Saying::of(one), Saying::of(other));
    let told_apart = |token: &Token| {
        let turned = opposites::of(&token.word);
        let speaks = |saying: &Saying<'_>| {
            saying.speaks_of(token) || saying.tokens.iter().any(|known| turned.contains(&known.word))
        };
        token.kind == Kind::Word && speaks(&one) != speaks(&other)
    };
    if asked.iter().any(told_apart) {
        return false;
    }
    let (of_one, of_other) = (one.rest(&other), other.rest(&one));
    let (shorter, longer, more) = if of_one.added.len() <= of_other.added.len() {
        (&of_one, &of_other, &other)
    } else {
        (&of_other, &of_one, &one)
    };
    let same_case = shorter.added.is_empty() && longer.added.len() <= MOST_ADDED && !more.restricts(&longer.added);
    same_case
        && one.shared(&other) >= FEWEST_SHARED
        && differ_in_one_thing(&asked, question, [&one, &other], [&of_one, &of_other])
}

fn differ_in_one_thing(asked: &[Token], question: &str, sayings: [&Saying<'_>; 2], rests: [&Rest<'_>; 2]) -> bool {
    let [one, other] = sayings.map(|saying| saying.tokens.as_slice());
    let numbers = match rests.map(|rest| rest.numbers.as_slice()) {
        [[], []] => false,
        [[own], [rival]] => {
            let (Some(own), Some(rival)) = (numbers::quantity(own), numbers::quantity(rival)) else { return false };
            let are_years = own.unit.is_none() && YEARS.contains(&own.value) && YEARS.contains(&rival.value);
            let asks_when = asked.iter().any(|token| token.word == canonical("year"))
                || question.split_whitespace().any(|word| word.eq_ignore_ascii_case("when"));
            let count_the_same = own.unit.map(|unit| unit.kind) == rival.unit.map(|unit| unit.kind);
            if !count_the_same || (are_years && !asks_when) {
                return false;
            }
            true
        }
        _ => return false,
    };
    let denials = [one, other].map(|tokens| tokens.iter().filter(|token| token.kind == Kind::Denial).count());
    let turned = match rests.map(|rest| rest.turned) {
        [0, 0] => false,
        // "Not allowed" and "forbidden" say the same.
        [1, 1] if denials[0] % 2 == denials[1] % 2 => true,
        _ => return false,
    };
    let denied = !turned && negation::differ(one, other);
    let bounded = !numbers && comparators::differ(one, other);
    [numbers, turned, denied, bounded].into_iter().filter(|differs| *differs).count() == 1
}

impl<'p> Saying<'p> {
    fn of(passage: &'p Passage) -> Self {
        let context = tokens(&heading_path(&passage.title, &passage.headings));
        Self { text: &passage.text, tokens: tokens(&holding(&passage.text)), context }
    }

    fn speaks_of(&self, token: &Token) -> bool {
        self.tokens.iter().chain(&self.context).any(|known| known.is_same(token))
    }

    /// What this says and the other does not.
    fn rest(&self, other: &Self) -> Rest<'_> {
        let mut rest = Rest::default();
        for token in self.tokens.iter().filter(|token| token.says() && !other.speaks_of(token)) {
            let opposites = opposites::of(&token.word);
            let is_turned = || other.tokens.iter().any(|known| opposites.contains(&known.word));
            match token.kind {
                Kind::Number(_) => rest.numbers.push(token),
                _ if TURNING.iter().any(|word| canonical(word) == token.word) && is_turned() => rest.turned += 1,
                _ => rest.added.push(token),
            }
        }
        rest
    }

    /// Words that both say.
    fn shared(&self, other: &Self) -> usize {
        let mut words: Vec<&str> = self
            .tokens
            .iter()
            .filter(|token| token.kind == Kind::Word && other.speaks_of(token))
            .map(|token| token.word.as_str())
            .collect();
        words.sort_unstable();
        words.dedup();
        words.len()
    }

    /// Whether added words say in which case the rest holds: they stand behind a word for that, or before something that
    /// both say, as an adjective does.
    fn restricts(&self, added: &[&Token]) -> bool {
        let is_added = |token: &Token| added.iter().any(|added| added.is_same(token));
        let first = self.tokens.iter().position(is_added);
        let is_followed = first
            .is_some_and(|first| self.tokens[first..].iter().any(|token| token.kind == Kind::Word && !is_added(token)));
        let mut left = 0;
        let behind = self.text.split_whitespace().any(|word| {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            left = match bare.as_str() {
                word if RESTRICTING.contains(&word) => RESTRICTED,
                word if RELEASING.contains(&word) => 0,
                _ => usize::saturating_sub(left, 1),
            };
            left > 0 && tokens(&bare).iter().any(is_added)
        });
        is_followed || behind
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{EntryId, Metadata, Span};

    fn passage(title: &str, text: &str) -> Passage {
        Passage {
            id: EntryId::from(1),
            document: String::new(),
            title: title.to_owned(),
            headings: Vec::new(),
            text: text.to_owned(),
            span: Span::new(0, text.len()),
            metadata: Metadata::new(),
            pages: None,
        }
    }

    fn both_ways(question: &str, (title, one): (&str, &str), (other_title, other): (&str, &str)) -> bool {
        let (one, other) = (passage(title, one), passage(other_title, other));
        let found = disagree(question, &one, &other);
        assert_eq!(found, disagree(question, &other, &one), "{} / {}", one.text, other.text);
        found
    }

    #[test]
    fn one_thing_that_is_another_is_a_disagreement() {
        for (question, one, other) in [
            (
                "How long is a badge valid?",
                "A visitor badge is valid for 12 hours.",
                "A visitor badge is valid for 24 hours.",
            ),
            (
                "When is metformin stopped?",
                "Stop metformin when eGFR is below 30.",
                "Metformin is stopped below an eGFR of 45.",
            ),
            ("May visitors bring dogs?", "Visitors may bring dogs.", "Visitors may not bring dogs."),
            ("Are dogs allowed in the garden?", "Dogs are allowed in the garden.", "Dogs are forbidden in the garden."),
            ("How long do cans last?", "Cans last at least 8 months.", "Cans last at most 8 months."),
            ("When was the mill built?", "The mill was built in 1871.", "The mill was built in 1874 by monks."),
        ] {
            assert!(both_ways(question, ("", one), ("", other)), "{one} / {other}");
        }
    }

    #[test]
    fn the_same_and_other_cases_are_none() {
        for (question, one, other) in [
            ("How long is a badge valid?", "A badge is valid for 24 hours.", "A badge is valid for one day."),
            ("How long is a badge valid?", "A badge is valid for 24 hours.", "Lost badges cost 20 euros."),
            ("What is the dose?", "Adults take 10 mg once a day.", "Children take 5 mg once a day."),
            ("What is the dose?", "Adults take 10 mg once a day.", "Adults with kidney disease take 5 mg once a day."),
            ("What does the lift carry?", "The small lift carries 300 kg.", "The lift carries 900 kg."),
            ("Are dogs allowed?", "Dogs are not allowed in the garden.", "Dogs are forbidden in the garden."),
            ("When is the shop open?", "The shop opens at 8.", "The shop closes at 20."),
            ("How many came?", "In 2019 the fair had 300 guests.", "In 2020 the fair had 200 guests."),
            (
                "What does the policy allow?",
                "The 2019 policy allows three guests.",
                "The 2023 policy allows three guests.",
            ),
            ("How much is it?", "It is 5 mg.", "It is 10 mg."),
        ] {
            assert!(!both_ways(question, ("", one), ("", other)), "{one} / {other}");
        }
    }

    #[test]
    fn the_headings_say_what_is_spoken_of() {
        let dose = "With what dose of amlodipine does one start?";
        let (low, high) = ("Start with 5 mg a day in the morning.", "Start with 25 mg a day in the morning.");
        assert!(both_ways(dose, ("Amlodipine", low), ("Amlodipine, 2023", high)));
        assert!(!both_ways(dose, ("Amlodipine", low), ("Metoprolol", high)));
    }
}
