//! What a model is for, by what its file says of itself.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::Value;

use super::catalogue::Purpose;

/// Most key-value pairs of a GGUF file that are looked at: what is sought stands before the vocabulary.
const MOST_PAIRS: u64 = 200;
/// Most bytes of a key.
const LONGEST_KEY: u64 = 256;
/// Most items of a list in front of the vocabulary.
const LONGEST_LIST: u64 = 4096;
/// llama.cpp's number for "the score of a pair", where others pool a text's tokens into a vector.
const POOLS_INTO_A_SCORE: u32 = 4;

/// Purpose of a GGUF file: models that pool their tokens say how. A file that cannot be read passes for a language model,
/// and whoever opens it says what is wrong with it.
pub(super) fn purpose_of_gguf(path: &Path) -> Purpose {
    match File::open(path).and_then(|file| pooling(BufReader::new(file))) {
        Ok(Some(POOLS_INTO_A_SCORE)) => Purpose::Reranker,
        Ok(Some(1..)) => Purpose::Embedder,
        _ => Purpose::LanguageModel,
    }
}

/// Purpose of a directory of sentence-transformers by its `config.json`; none where there is no such file.
pub(super) fn purpose_of_directory(path: &Path) -> Option<Purpose> {
    let config = fs::read(path.join("config.json")).ok()?;
    let config: Value = serde_json::from_slice(&config).unwrap_or_default();
    let architectures = config["architectures"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut classifiers = architectures.filter(|name| name.ends_with("ForSequenceClassification"));
    Some(if classifiers.next().is_some() { Purpose::Reranker } else { Purpose::Embedder })
}

/// Value of `ARCHITECTURE.pooling_type` in the header of a GGUF file: magic, version, numbers of tensors and pairs, then
/// the pairs of key, type and value (the format's specification in the repository of ggml).
fn pooling(mut file: impl Read + Seek) -> io::Result<Option<u32>> {
    if read::<4>(&mut file)? != *b"GGUF" {
        return Err(io::ErrorKind::InvalidData.into());
    }
    file.seek(SeekFrom::Current(4 + 8))?;
    let pairs = u64::from_le_bytes(read(&mut file)?);
    for _ in 0..pairs.min(MOST_PAIRS) {
        let length = u64::from_le_bytes(read(&mut file)?);
        if length > LONGEST_KEY {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut key = Vec::new();
        (&mut file).take(length).read_to_end(&mut key)?;
        let kind = u32::from_le_bytes(read(&mut file)?);
        if key.ends_with(b".pooling_type") {
            return Ok(Some(u32::from_le_bytes(read(&mut file)?)));
        }
        if key.starts_with(b"tokenizer.") {
            return Ok(None);
        }
        skip(&mut file, kind)?;
    }
    Ok(None)
}

/// Passes over a value of a type.
fn skip(file: &mut (impl Read + Seek), kind: u32) -> io::Result<()> {
    let bytes = match kind {
        0 | 1 | 7 => 1,
        2 | 3 => 2,
        4..=6 => 4,
        10..=12 => 8,
        // A text: its length, then its bytes.
        8 => u64::from_le_bytes(read(file)?),
        9 => return skip_list(file),
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    let bytes = i64::try_from(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
    file.seek(SeekFrom::Current(bytes)).map(|_| ())
}

/// Passes over a list (tags, languages). Those of the vocabulary, which are long, are not read.
fn skip_list(file: &mut (impl Read + Seek)) -> io::Result<()> {
    let kind = u32::from_le_bytes(read(file)?);
    let items = u64::from_le_bytes(read(file)?);
    if kind == 9 || items > LONGEST_LIST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    (0..items).try_for_each(|_| skip(file, kind))
}

fn read<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A GGUF file with these numbers behind a name, and a vocabulary.
    fn gguf(numbers: &[(&str, u32)]) -> Vec<u8> {
        let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
        let mut file = b"GGUF\x03\0\0\0".to_vec();
        file.extend(1_u64.to_le_bytes());
        file.extend((numbers.len() as u64 + 2).to_le_bytes());
        file.extend([text("general.tags"), 9_u32.to_le_bytes().to_vec(), 8_u32.to_le_bytes().to_vec()].concat());
        file.extend([1_u64.to_le_bytes().to_vec(), text("a tag")].concat());
        for (key, number) in numbers {
            file.extend([text(key), 4_u32.to_le_bytes().to_vec(), number.to_le_bytes().to_vec()].concat());
        }
        file.extend([text("tokenizer.ggml.tokens"), 9_u32.to_le_bytes().to_vec()].concat());
        file
    }

    #[test]
    fn a_gguf_file_is_for_what_its_pooling_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("model.gguf");
        for (numbers, purpose) in [
            (&[("llama.context_length", 2048)][..], Purpose::LanguageModel),
            (&[("bert.context_length", 512), ("bert.pooling_type", 1)], Purpose::Embedder),
            (&[("bert.pooling_type", 4)], Purpose::Reranker),
            (&[("bert.pooling_type", 0)], Purpose::LanguageModel),
        ] {
            fs::write(&path, gguf(numbers)).expect("is written");
            assert_eq!(purpose_of_gguf(&path), purpose, "{numbers:?}");
        }
        for broken in [&b""[..], b"GGUF", b"no model at all"] {
            fs::write(&path, broken).expect("is written");
            assert_eq!(purpose_of_gguf(&path), Purpose::LanguageModel);
        }
    }

    #[test]
    fn a_directory_is_for_what_its_architecture_says() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(purpose_of_directory(folder.path()), None);
        for (config, purpose) in [
            (r#"{"architectures": ["BertModel"]}"#, Purpose::Embedder),
            (r#"{"architectures": ["BertForSequenceClassification"]}"#, Purpose::Reranker),
            ("{}", Purpose::Embedder),
        ] {
            fs::write(folder.path().join("config.json"), config).expect("is written");
            assert_eq!(purpose_of_directory(folder.path()), Some(purpose), "{config}");
        }
    }
}
