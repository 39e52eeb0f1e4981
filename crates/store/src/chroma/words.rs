//! BM25 among a few candidates. A Chroma server of one's own cannot rank by words, so they are weighed here.

use std::collections::HashMap;

use qanda_core::language::{each_term, language_of_question, terms_of_question};

use crate::bm25;

/// BM25 of each text for a question; 0 where no word of the question occurs. How rare a word is, is judged among the
/// texts alone, and all are taken to be in the question's language.
pub(super) fn scores(question: &str, texts: &[String]) -> Vec<f32> {
    let language = language_of_question(question);
    let terms = terms_of_question(question, &[language]);
    let counted: Vec<(u32, HashMap<&str, u32>)> = texts
        .iter()
        .map(|text| {
            let (mut length, mut counts) = (0, HashMap::new());
            each_term(text, language, |term| {
                length += 1;
                if let Some(asked) = terms.iter().find(|asked| *asked == term) {
                    *counts.entry(asked.as_str()).or_default() += 1;
                }
            });
            (length, counts)
        })
        .collect();
    let entries = texts.len().max(1) as f32;
    let average = counted.iter().map(|(length, _)| *length).sum::<u32>().max(1) as f32 / entries;
    let with = |term: &str| counted.iter().filter(|(_, counts)| counts.contains_key(term)).count() as f32;
    let weights: HashMap<&str, f32> =
        terms.iter().map(|term| (term.as_str(), bm25::idf(entries, with(term)))).collect();
    let score = |(length, counts): &(u32, HashMap<&str, u32>)| {
        counts.iter().map(|(term, count)| weights[term] * bm25::saturation(*count, *length, average)).sum()
    };
    counted.iter().map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_words_count_more_than_common_ones_and_forms_of_a_word_are_one() {
        let texts = ["dose of insulin", "dose of metformin", "dosing of statins", "none"].map(str::to_owned);
        let scores = scores("metformin doses", &texts);
        assert!(scores[1] > scores[0] && scores[0] > 0.0 && scores[2] > 0.0, "{scores:?}");
        assert!(scores[3] == 0.0, "{scores:?}");
    }
}
