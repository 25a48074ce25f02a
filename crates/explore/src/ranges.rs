//! Ranges from outside: `x=-50..50`.

use crate::{Error, Result, near};
use gradus_formula::{Config, Property, Ranges, run};

/// A range for every draw of a name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedRange {
    /// The draw's name.
    pub name: String,
    /// The smallest value.
    pub low: f64,
    /// The largest value.
    pub high: f64,
}

/// Reads `NAME=LOW..HIGH` or `NAME=LOW..=HIGH` (both closed: so are all draws), or `NAME=VALUE`.
///
/// ```
/// let range = gradus_explore::parse_range("x=-1e3..=50")?;
/// assert_eq!((range.name.as_str(), range.low, range.high), ("x", -1000.0, 50.0));
/// # Ok::<(), gradus_explore::Error>(())
/// ```
///
/// # Errors
/// [`Error::BadRange`], saying what was expected.
pub fn parse_range(text: &str) -> Result<NamedRange> {
    let bad = |why: &str| Error::BadRange(format!("`{text}` is no range: {why}"));
    let expected = "expected NAME=LOW..HIGH, for example x=-50..50";
    let (name, range) = text.split_once('=').ok_or_else(|| bad(expected))?;
    let (low, high) = range.split_once("..").unwrap_or((range, range));
    let high = high.strip_prefix('=').unwrap_or(high);
    if name.trim().is_empty() || low.trim().is_empty() || high.trim().is_empty() {
        return Err(bad(expected));
    }
    let end = |text: &str| match text.trim().parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(x),
        Ok(x) => Err(bad(&format!("{x} is not finite"))),
        Err(_) => Err(bad(&format!("`{}` is no number", text.trim()))),
    };
    let (low, high) = (end(low)?, end(high)?);
    if low > high {
        return Err(bad(&format!("{low} is above {high}")));
    }
    Ok(NamedRange { name: name.trim().to_owned(), low, high })
}

/// The ranges under which a property runs when it is one of several: each cut to what its draw allows, or left out
/// where nothing of it is. `x=-50..50` for all of `sigmoid.*` should not fail because one of them wants x ≥ 0.
pub fn fit_ranges(property: &Property, ranges: &Ranges) -> Ranges {
    let mut fitted = Ranges::default();
    for draw in &property.draws {
        if let Some(asked) = ranges.get(draw.name) {
            let (low, high) = (asked.low.max(draw.limit.low), asked.high.min(draw.limit.high));
            if low <= high {
                fitted.set(draw.name, low, high);
            }
        }
    }
    fitted
}

/// The configuration for one property of a selection: its ranges fitted, unless it was selected alone.
pub fn fit(property: &Property, config: &Config, alone: bool) -> Config {
    let ranges = if alone { config.ranges.clone() } else { fit_ranges(property, &config.ranges) };
    Config { ranges, ..config.clone() }
}

/// Whether every range is drawn by a selected property, and allowed by one that is selected alone; of several, each is
/// run under what [`fit_ranges`] leaves.
///
/// # Errors
/// [`Error::UnknownDraw`] with the nearest draws, or [`Error::Range`] with the property that refuses.
pub fn check_ranges(properties: &[&Property], ranges: &Ranges) -> Result<()> {
    for name in ranges.names() {
        let draws = || properties.iter().flat_map(|p| p.draws.iter().map(|d| d.name));
        if !draws().any(|d| d == name) {
            let mut near = near(name, draws());
            if near.is_empty() {
                // Nothing is like it: whatever there is helps more than nothing, if it is not much.
                let mut all: Vec<_> = draws().map(str::to_owned).collect();
                all.sort_unstable();
                all.dedup();
                near = if all.len() <= 8 { all } else { Vec::new() };
            }
            return Err(Error::UnknownDraw { name: name.to_owned(), near });
        }
    }
    for property in properties {
        if property.draws.is_empty() {
            continue;
        }
        // A run of no cases builds the strategy, and so meets every limit, also that of an array's size.
        let asked = Config { cases: 0, ranges: ranges.clone(), ..Config::default() };
        let config = fit(property, &asked, properties.len() == 1);
        if let Err(source) = run(property, &config, &mut |_| {}) {
            let draw = property.draws.iter().find(|d| d.name == source.draw);
            let allowed = draw.filter(|d| d.limit == source.limit).map(|d| d.limit);
            return Err(Error::Range { property: property.id, source, allowed });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_formula::Draw;

    fn ends(text: &str) -> (f64, f64) {
        let range = parse_range(text).unwrap();
        (range.low, range.high)
    }

    #[test]
    fn ranges_are_read() {
        assert_eq!(ends("x=-50..50"), (-50.0, 50.0));
        assert_eq!(ends("x=-50..=50"), (-50.0, 50.0));
        assert_eq!(ends("x=1e-3..1e3"), (1e-3, 1e3));
        assert_eq!(ends("x=-5..-2"), (-5.0, -2.0));
        assert_eq!(ends("x=.5..1."), (0.5, 1.0));
        assert_eq!(ends("x=7"), (7.0, 7.0));
        assert_eq!(parse_range(" x = 1 .. 2 ").unwrap().name, "x");
    }

    #[test]
    fn what_is_no_range_says_so() {
        let error = |text: &str| parse_range(text).unwrap_err().to_string();
        for text in ["x", "=1..2", "x=", "x=..3", "x=3..", "x=..", ""] {
            assert!(error(text).contains("expected NAME=LOW..HIGH"), "{text}: {}", error(text));
        }
        assert!(error("x=a..2").contains("`a` is no number"));
        assert!(error("x=3..2").contains("3 is above 2"));
        assert!(error("x=0..inf").contains("not finite"));
        assert!(error("x=nan").contains("not finite"));
    }

    #[test]
    fn ranges_are_checked_against_the_draws() {
        let p = Property::new("t.p", &["t"], "…")
            .draw(Draw::real("temperature", 0.0..=1.0).limited(0.0..=1e3))
            .draw(Draw::size("n", 1..=8))
            .draw(Draw::array("x", -1.0..=1.0, &["n", "64"]));
        let check = |text: &str| {
            let range = parse_range(text).unwrap();
            let mut ranges = Ranges::default();
            ranges.set(&range.name, range.low, range.high);
            check_ranges(&[&p], &ranges).map_err(|e| e.to_string())
        };
        assert_eq!(check("temperature=0..1000"), Ok(()));
        assert!(check("temprature=0..1").unwrap_err().contains("did you mean temperature?"));
        assert!(check("q=0..1").unwrap_err().contains("temperature"));
        let error = check("temperature=-1..1").unwrap_err();
        assert_eq!(error, "t.p: --range temperature=-1..1 leaves what the draw allows: 0..1000");
        let error = check("n=1.2..1.4").unwrap_err();
        assert_eq!(error, "t.p: --range n=1.2..1.4 holds no value that `n` can take");
        // One of several is run under what it allows of the range.
        let other = Property::new("t.q", &["t"], "…").draw(Draw::real("temperature", -1.0..=1.0));
        let mut ranges = Ranges::default();
        ranges.set("temperature", -1.0, 2.0);
        assert!(check_ranges(&[&p, &other], &ranges).is_ok());
        let fitted = fit_ranges(&p, &ranges).get("temperature").unwrap();
        assert_eq!((fitted.low, fitted.high), (0.0, 2.0));
        ranges.set("temperature", -2.0, -1.0);
        assert_eq!(fit_ranges(&p, &ranges).get("temperature"), None);
        let error = check("n=1..2048").unwrap_err();
        assert!(error.contains("its array `x` would hold up to 131072 values; at most 65536"), "{error}");
    }
}
