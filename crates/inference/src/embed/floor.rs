//! The cosine from which on a passage has something to do with a question, measured on the model itself.

/// Texts that have nothing to do with each other.
pub(super) const UNRELATED: [&str; 8] = [
    "How long does it take to boil an egg?",
    "The treaty was signed by both kings in the spring of 1648.",
    "Replace the brake pads when they are thinner than three millimetres.",
    "Which medicine is given for high blood pressure?",
    "Her second novel tells the story of a lighthouse keeper.",
    "Interest on the loan is due on the first day of each quarter.",
    "What is the fastest way to sort a list of numbers?",
    "Penguins huddle together to keep warm during the polar night.",
];

/// Floor of a model that gives [`UNRELATED`] these vectors, each of length 1.
///
/// A passage is taken to be about a question from three tenths of the way between what unrelated texts score with the model
/// and a perfect match.
pub(super) fn relevance_floor(unrelated: &[Vec<f32>]) -> f32 {
    let pairs = unrelated.iter().enumerate().flat_map(|(n, a)| unrelated[n + 1..].iter().map(move |b| (a, b)));
    let cosines: Vec<f32> = pairs.map(|(a, b)| a.iter().zip(b).map(|(x, y)| x * y).sum()).collect();
    let unrelated = cosines.iter().sum::<f32>() / cosines.len() as f32;
    unrelated + 0.3 * (1.0 - unrelated)
}
