//! Where a reader has moved what can be moved in a figure.
//!
//! Whoever asks may be a script with a slip or another program: a value counts only after it was held against its control.

use super::Control;
use gradus_formula::number;
use serde_json::{Map, Value};
use thiserror::Error;

/// Where everything that can be moved in a figure is.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs(Vec<(&'static str, Input)>);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Input {
    Number(f64),
    Points(Moved),
    Cells(Vec<f64>),
    Pressed(bool),
}

/// Where points are.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// All of them, in their order.
    pub at: Vec<(f64, f64)>,
    /// Which one was moved last.
    pub chosen: Option<usize>,
}

/// What is wrong with a request for a figure.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum InputError {
    /// There is no such control.
    #[error("no control is called `{name}`; there are: {known}")]
    Unknown {
        /// As it was asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A value of another type.
    #[error("`{name}` is {found}; wanted is {wanted}")]
    Kind {
        /// The control.
        name: &'static str,
        /// What came.
        found: String,
        /// What may come.
        wanted: &'static str,
    },
    /// A number outside its range, or none at all.
    #[error("{what} is {value:?}; allowed is {} to {}", number(*least), number(*most))]
    Range {
        /// The control, or the coordinate of a point.
        what: String,
        /// What came.
        value: f64,
        /// The least that is allowed.
        least: f64,
        /// The largest.
        most: f64,
    },
    /// Another number of points or cells.
    #[error("`{name}` are {found} {what}; there must be {expected}")]
    Count {
        /// The control.
        name: &'static str,
        /// What it has several of.
        what: &'static str,
        /// How many came.
        found: usize,
        /// How many there are in the figure.
        expected: usize,
    },
    /// A point that is not there.
    #[error("point {chosen} of `{name}` was moved; there are 0 to {last}")]
    Chosen {
        /// The control.
        name: &'static str,
        /// Which one the request names.
        chosen: String,
        /// The last that there is.
        last: usize,
    },
}

impl Inputs {
    /// Nobody has moved anything.
    pub fn defaults(controls: &[Control]) -> Self {
        Self(controls.iter().map(|c| (c.name(), c.default())).collect())
    }

    /// What a request says; a control that it leaves out is where it was at first.
    ///
    /// # Errors
    /// If there is no such control, or a value is not what it takes.
    pub fn read(controls: &[Control], sent: &Map<String, Value>) -> Result<Self, InputError> {
        let unknown = |name: &String| !controls.iter().any(|c| c.name() == name);
        if let Some(name) = sent.keys().find(|name| unknown(name)) {
            let known = controls.iter().map(Control::name).collect::<Vec<_>>().join(", ");
            return Err(InputError::Unknown { name: name.clone(), known });
        }
        let input = |c: &Control| Ok((c.name(), sent.get(c.name()).map_or(Ok(c.default()), |v| c.read(v))?));
        controls.iter().map(input).collect::<Result<_, _>>().map(Self)
    }

    fn get<'a, T>(&'a self, name: &str, take: impl Fn(&'a Input) -> Option<T>) -> Result<T, InputError> {
        self.0.iter().find(|(own, _)| *own == name).and_then(|(_, input)| take(input)).ok_or_else(|| {
            let known = self.0.iter().map(|(own, _)| *own).collect::<Vec<_>>().join(", ");
            InputError::Unknown { name: name.into(), known }
        })
    }

    /// The value of a slider.
    ///
    /// # Errors
    /// If the figure has no slider of this name.
    pub fn number(&self, name: &str) -> Result<f64, InputError> {
        self.get(name, |input| match input {
            Input::Number(value) => Some(*value),
            Input::Points(_) | Input::Cells(_) | Input::Pressed(_) => None,
        })
    }

    /// Where points are.
    ///
    /// # Errors
    /// If the figure has no points of this name.
    pub fn points(&self, name: &str) -> Result<&Moved, InputError> {
        self.get(name, |input| match input {
            Input::Points(moved) => Some(moved),
            Input::Number(_) | Input::Cells(_) | Input::Pressed(_) => None,
        })
    }

    /// What is in the cells of a grid, row by row.
    ///
    /// # Errors
    /// If the figure has no grid of this name.
    pub fn cells(&self, name: &str) -> Result<&[f64], InputError> {
        self.get(name, |input| match input {
            Input::Cells(cells) => Some(cells.as_slice()),
            Input::Number(_) | Input::Points(_) | Input::Pressed(_) => None,
        })
    }

    /// Whether a button is pressed.
    ///
    /// # Errors
    /// If the figure has no button of this name.
    pub fn pressed(&self, name: &str) -> Result<bool, InputError> {
        self.get(name, |input| match input {
            Input::Pressed(pressed) => Some(*pressed),
            Input::Number(_) | Input::Points(_) | Input::Cells(_) => None,
        })
    }

    /// Whether any button is.
    pub(super) fn any_pressed(&self) -> bool {
        self.0.iter().any(|(_, input)| *input == Input::Pressed(true))
    }
}

/// Refuses what is not between two numbers; a NaN is between none.
pub(super) fn within(what: &str, value: f64, (least, most): (f64, f64)) -> Result<f64, InputError> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(InputError::Range { what: what.into(), value, least, most })
}
