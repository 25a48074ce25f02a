//! What can go wrong before or beside a run. A property that fails is no error: it is a report.

use crate::render::number;
use gradus_formula::{Range, RangeError};

/// A result of the explorer.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be done as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing bears this name or matches this pattern.
    #[error("no property, formula or crate matches `{pattern}`{}", did_you_mean(near))]
    Unknown {
        /// What was asked for.
        pattern: String,
        /// What it may have meant, the nearest first.
        near: Vec<String>,
    },
    /// The pattern is not one.
    #[error("`{pattern}` is no pattern: {reason}")]
    Pattern {
        /// What was asked for.
        pattern: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The pattern matches formulas, but none of them has a property.
    #[error("`{pattern}` has no properties to run (a {kind})")]
    NoProperties {
        /// What was asked for.
        pattern: String,
        /// What it is.
        kind: &'static str,
    },
    /// No selected property draws anything of this name.
    #[error("--range {name}: no selected property draws `{name}`{}", did_you_mean(near))]
    UnknownDraw {
        /// The name of the range.
        name: String,
        /// What the selected properties draw, the nearest first.
        near: Vec<String>,
    },
    /// A range that is not one.
    #[error("{0}")]
    BadRange(String),
    /// A range that a draw of a selected property can't have.
    #[error("{}", refused(property, source, *allowed))]
    Range {
        /// The property.
        property: &'static str,
        /// What its draw said.
        source: RangeError,
        /// What the draw may have, where it is a draw's limit that was crossed.
        allowed: Option<Range>,
    },
    /// A case that is not written `PROPERTY:CASE`.
    #[error("`{0}` is no case: expected PROPERTY:CASE, for example sigmoid.symmetry:17")]
    BadCase(String),
    /// Writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Writing to a named file failed.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A report could not be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// `; did you mean a, b or c?`, or nothing.
fn did_you_mean(near: &[String]) -> String {
    match near {
        [] => String::new(),
        [one] => format!("; did you mean {one}?"),
        [first @ .., last] => format!("; did you mean {} or {last}?", first.join(", ")),
    }
}

/// A [`RangeError`] with numbers one can read: the ends of `f64` have three hundred digits.
fn refused(property: &str, error: &RangeError, allowed: Option<Range>) -> String {
    let RangeError { draw, asked, limit } = error;
    let (low, high) = (number(asked.low), number(asked.high));
    match allowed {
        None => format!(
            "{property}: its array `{draw}` would hold up to {high} values; at most {} are allowed",
            number(limit.high)
        ),
        Some(limit) if asked.low < limit.low || asked.high > limit.high => format!(
            "{property}: --range {draw}={low}..{high} leaves what the draw allows: {}",
            crate::render::range(limit)
        ),
        Some(_) => format!("{property}: --range {draw}={low}..{high} holds no value that `{draw}` can take"),
    }
}
