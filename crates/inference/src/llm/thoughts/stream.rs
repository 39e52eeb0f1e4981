use futures::{StreamExt, stream};
use qanda_core::ModelError;
use qanda_core::ports::{Finish, Generated, GenerationStream};

use super::{NoAnswer, Opening, ThoughtFilter};

impl NoAnswer {
    /// The sentence for a thought that was passed on.
    pub(crate) const LEAKED: &str =
        "the model closed a thought that it had not opened, so what came before was no answer";

    /// The error that a generation ends in.
    pub(crate) fn into_error(self, finish: Finish) -> ModelError {
        match self {
            Self::OnlyThought => ModelError::OnlyReasoning { truncated: finish == Finish::Length },
            Self::Leaked => ModelError::Interrupted { message: Self::LEAKED.to_owned() },
        }
    }
}

/// A generation without the thoughts in it. One that is nothing but thought ends in an error.
pub(crate) fn without_thoughts(generation: GenerationStream, opening: Opening) -> GenerationStream {
    let start = Some((generation, ThoughtFilter::new(opening)));
    let events = stream::unfold(start, |state| async {
        let (mut generation, mut filter) = state?;
        let events = match generation.next().await? {
            Ok(Generated::Text(piece)) => match filter.push(&piece) {
                Ok(text) => vec![Ok(Generated::Text(text))],
                Err(leaked) => vec![Err(leaked.into_error(Finish::Stop))],
            },
            Ok(Generated::End(finish)) => match filter.end(finish) {
                Ok(rest) => vec![Ok(Generated::Text(rest)), Ok(Generated::End(finish))],
                Err(nothing) => vec![Err(nothing.into_error(finish))],
            },
            Err(error) => vec![Err(error)],
        };
        let goes_on = matches!(events[..], [Ok(Generated::Text(_))]);
        let shown = events.into_iter().filter(|event| !matches!(event, Ok(Generated::Text(text)) if text.is_empty()));
        Some((stream::iter(shown.collect::<Vec<_>>()), goes_on.then_some((generation, filter))))
    });
    events.flatten().boxed()
}

#[cfg(test)]
mod tests {
    use qanda_core::ports::read_to_end;

    use super::{Finish, Generated, ModelError, Opening, StreamExt, stream, without_thoughts};

    async fn read(pieces: &[&str], finish: Finish) -> Result<String, ModelError> {
        let texts = pieces.iter().map(|piece| Ok(Generated::Text((*piece).to_owned())));
        let events: Vec<_> = texts.chain([Ok(Generated::End(finish))]).collect();
        let answer = read_to_end(without_thoughts(stream::iter(events).boxed(), Opening::Answer)).await?;
        assert_eq!(answer.finish, finish);
        Ok(answer.tokens.concat())
    }

    #[tokio::test]
    async fn a_generation_loses_its_thoughts_and_keeps_its_end() {
        assert_eq!(
            read(&["<think>", "Hm", "</think>", "\n", "Yes", " [1]."], Finish::Stop).await.ok(),
            Some("Yes [1].".into())
        );
        assert_eq!(read(&["No", "."], Finish::Length).await.ok(), Some("No.".into()));
        let lost = read(&["<think>", "Hm"], Finish::Length).await;
        assert!(matches!(lost, Err(ModelError::OnlyReasoning { truncated: true })), "{lost:?}");
    }
}
