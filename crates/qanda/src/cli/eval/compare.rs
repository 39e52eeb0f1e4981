use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::answers::figures::{MEANS, Mean, average, quantile};
use super::answers::judge::Judged;
use super::answers::report::Report;
use crate::terminal::{self, BOLD, DIM, Text};

/// Compare two runs of qanda eval answers over the same questions
///
/// Both files are of qanda eval answers --json. Questions are paired by id; the interval holds the difference of the
/// means with 95 % confidence, by a paired bootstrap; p is the chance of such a difference where there is none.
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// The run that is compared with
    #[arg(value_name = "A.json")]
    a: PathBuf,
    /// The other run
    #[arg(value_name = "B.json")]
    b: PathBuf,
    /// Only questions of this kind
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Where the random numbers begin: the same number gives the same intervals
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl Compare {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (a, b) = (Report::read(&self.a)?, Report::read(&self.b)?);
        let others: HashMap<&str, &Judged> = b.judged.iter().map(|one| (one.id.as_str(), one)).collect();
        let of_kind = |one: &&Judged| self.kind.as_ref().is_none_or(|kind| *kind == one.kind);
        let first: Vec<&Judged> = a.judged.iter().filter(of_kind).collect();
        let pairs: Vec<(&Judged, &Judged)> =
            first.iter().filter_map(|one| Some((*one, *others.get(one.id.as_str())?))).collect();
        anyhow::ensure!(!pairs.is_empty(), "the runs have no question in common");
        terminal::line(format!("A {}: {}", self.a.display(), a.about.service));
        terminal::line(format!("B {}: {}", self.b.display(), b.about.service));
        let (only_a, only_b) = (first.len() - pairs.len(), b.judged.iter().filter(of_kind).count() - pairs.len());
        terminal::line(format!("{} questions in both, {only_a} only in A, {only_b} only in B", pairs.len()));
        let [figure, count, interval] = ["", "pairs", "95 %"];
        let heads = format!("{figure:<22} {count:>6} {:>9} {:>9} {:>9}   {interval:<20} {:>6}", "A", "B", "B - A", "p");
        terminal::line(Text::styled(BOLD, heads));
        for mean in &MEANS {
            if let Some(difference) = Difference::of(mean, &pairs, self.seed) {
                terminal::line(difference.row(mean));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The difference of a figure between two runs.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Difference {
    pairs: usize,
    a: f64,
    b: f64,
    low: f64,
    high: f64,
    p: f64,
}

/// As many samples are drawn; more change the last digit only.
const RESAMPLES: usize = 10_000;

impl Difference {
    fn of(mean: &Mean, pairs: &[(&Judged, &Judged)], seed: u64) -> Option<Self> {
        let values: Vec<(f64, f64)> = pairs.iter().filter_map(|(a, b)| Some(((mean.of)(a)?, (mean.of)(b)?))).collect();
        Self::between(&values, seed)
    }

    /// The paired bootstrap: the differences of the pairs are drawn with replacement, as many as there are.
    fn between(values: &[(f64, f64)], seed: u64) -> Option<Self> {
        let differences: Vec<f64> = values.iter().map(|(a, b)| b - a).collect();
        let count = differences.len();
        let mut random = Random(seed);
        let mut draw = || (0..count).map(|_| differences[random.below(count)]).sum::<f64>() / count.max(1) as f64;
        let mut means: Vec<f64> = (0..RESAMPLES).map(|_| draw()).collect();
        means.sort_by(f64::total_cmp);
        let share = |wanted: fn(f64) -> bool| means.iter().filter(|mean| wanted(**mean)).count() as f64;
        let one_sided = share(|mean| mean <= 0.0).min(share(|mean| mean >= 0.0)) / RESAMPLES as f64;
        Some(Self {
            pairs: count,
            a: average(values.iter().map(|(a, _)| *a))?,
            b: average(values.iter().map(|(_, b)| *b))?,
            low: quantile(&means, 0.025)?,
            high: quantile(&means, 0.975)?,
            p: (2.0 * one_sided).min(1.0),
        })
    }

    fn row(&self, mean: &Mean) -> Text {
        let Self { pairs, a, b, low, high, p } = self;
        let verdict = match mean.more_is_better {
            _ if *low <= 0.0 && *high >= 0.0 => "",
            Some(more) if (*low > 0.0) == more => " better",
            Some(_) => " worse",
            None => " differs",
        };
        let (label, difference, interval) = (mean.label, b - a, format!("{low:+.3} to {high:+.3}"));
        let row = format!("{label:<22} {pairs:>6} {a:>9.3} {b:>9.3} {difference:>+9.3}   {interval:<20} {p:>6.3}");
        Text::from(row).and_styled(DIM, verdict)
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and good enough to draw samples.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which must not be 0.
    fn below(&mut self, end: usize) -> usize {
        // The high half of a product is as even as the random number is.
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_difference_is_told_from_chance() {
        let better: Vec<(f64, f64)> = (0..100).map(|n| (0.0, if n % 4 == 0 { 0.0 } else { 1.0 })).collect();
        let clear = Difference::between(&better, 1).expect("there are pairs");
        assert!((clear.b - 0.75).abs() < 1e-9 && clear.p < 0.001, "{clear:?}");
        // The binomial interval around 0.75 of 100 is about 0.66 to 0.83.
        assert!((0.63..0.70).contains(&clear.low) && (0.80..0.86).contains(&clear.high), "{clear:?}");
        let even: Vec<(f64, f64)> = (0..100).map(|n| if n % 2 == 0 { (0.0, 1.0) } else { (1.0, 0.0) }).collect();
        let chance = Difference::between(&even, 1).expect("there are pairs");
        assert!(chance.low < 0.0 && chance.high > 0.0 && chance.p > 0.5, "{chance:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let values: Vec<(f64, f64)> = (0..30).map(|n| (0.0, f64::from(n % 7))).collect();
        assert_eq!(Difference::between(&values, 5), Difference::between(&values, 5));
        assert_ne!(Difference::between(&values, 5), Difference::between(&values, 6));
        assert_eq!(Difference::between(&[], 5), None);
    }
}
