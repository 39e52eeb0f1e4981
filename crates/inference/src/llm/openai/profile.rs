//! Knowledge of an endpoint, as its answers have shown it. It is kept as long as the process lives.

use super::dialect::Dialect;
use crate::llm::thoughts::Opening;

/// Providers that part thoughts from answers themselves, so that nothing of an answer has to be held.
const PARTING_PROVIDERS: [&str; 9] = [
    "openai.com",
    "openai.azure.com",
    "anthropic.com",
    "googleapis.com",
    "mistral.ai",
    "deepseek.com",
    "groq.com",
    "openrouter.ai",
    "x.ai",
];

/// Knowledge of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Profile {
    /// Form of request that it understands.
    pub(super) dialect: Dialect,
    /// Place where texts of its model begin.
    pub(super) opening: Opening,
    /// Whether it says why an answer ends. If so, an answer that ends without a reason is cut.
    pub(super) gives_reasons: bool,
    /// Whether it gives a reason with pieces in the middle of an answer, so that a reason is no end.
    pub(super) gives_empty_reasons: bool,
    /// Whether its model reasons, and needs tokens for that.
    pub(super) reasons: bool,
    /// Tokens that a prompt and its answer may take together, where the endpoint has said so.
    pub(super) window: Option<usize>,
}

impl Profile {
    /// Knowledge of an endpoint before it is asked.
    pub(super) fn of(host: &str) -> Self {
        let is_of = |provider: &str| host == provider || host.ends_with(&format!(".{provider}"));
        let opening =
            if PARTING_PROVIDERS.iter().any(|provider| is_of(provider)) { Opening::Answer } else { Opening::Unknown };
        Self { opening, ..Self::default() }
    }

    /// Adds what an answer has shown. Other answers may have shown something meanwhile.
    pub(super) fn learn(&mut self, seen: Self) {
        self.dialect.learn(seen.dialect);
        if seen.opening != Opening::Unknown && self.opening != Opening::Thought {
            self.opening = seen.opening;
        }
        self.gives_reasons |= seen.gives_reasons;
        self.gives_empty_reasons |= seen.gives_empty_reasons;
        self.reasons |= seen.reasons;
        self.window = [self.window, seen.window].into_iter().flatten().min();
    }
}

#[cfg(test)]
mod tests {
    use super::{Opening, Profile};

    #[test]
    fn providers_are_known_by_their_hosts() {
        for (host, opening) in [
            ("api.openai.com", Opening::Answer),
            ("team.openai.azure.com", Opening::Answer),
            ("notopenai.com", Opening::Unknown),
            ("127.0.0.1", Opening::Unknown),
        ] {
            assert_eq!(Profile::of(host).opening, opening, "{host}");
        }
    }

    #[test]
    fn what_is_learnt_once_stays() {
        let mut profile = Profile::default();
        profile.learn(Profile { opening: Opening::Thought, reasons: true, ..Profile::default() });
        profile.learn(Profile { opening: Opening::Answer, gives_reasons: true, ..Profile::default() });
        let all = Profile { opening: Opening::Thought, reasons: true, gives_reasons: true, ..Profile::default() };
        assert_eq!(profile, all);
    }
}
