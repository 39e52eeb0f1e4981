//! Opposites: words whose exchange turns a statement round.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::tokens::canonical;

/// Pairs of opposites, in any form of the words.
const PAIRS: &[(&str, &str)] = &[
    ("start", "stop"),
    ("continue", "stop"),
    ("start", "end"),
    ("use", "avoid"),
    ("give", "withhold"),
    ("take", "avoid"),
    ("increase", "decrease"),
    ("increase", "reduce"),
    ("raise", "lower"),
    ("raise", "reduce"),
    ("rise", "fall"),
    ("gain", "lose"),
    ("gain", "loss"),
    ("grow", "shrink"),
    ("high", "low"),
    ("higher", "lower"),
    ("highest", "lowest"),
    ("more", "less"),
    ("more", "fewer"),
    ("most", "least"),
    ("most", "few"),
    ("many", "few"),
    ("maximum", "minimum"),
    ("common", "rare"),
    ("benign", "malignant"),
    ("mild", "severe"),
    ("acute", "chronic"),
    ("safe", "dangerous"),
    ("early", "late"),
    ("earlier", "later"),
    ("sooner", "later"),
    ("allow", "forbid"),
    ("permit", "forbid"),
    ("permit", "prohibit"),
    ("allow", "prohibit"),
    ("prevent", "cause"),
    ("protect", "endanger"),
    ("improve", "worsen"),
    ("relieve", "worsen"),
    ("better", "worse"),
    ("good", "bad"),
    ("always", "never"),
    ("inside", "outside"),
    ("first", "last"),
    ("quickly", "slow"),
    ("faster", "slower"),
    ("large", "small"),
    ("larger", "smaller"),
    ("thick", "thin"),
    ("narrow", "wide"),
    ("weak", "strong"),
    ("weaken", "strengthen"),
    ("dry", "moist"),
    ("warm", "cold"),
    ("hot", "cold"),
    ("day", "week"),
    ("once", "twice"),
    ("oral", "intravenous"),
    ("systolic", "diastolic"),
    ("artery", "vein"),
    ("positive", "negative"),
    ("present", "absent"),
    ("internal", "external"),
    ("upper", "lower"),
    ("temporary", "permanent"),
    ("easy", "difficult"),
    ("easier", "harder"),
    ("morning", "evening"),
    ("man", "woman"),
    ("male", "female"),
    ("mother", "father"),
    ("boy", "girl"),
    ("adult", "child"),
    ("full", "empty"),
    ("normal", "abnormal"),
    ("healthy", "sick"),
    ("need", "optional"),
    ("mandatory", "optional"),
    ("accept", "refuse"),
    ("accept", "reject"),
    ("young", "old"),
    ("younger", "older"),
    ("hypoglycemia", "hyperglycemia"),
    ("overactive", "underactive"),
    ("hyperthyroidism", "hypothyroidism"),
    ("inherit", "acquire"),
    ("outpatient", "inpatient"),
    ("recommended", "discouraged"),
    ("left", "right"),
    ("enable", "disable"),
    ("open", "close"),
    ("before", "after"),
    ("include", "exclude"),
    ("true", "false"),
    ("win", "lose"),
    ("activate", "inhibit"),
    ("promote", "inhibit"),
    ("enhance", "inhibit"),
    ("single", "multiple"),
];

/// Stems of the opposites of each word, by its stem.
static BY_STEM: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
    let mut found: HashMap<String, Vec<String>> = HashMap::new();
    for (one, other) in PAIRS {
        let (one, other) = (canonical(one).into_owned(), canonical(other).into_owned());
        found.entry(one.clone()).or_default().push(other.clone());
        found.entry(other).or_default().push(one);
    }
    found
});

/// Stems of the opposites of a word, given by its stem.
pub(super) fn of(stem: &str) -> &'static [String] {
    BY_STEM.get(stem).map_or(&[], Vec::as_slice)
}
