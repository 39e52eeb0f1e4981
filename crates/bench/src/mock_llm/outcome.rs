use std::time::Duration;

use super::{MockLlm, Refusal};

/// Route of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Route {
    Chat = 1,
    Embeddings = 2,
}

/// Way in which a request is answered, or not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    fault: Option<Fault>,
    latency: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    TooMany,
    Broken,
    Hang,
    Cut,
}

impl Outcome {
    /// Depends on the settings and the request's number alone.
    pub(super) fn of(settings: &MockLlm, route: Route, number: u64) -> Self {
        let draw = |purpose: u64| share(mix(mix(settings.seed ^ (route as u64) << 56 ^ purpose << 48) ^ number));
        let faults = &settings.faults;
        let mut left = draw(1);
        let mut fault = None;
        for (share, kind) in [
            (faults.too_many, Fault::TooMany),
            (faults.broken, Fault::Broken),
            (faults.hang, Fault::Hang),
            (faults.cut, Fault::Cut),
        ] {
            if (0.0..share).contains(&left) {
                fault = Some(kind);
            }
            left -= share;
        }
        let latency = match route {
            Route::Chat => settings.latency,
            Route::Embeddings => settings.embedding_latency,
        };
        let factor = 1.0 + settings.jitter * (2.0 * draw(2) - 1.0);
        Self { fault, latency: latency.mul_f64(factor.max(0.0)) }
    }

    /// Waits as long as the request has to. Says whether its answer is to break off.
    pub(super) async fn wait(self) -> Result<bool, Refusal> {
        match self.fault {
            Some(Fault::TooMany) => return Err(Refusal::too_many()),
            Some(Fault::Hang) => std::future::pending().await,
            _ => {}
        }
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        match self.fault {
            Some(Fault::Broken) => Err(Refusal::broken()),
            fault => Ok(fault == Some(Fault::Cut)),
        }
    }
}

/// The SplitMix64 finaliser: neighbours become unrelated.
pub(super) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// From 0 to below 1, by the 53 bits that a float holds.
pub(super) fn share(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Fault, Outcome, Route};
    use crate::mock_llm::{Faults, MockLlm};

    fn settings(seed: u64, jitter: f64, faults: Faults) -> MockLlm {
        MockLlm { latency: Duration::from_millis(100), jitter, seed, faults, ..MockLlm::default() }
    }

    #[test]
    fn faults_are_as_frequent_as_asked_for_and_repeat_under_a_seed() {
        let faults = Faults { too_many: 0.1, broken: 0.2, hang: 0.05, cut: 0.15 };
        let outcomes = |seed| (0..20_000).map(move |n| Outcome::of(&settings(seed, 0.0, faults), Route::Chat, n).fault);
        for (fault, share) in [(Fault::TooMany, 0.1), (Fault::Broken, 0.2), (Fault::Hang, 0.05), (Fault::Cut, 0.15)] {
            let found = outcomes(7).filter(|f| *f == Some(fault)).count() as f64 / 20_000.0;
            assert!((found - share).abs() < 0.01, "{fault:?}: {found} instead of {share}");
        }
        assert!(outcomes(7).eq(outcomes(7)));
        assert!(!outcomes(7).eq(outcomes(8)));
    }

    #[test]
    fn nothing_goes_wrong_unless_asked_for_and_everything_can() {
        let all = |faults| (0..5_000).map(move |n| Outcome::of(&settings(1, 0.0, faults), Route::Embeddings, n).fault);
        assert!(all(Faults::default()).all(|fault| fault.is_none()));
        assert!(all(Faults { cut: 1.0, ..Faults::default() }).all(|fault| fault == Some(Fault::Cut)));
    }

    #[test]
    fn latencies_vary_by_the_share() {
        let latencies: Vec<_> =
            (0..1_000).map(|n| Outcome::of(&settings(3, 0.5, Faults::default()), Route::Chat, n).latency).collect();
        let (least, most) = (latencies.iter().min().copied(), latencies.iter().max().copied());
        assert!(least >= Some(Duration::from_millis(50)) && least < Some(Duration::from_millis(55)), "{least:?}");
        assert!(most <= Some(Duration::from_millis(150)) && most > Some(Duration::from_millis(145)), "{most:?}");
    }
}
