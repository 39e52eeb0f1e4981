//! Conditions that Chroma understands.

use chroma::types::{
    MetadataComparison, MetadataExpression, MetadataSetValue, MetadataValue, PrimitiveOperator, SetOperator, Where,
};
use qanda_core::{Filter, Source};

use super::layout;

/// A value equals.
pub(super) fn is(key: &str, value: impl Into<MetadataValue>) -> Where {
    compare(key, MetadataComparison::Primitive(PrimitiveOperator::Equal, value.into()))
}

/// A number is at least this.
pub(super) fn at_least(key: &str, number: i64) -> Where {
    let comparison = MetadataComparison::Primitive(PrimitiveOperator::GreaterThanOrEqual, MetadataValue::Int(number));
    compare(key, comparison)
}

/// A text is one of these, of which there must be some.
pub(super) fn is_one_of(key: &str, texts: impl IntoIterator<Item = String>) -> Where {
    let texts = MetadataSetValue::Str(texts.into_iter().collect());
    compare(key, MetadataComparison::Set(SetOperator::In, texts))
}

fn compare(key: &str, comparison: MetadataComparison) -> Where {
    Where::Metadata(MetadataExpression { key: key.to_owned(), comparison })
}

/// All of them.
pub(super) fn all(conditions: impl IntoIterator<Item = Where>) -> Option<Where> {
    let mut conditions = conditions.into_iter().peekable();
    conditions.peek().is_some().then(|| Where::conjunction(conditions))
}

/// What a search may find.
pub(super) fn searched(source: Source, filter: &Filter) -> Option<Where> {
    let kind = match source {
        Source::Context => Some(is(layout::SOURCE, layout::CONTEXT)),
        Source::Qa => Some(is(layout::SOURCE, layout::QA)),
        Source::All => None,
    };
    all(kind.into_iter().chain(filter.iter().map(|(name, value)| fact(name, value))))
}

/// A document's fact. Other clients store years as numbers and flags as such, so every form of the value counts.
fn fact(name: &str, value: &str) -> Where {
    let mut forms = vec![MetadataValue::Str(value.to_owned())];
    forms.extend(value.parse().ok().map(MetadataValue::Int));
    forms.extend(value.parse().ok().filter(|number: &f64| number.is_finite()).map(MetadataValue::Float));
    forms.extend(value.parse().ok().map(MetadataValue::Bool));
    let keys = layout::fact_keys(name);
    Where::disjunction(keys.iter().flat_map(|key| forms.iter().map(|form| is(key, form.clone()))))
}
