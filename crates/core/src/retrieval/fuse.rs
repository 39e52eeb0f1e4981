//! Several searches for one question, made one ranking.

use std::collections::HashMap;

use crate::document::EntryId;
use crate::ports::Hit;

/// Hits of one search.
pub(crate) struct Ranking {
    /// Best first.
    pub(crate) hits: Vec<Hit>,
    pub(crate) weight: f32,
    /// Whether its cosines are ones with what is asked.
    pub(crate) says_it: bool,
}

/// Fuses rankings by the weighted sum of their scores (Bruch, Gai and Ingber, "An Analysis of Fusion Functions for
/// Hybrid Retrieval", 2023); best first, those that were found first among equals. An entry that a ranking does not
/// hold gets its lowest score there: it has at most that. The cosine of a hit is the highest one with what is asked.
pub(crate) fn fuse(mut rankings: Vec<Ranking>) -> Vec<Hit> {
    if rankings.len() == 1 {
        return rankings.pop().map(|ranking| ranking.hits).unwrap_or_default();
    }
    let lowest = |ranking: &Ranking| ranking.hits.last().map_or(0.0, |hit| hit.score);
    let base: f32 = rankings.iter().map(|ranking| ranking.weight * lowest(ranking)).sum();
    let mut places: HashMap<EntryId, usize> = HashMap::new();
    let mut fused: Vec<Hit> = Vec::new();
    for ranking in rankings {
        let last = lowest(&ranking);
        for hit in ranking.hits {
            let gain = ranking.weight * (hit.score - last);
            let cosine = hit.cosine.filter(|_| ranking.says_it);
            match places.get(&hit.passage.id) {
                Some(&place) => {
                    let known = &mut fused[place];
                    known.score += gain;
                    known.cosine = [known.cosine, cosine].into_iter().flatten().reduce(f32::max);
                }
                None => {
                    places.insert(hit.passage.id.clone(), fused.len());
                    fused.push(Hit { score: base + gain, cosine, ..hit });
                }
            }
        }
    }
    fused.sort_by(|a, b| b.score.total_cmp(&a.score));
    fused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metadata, Passage, Span};

    fn ranking(weight: f32, says_it: bool, scores: &[(u64, f32)]) -> Ranking {
        let hit = |(id, score): &(u64, f32)| Hit {
            passage: Passage {
                id: (*id).into(),
                document: String::new(),
                title: String::new(),
                headings: Vec::new(),
                text: String::new(),
                span: Span::new(0, 0),
                metadata: Metadata::new(),
                pages: None,
            },
            pair: None,
            score: *score,
            cosine: Some(*score),
        };
        Ranking { hits: scores.iter().map(hit).collect(), weight, says_it }
    }

    fn order(hits: &[Hit]) -> Vec<&str> {
        hits.iter().map(|hit| hit.passage.id.as_str()).collect()
    }

    #[test]
    fn what_several_searches_find_comes_before_what_one_finds() {
        let first = ranking(0.5, true, &[(1, 0.9), (2, 0.8), (3, 0.1)]);
        let second = ranking(0.5, true, &[(4, 0.9), (2, 0.85), (5, 0.3)]);
        let fused = fuse(vec![first, second]);
        assert_eq!(order(&fused), ["2", "1", "4", "3", "5"]);
        for (hit, expected) in fused.iter().zip([0.825, 0.6, 0.5, 0.2, 0.2]) {
            assert!((hit.score - expected).abs() < 1e-6, "{fused:?}");
        }
        assert_eq!(fused[0].cosine, Some(0.85));
    }

    #[test]
    fn a_search_that_finds_nothing_changes_no_order() {
        let fused = fuse(vec![ranking(1.0, true, &[(1, 0.9), (2, 0.8)]), ranking(0.5, true, &[])]);
        assert_eq!(order(&fused), ["1", "2"]);
    }

    #[test]
    fn near_to_the_talk_is_not_near_to_the_question() {
        let fused = fuse(vec![ranking(1.0, true, &[(1, 0.2)]), ranking(1.0, false, &[(2, 0.9), (1, 0.8)])]);
        let cosines: Vec<_> = fused.iter().map(|hit| (hit.passage.id.as_str(), hit.cosine)).collect();
        assert_eq!(cosines, [("2", None), ("1", Some(0.2))]);
    }
}
