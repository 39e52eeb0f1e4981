use super::{RemoteFile, Repository};

/// Quantisation that is taken where a repository has several: the usual balance of size and quality.
const USUAL: &str = "q4_k_m";
/// Files that an embedder's directory must have.
const EMBEDDER: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

/// Files of a repository that are a model.
#[derive(Debug)]
pub(in crate::models) enum Choice<'r> {
    /// A GGUF file.
    File(&'r RemoteFile),
    /// An embedder's directory, in the form of sentence-transformers.
    Directory(Vec<&'r RemoteFile>),
}

/// Chooses what to download: the file that is named, else the only GGUF file or the one of the usual quantisation, else
/// the files of an embedder.
///
/// # Errors
/// When there is no such file, or there are several to choose from; names them.
pub(in crate::models) fn choose<'r>(
    repository: &'r Repository,
    name: &str,
    file: Option<&str>,
) -> anyhow::Result<Choice<'r>> {
    if let Some(path) = file {
        let found = repository.files.iter().find(|other| other.path == path);
        let found =
            found.ok_or_else(|| anyhow::anyhow!("hub:{name} has no file {path}{}", names(&ggufs(repository))))?;
        anyhow::ensure!(is_gguf(path), "{path} is no GGUF file");
        anyhow::ensure!(!is_split(path), "{path} is a part of a model; take one that is a single file");
        return Ok(Choice::File(found));
    }
    let whole = ggufs(repository);
    let usual: Vec<_> = whole.iter().copied().filter(|file| file.path.to_lowercase().contains(USUAL)).collect();
    match (whole.as_slice(), usual.as_slice()) {
        ([only], _) | (_, [only]) => return Ok(Choice::File(only)),
        ([], _) => {}
        _ => anyhow::bail!("hub:{name} has several models; name the file as well{}", names(&whole)),
    }
    let missing = EMBEDDER.iter().find(|file| !repository.files.iter().any(|other| other.path == **file));
    if let Some(missing) = missing {
        anyhow::bail!("hub:{name} has neither a whole GGUF file nor an embedder (there is no {missing})");
    }
    Ok(Choice::Directory(repository.files.iter().filter(|file| is_of_an_embedder(&file.path)).collect()))
}

fn is_gguf(path: &str) -> bool {
    path.to_lowercase().ends_with(".gguf")
}

/// Whether a file is one of several that make one model, as in `model-00001-of-00003.gguf`.
fn is_split(path: &str) -> bool {
    let stem = &path[..path.len().saturating_sub(".gguf".len())];
    stem.rsplit_once("-of-")
        .is_some_and(|(_, total)| total.len() == 5 && total.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Models in one file. Those beside a model, which see pictures for it, are none.
fn ggufs(repository: &Repository) -> Vec<&RemoteFile> {
    let is_whole = |file: &&RemoteFile| is_gguf(&file.path) && !is_split(&file.path) && !file.path.contains("mmproj");
    repository.files.iter().filter(is_whole).collect()
}

/// Whether a file belongs to an embedder's directory: its own and those of its modules (`1_Pooling/config.json`), but
/// not the same weights in other forms.
fn is_of_an_embedder(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_of_a_form = [".json", ".txt", ".safetensors"].iter().any(|ending| name.ends_with(ending));
    let is_of_a_module = match path.split_once('/') {
        None => true,
        Some((folder, file)) => folder.starts_with(|first: char| first.is_ascii_digit()) && !file.contains('/'),
    };
    is_of_a_form && is_of_a_module && !name.contains("..")
}

fn names(files: &[&RemoteFile]) -> String {
    let names: Vec<_> = files.iter().map(|file| file.path.as_str()).take(20).collect();
    if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(paths: &[&str]) -> Repository {
        let files: Vec<_> = paths.iter().map(|path| serde_json::json!({ "rfilename": path })).collect();
        serde_json::from_value(serde_json::json!({ "sha": "abc", "siblings": files })).expect("a repository")
    }

    fn chosen(paths: &[&str], file: Option<&str>) -> Result<Vec<String>, String> {
        let repository = repository(paths);
        match choose(&repository, "a/b", file) {
            Ok(Choice::File(file)) => Ok(vec![file.path.clone()]),
            Ok(Choice::Directory(files)) => Ok(files.iter().map(|file| file.path.clone()).collect()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_named_file_the_only_one_or_the_usual_one_is_taken() {
        let several = ["README.md", "m-Q2_K.gguf", "m-Q4_K_M.gguf", "m-F16-00001-of-00002.gguf", "mmproj-m.gguf"];
        assert_eq!(chosen(&several, None), Ok(vec!["m-Q4_K_M.gguf".to_owned()]));
        assert_eq!(chosen(&several, Some("m-Q2_K.gguf")), Ok(vec!["m-Q2_K.gguf".to_owned()]));
        assert_eq!(chosen(&["a.gguf", "b.txt"], None), Ok(vec!["a.gguf".to_owned()]));
        for (paths, file, reason) in [
            (&["a-Q2_K.gguf", "a-Q8_0.gguf"][..], None, "name the file as well: a-Q2_K.gguf, a-Q8_0.gguf"),
            (&several, Some("c.gguf"), "has no file c.gguf: m-Q2_K.gguf, m-Q4_K_M.gguf"),
            (&several, Some("m-F16-00001-of-00002.gguf"), "is a part of a model"),
            (&several, Some("README.md"), "is no GGUF file"),
            (&["config.json", "pytorch_model.bin"], None, "there is no tokenizer.json"),
        ] {
            let refused = chosen(paths, file).expect_err("is refused");
            assert!(refused.contains(reason), "{refused}");
        }
    }

    #[test]
    fn an_embedder_is_its_directory_without_other_forms_of_its_weights() {
        let wanted = ["config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json", "vocab.txt"];
        let others =
            ["onnx/model.onnx", "pytorch_model.bin", "openvino/config.json", "README.md", "1_Pooling/a/b.json"];
        let chosen = chosen(&[&wanted[..], &others].concat(), None).expect("an embedder");
        assert_eq!(chosen, wanted);
    }
}
