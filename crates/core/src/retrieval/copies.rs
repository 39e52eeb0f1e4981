//! Copies: the same file in several folders must not take all places of an answer.

use std::collections::HashSet;

use crate::document::heading_path;
use crate::ports::Hit;

/// Keeps the best of the hits that say the same words under the same title and headings. Equal words under other
/// headings say something else.
pub(crate) fn without_copies(mut hits: Vec<Hit>) -> Vec<Hit> {
    let mut seen = HashSet::new();
    hits.retain(|hit| seen.insert(words(hit)));
    hits
}

/// All that a hit says, whatever its white space.
fn words(hit: &Hit) -> Vec<String> {
    let question = hit.pair.as_ref().map_or("", |pair| &pair.question);
    let context = heading_path(&hit.passage.title, &hit.passage.headings);
    [question, &context, &hit.passage.text].iter().map(|text| super::focus::flat(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metadata, Passage, Span};

    fn hit(document: &str, heading: &str, text: &str) -> Hit {
        let passage = Passage {
            id: document.to_owned().into(),
            document: document.to_owned(),
            title: "Pumps".to_owned(),
            headings: vec![heading.to_owned()],
            text: text.to_owned(),
            span: Span::new(0, text.len()),
            metadata: Metadata::new(),
            pages: None,
        };
        Hit { passage, pair: None, score: 0.0, cosine: None }
    }

    #[test]
    fn each_text_is_kept_once_and_the_same_words_under_another_heading_stay() {
        let hits = vec![
            hit("2025/a.md", "Drainage", "Clean it\nweekly."),
            hit("2026/a.md", "Drainage", "Clean it weekly."),
            hit("2026/a.md", "Dosing", "Clean it weekly."),
        ];
        let kept: Vec<String> = without_copies(hits).into_iter().map(|hit| hit.passage.document).collect();
        assert_eq!(kept, ["2025/a.md", "2026/a.md"]);
    }
}
