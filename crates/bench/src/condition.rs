//! The form of a goal: a name, a comparison, a limit.

/// How a figure is compared with its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `<=`
    AtMost,
}

/// The longer ones come before those that they begin with.
const COMPARISONS: [(&str, Comparison); 4] =
    [(">=", Comparison::AtLeast), ("<=", Comparison::AtMost), (">", Comparison::More), ("<", Comparison::Less)];

impl Comparison {
    /// Takes `p99 > 2s` apart: the name, the comparison and the limit, without white space around them.
    ///
    /// # Errors
    /// When there is no comparison in it.
    pub fn split(text: &str) -> Result<(&str, Self, &str), String> {
        let found = text.find(['<', '>']).ok_or("must say what is too much or too little, such as p99>2s")?;
        let (name, rest) = text.split_at(found);
        let (sign, comparison) =
            COMPARISONS.into_iter().find(|(sign, _)| rest.starts_with(sign)).ok_or("has no comparison")?;
        Ok((name.trim(), comparison, rest[sign.len()..].trim()))
    }

    /// Whether it is true of a figure and a limit.
    #[must_use]
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::More => value > limit,
            Self::AtLeast => value >= limit,
            Self::Less => value < limit,
            Self::AtMost => value <= limit,
        }
    }
}
