//! A conversation in the terminal, or with whatever writes questions into a pipe.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use qanda_core::Question;
use qanda_core::question::{Role, Turn};
use tokio::task::spawn_blocking;

use super::ask::Asker;
use crate::hints::WithHint as _;
use crate::terminal::{self, CYAN, DIM, Text};

/// Answers line after line of standard input until it ends. A question that fails ends nothing, but where nobody sees
/// that, the exit code tells.
pub(super) async fn chat(asker: &Asker, question: impl Fn(String) -> Question) -> anyhow::Result<ExitCode> {
    let is_typed = std::io::stdin().is_terminal();
    if is_typed {
        terminal::note(Text::styled(DIM, "Ask; /new begins another conversation, /quit or Ctrl-D ends."));
    }
    let mut history: Vec<Turn> = Vec::new();
    let (mut asked, mut failed) = (0, 0);
    loop {
        if is_typed {
            terminal::prompt(Text::styled(CYAN, "\n> "));
        }
        let Some(line) = spawn_blocking(read_line).await?? else { break };
        let content = line.trim();
        match content {
            "" => continue,
            "/quit" => break,
            "/new" => {
                history.clear();
                continue;
            }
            _ => asked += 1,
        }
        let question = Question { history: Question::recent(history.clone()), ..question(content.to_owned()) };
        match answer(asker, question).await {
            Ok(text) => {
                history.push(Turn { role: Role::User, content: content.to_owned() });
                history.push(Turn { role: Role::Assistant, content: text });
            }
            Err(error) => {
                failed += 1;
                terminal::error(&error);
            }
        }
    }
    if asked == 0 && !is_typed {
        return Err(anyhow::anyhow!("there is no question")).hint("qanda ask \"What is the target blood pressure?\"");
    }
    Ok(if failed > 0 && !is_typed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The words of the answer, which was shown.
async fn answer(asker: &Asker, question: Question) -> anyhow::Result<String> {
    question.validate()?;
    Ok(asker.answer(question).await?.text)
}

/// A line of standard input; none at its end.
fn read_line() -> std::io::Result<Option<String>> {
    let mut line = String::new();
    Ok((std::io::stdin().read_line(&mut line)? > 0).then_some(line))
}
