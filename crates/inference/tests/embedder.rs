//! The default embedder, with its real weights.

mod models;

use std::path::{Path, PathBuf};

use qanda_core::{Embedder, RequestContext};
use qanda_inference::embed::local::LocalEmbedder;

fn embedder() -> LocalEmbedder {
    LocalEmbedder::load(&models::model("all-MiniLM-L6-v2"), 1).expect("loads")
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

async fn embed(embedder: &LocalEmbedder, texts: &[&str]) -> Vec<Vec<f32>> {
    embedder
        .embed_passages(&RequestContext::local(), texts.iter().map(|text| (*text).to_owned()).collect())
        .await
        .expect("embeds")
}

const WEATHER: [&str; 3] = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."];

#[tokio::test]
async fn similarities_are_those_that_the_models_authors_publish() {
    let vectors = embed(&embedder(), &WEATHER).await;
    for (a, b, published) in [(0, 1, 0.6660), (0, 2, 0.1046), (1, 2, 0.1411)] {
        let cosine = dot(&vectors[a], &vectors[b]);
        assert!((cosine - published).abs() < 0.001, "{a} and {b}: {cosine}, published {published}");
    }
}

#[tokio::test]
async fn vectors_have_unit_length_and_the_stated_dimension() {
    let embedder = embedder();
    assert_eq!(embedder.identity().dimension, 384);
    assert!(embedder.identity().name.starts_with("all-MiniLM-L6-v2"), "{}", embedder.identity().name);
    for text in ["", "?", "one", "Ünïcödé und 漢字 und 🦀", WEATHER[0], "\0"] {
        for vector in [
            embedder.embed_query(&RequestContext::local(), text).await.expect("embeds"),
            embed(&embedder, &[text]).await.remove(0),
        ] {
            assert_eq!(vector.len(), 384, "{text:?}");
            assert!((dot(&vector, &vector) - 1.0).abs() < 1e-4, "{text:?}");
        }
    }
}

#[tokio::test]
async fn a_text_embeds_alike_alone_and_among_others() {
    let embedder = embedder();
    let long = "Insulin lowers the glucose in the blood of people with diabetes. ".repeat(12);
    let mut texts = vec![long.as_str(), "a", ""];
    texts.extend(WEATHER);
    texts.extend(std::iter::repeat_n("Zebras live in herds on the plains.", 30));
    let together = embed(&embedder, &texts).await;
    assert_eq!(together.len(), texts.len());
    for (text, among_others) in texts.iter().zip(&together).take(7) {
        let alone = embed(&embedder, &[text]).await.remove(0);
        let largest = alone.iter().zip(among_others).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(largest < 1e-4, "{text:?} differs by {largest}");
    }
}

#[tokio::test]
async fn of_a_text_longer_than_the_limit_the_start_is_embedded() {
    let embedder = embedder();
    let limit = embedder.token_counter().max_tokens();
    let long = "word ".repeat(20_000);
    assert!(embedder.token_counter().count_tokens(&long) > 10 * limit);
    let cut = "word ".repeat(limit);
    let vectors = embed(&embedder, &[&long, &cut]).await;
    assert!((dot(&vectors[0], &vectors[1]) - 1.0).abs() < 1e-4);
}

#[tokio::test]
async fn unrelated_texts_are_below_the_floor_and_an_answer_is_above_it() {
    let embedder = embedder();
    let floor = embedder.relevance_floor();
    let question =
        embedder.embed_query(&RequestContext::local(), "How long should I wash my hands?").await.expect("embeds");
    let texts = ["Wash your hands with soap for at least 20 seconds.", "The treaty was signed in the spring of 1648."];
    let passages = embed(&embedder, &texts).await;
    assert!(dot(&question, &passages[0]) > floor && dot(&question, &passages[1]) < floor, "{floor}");
}

/// Files with their paths in a directory.
type Files<'a> = &'a [(&'a str, &'a [u8])];

/// A copy of the default model's directory with files of its own.
fn variant(name: &str, files: Files<'_>) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("embedder-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let linked = ["config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json", "modules.json"];
    for path in linked.into_iter().chain(["sentence_bert_config.json"]) {
        let copy = folder.join(path);
        std::fs::create_dir_all(copy.parent().expect("a folder")).expect("is made");
        if !files.iter().any(|(own, _)| *own == path) {
            std::os::unix::fs::symlink(models::model("all-MiniLM-L6-v2").join(path), copy).expect("a link");
        }
    }
    for (path, bytes) in files {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("is made");
        std::fs::write(file, bytes).expect("writes");
    }
    folder
}

/// A `modules.json` of the Transformer and others.
fn modules(others: &[(&str, &str)]) -> Vec<u8> {
    let all = [("", "Transformer")].iter().chain(others).enumerate();
    let entries = all.map(|(idx, (path, class))| {
        format!(
            r#"{{"idx": {idx}, "name": "{idx}", "path": "{path}", "type": "sentence_transformers.models.{class}"}}"#
        )
    });
    format!("[{}]", entries.collect::<Vec<_>>().join(",")).into_bytes()
}

/// A safetensors file with a matrix that picks the first numbers of a vector, and adds to them.
fn picking(inputs: usize, outputs: usize, bias: f32) -> Vec<u8> {
    let weights = (0..outputs * inputs).map(|at| if at / inputs == at % inputs { 1.0_f32 } else { 0.0 });
    let bytes: Vec<u8> = weights.chain(std::iter::repeat_n(bias, outputs)).flat_map(f32::to_le_bytes).collect();
    let end = outputs * inputs * 4;
    let header = format!(
        r#"{{"linear.weight": {{"dtype": "F32", "shape": [{outputs}, {inputs}], "data_offsets": [0, {end}]}},
            "linear.bias": {{"dtype": "F32", "shape": [{outputs}], "data_offsets": [{end}, {}]}}}}"#,
        bytes.len()
    );
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &bytes].concat()
}

#[tokio::test]
async fn a_dense_layer_behind_the_pooling_is_computed() {
    let steps = modules(&[("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"), ("3_Dense", "Dense")]);
    let dense = br#"{"in_features": 384, "out_features": 8, "bias": true,
        "activation_function": "torch.nn.modules.activation.ReLU"}"#;
    let weights = picking(384, 8, 0.01);
    let files: [(&str, &[u8]); 3] =
        [("modules.json", &steps), ("3_Dense/config.json", dense), ("3_Dense/model.safetensors", &weights)];
    let directory = variant("dense", &files);
    let with_dense = LocalEmbedder::load(&directory, 1).expect("loads");
    assert_eq!(with_dense.identity().dimension, 8);
    let plain = embedder();
    for (vector, whole) in embed(&with_dense, &WEATHER).await.iter().zip(embed(&plain, &WEATHER).await) {
        let picked: Vec<f32> = whole[..8].iter().map(|x| (x + 0.01).max(0.0)).collect();
        let length = dot(&picked, &picked).sqrt();
        let largest = vector.iter().zip(&picked).map(|(a, b)| (a - b / length).abs()).fold(0.0, f32::max);
        assert!(vector.len() == 8 && largest < 1e-4, "differs by {largest}");
    }
    // Vectors of another layer must not be taken for these.
    let hash = |embedder: &LocalEmbedder| embedder.identity().name.rsplit_once('@').expect("a hash").1.to_owned();
    assert_ne!(hash(&with_dense), hash(&plain));
    std::fs::remove_dir_all(directory).expect("tidies up");
}

#[tokio::test]
async fn prompts_of_a_directory_stand_before_what_is_embedded() {
    let prompts = br#"{"prompts": {"query": "query: ", "document": "passage: "}, "similarity_fn_name": "cosine"}"#;
    let directory = variant("prompts", &[("config_sentence_transformers.json", prompts)]);
    let (prompted, plain) = (LocalEmbedder::load(&directory, 1).expect("loads"), embedder());
    let question = prompted.embed_query(&RequestContext::local(), WEATHER[0]).await.expect("embeds");
    let passage = embed(&prompted, &[WEATHER[0]]).await.remove(0);
    let expected = embed(&plain, &[&format!("query: {}", WEATHER[0]), &format!("passage: {}", WEATHER[0])]).await;
    assert!(dot(&question, &expected[0]) > 0.9999 && dot(&passage, &expected[1]) > 0.9999);
    assert!(dot(&question, &passage) < 0.99, "the prompts make a difference");
    let room = |embedder: &LocalEmbedder| embedder.token_counter().max_tokens();
    assert_eq!(room(&plain) - room(&prompted), plain.token_counter().count_tokens("passage: "));
    std::fs::remove_dir_all(directory).expect("tidies up");
}

#[tokio::test]
async fn what_a_directory_asks_for_and_cannot_have_is_refused_by_name() {
    let pooled = |other: (&'static str, &'static str)| modules(&[("1_Pooling", "Pooling"), other]);
    let small = br#"{"in_features": 384, "out_features": 4, "activation_function": "torch.nn.Mish"}"#;
    let narrow = br#"{"in_features": 768, "out_features": 4}"#;
    let cases: [(&str, Vec<u8>, Files<'_>, &str); 9] = [
        ("layer", pooled(("2_LayerNorm", "LayerNorm")), &[], "LayerNorm"),
        ("encoder", modules(&[("1_Cnn", "CNN"), ("1_Pooling", "Pooling")]), &[], "CNN"),
        ("unpooled", modules(&[]), &[], "no module that pools"),
        ("nowhere", modules(&[("7_Pooling", "Pooling")]), &[], "7_Pooling/config.json"),
        (
            "pooling",
            pooled(("2_N", "Normalize")),
            &[("1_Pooling/config.json", br#"{"pooling_mode_best": true}"#)],
            "best",
        ),
        ("activation", pooled(("2_D", "Dense")), &[("2_D/config.json", small)], "Mish"),
        ("width", pooled(("2_D", "Dense")), &[("2_D/config.json", narrow)], "768"),
        (
            "weights",
            pooled(("2_D", "Dense")),
            &[("2_D/config.json", br#"{"in_features": 384, "out_features": 4}"#)],
            "2_D",
        ),
        (
            "measure",
            modules(&[("1_Pooling", "Pooling")]),
            &[("config_sentence_transformers.json", br#"{"similarity_fn_name": "dot"}"#)],
            "\"dot\"",
        ),
    ];
    for (name, steps, files, reason) in cases {
        let directory = variant(name, &[&[("modules.json", steps.as_slice())], files].concat());
        let error = LocalEmbedder::load(&directory, 1).err().unwrap_or_else(|| panic!("{name} is not refused"));
        assert!(error.to_string().contains(reason), "{name}: {error}");
        std::fs::remove_dir_all(directory).expect("tidies up");
    }
}

#[tokio::test]
async fn a_directory_without_a_model_is_refused_by_name() {
    for directory in ["/nowhere/at-all", "/dev/null"] {
        let error = LocalEmbedder::load(directory.as_ref(), 1).err().expect("is refused").to_string();
        assert!(error.contains(directory), "{error}");
    }
}
