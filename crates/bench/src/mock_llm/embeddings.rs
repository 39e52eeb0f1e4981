use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::outcome::{mix, share};
use super::{Dialect, MOST_TEXTS, Mock, MockLlm, Refusal, Route, chat, read_object};

const LONGEST_VECTOR: u64 = 65_536;

/// POST /v1/embeddings
pub(super) async fn embed(
    State(mock): State<Arc<Mock>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let request = Request::read(&read_object(body)?, &mock.settings)?;
    let (_, outcome) = mock.admit(Route::Embeddings);
    let cut = outcome.wait().await?;
    let answer = request.answer();
    Ok(if cut {
        Body::from_stream(chat::broken_off(answer.to_string())).into_response()
    } else {
        Json(answer).into_response()
    })
}

struct Request {
    model: String,
    texts: Vec<String>,
    dimension: usize,
    base64: bool,
    /// Whether the last text comes first.
    unordered: bool,
    no_index: bool,
}

impl Request {
    fn read(request: &Value, settings: &MockLlm) -> Result<Self, Refusal> {
        let wrong = |param, what: &str| Refusal::bad_request(format!("'{param}' must be {what}"), Some(param));
        let texts = texts(&request["input"])
            .filter(|texts| (1..=MOST_TEXTS).contains(&texts.len()))
            .ok_or_else(|| wrong("input", "a text, a list of 1 to 2048 texts, or their tokens"))?;
        if texts.len() > settings.most_texts {
            let most = settings.most_texts;
            let message = format!("batch size is invalid, it should not be larger than {most}.: input.contents");
            return Err(Refusal::bad_request(message, None));
        }
        let dimension = match &request["dimensions"] {
            Value::Null => settings.dimension,
            given => match given.as_u64() {
                Some(given @ 1..=LONGEST_VECTOR) => given as usize,
                _ => return Err(wrong("dimensions", "from 1 to 65536")),
            },
        };
        let base64 = match request["encoding_format"].as_str() {
            None | Some("float") => false,
            Some("base64") => true,
            Some(_) => return Err(wrong("encoding_format", "'float' or 'base64'")),
        };
        let speaks = |dialect| settings.dialects.contains(&dialect);
        Ok(Self {
            model: request["model"].as_str().unwrap_or_default().to_owned(),
            texts,
            dimension,
            base64: base64 || speaks(Dialect::Base64Vectors),
            unordered: speaks(Dialect::UnorderedVectors),
            no_index: speaks(Dialect::NoIndex),
        })
    }

    fn answer(&self) -> Value {
        let mut data: Vec<Value> = self.texts.iter().enumerate().map(|(index, text)| self.one(index, text)).collect();
        if self.unordered {
            data.reverse();
        }
        let tokens: usize = self.texts.iter().map(|text| text.split_whitespace().count()).sum();
        json!({
            "object": "list", "data": data, "model": self.model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        })
    }

    fn one(&self, index: usize, text: &str) -> Value {
        let vector = vector(text, self.dimension);
        let embedding = if self.base64 {
            let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
            Value::from(STANDARD.encode(bytes))
        } else {
            Value::from(vector)
        };
        if self.no_index {
            return json!({"object": "embedding", "embedding": embedding});
        }
        json!({"object": "embedding", "index": index, "embedding": embedding})
    }
}

/// The texts of a request; tokens count as a text of their numbers.
fn texts(input: &Value) -> Option<Vec<String>> {
    let tokens = |list: &[Value]| list.iter().all(Value::is_u64).then(|| Value::from(list).to_string());
    match input {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(list) if list.first().is_some_and(Value::is_u64) => Some(vec![tokens(list)?]),
        Value::Array(list) => list
            .iter()
            .map(|item| match item {
                Value::String(text) => Some(text.clone()),
                Value::Array(list) => tokens(list),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// A unit vector from the hashes of a text and of its words, so that texts with common words are near each other
/// and different texts are never the same.
fn vector(text: &str, dimension: usize) -> Vec<f32> {
    let mut sum = vec![0_f64; dimension];
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    for feature in words.chain([text]) {
        let mut state = hash(feature);
        for value in &mut sum {
            state = mix(state);
            *value += share(state) - 0.5;
        }
    }
    let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
    sum.into_iter().map(|value| (value / length) as f32).collect()
}

/// FNV-1a: the same on every machine and in every version.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Dialect, MockLlm, Request, vector};

    fn dot(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn vectors_are_unit_repeatable_and_tell_texts_apart() {
        let text = "At what eGFR must metformin be stopped?";
        let one = vector(text, 384);
        assert!((dot(&one, &one) - 1.0).abs() < 1e-5);
        assert_eq!(one, vector(text, 384));
        let near = dot(&one, &vector("Metformin must be stopped below an eGFR of 30.", 384));
        let far = dot(&one, &vector("Hands are rubbed with alcohol", 384));
        assert!(near > far + 0.2 && near < 0.999, "{near} {far}");
        assert_ne!(vector("a b", 8), vector("b a", 8));
        assert!(vector("", 8).iter().all(|value| value.is_finite()));
    }

    #[test]
    fn inputs_of_every_form_are_read_and_others_refused() {
        let settings = MockLlm { dimension: 4, ..MockLlm::default() };
        let read =
            |input: Value| Request::read(&json!({"model": "m", "input": input}), &settings).map(|r| r.texts.len()).ok();
        assert_eq!(read(json!("one")), Some(1));
        assert_eq!(read(json!(["one", "two"])), Some(2));
        assert_eq!(read(json!([1, 2, 3])), Some(1));
        assert_eq!(read(json!([[1, 2], [3]])), Some(2));
        for wrong in [json!(null), json!([]), json!(7), json!([{}]), json!([1, "x"])] {
            assert_eq!(read(wrong.clone()), None, "{wrong}");
        }
    }

    #[test]
    fn dialects_change_the_answer() {
        let input = json!({"model": "m", "input": ["one", "two"]});
        let answer = |dialects: &[Dialect]| {
            let settings = MockLlm { dimension: 4, dialects: dialects.to_vec(), ..MockLlm::default() };
            Request::read(&input, &settings).expect("it is right").answer()["data"].clone()
        };
        assert_eq!(answer(&[])[0]["index"], 0);
        assert_eq!(answer(&[Dialect::UnorderedVectors])[0]["index"], 1);
        assert!(answer(&[Dialect::NoIndex])[0].get("index").is_none());
        assert!(answer(&[Dialect::Base64Vectors])[0]["embedding"].is_string());
        let few = MockLlm { most_texts: 1, ..MockLlm::default() };
        assert!(Request::read(&input, &few).is_err());
    }
}
