//! The stand-alone question: what a follow-up leaves out, from the turns before it.
//!
//! No model is asked. A question is searched a second time together with the turn before it, and both rankings are
//! fused: the last answer says what the talk is about, and the question's own search keeps the talk from taking over.
//! On MTRAG that finds more than the rewritten questions that come with it (docs/quality.md).

use crate::language::{content_words, words};
use crate::question::{Role, Turn};

/// A question with what the turns before it say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standalone {
    /// The question, with the topic that it leaves out behind it; the question as it is where it leaves nothing out.
    pub(crate) text: String,
    /// Whether it cannot be understood by itself.
    pub(crate) leaves_out: bool,
    /// Whether it goes on with what was talked about: it leaves something out, or shares a word with the talk.
    pub(crate) goes_on: bool,
    /// The last turns: the last question that names its topic, what was asked about it since, the last answer's
    /// beginning. Empty where there are none.
    pub(crate) talk: String,
}

/// Words of the last answer that count. Longer ones move on to details; on the development part of MTRAG 60 words do as
/// well as all, and they embed in half the time.
const WORDS_OF_ANSWER: usize = 60;

impl Standalone {
    /// Puts together what belongs to a question. `history` is oldest first.
    pub(crate) fn of(question: &str, history: &[Turn]) -> Self {
        let topic = topic(history).join(" ");
        let said = history.iter().rfind(|turn| turn.role == Role::Assistant);
        let said = said.map(|turn| without_markers(&turn.content)).unwrap_or_default();
        let words = topic.split_whitespace().chain(said.split_whitespace().take(WORDS_OF_ANSWER));
        let talk = words.collect::<Vec<_>>().join(" ");
        let leaves_out = leaves_something_out(question);
        let names = if leaves_out { naming(&topic) } else { String::new() };
        let text = if names.is_empty() { question.to_owned() } else { format!("{question} ({names})") };
        let goes_on = leaves_out || !content_words(question).is_disjoint(&content_words(&talk));
        Self { text, leaves_out, goes_on, talk }
    }
}

/// Most questions that are gone back over, each of which leaves something out itself.
const MOST_QUESTIONS: usize = 3;

/// The last question, and the ones before it as long as each cannot be understood without the one before.
fn topic(history: &[Turn]) -> Vec<&str> {
    let mut questions = Vec::new();
    for turn in history.iter().rev().filter(|turn| turn.role == Role::User).take(MOST_QUESTIONS) {
        questions.push(turn.content.trim());
        if !leaves_something_out(&turn.content) {
            break;
        }
    }
    questions
}

/// Words that stand for something said before. In alphabetical order.
const PRONOUNS: &[&str] = &[
    "he", "her", "here", "hers", "him", "his", "it", "its", "ones", "same", "she", "such", "that", "their", "theirs",
    "them", "there", "these", "they", "this", "those",
];

/// Beginnings of what goes on with something said before.
const BEGINNINGS: &[&str] = &["and", "any", "but", "how about", "or", "so", "then", "what about", "what if"];

/// Most content words of a question that is too short to say what it is about: "How do I apply?"
const FEW_WORDS: usize = 2;

/// Whether a question refers to something that it does not name. English, as the stop words are: of questions in other
/// languages only the shortest do.
fn leaves_something_out(question: &str) -> bool {
    let words: Vec<_> = words(question).map(|word| word.form).collect();
    let refers = words.iter().any(|word| PRONOUNS.binary_search(&&**word).is_ok());
    let goes_on = BEGINNINGS.iter().any(|beginning| {
        let (mut beginning, mut words) = (beginning.split(' '), words.iter());
        beginning.all(|word| words.next().is_some_and(|first| *first == word))
    });
    refers || goes_on || content_words(question).len() <= FEW_WORDS
}

/// The words of a text that carry meaning, each once, as they are spelt.
fn naming(text: &str) -> String {
    let mut seen = crate::language::Words::default();
    let words = text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let telling =
        words.filter(|word| content_words(word).into_iter().filter(|stem| seen.insert(stem.clone())).count() > 0);
    telling.collect::<Vec<_>>().join(" ")
}

/// An answer without its citation markers, `[1]` or `[2, 3]`.
fn without_markers(answer: &str) -> String {
    let mut plain = String::with_capacity(answer.len());
    let mut rest = answer;
    while let Some(open) = rest.find('[') {
        let inside = rest[open + 1..].find(']').map(|length| &rest[open + 1..open + 1 + length]);
        let marker = inside.filter(|text| text.chars().all(|c| c.is_ascii_digit() || ", ".contains(c)));
        match marker {
            Some(numbers) => {
                plain.push_str(rest[..open].trim_end());
                rest = &rest[open + numbers.len() + 2..];
            }
            None => {
                plain.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(said: &[(Role, &str)]) -> Vec<Turn> {
        said.iter().map(|(role, content)| Turn { role: *role, content: (*content).to_owned() }).collect()
    }

    #[test]
    fn a_question_that_refers_to_what_was_said_gets_its_topic() {
        let history = turns(&[
            (Role::User, "Which tank does pump Sarvok feed?"),
            (Role::Assistant, "Pump Sarvok feeds its own tank [1]."),
        ]);
        let asked = Standalone::of("And how often is its filter cleaned?", &history);
        assert_eq!(asked.text, "And how often is its filter cleaned? (tank pump Sarvok feed)");
        assert_eq!(asked.talk, "Which tank does pump Sarvok feed? Pump Sarvok feeds its own tank.");
    }

    #[test]
    fn a_question_that_names_its_subject_stays_as_it_is() {
        let history = turns(&[(Role::User, "Which tank does pump Sarvok feed?")]);
        let question = "How often is the filter of pump Jorvin cleaned?";
        let asked = Standalone::of(question, &history);
        assert_eq!((asked.text.as_str(), asked.leaves_out, asked.goes_on), (question, false, true));
        assert!(!Standalone::of("Who wrote the first edition of Hamlet?", &history).goes_on);
    }

    #[test]
    fn without_history_there_is_nothing_to_add() {
        let asked = Standalone::of("Why is it so?", &[]);
        assert_eq!((asked.text.as_str(), asked.talk.as_str()), ("Why is it so?", ""));
    }

    #[test]
    fn what_leaves_something_out_is_known_by_its_words() {
        assert!(PRONOUNS.is_sorted() && BEGINNINGS.is_sorted());
        for part in ["What about Hebrew?", "Any cures for it?", "carthage?", "How do I apply?", "When did they begin?"]
        {
            assert!(leaves_something_out(part), "{part}");
        }
        for whole in ["Where do guinea pigs sleep in the wild?", "What is the charge for a VPC cluster in Dallas?"] {
            assert!(!leaves_something_out(whole), "{whole}");
        }
    }

    #[test]
    fn the_topic_goes_back_to_the_question_that_names_it() {
        let history = turns(&[
            (Role::User, "What is sold in the canteen?"),
            (Role::Assistant, "Soup."),
            (Role::User, "When is an asthma attack severe in adults?"),
            (Role::Assistant, "When peak flow is 33% to 50% [1]."),
            (Role::User, "And moderate?"),
            (Role::Assistant, "When it is above 50% [1, 2]. See [3-5] mmol."),
        ]);
        let asked = Standalone::of("And life-threatening?", &history);
        assert_eq!(asked.text, "And life-threatening? (moderate asthma attack severe adults)");
        let talk = asked.talk;
        assert!(talk.ends_with("When it is above 50%. See [3-5] mmol.") && !talk.contains("canteen"), "{talk}");
    }
}
