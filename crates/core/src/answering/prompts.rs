//! The instructions that models are given: texts in `prompts/`, which a user may replace without rebuilding.

/// The instructions of all steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompts {
    /// Answering from numbered passages, in the pipeline `direct`.
    pub direct: String,
    /// Answering without documents (`query_option: false`).
    pub model_alone: String,
    /// `classic`, first call: a search term from a question.
    pub condense: String,
    /// `classic`, second call: a summary of the passages found.
    pub summarise: String,
    /// `classic`, third call: the answer as JSON.
    pub answer: String,
    /// Writing question/answer pairs for a passage, as JSON.
    pub pairs: String,
}

macro_rules! prompts {
    ($($field:ident: $file:literal),+ $(,)?) => {
        impl Default for Prompts {
            fn default() -> Self {
                Self { $($field: include_str!(concat!("prompts/", $file)).trim_end().to_owned()),+ }
            }
        }

        impl Prompts {
            /// Names of the files that hold the texts in a folder of the user's.
            pub const FILES: &[&str] = &[$($file),+];

            /// The text of a file name in [`Prompts::FILES`].
            pub fn get_mut(&mut self, file: &str) -> Option<&mut String> {
                match file {
                    $($file => Some(&mut self.$field),)+
                    _ => None,
                }
            }
        }
    };
}

prompts! {
    direct: "direct.txt",
    model_alone: "model_alone.txt",
    condense: "classic_condense.txt",
    summarise: "classic_summarise.txt",
    answer: "classic_answer.txt",
    pairs: "pairs.txt",
}
