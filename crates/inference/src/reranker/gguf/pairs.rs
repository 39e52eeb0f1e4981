//! Question and text as one sequence of tokens.

use std::sync::Arc;

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;

use crate::llama::Llama;

/// Writes pairs as a model reads them.
pub(super) struct Pairs {
    model: Arc<LlamaModel>,
    /// Tokens before the question, between question and text, and after the text.
    around: [Vec<LlamaToken>; 3],
    /// Whether question and text have a space before them.
    spaced: [bool; 2],
    /// Most tokens of a pair.
    window: usize,
}

/// Places of question and text in a template.
const QUESTION: &str = "{query}";
const TEXT: &str = "{document}";

/// Fewest tokens of a window beside those of the template.
const LEAST: usize = 16;

impl Pairs {
    /// As the file says: by its template, else by its special tokens.
    ///
    /// # Errors
    /// When the template cannot be filled in, or leaves no room.
    pub(super) fn of(llama: &Llama, window: usize) -> Result<Self, String> {
        let model = Arc::clone(&llama.model);
        let (around, spaced) = match llama.meta("tokenizer.chat_template.rerank") {
            Some(template) => by_template(&model, &template)?,
            None => (by_special_tokens(llama), [false; 2]),
        };
        if around.iter().map(Vec::len).sum::<usize>() + LEAST > window {
            return Err(format!("a window of {window} tokens leaves no room for question and text"));
        }
        Ok(Self { model, around, spaced, window })
    }

    /// The question with each of the texts. Of a question that takes more than half of the room, and of a text that takes
    /// more than the rest, the start is read. Neither can hold special tokens, whatever it says.
    pub(super) fn of_texts(&self, question: &str, texts: &[String]) -> Vec<Vec<LlamaToken>> {
        let [before, between, after] = &self.around;
        let room = self.window - before.len() - between.len() - after.len();
        let mut question = self.plain(question, self.spaced[0]);
        question.truncate(room / 2);
        let pair = |text: &String| {
            let mut text = self.plain(text, self.spaced[1]);
            text.truncate(room - question.len());
            [before, &question, between, &text, after].into_iter().flatten().copied().collect()
        };
        texts.iter().map(pair).collect()
    }

    fn plain(&self, text: &str, spaced: bool) -> Vec<LlamaToken> {
        let text = format!("{}{text}", if spaced { " " } else { "" });
        self.model.vocab().tokenize(text.as_bytes(), false, false)
    }
}

/// The tokens of a template around its two places. A space before a place belongs to the word after it, as in the whole
/// text.
fn by_template(model: &LlamaModel, template: &str) -> Result<([Vec<LlamaToken>; 3], [bool; 2]), String> {
    let places = template.split_once(QUESTION).and_then(|(before, rest)| Some((before, rest.split_once(TEXT)?)));
    let Some((before, (between, after))) = places else {
        return Err(format!("its template does not have {QUESTION} and {TEXT} in this order"));
    };
    let special = |text: &str| model.vocab().tokenize(text.as_bytes(), false, true);
    let without_space = |text: &str| special(text.strip_suffix(' ').unwrap_or(text));
    let spaced = [before, between].map(|text| text.ends_with(' '));
    Ok(([without_space(before), without_space(between), special(after)], spaced))
}

/// `[CLS] question [SEP] text [SEP]`, and with RoBERTa's vocabulary `<s> question </s></s> text </s>`.
fn by_special_tokens(llama: &Llama) -> [Vec<LlamaToken>; 3] {
    let vocab = llama.model.vocab();
    let there = |token: LlamaToken| (token.0 >= 0).then_some(token);
    let (bos, sep) = (there(vocab.bos()), there(vocab.sep()));
    let eos = there(vocab.eos()).or(sep);
    let is_bert = llama.meta("tokenizer.ggml.model").as_deref() == Some("bert");
    let between = if is_bert { vec![sep.or(eos)] } else { vec![eos, sep.or(eos)] };
    let end = if is_bert { sep.or(eos) } else { eos };
    [vec![bos], between, vec![end]].map(|tokens| tokens.into_iter().flatten().collect())
}
