//! Values of metadata: a text, or a list of texts that a filter finds by each of them.
//!
//! A list is kept in one value, so that whatever keeps texts can keep it.

/// Between the items of a list: ASCII's unit separator, which no text that people write has.
pub const SEPARATOR: char = '\u{1f}';

/// The value of a list. A list of one item is that item.
#[must_use]
pub fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let mut value = String::new();
    for (number, item) in items.into_iter().enumerate() {
        if number > 0 {
            value.push(SEPARATOR);
        }
        value.extend(item.as_ref().chars().filter(|character| *character != SEPARATOR));
    }
    value
}

/// The items of a value; a text is its only one.
pub fn items(value: &str) -> impl Iterator<Item = &str> {
    value.split(SEPARATOR)
}

/// Whether a value is a list.
#[must_use]
pub fn is_list(value: &str) -> bool {
    value.contains(SEPARATOR)
}

/// A value for people: the items of a list with commas between them.
#[must_use]
pub fn in_words(value: &str) -> String {
    value.replace(SEPARATOR, ", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_its_items_and_a_text_is_one() {
        let tags = list(["dosing, oral", "kidney"]);
        assert_eq!(items(&tags).collect::<Vec<_>>(), ["dosing, oral", "kidney"]);
        assert_eq!((in_words(&tags).as_str(), is_list(&tags)), ("dosing, oral, kidney", true));
        assert_eq!((list(["one"]).as_str(), is_list("one"), items("a, b").count()), ("one", false, 1));
        assert_eq!(items(&list(["a\u{1f}b", "c"])).collect::<Vec<_>>(), ["ab", "c"]);
    }
}
