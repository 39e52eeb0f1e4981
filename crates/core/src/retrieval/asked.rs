//! What is searched for a question.

use super::long::TakenApart;
use super::standalone::Standalone;
use crate::question::Turn;

/// Texts that are searched for a question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    /// The question to be understood alone: the words of passages and sentences are compared with these.
    pub(crate) standalone: String,
    /// Whether the question says too little by itself.
    leaves_out: bool,
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
        let Standalone { text: standalone, leaves_out, goes_on, talk } = Standalone::of(&own, history);
        let mut texts = vec![Wording { text: own.clone(), weight: OWN, says_it: true }];
        if !talk.is_empty() {
            // The question comes first: embedders cut what is too long at its end. What is near to the talk is no answer
            // to a question that has changed the topic.
            texts.push(Wording { text: format!("{own} {talk}"), weight: TALK, says_it: goes_on });
        }
        let weight = PASTED / parts.len().max(1) as f32;
        texts.extend(parts.into_iter().map(|text| Wording { text, weight, says_it: leaves_out }));
        Self { standalone, leaves_out, texts }
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

    /// One vector for the question, of those of its texts: its own, or where it leaves something out the mean of those
    /// that say what is asked, by weight.
    pub(crate) fn mean(&self, vectors: &[Vec<f32>]) -> Vec<f32> {
        let mut mean = vec![0.0; vectors.first().map_or(0, Vec::len)];
        let telling = if self.leaves_out { self.texts.len() } else { 1 };
        let texts = self.texts.iter().zip(vectors).take(telling);
        for (wording, vector) in texts.filter(|(wording, _)| wording.says_it) {
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
        let Asked { standalone, texts, .. } = Asked::of(&question, &history()).with_term("filter");
        assert_eq!(standalone, "How often is its filter cleaned? (tank pump Sarvok feed)");
        assert_eq!(texts[0].text, "How often is its filter cleaned?");
        assert_eq!(texts[1].text, "How often is its filter cleaned? Which tank does pump Sarvok feed?");
        assert!(texts[2..5].iter().all(|part| page.contains(&part.text)));
        assert!((texts[2..5].iter().map(|part| part.weight).sum::<f32>() - PASTED).abs() < 1e-6);
        assert_eq!(texts[5].text, "filter");
        assert_eq!(texts.len(), 6);
    }

    /// Which of the texts say what is asked, and the mean of two vectors at a right angle.
    fn of_follow_up(question: &str) -> (Vec<bool>, Vec<f32>) {
        let asked = Asked::of(question, &history());
        let says_it = asked.texts.iter().map(|wording| wording.says_it).collect();
        (says_it, asked.mean(&[vec![1.0, 0.0], vec![0.0, 1.0]]))
    }

    #[test]
    fn the_talk_stands_for_a_question_that_goes_on_with_it() {
        let half = std::f32::consts::FRAC_1_SQRT_2;
        assert_eq!(of_follow_up("And how often is it cleaned?"), (vec![true, true], vec![half, half]));
        let whole = "Which valve of the Sarvok must be shut first?";
        assert_eq!(of_follow_up(whole), (vec![true, true], vec![1.0, 0.0]));
        assert_eq!(of_follow_up("Who wrote the first edition of Hamlet?"), (vec![true, false], vec![1.0, 0.0]));
    }
}
