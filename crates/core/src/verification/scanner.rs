//! Takes the text of an answer apart as it streams: code, brackets that may be markers, and the rest.

use super::marker::{LONGEST_MARKER, Numbers, is_inside_marker};

/// Part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A character of the text.
    Plain(char),
    /// A character of code, or of the backticks around it.
    Code(char),
    /// A block of code begins or ends here.
    Edge,
    /// A bracket that holds numbers.
    Bracket {
        /// The numbers between the brackets, as they are written.
        inside: String,
        /// What follows, as far as it had to be looked at; it comes again as pieces.
        behind: String,
    },
}

/// Reads a text character by character; the pieces are the same however it is cut. Text is held back only while it
/// may still become something else: a bracket, and a span of code until its end or that of its line.
#[derive(Debug)]
pub(super) struct Scanner {
    /// Passages that the prompt numbered.
    numbered: usize,
    state: State,
    /// Whether the line so far has nothing but white space.
    line_is_blank: bool,
}

#[derive(Debug)]
enum State {
    Text,
    /// Backticks that open something.
    Ticks {
        count: usize,
        at_line_start: bool,
    },
    /// Behind the backticks that opened it, with the number of backticks at its end.
    Span {
        opening: usize,
        text: String,
        run: usize,
    },
    /// In the first line of a block of code.
    Info {
        opening: usize,
        text: String,
    },
    /// In a block of code, with the line so far.
    Block {
        opening: usize,
        line: String,
    },
    Bracket(String),
    Behind {
        inside: String,
        behind: String,
    },
}

/// Backticks that open a block of code at the start of a line.
const FENCE: usize = 3;
/// Longest text behind a bracket that is looked at, in bytes.
const LONGEST_BEHIND: usize = 16;

impl Scanner {
    pub(super) const fn new(numbered: usize) -> Self {
        Self { numbered, state: State::Text, line_is_blank: true }
    }

    /// Takes the next character and adds what is complete with it.
    pub(super) fn push(&mut self, c: char, pieces: &mut Vec<Piece>) {
        match std::mem::replace(&mut self.state, State::Text) {
            State::Text => self.in_text(c, pieces),
            State::Ticks { count, at_line_start } => self.in_ticks(count, at_line_start, c, pieces),
            State::Span { opening, text, run } => self.in_span(opening, text, run, c, pieces),
            State::Info { opening, text } => self.in_info(opening, text, c, pieces),
            State::Block { opening, line } => self.in_block(opening, line, c, pieces),
            State::Bracket(inside) => self.in_bracket(inside, c, pieces),
            State::Behind { inside, behind } => self.behind_bracket(inside, behind, c, pieces),
        }
    }

    /// Ends the text and adds what was held back.
    pub(super) fn end(&mut self, pieces: &mut Vec<Piece>) {
        loop {
            match std::mem::replace(&mut self.state, State::Text) {
                State::Text => return,
                State::Block { .. } => return pieces.push(Piece::Edge),
                State::Ticks { count, .. } => pieces.extend(std::iter::repeat_n(Piece::Plain('`'), count)),
                State::Span { opening, text, run } if run == opening => code(opening, &text, pieces),
                State::Span { opening, text, .. } => self.no_span(opening, &text, pieces),
                State::Info { opening, text } => {
                    pieces.push(Piece::Edge);
                    code(opening, &text, pieces);
                }
                State::Bracket(inside) => pieces.extend(format!("[{inside}").chars().map(Piece::Plain)),
                State::Behind { inside, behind } => self.bracket(inside, behind, pieces),
            }
        }
    }

    fn in_text(&mut self, c: char, pieces: &mut Vec<Piece>) {
        match c {
            '`' => self.state = State::Ticks { count: 1, at_line_start: self.line_is_blank },
            '[' => self.state = State::Bracket(String::new()),
            c => pieces.push(Piece::Plain(c)),
        }
        self.line_is_blank = c == '\n' || (self.line_is_blank && c.is_whitespace());
    }

    fn in_ticks(&mut self, count: usize, at_line_start: bool, c: char, pieces: &mut Vec<Piece>) {
        if c == '`' {
            self.state = State::Ticks { count: count + 1, at_line_start };
        } else if at_line_start && count >= FENCE {
            self.in_info(count, String::new(), c, pieces);
        } else {
            self.in_span(count, String::new(), 0, c, pieces);
        }
    }

    fn in_span(&mut self, opening: usize, mut text: String, run: usize, c: char, pieces: &mut Vec<Piece>) {
        if c != '`' && run == opening {
            code(opening, &text, pieces);
            self.push(c, pieces);
        } else if c == '\n' {
            text.push(c);
            self.no_span(opening, &text, pieces);
        } else {
            text.push(c);
            self.state = State::Span { opening, text, run: if c == '`' { run + 1 } else { 0 } };
        }
    }

    /// Backticks that nothing closes are text.
    fn no_span(&mut self, opening: usize, text: &str, pieces: &mut Vec<Piece>) {
        pieces.extend(std::iter::repeat_n(Piece::Plain('`'), opening));
        text.chars().for_each(|c| self.push(c, pieces));
    }

    fn in_info(&mut self, opening: usize, mut text: String, c: char, pieces: &mut Vec<Piece>) {
        match c {
            // The line goes on behind it, so it is a span.
            '`' => self.in_span(opening, text, 0, c, pieces),
            '\n' => {
                text.push(c);
                pieces.push(Piece::Edge);
                code(opening, &text, pieces);
                self.state = State::Block { opening, line: String::new() };
            }
            c => {
                text.push(c);
                self.state = State::Info { opening, text };
            }
        }
    }

    fn in_block(&mut self, opening: usize, mut line: String, c: char, pieces: &mut Vec<Piece>) {
        let closes = |line: &str| line.len() >= opening && line.bytes().all(|byte| byte == b'`');
        if c == '\n' && closes(line.trim()) {
            pieces.push(Piece::Edge);
            self.line_is_blank = true;
            return self.push(c, pieces);
        }
        pieces.push(Piece::Code(c));
        if c == '\n' {
            line.clear()
        } else {
            line.push(c)
        }
        self.state = State::Block { opening, line };
    }

    fn in_bracket(&mut self, mut inside: String, c: char, pieces: &mut Vec<Piece>) {
        if c == ']' && inside.contains(|c: char| c.is_ascii_digit()) {
            self.state = State::Behind { inside, behind: String::new() };
        } else if is_inside_marker(c) && inside.len() < LONGEST_MARKER {
            inside.push(c);
            self.state = State::Bracket(inside);
        } else {
            pieces.extend(format!("[{inside}").chars().map(Piece::Plain));
            self.push(c, pieces);
        }
    }

    fn behind_bracket(&mut self, inside: String, mut behind: String, c: char, pieces: &mut Vec<Piece>) {
        behind.push(c);
        if self.is_enough(&inside, &behind) {
            self.bracket(inside, behind, pieces);
        } else {
            self.state = State::Behind { inside, behind };
        }
    }

    fn bracket(&mut self, inside: String, behind: String, pieces: &mut Vec<Piece>) {
        pieces.push(Piece::Bracket { inside, behind: behind.clone() });
        behind.chars().for_each(|c| self.push(c, pieces));
    }

    /// Whether what follows a bracket tells what it is. For the number of a passage the next character does (a link
    /// goes on with a parenthesis); what may be a value needs the word that follows, since that may be its unit.
    fn is_enough(&self, inside: &str, behind: &str) -> bool {
        let is_plain = matches!(Numbers::read(inside), Numbers::One(number) if (1..=self.numbered).contains(&number));
        is_plain || behind.contains('\n') || behind.len() >= LONGEST_BEHIND || ends_word(behind.trim_start())
    }
}

/// Whether a word is complete.
fn ends_word(text: &str) -> bool {
    text.chars().next_back().is_some_and(|c| !c.is_alphabetic() && !matches!(c, '%' | '°' | 'µ' | 'μ'))
}

/// Backticks and what stands behind them, as code.
fn code(opening: usize, text: &str, pieces: &mut Vec<Piece>) {
    pieces.extend(std::iter::repeat_n(Piece::Code('`'), opening));
    pieces.extend(text.chars().map(Piece::Code));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plain text as it is, code in guillemets, brackets in braces, edges as bars.
    fn scan(text: &str) -> String {
        let (mut scanner, mut pieces) = (Scanner::new(2), Vec::new());
        text.chars().for_each(|c| scanner.push(c, &mut pieces));
        scanner.end(&mut pieces);
        let shown = pieces.into_iter().map(|piece| match piece {
            Piece::Plain(c) => c.to_string(),
            Piece::Code(c) => format!("«{c}»"),
            Piece::Edge => "|".to_owned(),
            Piece::Bracket { inside, .. } => format!("{{{inside}}}"),
        });
        shown.collect::<String>().replace("»«", "")
    }

    #[test]
    fn code_spans_end_with_as_many_backticks_as_they_begin_with() {
        assert_eq!(scan("a `b[1]` c [1]."), "a «`b[1]`» c {1}.");
        assert_eq!(scan("``b ` [1]`` [2]"), "«``b ` [1]``» {2}");
        assert_eq!(scan("`x`"), "«`x`»");
    }

    #[test]
    fn backticks_that_nothing_closes_are_text() {
        assert_eq!(scan("the ` key [1]\nand `b`"), "the ` key {1}\nand «`b`»");
        assert_eq!(scan("the `` key `[1]` ``` [2]"), "the `` key «`[1]`» ``` {2}");
        assert_eq!(scan("``"), "``");
    }

    #[test]
    fn blocks_of_code_end_at_a_line_of_backticks() {
        assert_eq!(scan("Do:\n```sh\na[1]\n```\nThen [1]"), "Do:\n|«```sh\na[1]\n```»|\nThen {1}");
        assert_eq!(scan("```\na[1] ```\n[2]"), "|«```\na[1] ```\n[2]»|");
        assert_eq!(scan("```a``` [1]"), "«```a```» {1}");
    }

    #[test]
    fn brackets_hold_numbers() {
        assert_eq!(scan("[1] [1, 2] [3-5] [x] [^1] [] [0, 10) [1"), "{1} {1, 2} {3-5} [x] [^1] [] [0, 10) [1");
    }

    #[test]
    fn as_much_of_what_follows_is_looked_at_as_is_needed() {
        let behind = |text: &str| {
            let (mut scanner, mut pieces) = (Scanner::new(2), Vec::new());
            text.chars().for_each(|c| scanner.push(c, &mut pieces));
            scanner.end(&mut pieces);
            pieces.into_iter().find_map(|piece| match piece {
                Piece::Bracket { behind, .. } => Some(behind),
                _ => None,
            })
        };
        assert_eq!(behind("[1] mmol/L is").as_deref(), Some(" "));
        assert_eq!(behind("[3-5] mmol/L is").as_deref(), Some(" mmol/"));
        assert_eq!(behind("[3-5] % is").as_deref(), Some(" % "));
        assert_eq!(behind("[3-5], or").as_deref(), Some(","));
        assert_eq!(behind("[9](a)").as_deref(), Some("("));
        assert_eq!(behind("[9]").as_deref(), Some(""));
    }
}
