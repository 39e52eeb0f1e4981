//! Reads a model's JSON answer while it streams, and survives a model that returns prose.

/// Reads `{"answer": "…", "reasoning": "…"}` piece by piece: the answer is passed on as it comes.
///
/// Fences and words around the object are left out. Text in which no object begins is taken as the answer itself.
#[derive(Debug, Default)]
pub(super) struct JsonAnswer {
    state: State,
    /// Everything that came: the answer, if no field of that name is found in it.
    raw: String,
    /// The string being read: a key, or the value of a field that is not wanted.
    text: String,
    key: String,
    reasoning: String,
    /// Objects and lists that are open inside the outer object.
    depth: usize,
    escape: Escape,
    answered: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No object so far.
    #[default]
    Before,
    /// Words, not JSON.
    Prose,
    /// In the object, outside strings.
    Between,
    /// In a string that may be a key.
    Key,
    /// In the value of the last key.
    Value,
    /// Behind the object.
    After,
}

/// An escape sequence under way.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    /// Behind the backslash.
    Started,
    /// Hexadecimal digits so far, and their value; before that the first half of a surrogate pair, or 0.
    Unicode { digits: u32, value: u32, high: u32 },
    /// Behind the first half of a surrogate pair.
    Half(u32),
    /// Behind the backslash after that.
    HalfStarted(u32),
}

/// Words before the object that are waited for, in bytes ("Here is the answer as JSON:").
const LONGEST_PREAMBLE: usize = 80;

impl JsonAnswer {
    /// Takes the next piece and returns what of the answer is in it.
    pub(super) fn push(&mut self, piece: &str) -> String {
        let mut answer = String::new();
        for c in piece.chars() {
            self.raw.push(c);
            self.push_char(c, &mut answer);
        }
        answer
    }

    /// Ends the text; returns what of the answer was held back, and the reasoning.
    pub(super) fn end(self) -> (String, Option<String>) {
        let reasoning = Some(self.reasoning.trim().to_owned()).filter(|words| !words.is_empty());
        // Prose that was too short to be sure, or an object without an answer: better shown than lost.
        let rest = if self.answered { String::new() } else { unfenced(&self.raw).to_owned() };
        (rest, reasoning)
    }

    fn push_char(&mut self, c: char, answer: &mut String) {
        match self.state {
            State::Before if c == '{' => self.state = State::Between,
            State::Before => {
                if !self.raw.trim_start().starts_with('`') && self.raw.len() > LONGEST_PREAMBLE {
                    self.state = State::Prose;
                    self.answered = true;
                    answer.push_str(self.raw.trim_start());
                }
            }
            State::Prose => answer.push(c),
            State::Between => self.between(c),
            State::Key | State::Value => self.in_string(c, answer),
            State::After => {}
        }
    }

    fn between(&mut self, c: char) {
        match c {
            '"' => {
                self.text.clear();
                let value = !self.key.is_empty() || self.depth > 0;
                self.state = if value { State::Value } else { State::Key };
                self.answered |= value && self.depth == 0 && self.key == "answer";
            }
            '{' | '[' => self.depth += 1,
            '}' | ']' if self.depth > 0 => self.depth -= 1,
            '}' => self.state = State::After,
            ',' if self.depth == 0 => self.key.clear(),
            _ => {}
        }
    }

    fn in_string(&mut self, c: char, answer: &mut String) {
        if c == '"' && !matches!(self.escape, Escape::Started | Escape::HalfStarted(_)) {
            self.escape = Escape::None;
            if self.state == State::Key {
                self.key = self.text.to_lowercase();
            }
            self.state = State::Between;
            return;
        }
        let Some(c) = self.unescape(c) else { return };
        match (self.state, self.key.as_str()) {
            (State::Key, _) => self.text.push(c),
            (_, "answer") if self.depth == 0 => answer.push(c),
            (_, "reasoning") if self.depth == 0 => self.reasoning.push(c),
            _ => {}
        }
    }

    /// The character that is complete with `c`, if one is.
    fn unescape(&mut self, c: char) -> Option<char> {
        let (next, done) = match self.escape {
            Escape::None if c == '\\' => (Escape::Started, None),
            Escape::None => (Escape::None, Some(c)),
            Escape::Started if c == 'u' => (Escape::Unicode { digits: 0, value: 0, high: 0 }, None),
            Escape::Started => (Escape::None, Some(simple(c))),
            Escape::Unicode { digits, value, high } => {
                unicode(digits + 1, value * 16 + c.to_digit(16).unwrap_or(0), high)
            }
            Escape::Half(high) if c == '\\' => (Escape::HalfStarted(high), None),
            Escape::HalfStarted(high) if c == 'u' => (Escape::Unicode { digits: 0, value: 0, high }, None),
            // Half a pair is no character.
            Escape::Half(_) => (Escape::None, Some(c)),
            Escape::HalfStarted(_) => (Escape::None, Some(simple(c))),
        };
        self.escape = next;
        done
    }
}

/// The character that a backslash and this letter stand for.
const fn simple(c: char) -> char {
    match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' | 'f' => ' ',
        other => other,
    }
}

fn unicode(digits: u32, value: u32, high: u32) -> (Escape, Option<char>) {
    match (digits, value) {
        (..4, _) => (Escape::Unicode { digits, value, high }, None),
        (_, 0xd800..0xdc00) => (Escape::Half(value), None),
        (_, 0xdc00..0xe000) if high > 0 => {
            (Escape::None, char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (value - 0xdc00)))
        }
        _ => (Escape::None, char::from_u32(value)),
    }
}

/// Text without the fence of a code block around it.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some(inside) = text.strip_prefix("```") else { return text };
    let inside = inside.split_once('\n').map_or(inside, |(_, rest)| rest);
    inside.trim_end().trim_end_matches("```").trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result of a text in pieces of any size: the same for all sizes.
    fn read(text: &str) -> (String, Option<String>) {
        let whole = pieces(text, usize::MAX);
        for size in 1..5 {
            assert_eq!(pieces(text, size), whole, "pieces of {size}");
        }
        whole
    }

    fn pieces(text: &str, size: usize) -> (String, Option<String>) {
        let mut reader = JsonAnswer::default();
        let mut answer = String::new();
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(size.min(characters.len().max(1))) {
            answer.push_str(&reader.push(&piece.iter().collect::<String>()));
        }
        let (rest, reasoning) = reader.end();
        (answer + &rest, reasoning)
    }

    fn both(answer: &str, reasoning: &str) -> (String, Option<String>) {
        (answer.to_owned(), Some(reasoning.to_owned()))
    }

    #[test]
    fn both_fields_are_read_in_any_order_and_spelling() {
        assert_eq!(read(r#"{"answer": "Yes [1].", "reasoning": "It says so."}"#), both("Yes [1].", "It says so."));
        assert_eq!(
            read(r#"{"Reasoning":"Why.","x":{"answer":"no"},"n":[1,"a"],"Answer":"Yes."}"#),
            both("Yes.", "Why.")
        );
    }

    #[test]
    fn escapes_are_characters() {
        let json = r#"{"answer": "a \"b\" \\ c\nd \u00e9 \ud83d\ude00 \/", "reasoning": ""}"#;
        assert_eq!(read(json), ("a \"b\" \\ c\nd é 😀 /".to_owned(), None));
        assert_eq!(read(r#"{"answer": "half \ud83d, \ud83d\n."}"#).0, "half , \n.");
    }

    #[test]
    fn fences_and_words_around_the_object_are_left_out() {
        let json = "Here is the JSON you asked for:\n```json\n{\"answer\": \"Yes.\"}\n```\nI hope this helps.";
        assert_eq!(read(json), ("Yes.".to_owned(), None));
    }

    #[test]
    fn prose_is_the_answer() {
        let long =
            "Adults should drink about two litres of water a day, as the guideline says in its first chapter [1].";
        assert_eq!(read(long), (long.to_owned(), None));
        assert_eq!(read("Two litres."), ("Two litres.".to_owned(), None));
        assert_eq!(read("```\nTwo litres.\n```"), ("Two litres.".to_owned(), None));
        assert_eq!(read(""), (String::new(), None));
    }

    #[test]
    fn what_is_cut_off_is_kept_as_far_as_it_came() {
        assert_eq!(read(r#"{"answer": "Two lit"#).0, "Two lit");
        assert_eq!(read(r#"{"answer": "Yes.", "reasoning": "Bec"#), both("Yes.", "Bec"));
    }

    #[test]
    fn an_empty_answer_is_empty() {
        assert_eq!(read(r#"{"answer": "", "reasoning": "It is not there."}"#), both("", "It is not there."));
    }

    #[test]
    fn an_object_without_an_answer_is_shown_as_it_is() {
        assert_eq!(read(r#"{"result": "Yes."}"#).0, r#"{"result": "Yes."}"#);
    }
}
