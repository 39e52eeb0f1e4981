//! Characters from tokens: a token may end in the middle of one.

/// Joins bytes to whole characters.
#[derive(Debug, Default)]
pub(super) struct Utf8Joiner {
    pending: Vec<u8>,
}

impl Utf8Joiner {
    /// Takes bytes and returns the characters that are complete now. Bytes that can never become a character are
    /// replaced by U+FFFD.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::new();
        loop {
            match std::str::from_utf8(&self.pending) {
                Ok(valid) => {
                    text.push_str(valid);
                    self.pending.clear();
                    return text;
                }
                Err(error) => {
                    let (valid, rest) = self.pending.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    let Some(broken) = error.error_len() else {
                        self.pending = rest.to_vec();
                        return text;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    self.pending = rest[broken..].to_vec();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Utf8Joiner;

    #[test]
    fn joins_characters_cut_in_two_and_replaces_broken_ones() {
        let mut joiner = Utf8Joiner::default();
        let bytes = "5 µm 😀".as_bytes();
        let text: String = bytes.chunks(1).map(|byte| joiner.push(byte)).collect();
        assert_eq!(text, "5 µm 😀");
        assert_eq!(joiner.push(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(joiner.push(b"\xe2\x82"), "");
    }
}
