//! Units of a text that can stand for themselves: a sentence, an item with the sentence that announces its list, a list,
//! a row of a table with the names of its columns.

use std::borrow::Cow;

use crate::Passage;
use crate::document::{Span, is_table_header};
use crate::language::{holding, item_mark, sentences};

/// Part of a passage that is shown as an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Its place in the passage's text, in bytes.
    pub(crate) span: Span,
    /// Its words, with what they cannot be understood without.
    pub(crate) shown: String,
}

/// Longest list that is quoted whole, in bytes with the sentence that announces it.
const LONGEST_LIST: usize = 1_000;
/// Longest quotation, in bytes. A key, a log or a script without spaces may be one "sentence" of any length.
const LONGEST_QUOTATION: usize = 1_200;

/// A text taken apart, for units around words of it.
pub(crate) struct Layout<'t> {
    /// The text without what is struck out in it.
    text: Cow<'t, str>,
    /// Headings above the text, with what a part of a table or a list carries along.
    headings: &'t [String],
    sentences: Vec<Span>,
}

impl<'t> Layout<'t> {
    /// The layout of a passage.
    pub(crate) fn of_passage(passage: &'t Passage) -> Self {
        Self { headings: &passage.headings, ..Self::of(&passage.text) }
    }

    /// The layout of a text that nothing stands above.
    pub(crate) fn of(text: &'t str) -> Self {
        let text = holding(text);
        Self { headings: &[], sentences: sentences(&text), text }
    }

    /// The sentences that the text has.
    pub(crate) fn sentences(&self) -> &[Span] {
        &self.sentences
    }

    fn words(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    /// The unit around words; `whole_list` asks for the list that they stand in.
    pub(crate) fn unit(&self, words: Span, whole_list: bool) -> Unit {
        let touching = |(_, span): &(usize, &Span)| span.start < words.end && words.start < span.end;
        let mut touched = self.sentences.iter().enumerate().filter(touching).map(|(at, _)| at);
        let Some(first) = touched.next() else { return self.plain(words) };
        let last = touched.next_back().unwrap_or(first);
        let span = self.sentences[first].cover(self.sentences[last]);
        if self.words(span).starts_with('|') {
            return self.row(span).unwrap_or_else(|| self.plain(span));
        }
        if self.words(self.sentences[last]).ends_with([':', '：']) {
            return self.plain(self.list_from(self.sentences[first], last + 1));
        }
        let Some(announcement) = self.announcement_of(first) else {
            let unit = if whole_list { self.plain(self.list_around(first).cover(span)) } else { self.plain(span) };
            return match self.carried_announcement(first) {
                Some(announced) => Unit { shown: format!("{announced} … {}", unit.shown), ..unit },
                None => unit,
            };
        };
        let announced = self.sentences[announcement];
        let list = self.list_from(announced, announcement + 1);
        if whole_list && list.end >= span.end {
            return self.plain(list);
        }
        let shown = flat_item(self.words(span));
        let gap = if first == announcement + 1 { " " } else { " … " };
        Unit { span, shown: format!("{}{gap}{shown}", flat_item(self.words(announced))) }
    }

    /// As much of some words as can be quoted, cut at white space where there is any.
    fn plain(&self, span: Span) -> Unit {
        let words = self.words(span);
        let start = &words[..words.floor_char_boundary(LONGEST_QUOTATION)];
        let kept = match start.rfind(char::is_whitespace) {
            Some(end) if start.len() < words.len() => start[..end].trim_end(),
            _ => start,
        };
        Unit { span: Span::new(span.start, span.start + kept.len()), shown: flat_item(kept) }
    }

    /// A sentence with as many items of the list behind it as fit.
    fn list_from(&self, sentence: Span, next: usize) -> Span {
        let items = self.sentences[next..].iter().copied();
        let mut list = sentence;
        let mut in_list = false;
        for span in items {
            in_list |= is_item(self.words(span));
            if !in_list || self.leaves_list(list.end, span) || span.end - sentence.start > LONGEST_LIST {
                break;
            }
            list = list.cover(span);
        }
        list
    }

    /// The list that a sentence stands in, where nothing announces it, from its first item on: as many as fit.
    fn list_around(&self, at: usize) -> Span {
        let goes_on = |index: &usize| !self.leaves_list(self.sentences[index - 1].end, self.sentences[*index]);
        let items = (1..=at).rev().take_while(goes_on).map(|index| index - 1);
        let first = items.filter(|index| is_item(self.words(self.sentences[*index]))).last();
        let is_in_list = is_item(self.words(self.sentences[at])) || first.is_some();
        let first = first.unwrap_or(at);
        if is_in_list { self.list_from(self.sentences[first], first + 1) } else { self.sentences[at] }
    }

    /// Whether words are in the names of a table's columns.
    pub(crate) fn is_header(&self, words: Span) -> bool {
        let line = self.text[..words.start].rfind('\n').map_or(0, |at| at + 1);
        let mut lines = self.text[line..].lines();
        let is_row = lines.next().is_some_and(|row| row.trim_start().starts_with('|'));
        let is_rule = |row: &str| row.contains("--") && row.chars().all(|c| "|-: ".contains(c));
        is_row && lines.next().is_some_and(is_rule)
    }

    /// Whether a sentence stands behind a blank line and begins no item: the list is over.
    fn leaves_list(&self, end: usize, sentence: Span) -> bool {
        !is_item(self.words(sentence)) && self.text[end..sentence.start].matches('\n').count() > 0
    }

    /// The sentence that announces the list in which a sentence stands.
    fn announcement_of(&self, at: usize) -> Option<usize> {
        // The sentence may go on an item that began before it.
        let item = (0..=at).rev().take_while(|index| *index == at || !self.breaks_before(index + 1));
        let item = item.into_iter().find(|index| is_item(self.words(self.sentences[*index])))?;
        let before = (0..item).rev().find(|index| {
            let words = self.words(self.sentences[*index]);
            words.ends_with([':', '：']) && !is_item(words) || self.is_between_paragraphs(*index)
        })?;
        let words = self.words(self.sentences[before]);
        (words.ends_with([':', '：']) && !is_item(words)).then_some(before)
    }

    /// The sentences above the passage that announce a list, for a sentence in the part of it that the passage begins with.
    fn carried_announcement(&self, at: usize) -> Option<String> {
        let announces = |heading: &&String| heading.ends_with([':', '：']);
        let last = self.headings.iter().rev().take_while(announces).count();
        let begins_in_list = self.sentences.first().is_some_and(|span| is_item(self.words(*span)));
        let reaches = || (1..=at).all(|index| !self.leaves_list(self.sentences[index - 1].end, self.sentences[index]));
        let carried = &self.headings[self.headings.len() - last..];
        (last > 0 && begins_in_list && reaches()).then(|| carried.join(" "))
    }

    /// The sentence that another cannot be understood without: the header above a row, the words that announce an item.
    pub(crate) fn needed_by(&self, at: usize) -> Option<usize> {
        let span = self.sentences[at];
        if !self.words(span).starts_with('|') {
            return self.announcement_of(at);
        }
        let block = self.text[..span.start].rfind("\n\n").map_or(0, |at| at + 2);
        (0..at).find(|index| self.sentences[*index].start >= block && self.is_header(self.sentences[*index]))
    }

    /// Whether a line ends before a sentence.
    fn breaks_before(&self, at: usize) -> bool {
        self.text[self.sentences[at - 1].end..self.sentences[at].start].contains('\n')
    }

    /// Whether a sentence is neither an item nor goes one on.
    fn is_between_paragraphs(&self, at: usize) -> bool {
        !is_item(self.words(self.sentences[at])) && (at == 0 || self.breaks_before(at))
    }

    /// A row of a table by its columns. None for the header itself.
    fn row(&self, span: Span) -> Option<Unit> {
        let block = self.text[..span.start].rfind("\n\n").map_or(0, |at| at + 2);
        let above = self.text[block..span.start].find('|').map(|at| block + at);
        let own = above.filter(|at| self.is_header(Span::new(*at, *at + 1)));
        let own = own.and_then(|at| self.text[at..].lines().next());
        let carried = || self.headings.last().filter(|heading| block == 0 && is_table_header(heading));
        let header = own.or_else(|| carried().map(String::as_str))?;
        let names = cells(header);
        let row = self.words(span).lines().next()?;
        let named = cells(row).into_iter().enumerate().filter(|(_, cell)| !cell.is_empty());
        let shown = named.map(|(at, cell)| match names.get(at) {
            Some(name) if !name.is_empty() => format!("{name}: {cell}"),
            _ => cell.to_owned(),
        });
        let shown = shown.collect::<Vec<_>>().join("; ");
        Some(Unit { span: Span::new(span.start, span.start + row.trim_end().len()), shown })
    }
}

/// Cells of a row as Markdown has it, without its marks of emphasis.
fn cells(row: &str) -> Vec<&str> {
    let inner = row.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split('|').map(|cell| cell.trim().trim_matches(['*', '`'])).collect()
}

/// Whether a sentence begins an item of a list.
pub(crate) fn is_item(sentence: &str) -> bool {
    item_mark(sentence).is_some()
}

/// Words without the line breaks of their file and without the bullet of their item.
fn flat_item(words: &str) -> String {
    let bare = if is_item(words) { words.trim_start_matches(['-', '*', '+', '•', ' ']) } else { words };
    super::focus::flat(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit<'t>(text: &'t str, words: &str, whole_list: bool) -> (&'t str, String) {
        let start = text.find(words).expect("it is there");
        let unit = Layout::of(text).unit(Span::new(start, start + words.len()), whole_list);
        (&text[unit.span.start..unit.span.end], unit.shown)
    }

    const LIST: &str = "Read this first. Do it when:\n\n- hands are dirty. Then dry\n  them.\n- hands are\n  wet\n\nThen rest. All is well.";

    #[test]
    fn what_is_struck_out_is_not_shown() {
        let text = "~~Replace it every 90 days.~~ Replace it every ~~60~~ 30 days.";
        let words = text.find("30").expect("it is there");
        let unit = Layout::of(text).unit(Span::new(words, words + 2), false);
        assert_eq!(unit.shown, "Replace it every 30 days.");
        assert_eq!(&text[unit.span.start..unit.span.end], "Replace it every ~~60~~ 30 days.");
    }

    #[test]
    fn a_sentence_stands_for_itself() {
        assert_eq!(unit(LIST, "is well", false), ("All is well.", "All is well.".to_owned()));
        assert_eq!(unit(LIST, "first", true).0, "Read this first.");
        assert_eq!(unit("One is. Two\nare. Three be.", "is. Two", false).1, "One is. Two are.");
    }

    #[test]
    fn an_item_stands_with_the_sentence_that_announces_it() {
        assert_eq!(unit(LIST, "dirty", false), ("- hands are dirty.", "Do it when: hands are dirty.".to_owned()));
        assert_eq!(unit(LIST, "wet", false), ("- hands are\n  wet", "Do it when: … hands are wet".to_owned()));
        assert_eq!(unit(LIST, "them", false).1, "Do it when: … Then dry them.");
    }

    #[test]
    fn a_list_is_quoted_whole_where_it_is_announced_or_asked_for() {
        let whole = "Do it when:\n\n- hands are dirty. Then dry\n  them.\n- hands are\n  wet";
        assert_eq!(unit(LIST, "when", false).0, whole);
        assert_eq!(unit(LIST, "wet", true).0, whole);
        assert_eq!(unit("Rest.\n\n- alone\n- not\n  alone\n\nEnd.", "not", true).0, "- alone\n- not\n  alone");
        assert_eq!(unit("Rest. All is well.", "well", true).0, "All is well.");
    }

    #[test]
    fn a_row_stands_with_the_names_of_its_columns() {
        let table =
            "See below.\n\n| Test | Tube | Cap |\n|---|---|---|\n| Glucose | fluoride | **grey** |\n| INR | | blue |";
        assert_eq!(
            unit(table, "fluoride", false),
            ("| Glucose | fluoride | **grey** |", "Test: Glucose; Tube: fluoride; Cap: grey".to_owned())
        );
        assert_eq!(unit(table, "blue", false).1, "Test: INR; Cap: blue");
        let is_header = |words: &str| {
            let start = table.find(words).expect("it is there");
            Layout::of(table).is_header(Span::new(start, start + words.len()))
        };
        assert!(is_header("Tube") && !is_header("fluoride") && !is_header("below"));
    }

    #[test]
    fn parts_of_tables_and_lists_stand_with_what_they_carry() {
        let part = |heading: &str, text: &str| {
            let headings = ["Store".to_owned(), heading.to_owned()];
            let layout = Layout { headings: &headings, ..Layout::of(text) };
            let at = text.find("here").expect("it is there");
            layout.unit(Span::new(at, at + 4), false).shown
        };
        assert_eq!(part("| Part | Place |", "| W-3 | far |\n| W-4 | here |"), "Part: W-4; Place: here");
        assert_eq!(part("Go on:", "- one\n- look here\n"), "Go on: … look here");
        assert_eq!(part("Go on:", "- one\n\nIt is here."), "It is here.");
        assert_eq!(part("Steps", "- look here\n"), "look here");
    }

    #[test]
    fn a_run_without_end_is_quoted_in_part() {
        let run = "é".repeat(2_000);
        assert_eq!(Layout::of(&run).unit(Span::new(0, 4), false).span, Span::new(0, LONGEST_QUOTATION));
        let text = format!("Night shift {run}");
        assert_eq!(Layout::of(&text).unit(Span::new(0, 5), false).shown, "Night shift");
    }
}
