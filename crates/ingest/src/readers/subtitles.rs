//! Subtitles: WebVTT and SubRip. What is said goes into paragraphs, each behind the time at which it begins.

use std::path::Path;

use super::writer::Page;
use super::{Extracted, Reader};
use crate::{ReadError, decode::decode};

/// Silence that begins a paragraph, in seconds.
const SILENCE: f64 = 3.0;

/// Characters of a paragraph from which on the end of a sentence ends it.
const LONG: usize = 400;

pub(super) struct Subtitles;

impl Reader for Subtitles {
    fn endings(&self) -> &'static [&'static str] {
        &["vtt", "srt"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["text/vtt", "application/x-subrip"]
    }

    fn version(&self) -> u32 {
        1
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Extracted, ReadError> {
        let text = decode(bytes)?;
        let mut page = Page::default();
        let mut said = String::new();
        let (mut begun, mut ended) = (0.0, 0.0);
        for Cue { start, end, words } in cues(&text) {
            let pause = start - ended > SILENCE || (said.len() > LONG && said.ends_with(['.', '!', '?', '…', '。']));
            if pause && !said.is_empty() {
                page.paragraph(&format!("[{}] {said}", clock(begun)));
                said.clear();
            }
            if said.is_empty() {
                begun = start;
            } else if !words.is_empty() {
                said.push(' ');
            }
            // Live captions say the last line again below the next.
            if !said.trim_end().ends_with(&words) {
                said.push_str(&words);
            }
            ended = end;
        }
        if !said.trim().is_empty() {
            page.paragraph(&format!("[{}] {}", clock(begun), said.trim()));
        }
        if page.text.is_empty() {
            return Err(ReadError::NoText);
        }
        Ok(page.finish(None))
    }
}

/// What is said between two moments, in seconds.
struct Cue {
    start: f64,
    end: f64,
    words: String,
}

fn cues(text: &str) -> Vec<Cue> {
    let mut cues: Vec<Cue> = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some((start, end)) = times(line) {
            cues.push(Cue { start, end, words: String::new() });
            inside = true;
        } else if line.is_empty() {
            inside = false;
        } else if let Some(cue) = cues.last_mut().filter(|_| inside) {
            let words = without_tags(line);
            if !cue.words.is_empty() {
                cue.words.push(' ');
            }
            cue.words.push_str(words.trim());
        }
    }
    cues
}

/// Start and end of a cue: `00:01:02.500 --> 00:01:04.000 align:start`.
fn times(line: &str) -> Option<(f64, f64)> {
    let (start, rest) = line.split_once("-->")?;
    Some((seconds(start)?, seconds(rest.split_whitespace().next()?)?))
}

fn seconds(time: &str) -> Option<f64> {
    time.trim().replace(',', ".").split(':').try_fold(0.0, |all, part| Some(all * 60.0 + part.parse::<f64>().ok()?))
}

fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// Words without marks of style; `<v Ann>` names who speaks.
fn without_tags(line: &str) -> String {
    let mut words = String::new();
    let mut rest = line;
    while let Some((before, tag)) = rest.split_once('<') {
        words.push_str(before);
        let Some((tag, after)) = tag.split_once('>') else { break };
        if let Some(speaker) = tag.strip_prefix("v ") {
            words.push_str(speaker.trim());
            words.push_str(": ");
        }
        rest = after;
    }
    words.push_str(rest);
    // Places of lines, as SubRip has them from another format: `{\an8}`.
    while let Some(at) = words.find("{\\") {
        let Some(end) = words[at..].find('}') else { break };
        words.replace_range(at..=at + end, "");
    }
    words.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(file: &str) -> String {
        Subtitles.read(file.as_bytes(), Path::new("a.vtt")).unwrap().text
    }

    #[test]
    fn what_is_said_becomes_paragraphs_with_their_times() {
        let file = "WEBVTT - Title\n\nNOTE a remark\n\n1\n00:00:01.000 --> 00:00:02.500 align:start\n<v Ann>Open the\n<i>valve</i> &amp; wait.\n\n\
                    00:00:02.500 --> 00:00:04.000\nThen close it.\n\n00:01:10.000 --> 00:01:12.000\nDone.\n";
        assert_eq!(text(file), "[00:00:01] Ann: Open the valve & wait. Then close it.\n\n[00:01:10] Done.");
        assert_eq!(
            text("1\r\n00:00:01,000 --> 00:00:02,500\r\nOne.\r\n\r\n2\r\n01:00:00,000 --> 01:00:01,000\r\nTwo.\r\n"),
            "[00:00:01] One.\n\n[01:00:00] Two."
        );
    }

    #[test]
    fn marks_of_style_are_no_words() {
        let file = "1\n00:00:01,000 --> 00:00:02,500\n{\\an8}<font color=red>Open</font> the {\\i1}valve{\\i0}.\n";
        assert_eq!(text(file), "[00:00:01] Open the valve.");
        assert_eq!(text("1\n00:00:01,000 --> 00:00:02,500\nA {set} and {\\open"), "[00:00:01] A {set} and {\\open");
    }

    #[test]
    fn a_file_without_words_is_refused() {
        assert_eq!(Subtitles.read(b"WEBVTT\n", Path::new("a.vtt")).unwrap_err().to_string(), "no text in it");
    }
}
