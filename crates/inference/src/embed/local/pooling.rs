//! Ways in which the vectors of a text's tokens become one.

use std::path::Path;

use qanda_core::ModelError;
use serde_json::{Map, Value};

use crate::bert::{add, read_optional};

/// A way to pool, as sentence-transformers has them. Special tokens take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pooling {
    /// Their mean.
    Mean,
    /// Their sum over the root of their number.
    MeanSqrtLength,
    /// Their mean, in which the n-th counts n times.
    WeightedMean,
    /// The largest of each number.
    Max,
    /// The first one.
    Cls,
    /// The last one.
    Last,
}

impl Pooling {
    /// Reads `config.json` of the module in `folder`; none, where there is no such file.
    ///
    /// # Errors
    /// When it asks for something that cannot be computed here; names it.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, ModelError> {
        let path = folder.join("config.json");
        let config: Map<String, Value> = read_optional(&path)?;
        if config.is_empty() {
            return Ok(None);
        }
        Self::of(&config).map(Some).map_err(|what| ModelError::failed(format!("reading {}", path.display()), what))
    }

    fn of(config: &Map<String, Value>) -> Result<Self, String> {
        if config.get("include_prompt") == Some(&Value::Bool(false)) {
            return Err("it leaves the prompt out of the mean, which cannot be computed here".to_owned());
        }
        match modes(config).as_slice() {
            [mode] => Self::named(mode).ok_or_else(|| format!("its pooling \"{mode}\" is not known")),
            [] => Err("it names no pooling".to_owned()),
            several => {
                Err(format!("it joins several poolings ({}), which cannot be computed here", several.join(", ")))
            }
        }
    }

    fn named(mode: &str) -> Option<Self> {
        Some(match mode.strip_suffix("_tokens").unwrap_or(mode) {
            "mean" => Self::Mean,
            "mean_sqrt_len" => Self::MeanSqrtLength,
            "weightedmean" => Self::WeightedMean,
            "max" => Self::Max,
            "cls" | "cls_token" => Self::Cls,
            "lasttoken" => Self::Last,
            _ => return None,
        })
    }

    /// One vector of `hidden` numbers from those of the tokens, one after the other.
    pub(super) fn pool(self, tokens: &[f32], hidden: usize) -> Vec<f32> {
        let rows = tokens.chunks_exact(hidden);
        let count = rows.len() as f32;
        let mut vector = vec![0.0; hidden];
        let divisor = match self {
            Self::Mean | Self::MeanSqrtLength => {
                rows.for_each(|row| add(&mut vector, row));
                if self == Self::Mean { count } else { count.sqrt() }
            }
            Self::WeightedMean => {
                for (place, row) in rows.enumerate() {
                    vector.iter_mut().zip(row).for_each(|(sum, x)| *sum += (place + 1) as f32 * x);
                }
                count * (count + 1.0) / 2.0
            }
            Self::Max => {
                vector.fill(f32::NEG_INFINITY);
                rows.for_each(|row| vector.iter_mut().zip(row).for_each(|(top, x)| *top = top.max(*x)));
                1.0
            }
            Self::Cls => return tokens[..hidden].to_vec(),
            Self::Last => return tokens[tokens.len() - hidden..].to_vec(),
        };
        vector.iter_mut().for_each(|sum| *sum /= divisor);
        vector
    }
}

/// Modes that a configuration switches on, in both forms that sentence-transformers has written.
fn modes(config: &Map<String, Value>) -> Vec<String> {
    let listed = match config.get("pooling_mode") {
        Some(Value::String(mode)) => vec![mode.clone()],
        Some(Value::Array(modes)) => modes.iter().filter_map(|mode| mode.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    let switched_on = config.iter().filter(|(_, value)| **value == Value::Bool(true));
    let flags = switched_on.filter_map(|(name, _)| name.strip_prefix("pooling_mode_").map(str::to_owned));
    listed.into_iter().chain(flags).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_gives_its_vector() {
        let tokens = [1.0, 8.0, 3.0, -2.0, 2.0, 0.0, 6.0, 2.0];
        for (pooling, expected) in [
            (Pooling::Mean, [3.0, 2.0]),
            (Pooling::MeanSqrtLength, [6.0, 4.0]),
            (Pooling::WeightedMean, [3.7, 1.2]),
            (Pooling::Max, [6.0, 8.0]),
            (Pooling::Cls, [1.0, 8.0]),
            (Pooling::Last, [6.0, 2.0]),
        ] {
            assert_eq!(pooling.pool(&tokens, 2), expected, "{pooling:?}");
        }
    }

    #[test]
    fn what_cannot_be_pooled_is_refused_by_name() {
        let read = |json: &str| Pooling::of(&serde_json::from_str(json).expect("JSON"));
        let both = r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}"#;
        for (json, expected) in [
            (r#"{"pooling_mode_mean_tokens": true, "pooling_mode_cls_token": false}"#, Ok(Pooling::Mean)),
            (r#"{"pooling_mode_mean_sqrt_len_tokens": true}"#, Ok(Pooling::MeanSqrtLength)),
            (r#"{"pooling_mode_cls_token": true, "include_prompt": true}"#, Ok(Pooling::Cls)),
            (r#"{"pooling_mode_lasttoken": true}"#, Ok(Pooling::Last)),
            (r#"{"pooling_mode": "mean", "embedding_dimension": 384}"#, Ok(Pooling::Mean)),
            (r#"{"pooling_mode": ["max"]}"#, Ok(Pooling::Max)),
            (r#"{"pooling_mode_best_token": true}"#, Err("\"best_token\" is not known")),
            (r#"{"pooling_mode_mean_tokens": false}"#, Err("names no pooling")),
            (both, Err("several poolings (cls_token, mean_tokens)")),
            (r#"{"pooling_mode_mean_tokens": true, "include_prompt": false}"#, Err("leaves the prompt out")),
        ] {
            match (read(json), expected) {
                (Ok(pooling), Ok(expected)) => assert_eq!(pooling, expected, "{json}"),
                (Err(why), Err(expected)) => assert!(why.contains(expected), "{json}: {why}"),
                (other, _) => panic!("{json}: {other:?}"),
            }
        }
    }
}
