//! Words and phrases that mean the same, so that a statement in other words is compared by what it says.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Phrases and what is compared in their place, both in lower case. A phrase goes before the shorter ones that it holds.
pub(super) const PHRASES: &[(&str, &str)] = &[
    ("high blood pressure", "hypertension"),
    ("heart attack", "infarction"),
    ("myocardial infarction", "infarction"),
    ("renal disease", "kidney disease"),
    ("in order to", "to"),
    ("as well as", "and"),
    ("such as", "like"),
    ("for example", "like"),
    ("for instance", "like"),
    ("known as", "called"),
    ("referred to as", "called"),
    ("due to", "because"),
    ("because of", "because"),
    ("as a result of", "because"),
    ("as a rule", "usually"),
    ("at once", "immediately"),
    ("right away", "immediately"),
    ("straight away", "immediately"),
    ("as soon as possible", "immediately"),
    ("half a year", "6 months"),
    ("once a day", "once day"),
    ("one time a day", "once day"),
    ("two times a day", "twice day"),
    ("two times", "twice"),
    ("a number of", "several"),
    ("a lot of", "many"),
    ("per cent", "percent"),
    ("carry out", "perform"),
    ("carried out", "performed"),
    ("made up of", "consists of"),
    ("get rid of", "remove"),
    ("set up", "install"),
    ("look for", "seek"),
    ("not only", "both"),
    ("whether or not", "whether"),
];

/// Words that mean the same: the first of a line stands for all of them. Irregular forms are among them, since their
/// stems differ.
const SAME: &[&str] = &[
    "doctor doctors physician physicians",
    "medicine medicines medication medications drug drugs",
    "person persons people individual individuals",
    "child children kid kids",
    "man men",
    "woman women",
    "foot feet",
    "illness illnesses sickness",
    "hypertension",
    "stop stops stopped stopping discontinue discontinues discontinued",
    "start starts started starting begin begins began begun beginning commence commences commenced",
    "give gives gave given giving administer administers administered",
    "take takes took taken taking",
    "get gets got gotten getting",
    "find finds found",
    "show shows showed shown",
    "keep keeps kept",
    "tell tells told",
    "choose chooses chose chosen choice",
    "need needs needed require requires required",
    "help helps helped helping assist assists assisted aid aids",
    "occur occurs occurred happen happens happened",
    "call calls called name named",
    "often frequently",
    "usually generally typically normally",
    "immediately promptly instantly",
    "because since as",
    "if when whenever",
    "every each",
    "day days daily",
    "week weeks weekly",
    "month months monthly",
    "year years yearly annually annual",
    "use uses used using utilize utilise utilised utilized usage",
    "forbid forbids forbade forbidden",
    "buy buys bought purchase purchased",
    "film films movie movies",
    "kilogram kilograms kilo",
    "perform performs performed",
    "entire whole",
    "quickly rapidly fast",
    "large big",
    "initial first",
    "end ends ended finish finished",
    "about approximately around roughly circa",
];

/// Words that add nothing to a statement that could be verified, beside the stop words of the language room.
pub(super) const EMPTY: &[&str] = &[
    "about",
    "also",
    "because",
    "both",
    "called",
    "either",
    "if",
    "like",
    "ought",
    "per",
    "since",
    "therefore",
    "thus",
    "very",
    "via",
    "whether",
    "while",
    "within",
    "upon",
    "among",
    "into",
    "through",
    "during",
    "too",
    "just",
    "however",
];

/// Stems with which an answer speaks of itself and of what it read.
pub(super) const ABOUT_ITSELF: &[&str] = &[
    "accord", "answer", "document", "guidelin", "mention", "note", "passag", "question", "say", "sentenc", "short",
    "state", "text",
];

/// The first word of its line, for each word of [`SAME`].
static FIRST: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let of_line = |line: &&'static str| {
        let first = line.split(' ').next().unwrap_or_default();
        line.split(' ').map(move |word| (word, first))
    };
    SAME.iter().flat_map(of_line).collect()
});

/// The word that stands for this one and those that mean the same.
pub(super) fn representative(word: &str) -> &str {
    FIRST.get(word).copied().unwrap_or(word)
}
