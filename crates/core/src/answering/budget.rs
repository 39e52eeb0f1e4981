//! Tokens of a model's window: one account for every prompt.

use super::prompt::Generation;
use crate::ports::LanguageModel;
use crate::{AnswerError, Question};

/// Tokens of chat markup around the instructions and the question.
const MARKUP: usize = 48;
/// Tokens of chat markup around each earlier turn.
const TURN_MARKUP: usize = 8;
/// Fewest tokens that have to be left for passages: with less they would say nothing.
const LEAST_FOR_PASSAGES: usize = 64;

/// Tokens that are left in a prompt for what a question is answered from.
pub(super) struct Budget<'a> {
    model: &'a dyn LanguageModel,
    left: usize,
}

impl<'a> Budget<'a> {
    /// The budget of a prompt in which passages follow the instructions and the earlier turns.
    ///
    /// # Errors
    /// [`AnswerError::NoRoom`], [`AnswerError::QuestionTooLong`] or [`AnswerError::HistoryTooLong`], whichever leaves
    /// no room.
    pub(super) fn over_passages(
        model: &'a dyn LanguageModel,
        generation: Generation,
        instructions: &str,
        question: &Question,
    ) -> Result<Self, AnswerError> {
        Self::leaving(LEAST_FOR_PASSAGES, model, generation, instructions, question)
    }

    /// Checks that a prompt without passages fits.
    ///
    /// # Errors
    /// As for [`Budget::over_passages`].
    pub(super) fn check_without_passages(
        model: &'a dyn LanguageModel,
        generation: Generation,
        instructions: &str,
        question: &Question,
    ) -> Result<(), AnswerError> {
        Self::leaving(0, model, generation, instructions, question).map(drop)
    }

    fn leaving(
        least: usize,
        model: &'a dyn LanguageModel,
        generation: Generation,
        instructions: &str,
        question: &Question,
    ) -> Result<Self, AnswerError> {
        let window = model.context_window();
        // A limit of tokens that is larger than half of the window is not reached anyway.
        let answer = generation.max_tokens.min(window / 2);
        let instructions = model.count_tokens(instructions);
        let markup = MARKUP + TURN_MARKUP * question.history.len();
        let room = window.saturating_sub(answer + instructions + MARKUP + least);
        if room == 0 {
            return Err(AnswerError::NoRoom { window, instructions, answer });
        }
        let asked = model.count_tokens(&question.content);
        if asked > room {
            return Err(AnswerError::QuestionTooLong { tokens: asked, limit: room });
        }
        let limit = room - asked;
        let said = question.history.iter().map(|turn| &turn.content).chain([&question.instructions]);
        let said: usize = said.map(|words| model.count_tokens(words)).sum();
        let tokens = said + markup - MARKUP;
        if tokens > limit {
            return Err(AnswerError::HistoryTooLong { tokens, limit });
        }
        Ok(Self { model, left: limit - tokens + least })
    }

    /// Tokens that are left.
    pub(super) const fn left(&self) -> usize {
        self.left
    }

    /// Spends the tokens of a text; false, and nothing is spent, where it does not fit.
    pub(super) fn spend(&mut self, text: &str) -> bool {
        let tokens = self.model.count_tokens(text);
        let fits = tokens <= self.left;
        if fits {
            self.left -= tokens;
        }
        fits
    }

    /// The longest start of a text that fits, cut between characters; a little less where that is quicker found.
    pub(super) fn start_that_fits<'t>(&self, text: &'t str) -> &'t str {
        let mut start = text;
        while !start.is_empty() {
            let tokens = self.model.count_tokens(start);
            if tokens <= self.left {
                break;
            }
            // The next guess: the same rate of bytes a token, and at least a tenth less.
            let bytes = (start.len() * self.left / tokens).min(start.len() * 9 / 10);
            start = &start[..start.floor_char_boundary(bytes)];
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use super::super::fakes::Scripted;
    use super::*;
    use crate::question::{Role, Turn};
    use crate::verification::Grounding;

    const GENERATION: Generation = Generation {
        context_tokens: 512,
        grounding: Grounding::Marked,
        min_confidence: 0.0,
        max_tokens: 256,
        temperature: 0.0,
    };

    fn model(window: usize) -> Scripted {
        Scripted { window, ..Scripted::new(vec![]) }
    }

    fn words(count: usize) -> String {
        "word ".repeat(count)
    }

    #[test]
    fn a_question_that_fits_leaves_the_rest() {
        let model = model(1024);
        let mut budget =
            Budget::over_passages(&model, GENERATION, "Answer it", &Question::new(words(10))).expect("fits");
        let left = 1024 - 256 - 2 - MARKUP - 10;
        assert_eq!(budget.left(), left);
        assert!(budget.spend(&words(left - 1)) && !budget.spend("two words") && budget.spend("one"));
        assert_eq!(budget.left(), 0);
    }

    #[test]
    fn whichever_leaves_no_room_is_named() {
        let (small, large) = (model(360), model(1024));
        let long = Question::new(words(1000));
        let talkative =
            Question { history: vec![Turn { role: Role::User, content: words(700) }], ..Question::new("Why?") };
        let of = |model: &Scripted, question: &Question, instructions: &str| {
            Budget::over_passages(model, GENERATION, instructions, question).map(drop)
        };
        assert!(matches!(of(&large, &long, "Answer"), Err(AnswerError::QuestionTooLong { tokens: 1000, limit: 655 })));
        assert!(matches!(
            of(&large, &talkative, "Answer"),
            Err(AnswerError::HistoryTooLong { tokens: 708, limit: 654 })
        ));
        let none = of(&small, &Question::new("Why?"), &words(200));
        assert!(matches!(none, Err(AnswerError::NoRoom { window: 360, instructions: 200, answer: 180 })), "{none:?}");
    }

    #[test]
    fn without_passages_more_fits() {
        let model = model(1024);
        let question = Question::new(words(1024 - 256 - 1 - MARKUP));
        assert!(Budget::over_passages(&model, GENERATION, "Answer", &question).is_err());
        assert!(Budget::check_without_passages(&model, GENERATION, "Answer", &question).is_ok());
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_between_characters() {
        let model = model(420);
        let budget = Budget::over_passages(&model, GENERATION, "Answer", &Question::new("Why?")).expect("fits");
        let text = "größe µm ".repeat(400);
        let cut = budget.start_that_fits(&text);
        let tokens = model.count_tokens(cut);
        assert!(tokens <= budget.left() && tokens > budget.left() / 2, "{tokens} of {}", budget.left());
        assert_eq!(budget.start_that_fits("short"), "short");
    }
}
