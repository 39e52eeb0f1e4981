//! The default embedder, with its real weights.

mod models;

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

#[tokio::test]
async fn a_directory_without_a_model_is_refused_by_name() {
    for directory in ["/nowhere/at-all", "/dev/null"] {
        let error = LocalEmbedder::load(directory.as_ref(), 1).err().expect("is refused").to_string();
        assert!(error.contains(directory), "{error}");
    }
}
