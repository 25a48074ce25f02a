//! Named draws: what a property varies, over which range, on which scale, and the strategy that comes of it.
//!
//! Reals are drawn as integers on a decimal grid and scaled, because proptest's own float ranges barely
//! shrink: a minimal counterexample then reads `2`, `0.001`, `709.783`, not `834.2736140251159`.

use proptest::strategy::{SBoxedStrategy, Strategy};
use std::fmt;

/// How a draw's values are spread over its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Scale {
    /// Whole numbers, evenly.
    Integer,
    /// Reals on a decimal grid of a hundred thousand to a million points, evenly.
    Linear,
    /// Positive reals, evenly in their logarithm: a hundred values a decade.
    Log,
}

/// The closed interval that a draw covers.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
pub struct Range {
    /// The smallest value.
    pub low: f64,
    /// The largest value.
    pub high: f64,
}

/// A named draw: one thing that a property varies.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
pub struct Draw {
    /// The name under which a check asks for it and a user sets its range.
    pub name: &'static str,
    /// What it covers unless told otherwise.
    pub range: Range,
    /// What it may be told to cover; outside, the property is not defined.
    pub limit: Range,
    /// How the values are spread.
    pub scale: Scale,
    /// For an array, the sizes of its dimensions: names of integer draws or plain numbers.
    pub shape: Option<&'static [&'static str]>,
    /// For a choice, the names of what is chosen from.
    pub options: Option<&'static [&'static str]>,
}

/// The most values that one array draw may hold.
const ARRAY_LIMIT: usize = 1 << 16;
const ANY: Range = Range { low: f64::MIN, high: f64::MAX };

impl Draw {
    /// A real number, evenly on a decimal grid of `range`.
    pub fn real(name: &'static str, range: std::ops::RangeInclusive<f64>) -> Self {
        Self::new(name, range, Scale::Linear)
    }

    /// A positive real number, evenly in its logarithm.
    pub fn log(name: &'static str, range: std::ops::RangeInclusive<f64>) -> Self {
        Self { limit: Range { low: f64::MIN_POSITIVE, high: f64::MAX }, ..Self::new(name, range, Scale::Log) }
    }

    /// A whole number.
    pub fn integer(name: &'static str, range: std::ops::RangeInclusive<i64>) -> Self {
        let bound = (1i64 << 53) as f64;
        Self {
            limit: Range { low: -bound, high: bound },
            ..Self::new(name, *range.start() as f64..=*range.end() as f64, Scale::Integer)
        }
    }

    /// A size of something: a whole number of at least one (or at least zero, where the range starts there).
    pub fn size(name: &'static str, range: std::ops::RangeInclusive<i64>) -> Self {
        let low = if *range.start() == 0 { 0.0 } else { 1.0 };
        Self { limit: Range { low, high: 4096.0 }, ..Self::integer(name, range) }
    }

    /// A seed for what need not shrink.
    pub fn seed(name: &'static str) -> Self {
        Self { limit: Range { low: 0.0, high: u32::MAX.into() }, ..Self::integer(name, 0..=u32::MAX.into()) }
    }

    /// One of several named options.
    pub fn choice(name: &'static str, options: &'static [&'static str]) -> Self {
        let last = options.len().saturating_sub(1) as i64;
        Self {
            limit: Range { low: 0.0, high: last as f64 },
            options: Some(options),
            ..Self::integer(name, 0..=last)
        }
    }

    /// An array of reals, each evenly on a decimal grid of `range`; `shape` names size draws or numbers.
    pub fn array(
        name: &'static str,
        range: std::ops::RangeInclusive<f64>,
        shape: &'static [&'static str],
    ) -> Self {
        Self { shape: Some(shape), ..Self::real(name, range) }
    }

    /// Refuses ranges outside `limit` from now on.
    #[must_use]
    pub fn limited(mut self, limit: std::ops::RangeInclusive<f64>) -> Self {
        self.limit = Range { low: *limit.start(), high: *limit.end() };
        self
    }

    fn new(name: &'static str, range: std::ops::RangeInclusive<f64>, scale: Scale) -> Self {
        let range = Range { low: *range.start(), high: *range.end() };
        Self { name, range, limit: ANY, scale, shape: None, options: None }
    }

    /// The next whole number beyond a value that lies just past one: 2 for 1.00001, −1 for −0.0001. Shrinking walks
    /// to the edge of the failing region, and where the edge is a whole number a reader rather sees the next.
    pub(crate) fn plainer(&self, x: f64, range: Range) -> Option<f64> {
        let Spacing::Over(steps_a_unit) = self.grid(range).step else { return None };
        let past = x - x.round();
        let next = x.round() + past.signum();
        let just_past = past != 0.0 && past.abs() * steps_a_unit <= 4.0;
        (self.scale == Scale::Linear && just_past && next >= range.low && next <= range.high).then_some(next)
    }

    /// The grid of this draw over `range`: integers `low..=high` and the map from them to values.
    fn grid(&self, range: Range) -> Grid {
        match self.scale {
            Scale::Integer => Grid::within(range, Spacing::By(1.0)),
            // A range of one number is that number, on whatever grid.
            Scale::Log | Scale::Linear if range.low == range.high => {
                Grid { low: 0, high: 0, step: Spacing::Only(range.low) }
            }
            Scale::Log => Grid::within(range, Spacing::Decades),
            Scale::Linear => {
                // A power of ten that cuts the range into 10⁵ to 10⁶ steps. Multiplying or dividing by a whole
                // power of ten keeps decimals exact to the last bit: 709783 / 1000, not 709783 × 0.001.
                let magnitude = range.low.abs().max(range.high.abs());
                let width = (range.high - range.low).max(magnitude * 1e-6);
                let exponent = width.log10().ceil() as i32 - 6;
                let step = if exponent < 0 {
                    Spacing::Over(10f64.powi(-exponent))
                } else {
                    Spacing::By(10f64.powi(exponent))
                };
                Grid::within(range, step)
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Spacing {
    By(f64),
    Over(f64),
    Decades,
    Only(f64),
}

impl Spacing {
    fn exists(self) -> bool {
        match self {
            Spacing::By(s) | Spacing::Over(s) => s.is_finite() && s > 0.0,
            Spacing::Decades => true,
            Spacing::Only(x) => x.is_finite(),
        }
    }

    fn value(self, i: i64) -> f64 {
        match self {
            Spacing::By(s) => i as f64 * s,
            Spacing::Over(s) => i as f64 / s,
            Spacing::Decades => 10f64.powf(i as f64 / 100.0),
            Spacing::Only(x) => x,
        }
    }

    fn index(self, x: f64) -> f64 {
        match self {
            Spacing::By(s) => x / s,
            Spacing::Over(s) => x * s,
            Spacing::Decades => x.log10() * 100.0,
            Spacing::Only(_) => 0.0,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Grid {
    low: i64,
    high: i64,
    step: Spacing,
}

impl Grid {
    /// The points of a spacing that lie in a range, its ends included.
    fn within(range: Range, step: Spacing) -> Self {
        let mut low = step.index(range.low).ceil() as i64;
        let mut high = step.index(range.high).floor() as i64;
        if !step.exists() {
            return Self { low, high, step };
        }
        // The index is rounded: 0.29 · 10⁶ is 289999.99999999994, but the point 290000 / 10⁶ is 0.29.
        if step.value(low.saturating_sub(1)) >= range.low {
            low -= 1;
        }
        if step.value(high.saturating_add(1)) <= range.high {
            high += 1;
        }
        Self { low, high, step }
    }

    /// Whether no number is above 0. proptest shrinks a negative number towards one *below* the upper end of such a
    /// range, which may even leave it; so these are drawn as their mirror images.
    fn mirrored(&self) -> bool {
        self.high <= 0
    }

    /// What proptest draws from.
    fn indices(&self) -> std::ops::RangeInclusive<i64> {
        if self.mirrored() {
            self.high.saturating_neg()..=self.low.saturating_neg()
        } else {
            self.low..=self.high
        }
    }

    /// The point that a drawn number stands for.
    fn point(&self, drawn: i64) -> i64 {
        if self.mirrored() { drawn.saturating_neg() } else { drawn }
    }

    /// The value that a drawn number stands for.
    fn value(&self, drawn: i64) -> f64 {
        self.step.value(self.point(drawn))
    }
}

/// Ranges set from outside, by draw name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ranges(Vec<(String, Range)>);

impl Ranges {
    /// Sets the range of every draw called `name`.
    pub fn set(&mut self, name: &str, low: f64, high: f64) {
        self.0.retain(|(n, _)| n != name);
        self.0.push((name.to_owned(), Range { low, high }));
    }

    /// The range that has been set under this name.
    pub fn get(&self, name: &str) -> Option<Range> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, range)| *range)
    }

    /// The names that have been set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(n, _)| n.as_str())
    }

    /// The range of `draw` under these settings, or why it can't be had.
    pub fn of(&self, draw: &Draw) -> Result<Range, RangeError> {
        let range = self.get(draw.name).unwrap_or(draw.range);
        let Range { low, high } = draw.limit;
        let grid = draw.grid(range);
        // A range as wide as all floats, or narrower than the smallest power of ten, has no grid.
        let exists = grid.step.exists() && grid.low <= grid.high;
        if !(range.low >= low && range.high <= high && range.low <= range.high && exists) {
            return Err(RangeError { draw: draw.name, asked: range, limit: draw.limit });
        }
        Ok(range)
    }
}

/// A range that a draw can't have.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeError {
    /// The draw.
    pub draw: &'static str,
    /// What was asked for.
    pub asked: Range,
    /// What it may have.
    pub limit: Range,
}

impl fmt::Display for RangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { draw, asked, limit } = self;
        write!(
            f,
            "the range {draw}={}..{} is empty or leaves what the draw allows: {}..{}",
            asked.low, asked.high, limit.low, limit.high
        )
    }
}

impl std::error::Error for RangeError {}

/// A drawn array: a shape and its values, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The sizes of the dimensions.
    pub shape: Vec<usize>,
    /// The values, the last dimension fastest.
    pub data: Vec<f64>,
}

/// A drawn value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A real number.
    Real(f64),
    /// A whole number.
    Integer(i64),
    /// One of several options, by name.
    Choice(&'static str),
    /// An array.
    Array(Array),
}

impl Value {
    /// The numbers in it, for distributions.
    pub fn numbers(&self) -> &[f64] {
        match self {
            Value::Real(x) => std::slice::from_ref(x),
            Value::Array(a) => &a.data,
            Value::Integer(_) | Value::Choice(_) => &[],
        }
    }
}

impl Value {
    /// Replaces the number at this position.
    pub(crate) fn set(&mut self, at: usize, number: f64) {
        match self {
            Value::Real(x) => *x = number,
            Value::Array(a) => a.data[at] = number,
            Value::Integer(_) | Value::Choice(_) => {}
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Real(x) => write!(f, "{x}"),
            Value::Integer(i) => write!(f, "{i}"),
            Value::Choice(c) => f.write_str(c),
            Value::Array(a) => write_nested(f, &a.shape, &a.data),
        }
    }
}

fn write_nested(f: &mut fmt::Formatter<'_>, shape: &[usize], data: &[f64]) -> fmt::Result {
    let Some((&n, rest)) = shape.split_first() else {
        return match data.first() {
            Some(x) => write!(f, "{x}"),
            None => Ok(()),
        };
    };
    let inner: usize = rest.iter().product();
    f.write_str("[")?;
    for i in 0..n {
        if i > 0 {
            f.write_str(", ")?;
        }
        write_nested(f, rest, &data[i * inner..(i + 1) * inner])?;
    }
    f.write_str("]")
}

/// What one case drew, by name, in the order of the draws.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inputs(pub(crate) Vec<(&'static str, Value)>);

impl Inputs {
    /// Names and values, in the order of the draws.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(n, v)| (*n, v))
    }

    /// The value drawn under this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, v)| v)
    }
}

impl Inputs {
    /// The value of draw `i`.
    pub(crate) fn value(&self, i: usize) -> Option<Value> {
        self.0.get(i).map(|(_, value)| value.clone())
    }

    /// These inputs with the whole number `i` made smaller, the arrays that depend on it cut as they would be drawn;
    /// `None` if one would have to grow.
    pub(crate) fn resized(&self, draws: &[Draw], i: usize, number: i64) -> Option<Self> {
        let mut out = self.clone();
        out.0[i].1 = Value::Integer(number);
        for (at, draw) in draws.iter().enumerate() {
            let Some(shape) = draw.shape else { continue };
            let size = |dim: &&str| match (dim.parse(), out.get(dim)) {
                (Ok(n), _) => Some(n),
                (_, Some(Value::Integer(n))) => usize::try_from(*n).ok(),
                _ => None,
            };
            let shape = shape.iter().map(size).collect::<Option<Vec<usize>>>()?;
            let Value::Array(array) = &self.0[at].1 else { continue };
            let data = array.data.get(..shape.iter().product())?.to_vec();
            out.0[at].1 = Value::Array(Array { shape, data });
        }
        Some(out)
    }
}

impl fmt::Display for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("(nothing is drawn)");
        }
        for (i, (name, value)) in self.0.iter().enumerate() {
            write!(f, "{}{name} = {value}", if i > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

/// From draws and ranges to a strategy of [`Inputs`].
///
/// The sizes shrink before the contents. An array is drawn at the largest size its dimensions can have and
/// cut to their present values, so that shrinking a size keeps the elements that remain.
pub(crate) fn strategy(draws: &[Draw], ranges: &Ranges) -> Result<SBoxedStrategy<Inputs>, RangeError> {
    let mut scalars = Vec::new();
    let mut arrays = Vec::new();
    let mut plan = Vec::new();
    for draw in draws {
        let range = ranges.of(draw)?;
        let grid = draw.grid(range);
        if let Some(shape) = draw.shape {
            let mut most = 1usize;
            for dim in shape {
                most = most.saturating_mul(largest(dim, draws, ranges)?);
            }
            if most > ARRAY_LIMIT {
                let limit = Range { low: 0.0, high: ARRAY_LIMIT as f64 };
                return Err(RangeError {
                    draw: draw.name,
                    asked: Range { low: 0.0, high: most as f64 },
                    limit,
                });
            }
            plan.push((draw.clone(), grid, arrays.len()));
            arrays.push(vec![grid.indices(); most]);
        } else {
            plan.push((draw.clone(), grid, scalars.len()));
            scalars.push(grid.indices());
        }
    }
    let assemble = move |(scalars, arrays): (Vec<i64>, Vec<Vec<i64>>)| {
        let mut inputs = Inputs::default();
        for (draw, grid, at) in &plan {
            let value = match (draw.shape, draw.options) {
                (Some(shape), _) => {
                    let shape: Vec<usize> = shape.iter().map(|d| present(d, &plan, &scalars)).collect();
                    let len = shape.iter().product();
                    let data = arrays[*at][..len].iter().map(|&i| grid.value(i)).collect();
                    Value::Array(Array { shape, data })
                }
                (None, Some(options)) => Value::Choice(options[grid.point(scalars[*at]) as usize]),
                (None, None) if draw.scale == Scale::Integer => Value::Integer(grid.point(scalars[*at])),
                (None, None) => Value::Real(grid.value(scalars[*at])),
            };
            inputs.0.push((draw.name, value));
        }
        inputs
    };
    Ok((scalars, arrays).prop_map(assemble).sboxed())
}

/// The largest value that the dimension `dim` can take.
fn largest(dim: &str, draws: &[Draw], ranges: &Ranges) -> Result<usize, RangeError> {
    if let Ok(n) = dim.parse() {
        return Ok(n);
    }
    match draws.iter().find(|d| d.name == dim) {
        Some(draw) => Ok(ranges.of(draw)?.high.max(0.0) as usize),
        None => panic!("an array's dimension `{dim}` is neither a number nor a draw"),
    }
}

/// The present value of the dimension `dim`.
fn present(dim: &str, plan: &[(Draw, Grid, usize)], scalars: &[i64]) -> usize {
    if let Ok(n) = dim.parse() {
        return n;
    }
    plan.iter()
        .find(|(d, ..)| d.name == dim)
        .map_or(0, |(_, grid, at)| grid.point(scalars[*at]).max(0) as usize)
}
