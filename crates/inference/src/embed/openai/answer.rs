//! Vectors out of an answer, in the shapes that servers give them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

/// Names of the field that holds the vectors: OpenAI's, and that of Ollama's and Cohere's own forms.
const LISTS: [&str; 2] = ["data", "embeddings"];

/// Reads an answer: one vector for each text, in the order of the texts, of unit length, all of one dimension
/// (`dimension` unless it is 0, not known yet).
///
/// # Errors
/// A sentence that says what is wrong.
pub(super) fn vectors(answer: &Value, count: usize, dimension: usize) -> Result<Vec<Vec<f32>>, String> {
    let list = LISTS.iter().find_map(|name| answer.get(name)).unwrap_or(answer);
    let list = list.as_array().ok_or("its answer holds no embeddings")?;
    if list.len() != count {
        return Err(format!("it sent {} embeddings for {count} texts", list.len()));
    }
    let mut vectors = vec![Vec::new(); count];
    for (position, item) in list.iter().enumerate() {
        let index = index(item).unwrap_or(position);
        let place = vectors.get_mut(index).filter(|place| place.is_empty());
        let place = place.ok_or_else(|| format!("its embeddings have no or two vectors for text {index}"))?;
        *place =
            vector(item.get("embedding").unwrap_or(item)).map_err(|wrong| format!("its embedding {index} {wrong}"))?;
    }
    let dimension = if dimension == 0 { vectors.first().map_or(0, Vec::len) } else { dimension };
    match vectors.iter().find(|vector| vector.len() != dimension) {
        Some(other) => Err(format!("its embeddings have {} numbers now, before they had {dimension}", other.len())),
        None => Ok(vectors),
    }
}

fn index(item: &Value) -> Option<usize> {
    let index = item.get("index")?;
    index.as_u64().and_then(|index| usize::try_from(index).ok()).or_else(|| index.as_str()?.parse().ok())
}

fn vector(value: &Value) -> Result<Vec<f32>, String> {
    let numbers = match value {
        Value::String(text) => of_base64(text)?,
        Value::Array(items) => match items.as_slice() {
            // llama.cpp's servers put a vector for each token, or the one that there is, into a list.
            [Value::Array(only)] => of_numbers(only)?,
            [Value::Array(_), ..] => {
                return Err("has a vector for each token; choose a pooling at the server".to_owned());
            }
            items => of_numbers(items)?,
        },
        _ => return Err("is no vector".to_owned()),
    };
    unit(numbers).ok_or_else(|| "has no direction: it is empty, zero or not a number".to_owned())
}

fn of_numbers(items: &[Value]) -> Result<Vec<f32>, String> {
    let number = |item: &Value| match item {
        Value::String(text) => text.trim().parse().ok(),
        // What is no number in JSON's sense: Ollama writes null for one that a model got wrong.
        other => f32::deserialize(other).ok(),
    };
    items.iter().map(|item| number(item).ok_or_else(|| format!("has {item} in the place of a number"))).collect()
}

/// Numbers of four bytes, the lowest first.
fn of_base64(text: &str) -> Result<Vec<f32>, String> {
    let bytes = STANDARD.decode(text.trim()).map_err(|_| "is a text that is no base64".to_owned())?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    if rest.is_empty() {
        Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    } else {
        Err("is cut in the middle of a number".to_owned())
    }
}

/// Scaled to length 1; none if it has no direction.
fn unit(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    // In double precision: squares of large numbers overflow.
    let length = vector.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
    if !length.is_finite() || length == 0.0 {
        return None;
    }
    for number in &mut vector {
        #[expect(clippy::cast_possible_truncation, reason = "at most 1")]
        let scaled = (f64::from(*number) / length) as f32;
        *number = scaled;
    }
    Some(vector)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{unit, vectors};

    #[test]
    fn vectors_without_direction_are_refused() {
        assert_eq!(unit(vec![3.0, 4.0]), Some(vec![0.6, 0.8]));
        assert_eq!(unit(vec![3e38, 0.0]), Some(vec![1.0, 0.0]));
        for wrong in [vec![], vec![0.0, 0.0], vec![f32::INFINITY]] {
            assert_eq!(unit(wrong), None);
        }
    }

    #[test]
    fn vectors_are_read_in_every_shape() {
        for answer in [
            json!({"data": [{"index": 0, "embedding": [3.0, 4.0]}, {"index": 1, "embedding": [0, 2]}]}),
            json!({"data": [{"index": 1, "embedding": [0, 2]}, {"index": 0, "embedding": [3, 4]}]}),
            json!({"data": [{"index": "1", "embedding": ["0", "2.0"]}, {"index": "0", "embedding": ["3", "4e0"]}]}),
            json!({"data": [{"embedding": [3, 4]}, {"embedding": [0, 2]}]}),
            json!({"data": [{"index": 0, "embedding": "AABAQAAAgEA="}, {"index": 1, "embedding": "AAAAAAAAAEA="}]}),
            json!({"data": [{"index": 0, "embedding": [[3, 4]]}, {"index": 1, "embedding": [[0, 2]]}]}),
            json!({"embeddings": [[3, 4], [0, 2]]}),
            json!([[3, 4], [0, 2]]),
            json!([{"index": 0, "embedding": [[3, 4]]}, {"index": 1, "embedding": [[0, 2]]}]),
        ] {
            assert_eq!(vectors(&answer, 2, 0), Ok(vec![vec![0.6, 0.8], vec![0.0, 1.0]]), "{answer}");
        }
    }

    #[test]
    fn other_shapes_are_said() {
        for (embedding, says) in [
            (json!(null), "no vector"),
            (json!([1.0, null]), "null in the place of a number"),
            (json!([[1.0], [2.0]]), "pooling"),
            (json!("not base64!"), "no base64"),
            (json!("AAAA"), "middle of a number"),
            (json!([]), "no direction"),
        ] {
            let error = vectors(&json!({"data": [{"embedding": embedding}]}), 1, 0).expect_err("an error");
            assert!(error.contains(says), "{error}");
        }
        assert!(vectors(&json!({"usage": 3}), 1, 0).expect_err("an error").contains("no embeddings"));
    }
}
