//! Long questions: the question itself, and the text that was pasted beside it.
//!
//! An embedder reads the start of a text and ignores the rest (256 tokens for MiniLM), and a vector of a whole page is
//! near to everything that the page touches. So the question is looked for in what was sent, and the rest is cut into
//! parts that an embedder can read whole.

use crate::document::Span;
use crate::language::{Words, content_words, sentences};

/// Longest text that is searched in one piece, in bytes. Some 200 tokens of English and 250 of scripts that have a
/// token for a character: what the embedders with the shortest windows read.
const LONGEST_PIECE: usize = 800;

/// Longest sentence that is taken as one, in bytes.
const LONGEST_SENTENCE: usize = 300;

/// Sentences at either end among which the question is looked for.
const FROM_THE_END: usize = 3;

/// Most parts of the text beside a question that are searched.
const MOST_PARTS: usize = 3;

/// A question taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TakenApart {
    /// The question itself.
    pub(crate) own: String,
    /// Parts of the text beside it that say most about the question's words, in their order.
    pub(crate) parts: Vec<String>,
}

impl TakenApart {
    /// Takes a question apart if it is long; a short one is its own question as it is.
    pub(crate) fn of(question: &str) -> Self {
        let whole = || Self { own: question.to_owned(), parts: Vec::new() };
        if question.len() <= LONGEST_PIECE {
            return whole();
        }
        let sentences = statements(question);
        if sentences.is_empty() {
            return whole();
        }
        let own = own_question(question, &sentences);
        let is_own = |at: &usize| own.contains(at);
        let rest: Vec<Span> = (0..sentences.len()).filter(|at| !is_own(at)).map(|at| sentences[at]).collect();
        let own: Vec<&str> = own.iter().map(|at| text_of(question, sentences[*at])).collect();
        let own = own.join(" ");
        let parts = telling(&content_words(&own), pieces(question, &rest));
        Self { own, parts }
    }
}

/// Sentences; long ones by their lines, for a log has lines and no full stops.
fn statements(text: &str) -> Vec<Span> {
    let lines = |sentence: Span| {
        let mut start = sentence.start;
        text_of(text, sentence).split('\n').map(move |line| {
            let span = Span::new(start, start + line.trim_end().len());
            start += line.len() + 1;
            span
        })
    };
    let parted = |sentence: Span| match sentence.len() {
        0..=LONGEST_SENTENCE => vec![sentence],
        _ => lines(sentence).filter(|line| !line.is_empty()).collect(),
    };
    sentences(text).into_iter().flat_map(parted).collect()
}

fn text_of(text: &str, span: Span) -> &str {
    &text[span.start..span.end]
}

/// The sentences that ask, as numbers of `sentences`. People ask before or after what they paste, so a question in the
/// middle, as a page of frequent questions has them, counts only where there is none at either end. Where nothing
/// asks, the last sentence and the first one do: one of them says what is wanted.
fn own_question(text: &str, sentences: &[Span]) -> Vec<usize> {
    let last = sentences.len() - 1;
    let asks = |at: &usize| is_question(text_of(text, sentences[*at]));
    let below =
        (0..=last).rev().take(FROM_THE_END).take_while(|at| is_same_block(text, sentences, *at, last)).filter(asks);
    let above = (0..=last).take(FROM_THE_END).take_while(|at| is_same_block(text, sentences, 0, *at)).filter(asks);
    let mut found: Vec<usize> = below.chain(above).collect();
    if found.is_empty() {
        found.extend((0..=last).rev().find(asks));
    }
    if found.is_empty() {
        found = vec![last, 0];
    }
    let mut room = LONGEST_PIECE;
    // The question below is the one that was asked in sight of the text.
    found.retain(|at| {
        let length = sentences[*at].len();
        let fits = length <= room;
        room -= if fits { length } else { 0 };
        fits
    });
    found.sort_unstable();
    found.dedup();
    if found.is_empty() { vec![last] } else { found }
}

/// Whether no blank line stands between two sentences.
fn is_same_block(text: &str, sentences: &[Span], from: usize, to: usize) -> bool {
    (from..to).all(|at| {
        let between = &text[sentences[at].end..sentences[at + 1].start];
        between.bytes().filter(|byte| *byte == b'\n').count() < 2
    })
}

/// First words of questions and requests that people end with a full stop, or with nothing. In alphabetical order.
const ASKING: &[&str] = &[
    "are",
    "can",
    "could",
    "describe",
    "did",
    "do",
    "does",
    "explain",
    "give",
    "how",
    "is",
    "list",
    "name",
    "please",
    "should",
    "show",
    "summarise",
    "summarize",
    "tell",
    "was",
    "were",
    "what",
    "when",
    "where",
    "which",
    "who",
    "why",
    "will",
    "would",
];

fn is_question(sentence: &str) -> bool {
    let ends = sentence.trim_end_matches(|c: char| "\"'”’»)]*_".contains(c)).ends_with(['?', '？', '؟']);
    let first = sentence.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or_default();
    ends || ASKING.binary_search(&first.to_lowercase().as_str()).is_ok()
}

/// Neighbouring sentences in pieces that are read whole. What is longer by itself is cut.
fn pieces(text: &str, sentences: &[Span]) -> Vec<String> {
    let mut pieces: Vec<Span> = Vec::new();
    for sentence in sentences {
        match pieces.last_mut() {
            Some(piece) if sentence.end - piece.start <= LONGEST_PIECE => *piece = piece.cover(*sentence),
            _ => pieces.push(*sentence),
        }
    }
    let cut = |piece: Span| {
        let end = text.floor_char_boundary(piece.end.min(piece.start + LONGEST_PIECE));
        text[piece.start..end].to_owned()
    };
    pieces.into_iter().map(cut).collect()
}

/// The pieces that share most words with the question, the first of equals, in their order.
fn telling(asked: &Words, pieces: Vec<String>) -> Vec<String> {
    let shared = |piece: &String| content_words(piece).intersection(asked).count();
    let mut ranked: Vec<(usize, usize, String)> =
        pieces.into_iter().enumerate().map(|(at, piece)| (shared(&piece), at, piece)).collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    ranked.truncate(MOST_PARTS);
    ranked.sort_by_key(|(_, at, _)| *at);
    ranked.into_iter().map(|(.., piece)| piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page without questions about something else than tanks.
    fn page(sentences: usize) -> String {
        (0..sentences).map(|n| format!("Pump number {n} was painted green by the crew of the night shift. ")).collect()
    }

    #[test]
    fn a_short_question_stays_whole() {
        let question = "The alarm is on. What now?";
        assert_eq!(TakenApart::of(question), TakenApart { own: question.to_owned(), parts: Vec::new() });
    }

    #[test]
    fn the_question_below_a_page_is_found_and_the_page_cut() {
        let question = format!("{}\n\nThanks for reading. Which tank does pump Sarvok feed?", page(60));
        let found = TakenApart::of(&question);
        assert_eq!(found.own, "Which tank does pump Sarvok feed?");
        assert_eq!(found.parts.len(), MOST_PARTS);
        assert!(found.parts.iter().all(|part| part.len() <= LONGEST_PIECE && question.contains(part.as_str())));
    }

    #[test]
    fn the_question_above_a_page_is_found_though_the_page_asks_as_well() {
        let page = format!("{}Is the paint dry? It is. {}", page(10), page(10));
        let found = TakenApart::of(&format!("Which tank does pump Sarvok feed? Here is the page:\n\n{page}"));
        assert_eq!(found.own, "Which tank does pump Sarvok feed?");
    }

    #[test]
    fn a_request_without_a_question_mark_is_one() {
        assert!(ASKING.is_sorted());
        let found = TakenApart::of(&format!("{}\n\nplease tell me which tank pump Sarvok feeds", page(30)));
        assert_eq!(found.own, "please tell me which tank pump Sarvok feeds");
    }

    #[test]
    fn the_question_below_a_log_is_found() {
        let log: String = (0..60).map(|n| format!("12:{n:02} pump {n} started with code E{n}\n")).collect();
        let found = TakenApart::of(&format!("{log}What does code E17 mean?"));
        assert_eq!(found.own, "What does code E17 mean?");
        assert!(found.parts.iter().any(|part| part.contains("E17\n")), "{:?}", found.parts);
    }

    #[test]
    fn where_nothing_asks_the_ends_are_taken() {
        let found = TakenApart::of(&format!("Alarm at tank 7. {} The pump has stopped.", page(30)));
        assert_eq!(found.own, "Alarm at tank 7. The pump has stopped.");
    }

    #[test]
    fn the_parts_nearest_to_the_question_are_searched() {
        let far = format!("{} The seal of pump Sarvok leaks into its tank. {}", page(40), page(5));
        let found = TakenApart::of(&format!("{far}\n\nWhy does the seal of pump Sarvok leak?"));
        assert!(found.parts.iter().any(|part| part.contains("leaks into its tank")), "{:?}", found.parts);
    }

    #[test]
    fn a_run_without_sentences_is_cut() {
        let found = TakenApart::of(&"é".repeat(5_000));
        assert!(!found.own.is_empty() && found.parts.iter().all(|part| part.len() <= LONGEST_PIECE));
    }
}
