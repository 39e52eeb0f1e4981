use super::{Finish, NoAnswer, Opening, ThoughtFilter};

/// The answer in a text that comes in pieces of so many characters.
fn read(opening: Opening, text: &str, finish: Finish, size: usize) -> (Result<String, NoAnswer>, Opening) {
    let mut filter = ThoughtFilter::new(opening);
    let characters: Vec<char> = text.chars().collect();
    let mut answer = String::new();
    for piece in characters.chunks(size) {
        match filter.push(&piece.iter().collect::<String>()) {
            Ok(text) => answer += &text,
            Err(reason) => return (Err(reason), filter.learnt()),
        }
    }
    let rest = filter.end(finish);
    (rest.map(|rest| answer + &rest), filter.learnt())
}

/// The same whatever the pieces are.
fn in_all_pieces(opening: Opening, text: &str, finish: Finish) -> (Result<String, NoAnswer>, Opening) {
    let whole = read(opening, text, finish, 10_000);
    for size in [1, 2, 3, 7] {
        assert_eq!(read(opening, text, finish, size), whole, "{text:?} in pieces of {size}");
    }
    whole
}

#[test]
fn thoughts_are_left_out_however_they_are_marked() {
    for text in [
        "<think>\nI look at [1] and then.\n</think>\n\nYes [1].",
        "\n<THINK>a < b</Think>Yes [1].",
        "<thinking>Hm, </think> is not the end</thinking>Yes [1].",
        "<reasoning>Hm</reasoning> Yes [1].",
        "<thought>Hm</thought>Yes [1].",
        "[THINK]Hm[/THINK]Yes [1].",
        "◁think▷Hm◁/think▷Yes [1].",
        "<seed:think>Hm</seed:think>Yes [1].",
        "<|begin_of_thought|>Hm<|end_of_thought|>Yes [1].",
        "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>Yes [1].<|return|>",
        "<|channel>thought\nHm<channel|>Yes [1].",
        "<unused94>thought\nHm<unused95>Yes [1].",
        "<think></think>Yes [1].",
    ] {
        for opening in [Opening::Unknown, Opening::Answer] {
            let (answer, learnt) = in_all_pieces(opening, text, Finish::Stop);
            assert_eq!((answer.as_deref(), learnt), (Ok("Yes [1]."), Opening::Answer), "{text}");
        }
    }
}

#[test]
fn a_thought_that_the_template_opened_is_left_out_from_the_first_answer_on() {
    let text = "The user asks. I look at [1].\n</think>\n\nYes [1].";
    for opening in [Opening::Unknown, Opening::Thought] {
        let (answer, learnt) = in_all_pieces(opening, text, Finish::Stop);
        assert_eq!((answer.as_deref(), learnt), (Ok("Yes [1]."), Opening::Thought));
    }
    let (answer, learnt) = in_all_pieces(Opening::Answer, text, Finish::Stop);
    assert_eq!((answer, learnt), (Err(NoAnswer::Leaked), Opening::Thought), "an error, and the next one is right");
    let repeated = in_all_pieces(Opening::Thought, "<think>Hm</think>Yes.", Finish::Stop);
    assert_eq!(repeated.0.as_deref(), Ok("Yes."));
}

#[test]
fn text_without_thoughts_stays_as_it_is() {
    for text in [
        "",
        " Yes [1].\n",
        "5 < 6 and </b> is a tag.",
        "The tag `<think>` opens a thought, \"</think>\" closes it.",
        "Notes stand in <reasoning> and <thought> elements.",
        "Is it <think> that was meant?",
        "{\"answer\": \"<think>not a thought</think>\"}",
        " { \"answer\": \"</think>\"}",
    ] {
        for opening in [Opening::Unknown, Opening::Answer] {
            assert_eq!(in_all_pieces(opening, text, Finish::Stop).0.as_deref(), Ok(text), "{opening:?}");
        }
    }
    let (answer, learnt) = in_all_pieces(Opening::Unknown, "Yes.", Finish::Stop);
    assert_eq!((answer.as_deref(), learnt), (Ok("Yes."), Opening::Answer), "a complete answer tells");
    assert_eq!(in_all_pieces(Opening::Unknown, "Yes", Finish::Length).1, Opening::Unknown, "half of one does not");
    let (answer, _) = in_all_pieces(Opening::Thought, "Yes.", Finish::Stop);
    assert_eq!(answer.as_deref(), Ok("Yes."), "it answered without a thought");
}

#[test]
fn a_thought_in_the_middle_is_left_out() {
    let (answer, _) = in_all_pieces(Opening::Answer, "Yes. <think>Really?</think>It is.", Finish::Stop);
    assert_eq!(answer.as_deref(), Ok("Yes. It is."));
    let (cut, _) = in_all_pieces(Opening::Answer, "Yes. <think>Really? Let me", Finish::Length);
    assert_eq!(cut.as_deref(), Ok("Yes. "));
}

#[test]
fn nothing_but_thought_is_no_answer() {
    for (opening, text, finish) in [
        (Opening::Unknown, "<think>Let me see", Finish::Length),
        (Opening::Answer, "<think>Let me see", Finish::Stop),
        (Opening::Answer, "<think>Let me see</think>\n", Finish::Stop),
        (Opening::Unknown, "Let me see</think>", Finish::Stop),
        (Opening::Thought, "Let me see", Finish::Length),
        (Opening::Thought, "Let me </thi", Finish::Length),
    ] {
        assert_eq!(in_all_pieces(opening, text, finish).0, Err(NoAnswer::OnlyThought), "{text}");
    }
}

#[test]
fn answers_stream_as_soon_as_it_is_known_that_they_are() {
    let mut plain = ThoughtFilter::new(Opening::Answer);
    assert_eq!(plain.push("Yes, "), Ok("Yes, ".to_owned()));
    assert_eq!(plain.push("a <"), Ok("a ".to_owned()));
    assert_eq!(plain.push(" b"), Ok("< b".to_owned()));

    let mut apart = ThoughtFilter::new(Opening::Unknown);
    apart.note_thought_apart();
    assert_eq!(apart.push("Yes"), Ok("Yes".to_owned()));

    let mut marked = ThoughtFilter::new(Opening::Unknown);
    assert_eq!(marked.push("<think>Hm</think>Yes"), Ok("Yes".to_owned()));

    let mut json = ThoughtFilter::new(Opening::Unknown);
    assert_eq!(json.push("{\"a\": 1"), Ok("{\"a\": 1".to_owned()));
}
