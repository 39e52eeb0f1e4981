//! What is searched for a question.

use super::long::TakenApart;
use super::standalone::Standalone;
use crate::question::Turn;

/// Texts that are searched for a question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    /// The question to be understood alone: the words of passages and sentences are compared with these.
    pub(crate) standalone: String,
    /// The texts; the first is the question as it was asked, without what was pasted beside it.
    pub(crate) texts: Vec<Wording>,
}

/// A text to search with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wording {
    pub(crate) text: String,
    /// Weight of what it finds.
    pub(crate) weight: f32,
    /// Whether it says what is asked, so that passages near to it are near to the question.
    pub(crate) says_it: bool,
}

/// Weight of the question by itself.
const OWN: f32 = 1.0;

/// Weight of the question together with the turns before it. On the development part of MTRAG equal weights were best
/// (docs/quality.md).
const TALK: f32 = 1.0;

/// Weight of a search term that a model made of the question. On SciFact the term alone finds less than the question.
const TERM: f32 = 0.5;

/// Weight of all that was pasted beside a question: it is what the question is about, not what is asked.
const PASTED: f32 = 0.5;

impl Asked {
    /// The texts for a question after these turns, oldest first.
    pub(crate) fn of(question: &str, history: &[Turn]) -> Self {
        let TakenApart { own, parts } = TakenApart::of(question);
        let Standalone { text: standalone, leaves_out, talk } = Standalone::of(&own, history);
        let mut texts = vec![Wording { text: own.clone(), weight: OWN, says_it: true }];
        if !talk.is_empty() {
            // The question comes first: embedders cut what is too long at its end. What talk is near to is no answer to
            // a question that stands alone: it may have changed the topic.
            texts.push(Wording { text: format!("{own} {talk}"), weight: TALK, says_it: leaves_out });
        }
        let weight = PASTED / parts.len().max(1) as f32;
        texts.extend(parts.into_iter().map(|text| Wording { text, weight, says_it: leaves_out }));
        Self { standalone, texts }
    }

    /// The same with a search term made of the question.
    pub(crate) fn with_term(mut self, term: &str) -> Self {
        if self.texts.iter().all(|wording| wording.text != term) {
            self.texts.push(Wording { text: term.to_owned(), weight: TERM, says_it: true });
        }
        self
    }

    /// What is embedded.
    pub(crate) fn to_embed(&self) -> Vec<String> {
        self.texts.iter().map(|wording| wording.text.clone()).collect()
    }

    /// One vector for the question, of those of its texts: the mean of the ones that say what is asked, by weight.
    pub(crate) fn mean(&self, vectors: &[Vec<f32>]) -> Vec<f32> {
        let mut mean = vec![0.0; vectors.first().map_or(0, Vec::len)];
        for (wording, vector) in self.texts.iter().zip(vectors).filter(|(wording, _)| wording.says_it) {
            mean.iter_mut().zip(vector).for_each(|(sum, number)| *sum += wording.weight * number);
        }
        let length = mean.iter().map(|number| number * number).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        mean.into_iter().map(|number| number / length).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question::Role;

    fn history() -> [Turn; 1] {
        [Turn { role: Role::User, content: "Which tank does pump Sarvok feed?".to_owned() }]
    }

    #[test]
    fn a_lone_short_question_is_one_search() {
        let asked = Asked::of("How much water?", &[]);
        assert_eq!(asked.to_embed(), ["How much water?"]);
        assert_eq!(asked.with_term("How much water?").texts.len(), 1);
    }

    #[test]
    fn the_question_leads_the_talk_and_the_pasted_text() {
        let page = "The crew of the night shift painted it green. ".repeat(100);
        let question = format!("{page}\n\nHow often is its filter cleaned?");
        let Asked { standalone, texts } = Asked::of(&question, &history()).with_term("filter");
        assert_eq!(standalone, "How often is its filter cleaned? (tank pump Sarvok feed)");
        assert_eq!(texts[0].text, "How often is its filter cleaned?");
        assert_eq!(texts[1].text, "How often is its filter cleaned? Which tank does pump Sarvok feed?");
        assert!(texts[2..5].iter().all(|part| page.contains(&part.text)));
        assert!((texts[2..5].iter().map(|part| part.weight).sum::<f32>() - PASTED).abs() < 1e-6);
        assert_eq!(texts[5].text, "filter");
        assert_eq!(texts.len(), 6);
    }

    #[test]
    fn talk_does_not_stand_for_a_question_that_stands_alone() {
        let asked = Asked::of("Who wrote the first edition of Hamlet?", &history());
        assert_eq!(asked.texts.iter().map(|wording| wording.says_it).collect::<Vec<_>>(), [true, false]);
        assert_eq!(asked.mean(&[vec![1.0, 0.0], vec![0.0, 1.0]]), [1.0, 0.0]);
        let asked = Asked::of("And how often is it cleaned?", &history());
        let half = std::f32::consts::FRAC_1_SQRT_2;
        assert_eq!(asked.mean(&[vec![1.0, 0.0], vec![0.0, 1.0]]), [half, half]);
    }
}
