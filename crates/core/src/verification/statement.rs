//! The statement under way, with the markers that the model put into it.

/// A statement of an answer while it is being written.
#[derive(Debug, Default)]
pub(super) struct Statement {
    /// Its first byte in the answer's text.
    pub(super) start: usize,
    /// Its words, without markers.
    pub(super) words: String,
    /// The model's markers, in their order.
    pub(super) markers: Vec<Placed>,
}

/// Markers at one place. They are put into the text once the statement is complete and verified.
#[derive(Debug)]
pub(super) struct Placed {
    /// Where they belong, in bytes of the answer's text.
    pub(super) at: usize,
    /// White space before them.
    pub(super) space: String,
    /// The passages that they name, by index; none where they named others only.
    pub(super) passages: Vec<usize>,
}

impl Statement {
    /// Whether nothing was said so far.
    pub(super) fn is_empty(&self) -> bool {
        self.words.trim().is_empty()
    }

    /// Adds markers at the end of the text so far, each passage once.
    pub(super) fn mark(&mut self, at: usize, space: String, numbers: &[usize]) {
        let mut passages = Vec::new();
        for index in numbers.iter().map(|number| number - 1) {
            if !passages.contains(&index) && !self.markers.iter().any(|placed| placed.passages.contains(&index)) {
                passages.push(index);
            }
        }
        match self.markers.last_mut() {
            // `[1][2]` is written like `[1, 2]`.
            Some(last) if last.at == at && space.is_empty() => last.passages.extend(passages),
            _ => self.markers.push(Placed { at, space, passages }),
        }
    }

    /// Whether the text so far ends in markers.
    pub(super) fn ends_in_markers(&self, text: &str) -> bool {
        self.markers.last().is_some_and(|placed| placed.at == text.len())
    }

    /// Whether the model cited anything for it.
    pub(super) fn is_marked(&self) -> bool {
        self.markers.iter().any(|placed| !placed.passages.is_empty())
    }
}

impl Placed {
    /// What stands in the text for these markers. The white space before them goes with them, but a line break belongs
    /// to the text.
    pub(super) fn written(&self, passages: &[usize]) -> String {
        if passages.is_empty() {
            return if self.space.contains('\n') { self.space.clone() } else { String::new() };
        }
        let markers: String = passages.iter().map(|index| format!("[{}]", index + 1)).collect();
        format!("{}{markers}", self.space)
    }
}
