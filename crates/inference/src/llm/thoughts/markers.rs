//! Markers that models write around their thoughts.

/// A pair of markers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Marker {
    opens: &'static str,
    closes: &'static str,
    /// Whether the opening one counts in the middle of a text as well. Words that documents use may not.
    anywhere: bool,
    /// Markup that ends the answer behind such a thought, where there is any.
    trailer: Option<&'static str>,
}

impl Marker {
    const fn anywhere(opens: &'static str, closes: &'static str) -> Self {
        Self { opens, closes, anywhere: true, trailer: None }
    }

    const fn at_the_start(opens: &'static str, closes: &'static str) -> Self {
        Self { anywhere: false, ..Self::anywhere(opens, closes) }
    }
}

const HARMONY_ANSWER: &str = "<|channel|>final<|message|>";

/// Markers of the models that are known to write any. Letters count in both cases.
static MARKERS: [Marker; 14] = [
    // DeepSeek R1, Qwen, GLM, MiniMax, Nemotron and most that follow them.
    Marker::anywhere("<think>", "</think>"),
    Marker::anywhere("<thinking>", "</thinking>"),
    Marker::at_the_start("<thought>", "</thought>"),
    Marker::at_the_start("<reasoning>", "</reasoning>"),
    // Seed, MiniMax.
    Marker::anywhere("<seed:think>", "</seed:think>"),
    Marker::anywhere("<mm:think>", "</mm:think>"),
    // Magistral.
    Marker::at_the_start("[THINK]", "[/THINK]"),
    // Kimi.
    Marker::anywhere("◁think▷", "◁/think▷"),
    Marker::anywhere("<|begin_of_thought|>", "<|end_of_thought|>"),
    // Command A.
    Marker::anywhere("<|START_THINKING|>", "<|END_THINKING|>"),
    // Gemma.
    Marker::anywhere("<|channel>thought", "<channel|>"),
    Marker::anywhere("<unused94>thought", "<unused95>"),
    // gpt-oss: channels, of which one is the answer.
    Marker { trailer: Some("<|return|>"), ..Marker::anywhere("<|channel|>analysis<|message|>", HARMONY_ANSWER) },
    Marker { trailer: Some("<|return|>"), ..Marker::anywhere("<|channel|>commentary<|message|>", HARMONY_ANSWER) },
];

/// Role of a marker in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Opens,
    Closes,
    Trails,
}

/// A marker in a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) at: usize,
    pub(super) length: usize,
    pub(super) marker: &'static Marker,
    pub(super) role: Role,
}

/// The first marker of a text that is no thought. `before` is the character before the text, and `at_start` says
/// whether only white space came before it.
pub(super) fn first_outside(text: &str, before: Option<char>, at_start: bool) -> Option<Found> {
    let all = MARKERS.iter().flat_map(|marker| {
        let trailer = marker.trailer.map(|trailer| (trailer, Role::Trails));
        [(marker.opens, Role::Opens), (marker.closes, Role::Closes)]
            .into_iter()
            .chain(trailer)
            .map(move |(word, role)| (marker, word, role))
    });
    let found = all.filter_map(|(marker, word, role)| {
        let counts = |at: usize| {
            let is_first = at_start && text[..at].trim().is_empty();
            let is_allowed = role != Role::Opens || marker.anywhere || is_first;
            is_allowed && !is_quote(text[..at].chars().next_back().or(before))
        };
        let at = positions(text, word).find(|at| counts(*at))?;
        Some(Found { at, length: word.len(), marker, role })
    });
    found.min_by_key(|found| found.at)
}

/// The end of a thought.
pub(super) fn first_closing(text: &str, marker: &'static Marker) -> Option<Found> {
    let at = positions(text, marker.closes).next()?;
    Some(Found { at, length: marker.closes.len(), marker, role: Role::Closes })
}

/// Length of the end of a text that may be the start of a marker.
pub(super) fn partial(text: &str) -> usize {
    let words = MARKERS.iter().flat_map(|marker| [Some(marker.opens), Some(marker.closes), marker.trailer]);
    words.flatten().map(|word| partial_of(text, word)).max().unwrap_or(0)
}

fn partial_of(text: &str, word: &str) -> usize {
    let starts = text.char_indices().rev().map(|(at, _)| text.len() - at).take_while(|length| *length < word.len());
    let fits = |length: &usize| {
        let end = &text.as_bytes()[text.len() - length..];
        end.eq_ignore_ascii_case(&word.as_bytes()[..*length])
    };
    starts.filter(fits).max().unwrap_or(0)
}

/// Whether a text ends in a marker that opens a thought.
pub(super) fn ends_in_opening(text: &str) -> bool {
    let text = text.trim_end().as_bytes();
    MARKERS.iter().any(|marker| {
        let word = marker.opens.as_bytes();
        text.len() >= word.len() && text[text.len() - word.len()..].eq_ignore_ascii_case(word)
    })
}

/// Places of a word in a text, letters of both cases alike.
fn positions<'t>(text: &'t str, word: &'static str) -> impl Iterator<Item = usize> + 't {
    let bytes = text.as_bytes().windows(word.len()).enumerate();
    bytes.filter(|(_, window)| window.eq_ignore_ascii_case(word.as_bytes())).map(|(at, _)| at)
}

/// Whether a character makes what follows it a quotation.
fn is_quote(character: Option<char>) -> bool {
    matches!(character, Some('`' | '"' | '\'' | '“' | '‘' | '«' | '„'))
}

#[cfg(test)]
mod tests {
    use super::{Role, ends_in_opening, first_outside, partial};

    #[test]
    fn the_start_of_a_marker_is_seen() {
        for (text, length) in
            [("so <thi", 4), ("a <", 1), ("a </thinkin", 9), ("a < b", 0), ("◁thi", 6), ("x◁", 3), ("", 0)]
        {
            assert_eq!(partial(text), length, "{text}");
        }
    }

    #[test]
    fn markers_count_where_models_write_them() {
        let role = |text: &str| first_outside(text, None, true).map(|found| (found.at, found.role));
        assert_eq!(role("a <THINK>"), Some((2, Role::Opens)));
        assert_eq!(role("  <reasoning>"), Some((2, Role::Opens)));
        assert_eq!(role("a <reasoning>"), None, "a word of a document");
        assert_eq!(role("the tag `<think>` and \"</think>\""), None, "quoted");
        assert_eq!(role("so</think>"), Some((2, Role::Closes)));
        assert_eq!(first_outside("<think>", Some('`'), false).map(|found| found.at), None);
    }

    #[test]
    fn templates_that_open_a_thought_are_known() {
        assert!(ends_in_opening("<|im_start|>assistant\n<think>\n"));
        assert!(!ends_in_opening("<|im_start|>assistant\n<think>\n\n</think>\n\n"));
    }
}
