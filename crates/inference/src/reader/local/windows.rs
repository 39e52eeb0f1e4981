//! The model's input: the question with a part of a passage.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use qanda_core::ModelError;
use qanda_core::ports::Readable;
use tokenizers::Tokenizer;

use super::text::Text;
use crate::bert::Sequence;

/// The question with as much of a passage as the model reads at once.
pub(super) struct Window {
    pub(super) sequence: Sequence,
    /// For each token its side, and whether the other side has it too: 0 and 1 for the question, 2 and 3 for the passage,
    /// the odd ones for tokens of both; 0 for the special ones.
    pub(super) marks: Vec<u8>,
    /// Position of the first token of the passage's text.
    pub(super) first: usize,
    pub(super) text: Arc<Text>,
    /// The text's tokens that are in this window.
    pub(super) part: Range<usize>,
}

impl Window {
    /// Its length.
    pub(super) fn tokens(&self) -> usize {
        self.sequence.ids.len()
    }
}

/// Cuts passages into windows.
pub(super) struct Cutter {
    tokenizer: Arc<Tokenizer>,
    /// `[CLS]` and `[SEP]`.
    special: (u32, u32),
    limits: Limits,
}

/// Most tokens of a window and its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) window: usize,
    pub(super) question: usize,
    /// Tokens that a window shares with the next one.
    pub(super) overlap: usize,
}

/// Windows that are shorter than this hold no question and passage.
const SHORTEST_WINDOW: usize = 32;

/// Headings have no more than this share of a window; of longer ones the end, which is nearest to the text, is read.
const HEADING_SHARE: usize = 8;

impl Cutter {
    /// A cutter for a model with this tokenizer.
    ///
    /// # Errors
    /// When the tokenizer lacks BERT's special tokens, or the limits leave no room for a passage.
    pub(super) fn new(tokenizer: Arc<Tokenizer>, limits: Limits) -> Result<Self, ModelError> {
        let refuse = |what: String| ModelError::failed("reading a reader's tokenizer", what);
        let id = |name: &str| tokenizer.token_to_id(name).ok_or_else(|| refuse(format!("it has no token {name}")));
        let special = (id("[CLS]")?, id("[SEP]")?);
        if limits.window < SHORTEST_WINDOW || limits.question > limits.window / 2 {
            return Err(refuse(format!("windows of {} tokens leave no room for a passage", limits.window)));
        }
        Ok(Self { tokenizer, special, limits })
    }

    /// The windows of each passage, at least one.
    ///
    /// # Errors
    /// When the tokenizer's vocabulary is broken.
    pub(super) fn cut(&self, question: &str, passages: &[Readable]) -> Result<Vec<Vec<Window>>, ModelError> {
        let mut question = self.ids(question)?;
        question.truncate(self.limits.question);
        passages.iter().map(|passage| self.windows(&question, passage)).collect()
    }

    fn windows(&self, question: &[u32], passage: &Readable) -> Result<Vec<Window>, ModelError> {
        let mut heading =
            if passage.heading.is_empty() { Vec::new() } else { self.ids(&format!("{}:", passage.heading))? };
        let surplus = heading.len().saturating_sub(self.limits.window / HEADING_SHARE);
        heading.drain(..surplus);
        let text = Arc::new(Text::new(&self.tokenizer, &passage.text)?);
        let room = self.limits.window - question.len() - heading.len() - 3;
        let parts = parts(text.ids.len(), room, self.limits.overlap.min(room / 2));
        Ok(parts.into_iter().map(|part| self.window(question, &heading, &text, part)).collect())
    }

    fn window(&self, question: &[u32], heading: &[u32], text: &Arc<Text>, part: Range<usize>) -> Window {
        let (cls, sep) = self.special;
        let passage = [heading, &text.ids[part.clone()]].concat();
        let ids = [&[cls], question, &[sep], &passage, &[sep]].concat();
        let both = |side: &[u32], other: &[u32], mark: u8| -> Vec<u8> {
            let other: HashSet<&u32> = other.iter().collect();
            side.iter().map(|id| mark + u8::from(other.contains(id))).collect()
        };
        let marks = [&[0], &*both(question, &passage, 0), &[0], &both(&passage, question, 2), &[0]].concat();
        let second = question.len() + 2;
        Window {
            sequence: Sequence { ids, second },
            marks,
            first: second + heading.len(),
            text: Arc::clone(text),
            part,
        }
    }

    fn ids(&self, text: &str) -> Result<Vec<u32>, ModelError> {
        let encoding = self.tokenizer.encode_fast(text, false);
        Ok(encoding.map_err(|cause| ModelError::failed("tokenising a question", cause))?.get_ids().to_vec())
    }
}

/// Parts of up to `room` of `length` tokens, each of which shares `overlap` with the next.
fn parts(length: usize, room: usize, overlap: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut begin = 0;
    loop {
        let end = length.min(begin + room);
        parts.push(begin..end);
        if end == length {
            return parts;
        }
        begin += room - overlap;
    }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn parts_cover_everything_and_overlap() {
        assert_eq!(parts(0, 10, 4), vec![0..0; 1]);
        assert_eq!(parts(10, 10, 4), vec![0..10; 1]);
        assert_eq!(parts(11, 10, 4), [0..10, 6..11]);
        assert_eq!(parts(25, 10, 4), [0..10, 6..16, 12..22, 18..25]);
    }
}
