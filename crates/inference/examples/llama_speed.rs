//! Speed of llama.cpp with GGUF files, side by side: prompts and answers, one and eight sequences, with a memory for each
//! sequence or one for all.
//!
//!     cargo run --release --workspace --example llama_speed -- [ROUNDS] FILE.gguf…
//!
//! Candidates take turns within each round, so that a busy machine slows all of them; ratios are medians of those of each
//! round to the first candidate.

#![allow(clippy::print_stdout)]

use std::env::args;
use std::error::Error;
use std::num::NonZeroU32;
use std::time::Instant;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::token::LlamaToken;

/// Sequences that are evaluated together.
const MANY: usize = 8;
/// Tokens of each prompt, as many as a short one of `qanda` has.
const PROMPT: usize = 256;
/// Tokens of each answer.
const ANSWER: usize = 24;
/// Tokens of prompts evaluated in one step.
const STEP: usize = 512;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Tokens a second: prompts of one and of eight sequences, answers of one and of eight.
type Speeds = [f64; 4];

struct Candidate<'m> {
    name: String,
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
    rounds: Vec<Speeds>,
}

fn main() -> Outcome<()> {
    let given: Vec<String> = args().skip(1).collect();
    let (rounds, files) = match given.first().and_then(|first| first.parse().ok()) {
        Some(rounds) => (rounds, &given[1..]),
        None => (5_usize, &given[..]),
    };
    let mut backend = LlamaBackend::init()?;
    backend.void_logs();
    let params = LlamaModelParams::default();
    let models = files.iter().map(|file| LlamaModel::load_from_file(&backend, file, &params));
    let models = models.collect::<Result<Vec<_>, _>>()?;
    let mut candidates = Vec::new();
    for (file, model) in files.iter().zip(&models) {
        for unified in [false, true] {
            let short = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".gguf");
            candidates.push(Candidate {
                name: format!("{short}, {}", if unified { "one memory" } else { "a memory each" }),
                context: model.new_context(&backend, context_params(unified)?)?,
                batch: LlamaBatch::new(STEP, 1),
                rounds: Vec::new(),
            });
        }
    }
    for _ in 0..rounds {
        for candidate in &mut candidates {
            let speeds = candidate.measure()?;
            candidate.rounds.push(speeds);
        }
    }
    let first = candidates[0].rounds.clone();
    for candidate in &candidates {
        let show = |of: usize| {
            let speed = median(candidate.rounds.iter().map(|round| round[of]));
            let ratio = median(candidate.rounds.iter().zip(&first).map(|(round, first)| round[of] / first[of]));
            format!("{speed:.0} ({ratio:.2})")
        };
        println!("| {} | {} |", candidate.name, [0, 1, 2, 3].map(show).join(" | "));
    }
    Ok(())
}

impl Candidate<'_> {
    fn measure(&mut self) -> Outcome<Speeds> {
        let mut speeds = [0.0; 4];
        for (at, sequences) in [1, MANY].into_iter().enumerate() {
            self.context.clear_kv_cache();
            let began = Instant::now();
            self.prompts(sequences)?;
            speeds[at] = (sequences * PROMPT) as f64 / began.elapsed().as_secs_f64();
            let began = Instant::now();
            self.answers(sequences)?;
            speeds[2 + at] = (sequences * ANSWER) as f64 / began.elapsed().as_secs_f64();
        }
        Ok(speeds)
    }

    /// Prompts one after the other, as many of their tokens at once as a step takes.
    fn prompts(&mut self, sequences: usize) -> Outcome<()> {
        let all = (0..sequences).flat_map(|sequence| (0..PROMPT).map(move |position| (sequence, position)));
        for step in all.collect::<Vec<_>>().chunks(STEP) {
            self.evaluate(step)?;
        }
        Ok(())
    }

    fn answers(&mut self, sequences: usize) -> Outcome<()> {
        for position in PROMPT..PROMPT + ANSWER {
            let step: Vec<_> = (0..sequences).map(|sequence| (sequence, position)).collect();
            self.evaluate(&step)?;
        }
        Ok(())
    }

    fn evaluate(&mut self, step: &[(usize, usize)]) -> Outcome<()> {
        self.batch.clear();
        for (sequence, position) in step {
            let token = LlamaToken(i32::try_from(100 + (sequence * 31 + position * 7919) % 40_000)?);
            let is_last = *position >= PROMPT - 1;
            self.batch.add(token, i32::try_from(*position)?, &[i32::try_from(*sequence)?], is_last)?;
        }
        Ok(self.context.decode(&mut self.batch)?)
    }
}

fn context_params(unified: bool) -> Outcome<LlamaContextParams> {
    let threads = i32::try_from(std::thread::available_parallelism()?.get())?;
    Ok(LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(u32::try_from(MANY * 512)?))
        .with_n_seq_max(u32::try_from(MANY)?)
        .with_n_batch(u32::try_from(STEP)?)
        .with_n_ubatch(u32::try_from(STEP)?)
        .with_kv_unified(unified)
        .with_n_threads(threads)
        .with_n_threads_batch(threads))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
