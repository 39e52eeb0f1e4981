//! Choosing the next token.

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token::data::LlamaTokenData;
use llama_cpp_2::token::data_array::LlamaTokenDataArray;

/// Chooses the tokens of one answer.
pub(super) struct Sampler {
    chain: LlamaSampler,
    grammar: Option<LlamaSampler>,
}

impl Sampler {
    pub(super) fn new(temperature: f32, n_vocab: i32, grammar: Option<LlamaSampler>) -> Self {
        Self { chain: chain(temperature, n_vocab), grammar }
    }

    /// The next token from an output row; none if the grammar allows no token at all.
    ///
    /// Holding a vocabulary of 49,000 against the grammar takes some 5 ms, half a step of a small model, and one
    /// token some microseconds. So the chain chooses freely first, and only a choice that does not fit (one in
    /// twelve, measured) costs that. A token goes into the grammar only if it fits: llama.cpp ends the process
    /// otherwise.
    pub(super) fn sample(&mut self, context: &LlamaContext<'_>, row: i32) -> Option<LlamaToken> {
        let Some(grammar) = &mut self.grammar else { return Some(self.chain.sample(context, row)) };
        let mut candidates = context.token_data_array_ith(row);
        candidates.apply_sampler(&mut self.chain);
        let token = match candidates.selected_token() {
            Some(token) if fits(grammar, token) => token,
            _ => {
                let mut candidates = context.token_data_array_ith(row);
                candidates.apply_sampler(grammar);
                candidates.data.retain(|candidate| candidate.logit().is_finite());
                if candidates.data.is_empty() {
                    return None;
                }
                candidates.apply_sampler(&mut self.chain);
                candidates.selected_token()?
            }
        };
        self.chain.accept(token);
        grammar.accept(token);
        Some(token)
    }
}

fn fits(grammar: &mut LlamaSampler, token: LlamaToken) -> bool {
    let mut only = LlamaTokenDataArray::new(vec![LlamaTokenData::new(token, 1.0, 0.0)], false);
    only.apply_sampler(grammar);
    only.data.first().is_some_and(|candidate| candidate.logit().is_finite())
}

/// Repeating itself is the commonest fault of small models; a slight penalty on recent tokens prevents loops
/// without forbidding the words of the passages.
fn chain(temperature: f32, n_vocab: i32) -> LlamaSampler {
    let penalties = LlamaSampler::penalties(n_vocab, 96, 1.08, 0.0, 0.0);
    if temperature <= 0.0 {
        return LlamaSampler::chain_simple([penalties, LlamaSampler::greedy()]);
    }
    LlamaSampler::chain_simple([
        penalties,
        LlamaSampler::top_k(40),
        LlamaSampler::top_p(0.95, 1),
        LlamaSampler::temp(temperature),
        LlamaSampler::dist(0),
    ])
}
