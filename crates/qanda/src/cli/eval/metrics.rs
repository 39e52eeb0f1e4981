//! Measures of a ranking, as trec_eval computes them.

use std::collections::HashMap;

/// Means over queries.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Means {
    pub(super) ndcg_at_10: f64,
    pub(super) recall_at_10: f64,
    pub(super) recall_at_100: f64,
    pub(super) mrr_at_10: f64,
}

impl Means {
    /// Means over pairs of a ranking (document ids, best first) and its judgements (grade by document id).
    pub(super) fn over<'a>(rankings: impl ExactSizeIterator<Item = (&'a [String], &'a HashMap<String, f64>)>) -> Self {
        let queries = rankings.len().max(1) as f64;
        let mut sum = Self::default();
        for (ranking, grades) in rankings {
            sum.ndcg_at_10 += ndcg(ranking, grades, 10);
            sum.recall_at_10 += recall(ranking, grades, 10);
            sum.recall_at_100 += recall(ranking, grades, 100);
            sum.mrr_at_10 += reciprocal_rank(ranking, grades, 10);
        }
        Self {
            ndcg_at_10: sum.ndcg_at_10 / queries,
            recall_at_10: sum.recall_at_10 / queries,
            recall_at_100: sum.recall_at_100 / queries,
            mrr_at_10: sum.mrr_at_10 / queries,
        }
    }
}

fn grade(grades: &HashMap<String, f64>, document: &str) -> f64 {
    grades.get(document).copied().unwrap_or(0.0).max(0.0)
}

/// Discounted cumulative gain over the best that could be had; the gain of a document is its grade.
fn ndcg(ranking: &[String], grades: &HashMap<String, f64>, depth: usize) -> f64 {
    let dcg = |gains: &mut dyn Iterator<Item = f64>| -> f64 {
        gains.take(depth).enumerate().map(|(n, gain)| gain / ((n + 2) as f64).log2()).sum()
    };
    let mut best: Vec<f64> = grades.values().copied().filter(|grade| *grade > 0.0).collect();
    best.sort_by(|a, b| b.total_cmp(a));
    let ideal = dcg(&mut best.into_iter());
    if ideal == 0.0 { 0.0 } else { dcg(&mut ranking.iter().map(|document| grade(grades, document))) / ideal }
}

/// Share of the relevant documents that are among the first.
fn recall(ranking: &[String], grades: &HashMap<String, f64>, depth: usize) -> f64 {
    let relevant = grades.values().filter(|grade| **grade > 0.0).count();
    let found = ranking.iter().take(depth).filter(|document| grade(grades, document) > 0.0).count();
    if relevant == 0 { 0.0 } else { found as f64 / relevant as f64 }
}

/// 1 over the rank of the first relevant document.
fn reciprocal_rank(ranking: &[String], grades: &HashMap<String, f64>, depth: usize) -> f64 {
    let first = ranking.iter().take(depth).position(|document| grade(grades, document) > 0.0);
    first.map_or(0.0, |rank| 1.0 / (rank + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_have_the_values_of_their_definitions() {
        let ranking: Vec<String> = ["x", "a", "y", "b"].map(str::to_owned).into();
        let grades = HashMap::from([("a".to_owned(), 1.0), ("b".to_owned(), 1.0), ("c".to_owned(), 0.0)]);
        let means = Means::over([(ranking.as_slice(), &grades)].into_iter());
        let ideal = 1.0 + 1.0 / 3f64.log2();
        assert!((means.ndcg_at_10 - (1.0 / 3f64.log2() + 1.0 / 5f64.log2()) / ideal).abs() < 1e-12);
        assert_eq!((means.recall_at_10, means.mrr_at_10), (1.0, 0.5));
        assert_eq!(recall(&ranking, &grades, 2), 0.5);
    }
}
