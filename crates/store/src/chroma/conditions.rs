//! Conditions on the metadata of records, in Chroma's notation.

use qanda_core::{Filter, Source};
use serde::Serialize;
use serde_json::json;

use super::layout;
use super::values::Value;

/// A condition that records fulfil or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Condition(serde_json::Value);

/// A value equals.
pub(super) fn is(key: &str, value: impl Into<Value>) -> Condition {
    Condition(json!({ key: { "$eq": value.into() } }))
}

/// A number is at least this.
pub(super) fn at_least(key: &str, number: usize) -> Condition {
    Condition(json!({ key: { "$gte": Value::from(number) } }))
}

/// A text is one of these, of which there must be some.
pub(super) fn is_one_of(key: &str, texts: impl IntoIterator<Item = String>) -> Condition {
    let texts: Vec<String> = texts.into_iter().collect();
    Condition(json!({ key: { "$in": texts } }))
}

/// All of them; none if there are none.
pub(super) fn all(conditions: impl IntoIterator<Item = Condition>) -> Option<Condition> {
    join("$and", conditions)
}

/// Chroma refuses to join fewer than two.
fn join(operator: &str, conditions: impl IntoIterator<Item = Condition>) -> Option<Condition> {
    let mut conditions: Vec<Condition> = conditions.into_iter().collect();
    match conditions.len() {
        0 | 1 => conditions.pop(),
        _ => Some(Condition(json!({ operator: conditions }))),
    }
}

/// The condition on records that a search may find.
pub(super) fn searched(source: Source, filter: &Filter) -> Option<Condition> {
    let kind = match source {
        Source::Context => Some(is(layout::SOURCE, layout::CONTEXT)),
        Source::Qa => Some(is(layout::SOURCE, layout::QA)),
        Source::All => None,
    };
    all(kind.into_iter().chain(filter.iter().filter_map(|(name, value)| fact(name, value))))
}

/// A document's fact, or an item of one that is a list. Other clients store years as numbers and flags as such, so every form of the value counts.
fn fact(name: &str, value: &str) -> Option<Condition> {
    let mut forms = vec![Value::from(value)];
    forms.extend(value.parse().ok().map(Value::Int));
    forms.extend(value.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float));
    forms.extend(value.parse().ok().map(Value::Bool));
    let keys = layout::fact_keys(name);
    let equal = keys.iter().flat_map(|key| forms.iter().map(|form| is(key, form.clone())));
    join("$or", equal.chain([is(&layout::item_key(name, value), Value::Bool(true))]))
}

#[cfg(test)]
mod tests {
    use qanda_core::{Filter, Source};
    use serde_json::json;

    use super::{all, is, searched};

    #[test]
    fn conditions_are_joined_as_chroma_wants_them() {
        let said = |condition| serde_json::to_value(condition).expect("JSON");
        assert_eq!(said(all([])), json!(null));
        assert_eq!(said(all([is("a", 1_usize)])), json!({"a": {"$eq": 1}}));
        let filter = Filter::from([("year".to_owned(), "2024".to_owned())]);
        let year = json!({"$or": [{"year": {"$eq": "2024"}}, {"year": {"$eq": 2024}}, {"year": {"$eq": 2024.0}},
                                   {"item_year=2024": {"$eq": true}}]});
        let expected = json!({"$and": [{"source": {"$eq": "context"}}, year]});
        assert_eq!(said(searched(Source::Context, &filter)), expected);
        assert_eq!(said(searched(Source::All, &Filter::new())), json!(null));
    }
}
