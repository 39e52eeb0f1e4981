//! Judgement by words alone, for questions in languages that the reader was not trained on.
//!
//! What a reader trained on English says of other languages is chance, and so are the cosines of an English embedder. The
//! words of the question are evidence in every language: the rarer they are among what was found, the more so.

use super::judgement::{FoundWords, Judgement, WORDS_AROUND};
use super::unit::Layout;
use crate::document::{Span, heading_path};
use crate::language::{Language, Words, content_words_in, holding};
use crate::ports::Hit;

/// Share of the question's words from which on a sentence rather answers than not, and how sharply the two are parted.
/// Chosen on the questions of `evaluation/languages` (docs/languages.md).
const ENOUGH: f32 = 0.48;
const SHARPNESS: f32 = 10.0;

/// Weight of a word that is like one of the question, as a compound or another form of it.
const ALIKE: f32 = 0.8;

/// A sentence with its words, and those of the headings above it.
struct Candidate {
    hit: usize,
    span: Span,
    words: Words,
    above: Words,
}

/// Judges hits by the words that their sentences share with a question in a language.
pub(super) fn judge_by_words(question: &str, hits: &[Hit], language: Language) -> Judgement {
    let mut asked: Vec<String> = content_words_in(question, language).into_iter().collect();
    // A set has no order, and sums of floats depend on theirs.
    asked.sort_unstable();
    let candidates: Vec<Candidate> =
        hits.iter().enumerate().flat_map(|(at, hit)| sentences(at, hit, language)).collect();
    let weights = weights(&asked, &candidates);
    let score = |candidate: &Candidate| {
        let own = share(&asked, &weights, &candidate.words, None);
        (own + share(&asked, &weights, &candidate.words, Some(&candidate.above))) / 2.0
    };
    let mut scored: Vec<(f32, &Candidate)> = candidates.iter().map(|candidate| (score(candidate), candidate)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let best = scored.first().map_or(0.0, |(share, _)| *share);
    let found = scored.iter().filter(|(share, _)| *share > 0.0).map(|(share, candidate)| FoundWords {
        hit: candidate.hit,
        span: candidate.span,
        // As for the words that a reader finds, so that second quotations are as near to the first.
        score: WORDS_AROUND * share,
    });
    let confidence = if asked.is_empty() { 0.0 } else { 1.0 / (1.0 + (-SHARPNESS * (best - ENOUGH)).exp()) };
    Judgement { confidence, found: found.collect() }
}

/// The sentences of a hit that could be quoted. Names of columns, headings and questions answer nothing.
fn sentences(at: usize, hit: &Hit, language: Language) -> Vec<Candidate> {
    let layout = Layout::of(&hit.passage.text);
    let text = holding(&hit.passage.text);
    let mut above = content_words_in(&heading_path(&hit.passage.title, &hit.passage.headings), language);
    if let Some(pair) = &hit.pair {
        above.extend(content_words_in(&pair.question, language));
    }
    let tells = |span: &&Span| {
        let words = &text[span.start..span.end];
        !words.starts_with('#') && !words.ends_with(['?', '？', '؟', ';']) && !layout.is_header(**span)
    };
    let candidate = |span: &Span| Candidate {
        hit: at,
        span: *span,
        words: content_words_in(&text[span.start..span.end], language),
        above: above.clone(),
    };
    layout.sentences().iter().filter(tells).map(candidate).collect()
}

/// Weight of each asked word: the rarer among the sentences the more. One that stands nowhere counts like a common one: as
/// often as not it is another word for the same.
fn weights(asked: &[String], candidates: &[Candidate]) -> Vec<f32> {
    let all = candidates.len() as f32;
    let weight = |word: &String| {
        let with = candidates.iter().filter(|one| likeness(word, &one.words, Some(&one.above)) > 0.0).count() as f32;
        let with = if with == 0.0 { all / 2.0 } else { with };
        (1.0 + all / (with + 0.5)).ln()
    };
    asked.iter().map(weight).collect()
}

/// Share of the asked words, by weight, that are among some words.
fn share(asked: &[String], weights: &[f32], words: &Words, above: Option<&Words>) -> f32 {
    let there = asked.iter().zip(weights).map(|(word, weight)| weight * likeness(word, words, above)).sum::<f32>();
    there / weights.iter().sum::<f32>().max(f32::MIN_POSITIVE)
}

/// 1 where a word stands among others, less where one like it does.
fn likeness(word: &str, words: &Words, above: Option<&Words>) -> f32 {
    let all = || words.iter().chain(above.into_iter().flatten());
    match words.contains(word) || above.is_some_and(|above| above.contains(word)) {
        true => 1.0,
        false if all().any(|other| is_alike(word, other)) => ALIKE,
        false => 0.0,
    }
}

/// Bytes that two words have to share at least to be alike: five letters, or two characters of Chinese.
const SHARED: usize = 5;

/// Whether one word is part of another, as in compounds, or both begin alike for the most part, as forms of a word do.
fn is_alike(one: &str, other: &str) -> bool {
    let (shorter, longer) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    if shorter.len() < SHARED || shorter.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let begins =
        shorter.chars().zip(longer.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum::<usize>();
    longer.contains(shorter) || (begins >= SHARED && 4 * begins >= 3 * longer.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metadata, Passage};

    fn hit(text: &str) -> Hit {
        let passage = Passage {
            id: 1.into(),
            document: "a.md".to_owned(),
            title: "a".to_owned(),
            headings: Vec::new(),
            text: text.to_owned(),
            span: Span::new(0, text.len()),
            metadata: Metadata::new(),
            pages: None,
        };
        Hit { passage, pair: None, score: 0.5, cosine: None }
    }

    fn judged(tag: &str, question: &str, text: &str) -> (f32, String) {
        let hits = [hit(text)];
        let judged = judge_by_words(question, &hits, Language::of_tag(Some(tag)));
        let words = judged.found.first().map(|found| text[found.span.start..found.span.end].to_owned());
        (judged.confidence, words.unwrap_or_default())
    }

    #[test]
    fn the_sentence_with_the_questions_words_is_found() {
        let german = "Der Keller ist abends verschlossen. Die Pumpe wird jeden Montag gereinigt. Die Tür bleibt zu.";
        let (confidence, words) = judged("de", "Wann wird die Pumpe gereinigt?", german);
        assert!(confidence > 0.5, "{confidence}");
        assert_eq!(words, "Die Pumpe wird jeden Montag gereinigt.");
        let (confidence, words) =
            judged("zh", "谁可以使用离心机？", "停车场九点关闭。离心机只能由受过培训的人员使用。");
        assert!(confidence > 0.5, "{confidence}");
        assert_eq!(words, "离心机只能由受过培训的人员使用。");
    }

    #[test]
    fn other_words_are_no_evidence() {
        let german = "Der Keller ist abends verschlossen. Die Pumpe wird jeden Montag gereinigt.";
        assert!(judged("de", "Wie viele Urlaubstage hat eine Pflegekraft?", german).0 < 0.5);
        assert!(judged("zh", "年假有几天？", "离心机只能由受过培训的人员使用。").0 < 0.5);
        assert!(judged("de", "Wann?", german).0 < 0.5);
    }

    #[test]
    fn compounds_and_forms_are_alike() {
        for [one, other] in [["kuhlschrank", "impfstoffkuhlschrank"], ["kontroll", "kontrollier"], ["离心", "离心机"]]
        {
            assert!(is_alike(one, other), "{one} {other}");
        }
        for [one, other] in [["bett", "bettwasche"], ["station", "stativ"], ["2024", "20245"], ["机", "离心机"]] {
            assert!(!is_alike(one, other), "{one} {other}");
        }
    }
}
