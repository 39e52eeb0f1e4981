//! Thoughts in a model's text. Reasoning models write them before the answer, between markers; a server that does not
//! know its model's markers passes them on as text. They must not reach an answer, a search term or the citations.

mod markers;
mod stream;

use qanda_core::ports::Finish;

use self::markers::{Found, Marker, Role, ends_in_opening, first_closing, first_outside, partial};
pub(crate) use self::stream::without_thoughts;

/// Place where a model's text begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Opening {
    /// Not known: the text is held until a marker or its end tells.
    #[default]
    Unknown,
    /// In the answer. Thoughts have markers at both ends.
    Answer,
    /// In a thought, since the chat template wrote the opening marker: only the closing one comes. Some models answer
    /// without a thought then, so that a complete text without any marker is an answer.
    Thought,
}

impl Opening {
    /// The place that a rendered chat template leads to.
    pub(crate) fn after_template(rendered: &str) -> Self {
        if ends_in_opening(rendered) { Self::Thought } else { Self::Answer }
    }
}

/// Reason why a text has no answer in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// It is a thought from start to end.
    OnlyThought,
    /// A thought was passed on as an answer before its closing marker told.
    Leaked,
}

/// Place in a text that a filter has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In text that may be a thought or the answer: see [`Opening`].
    Held,
    Answer,
    /// In JSON. It is what was asked for, without a thought before it, so markers in it are text.
    Json,
    /// Behind an opening marker.
    Thought(&'static Marker),
}

/// Takes the thoughts out of one text as it streams.
#[derive(Debug)]
pub(crate) struct ThoughtFilter {
    opening: Opening,
    place: Place,
    /// The end of what came so far, as long as it may be the start of a marker.
    tail: String,
    /// Text that may turn out to be answer: all of it at [`Place::Held`]; behind an opening marker in the middle of an
    /// answer, what it says with the marker in front.
    held: String,
    /// Last character before the tail.
    last: Option<char>,
    has_answered: bool,
    has_thought: bool,
}

impl ThoughtFilter {
    pub(crate) fn new(opening: Opening) -> Self {
        let place = if opening == Opening::Answer { Place::Answer } else { Place::Held };
        let (tail, held) = (String::new(), String::new());
        Self { opening, place, tail, held, last: None, has_answered: false, has_thought: false }
    }

    /// Whether there was a thought.
    pub(crate) const fn has_thought(&self) -> bool {
        self.has_thought
    }

    /// Place where texts of this model begin, as far as this one tells.
    pub(crate) const fn learnt(&self) -> Opening {
        self.opening
    }

    /// Notes that thoughts come in a field of their own: all text is answer then.
    pub(crate) fn note_thought_apart(&mut self) {
        self.has_thought = true;
        if self.opening == Opening::Unknown && self.held.trim().is_empty() {
            (self.opening, self.place) = (Opening::Answer, Place::Answer);
        }
    }

    /// Takes a piece of text and returns what is certainly answer.
    ///
    /// # Errors
    /// [`NoAnswer::Leaked`] when it turns out that what was returned before was a thought.
    pub(crate) fn push(&mut self, text: &str) -> Result<String, NoAnswer> {
        self.tail.push_str(text);
        let mut answer = String::new();
        if self.is_untouched() && self.opening != Opening::Thought && self.tail.trim_start().starts_with('{') {
            self.place = Place::Json;
        }
        while let Some(found) = self.next_marker() {
            self.pass(found.at, &mut answer);
            let written: String = self.tail.drain(..found.length).collect();
            match found.role {
                Role::Opens => self.open(found.marker, written, &mut answer),
                Role::Closes => self.close()?,
                Role::Trails if self.has_thought => {}
                Role::Trails => self.put(&written, &mut answer),
            }
        }
        let undecided = if self.place == Place::Json { 0 } else { partial(&self.tail) };
        let certain = self.tail.len() - undecided;
        // White space at the start belongs to what follows it, thought or answer.
        if !(self.is_untouched() && self.tail[..certain].trim().is_empty()) {
            self.pass(certain, &mut answer);
        }
        Ok(answer)
    }

    /// The rest of the answer, after the last piece.
    ///
    /// # Errors
    /// [`NoAnswer::OnlyThought`] when there was no answer.
    pub(crate) fn end(&mut self, finish: Finish) -> Result<String, NoAnswer> {
        let mut answer = String::new();
        self.pass(self.tail.len(), &mut answer);
        let is_complete = finish != Finish::Length;
        match self.place {
            Place::Answer | Place::Json => {}
            Place::Held if is_complete || self.opening == Opening::Unknown => {
                answer.push_str(&std::mem::take(&mut self.held));
                self.has_answered |= !answer.trim().is_empty();
                if is_complete && self.opening == Opening::Unknown && self.has_answered {
                    self.opening = Opening::Answer;
                }
            }
            // An opening marker in the middle of an answer that nothing closes was a word of it.
            Place::Thought(_) if is_complete && self.has_answered => answer.push_str(&std::mem::take(&mut self.held)),
            // The limit cut the thought off, or the model never came to the answer.
            Place::Held | Place::Thought(_) => self.has_thought = true,
        }
        if self.has_thought && !self.has_answered { Err(NoAnswer::OnlyThought) } else { Ok(answer) }
    }

    /// Whether nothing but white space has come.
    fn is_untouched(&self) -> bool {
        !self.has_thought && !self.has_answered && self.held.trim().is_empty()
    }

    fn next_marker(&self) -> Option<Found> {
        match self.place {
            Place::Json => None,
            Place::Thought(marker) => first_closing(&self.tail, marker),
            Place::Held | Place::Answer => {
                let at_start = !self.has_answered && self.held.trim().is_empty();
                first_outside(&self.tail, self.last, at_start)
            }
        }
    }

    fn open(&mut self, marker: &'static Marker, written: String, answer: &mut String) {
        if self.place == Place::Held {
            if self.opening == Opening::Thought {
                // Some models repeat the marker that the template wrote.
                return;
            }
            self.opening = Opening::Answer;
            self.place = Place::Answer;
            let before = std::mem::take(&mut self.held);
            self.emit(&before, answer);
        }
        if !self.has_answered {
            answer.clear();
        }
        self.held = written;
        self.place = Place::Thought(marker);
    }

    fn close(&mut self) -> Result<(), NoAnswer> {
        let is_bare = !matches!(self.place, Place::Thought(_));
        let has_leaked = self.place == Place::Answer && self.has_answered && !self.has_thought;
        if is_bare && !self.has_thought {
            self.opening = Opening::Thought;
        }
        self.has_thought = true;
        self.held.clear();
        self.place = Place::Answer;
        if has_leaked { Err(NoAnswer::Leaked) } else { Ok(()) }
    }

    /// Moves the start of the tail to where it belongs.
    fn pass(&mut self, length: usize, answer: &mut String) {
        let text: String = self.tail.drain(..length).collect();
        self.put(&text, answer);
    }

    fn put(&mut self, text: &str, answer: &mut String) {
        self.last = text.chars().next_back().or(self.last);
        match self.place {
            Place::Held => self.held.push_str(text),
            Place::Thought(_) if self.has_answered => self.held.push_str(text),
            Place::Thought(_) => {}
            Place::Answer | Place::Json => self.emit(text, answer),
        }
    }

    /// Adds to the answer, without the white space between a thought and its answer.
    fn emit(&mut self, text: &str, answer: &mut String) {
        let text = if self.has_thought && !self.has_answered { text.trim_start() } else { text };
        self.has_answered |= !text.trim().is_empty();
        answer.push_str(text);
    }
}

#[cfg(test)]
mod tests;
