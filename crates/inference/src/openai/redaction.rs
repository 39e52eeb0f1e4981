//! Keys in messages. Endpoints repeat what they were sent, the key among it.

/// Shortest key that is hidden wherever it stands. A shorter one is no secret, but stands in other words.
const SHORTEST: usize = 8;
/// Words that a key follows.
const INTRODUCTIONS: [&str; 9] =
    ["key", "apikey", "api_key", "api-key", "bearer", "token", "provided", "authorization", "secret"];
const SHOWN: &str = "(key)";

/// The message without the key, where that stands as a word of its own. A key that could be any word is hidden only
/// where the message speaks of keys.
pub(super) fn without_key(message: &str, key: &str) -> String {
    if key.is_empty() {
        return message.to_owned();
    }
    let is_unmistakable = key.len() >= SHORTEST && !key.chars().all(char::is_alphabetic);
    let mut shown = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find(key) {
        let end = at + key.len();
        let before = message[..message.len() - rest.len() + at].chars().next_back();
        let is_word = !continues(before) && !continues(rest[end..].chars().next());
        let is_key = is_word && (is_unmistakable || is_introduced(&rest[..at]));
        shown.push_str(&rest[..at]);
        shown.push_str(if is_key { SHOWN } else { key });
        rest = &rest[end..];
    }
    shown + rest
}

/// Whether a character beside a text makes it part of a longer word.
fn continues(character: Option<char>) -> bool {
    character.is_some_and(|character| character.is_alphanumeric() || matches!(character, '_' | '-'))
}

/// Whether what stands before a word says that a key comes.
fn is_introduced(before: &str) -> bool {
    let separates = |character: char| !(character.is_alphanumeric() || matches!(character, '_' | '-'));
    let mut words = before.split(separates).rev().filter(|word| !word.is_empty()).map(str::to_lowercase);
    let last = words.next().unwrap_or_default();
    // "Incorrect API key: x", "Bearer x", "the key is x".
    let introduces = |word: &str| INTRODUCTIONS.iter().any(|known| word == *known || word.ends_with("-key"));
    introduces(&last) || (matches!(last.as_str(), "is" | "was") && introduces(&words.next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::without_key;

    #[test]
    fn a_key_is_hidden_where_it_stands_by_itself() {
        let key = "sk-never-to-be-shown";
        for (message, shown) in [
            ("Incorrect API key provided: sk-never-to-be-shown.", "Incorrect API key provided: (key)."),
            ("{\"key\":\"sk-never-to-be-shown\"}", "{\"key\":\"(key)\"}"),
            ("GET /v1?api_key=sk-never-to-be-shown&a=1", "GET /v1?api_key=(key)&a=1"),
            ("https://sk-never-to-be-shown@host/v1", "https://(key)@host/v1"),
            ("Authorization: Bearer sk-never-to-be-shown", "Authorization: Bearer (key)"),
            ("sk-never-to-be-shown sk-never-to-be-shown", "(key) (key)"),
            ("sk-never-to-be-shown2 is another", "sk-never-to-be-shown2 is another"),
        ] {
            assert_eq!(without_key(message, key), shown);
        }
    }

    #[test]
    fn other_words_stay_as_they_are() {
        for (key, message) in [
            ("x", "unexpected field, max_tokens x 2"),
            ("none", "none of the models is known"),
            ("model", "The model `model` does not exist"),
            ("unexpected", "an unexpected field"),
            ("secretary", "ask the secretary"),
            ("", "anything"),
        ] {
            assert_eq!(without_key(message, key), message, "{key}");
        }
    }

    #[test]
    fn a_key_that_could_be_any_word_is_hidden_where_keys_are_spoken_of() {
        for (key, message, shown) in [
            (
                "x",
                "Incorrect API key provided: x. It is unexpected",
                "Incorrect API key provided: (key). It is unexpected",
            ),
            ("unexpected", "Bearer unexpected is unexpected", "Bearer (key) is unexpected"),
            ("demo", "x-api-key: demo", "x-api-key: (key)"),
            ("demo", "your key is demo", "your key is (key)"),
        ] {
            assert_eq!(without_key(message, key), shown);
        }
    }
}
