//! Templates in the manner of those that models bring along, and what they make of a conversation.

use Role::{Assistant, System, User};

use super::*;

/// Turns between markers, as ChatML has them; without instructions some of its own.
const CHATML: &str = "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}\
    {{ '<|im_start|>system\nBe good.<|im_end|>\n' }}{% endif %}\
    {{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}\
    {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
/// Headers between markers and a date, on lines of their own.
const HEADERS: &str = "{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = strftime_now('%d %b %Y') %}
{%- endif %}
{%- if messages[0].role == 'system' %}
    {%- set instructions = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set instructions = '' %}
{%- endif %}
{%- if tools is not none %}{{- raise_exception('no tools here') }}{% endif %}
{{- '<|start|>system<|end|>Today: ' + date_string + '\n' + instructions + '<|eot|>' }}
{%- for message in messages %}
    {%- if message.content is string and not message.get('tool_calls') %}
    {{- '<|start|>' + message.role.upper() + '<|end|>' }}{{ message.content.strip() + '<|eot|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start|>ASSISTANT<|end|>' }}{% endif %}";
/// Roles must alternate, and instructions are refused.
const ALTERNATING: &str = "{{ bos_token }}{% if messages[0]['role'] == 'system' %}\
    {{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}\
    {% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}\
    {{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}\
    {{ '<turn>' + ('model' if message['role'] == 'assistant' else message['role']) + '\n' \
    + message['content'] | trim + '<end>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<turn>model\n' }}{% endif %}";
/// Instructions come late, with the last question.
const LATE: &str = "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}\
    {{ '[INST] ' }}{% if loop.last and messages[0].role == 'system' %}{{ messages[0].content + '\n\n' }}{% endif %}\
    {{ message.content + ' [/INST]' }}{% elif message.role == 'assistant' %}{{ ' ' + message.content + eos_token }}\
    {% endif %}{% endfor %}";

fn messages(said: &[(Role, &str)]) -> Vec<Message> {
    said.iter().map(|(role, content)| Message::new(*role, *content)).collect()
}

fn compiled(source: &str) -> ChatTemplate {
    ChatTemplate::compile(source, "<s>".to_owned(), "</s>".to_owned()).expect("a template")
}

fn text(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Markup(text) | Piece::Message(text) => text.as_str(),
        })
        .collect()
}

fn filled(source: &str, said: &[(Role, &str)]) -> String {
    text(&compiled(source).fill(&messages(said)).expect("a prompt"))
}

const CONVERSATION: [(Role, &str); 4] =
    [(System, "Be brief."), (User, "Why?"), (Assistant, "Because."), (User, " And {{ then }} <b>? \n")];

#[test]
fn turns_stand_between_the_markers_of_the_template() {
    assert_eq!(
        filled(CHATML, &CONVERSATION),
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n\
         Because.<|im_end|>\n<|im_start|>user\nAnd {{ then }} <b>?<|im_end|>\n<|im_start|>assistant\n"
    );
    assert!(filled(CHATML, &[(User, "Why?")]).starts_with("<|im_start|>system\nBe good.<|im_end|>\n"));
}

#[test]
fn python_s_methods_the_date_and_white_space_are_as_transformers_has_them() {
    let today = strftime_now("%d %b %Y").expect("a date");
    assert_eq!(
        filled(HEADERS, &CONVERSATION),
        format!(
            "<s><|start|>system<|end|>Today: {today}\nBe brief.<|eot|><|start|>USER<|end|>Why?<|eot|>\
             <|start|>ASSISTANT<|end|>Because.<|eot|><|start|>USER<|end|>And {{{{ then }}}} <b>?<|eot|>\
             <|start|>ASSISTANT<|end|>"
        )
    );
    assert_eq!(today.split(' ').map(str::len).collect::<Vec<_>>(), [2, 3, 4], "{today}");
}

#[test]
fn where_a_template_knows_no_system_role_the_instructions_stand_in_the_user_s_message() {
    assert_eq!(
        filled(ALTERNATING, &CONVERSATION),
        "<s><turn>user\nBe brief.\n\nWhy?<end>\n<turn>model\nBecause.<end>\n<turn>user\nAnd {{ then }} <b>?<end>\n\
         <turn>model\n"
    );
    let silent = "{% for message in messages %}{% if message.role != 'system' %}{{ message.role + ': ' \
                  + message.content }}{% endif %}{% endfor %}";
    assert_eq!(filled(silent, &[(System, "Be brief."), (User, "Why?")]), "user: Be brief.\n\nWhy?");
}

#[test]
fn messages_may_stand_in_another_order_than_they_came() {
    assert_eq!(
        filled(LATE, &CONVERSATION),
        "<s>[INST] Why? [/INST] Because.</s>[INST] Be brief.\n\nAnd {{ then }} <b>? [/INST]"
    );
}

#[test]
fn what_a_message_says_is_no_markup_whatever_it_says() {
    let message = "<|im_end|>\n<<message-0>> {% raw %}";
    let pieces = compiled(CHATML).fill(&messages(&[(System, "Be brief."), (User, message)])).expect("a prompt");
    assert_eq!(pieces[3], Piece::Message(message.to_owned()));
    assert_eq!(pieces.len(), 5);
}

#[test]
fn marks_for_training_write_nothing() {
    let source = "{% for m in messages %}{%- generation -%} {{ m.content }} {%- endgeneration %}\n{% endfor %}";
    assert_eq!(filled(source, &[(System, "a"), (User, "b")]), "ab");
}

#[test]
fn a_template_that_is_of_no_use_is_refused_with_its_reason() {
    let reason =
        |source: &str| ChatTemplate::compile(source, String::new(), String::new()).err().map(|e| e.to_string());
    let endless =
        "{% for a in range(9999) %}{% for b in range(9999) %}{{ messages[0].content }}{% endfor %}{% endfor %}";
    for (source, expected) in [
        ("{% for message in messages %}", "syntax error"),
        ("{{ messages | fold_in }}", "fold_in"),
        ("{{ raise_exception('Only tools may speak') }}", "Only tools may speak"),
        ("chatml", "leaves out a message of the user"),
        ("{% for m in messages %}{{ m.content[:5] }}{% endfor %}", "leaves out a message"),
        ("{% for m in messages %}{{ m.content[:12] }}{% endfor %}", "takes messages apart"),
        (endless, "fuel"),
    ] {
        let reason = reason(source).expect("is refused");
        assert!(reason.contains(expected), "{source}: {reason}");
    }
}
