//! NIST's reference data sets for linear regression, with their certified results.

use crate::{Error, Result};
use gradus_tensor::Tensor;

/// One of NIST's Statistical Reference Datasets for linear least squares, with the results that NIST certifies to fifteen
/// digits.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// `Norris`, `Filip`, ….
    pub name: &'static str,
    /// The predictors as measured, `[N, D]`: of a polynomial model the one variable, not its powers.
    pub x: Tensor<f64>,
    /// The response, `[N]`.
    pub y: Tensor<f64>,
    /// The degree of a polynomial model in the one predictor; 0 where the predictors enter linearly.
    pub degree: usize,
    /// Whether the model has an intercept.
    pub intercept: bool,
    /// The certified coefficients, the intercept first.
    pub parameters: Vec<f64>,
    /// Their certified standard deviations.
    pub standard_errors: Vec<f64>,
    /// The certified residual standard deviation.
    pub residual_deviation: f64,
    /// The certified R².
    pub r_squared: f64,
    /// The certified sum of squares of the regression.
    pub regression_sum_of_squares: f64,
    /// The certified residual sum of squares.
    pub residual_sum_of_squares: f64,
    /// The certified F statistic: ∞ for an exact fit.
    pub f_value: f64,
}

macro_rules! files {
    ($($name:literal),*) => {
        &[$(($name, include_str!(concat!("../data/nist-strd/", $name, ".dat")))),*]
    };
}

const FILES: &[(&str, &str)] = files!(
    "Norris", "Pontius", "NoInt1", "NoInt2", "Filip", "Longley", "Wampler1", "Wampler2", "Wampler3",
    "Wampler4", "Wampler5"
);

/// The eleven sets for linear least squares, from easy to hard.
///
/// ```
/// let sets = gradus_datasets::nist_linear()?;
/// assert_eq!(sets.len(), 11);
/// let norris = &sets[0];
/// assert_eq!((norris.name, norris.x.dims()), ("Norris", &[36, 1][..]));
/// assert_eq!(norris.parameters[1], 1.00211681802045);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Source**: NIST Statistical Reference Datasets, Standard Reference Data of the National Institute of Standards and
/// Technology, a work of the U.S. Government, not subject to copyright in the United States. The files are NIST's, unchanged.
///
/// # Errors
/// None in practice: the files are part of the crate, and the tests read them.
pub fn nist_linear() -> Result<Vec<Reference>> {
    FILES.iter().map(|(name, text)| read(name, text)).collect()
}

/// The numbers of a line.
fn numbers(line: &str) -> Vec<f64> {
    line.split_whitespace()
        .filter_map(|w| if w == "Infinity" { Some(f64::INFINITY) } else { w.parse().ok() })
        .collect()
}

fn read(name: &'static str, text: &str) -> Result<Reference> {
    let malformed = |line: usize, what: &str| Error::Malformed {
        file: format!("{name}.dat"),
        line: line as u64,
        expected: what.to_owned(),
    };
    let lines: Vec<&str> = text.lines().collect();
    // The header names the lines: `Certified Values (lines 31 to 55)`, `Data (lines 61 to 142)`.
    let section = |word: &str| -> Result<(usize, usize)> {
        let found = lines.iter().position(|l| l.contains(word) && l.contains("(lines"));
        let at = found.ok_or_else(|| malformed(1, &format!("`{word} (lines A to B)`")))?;
        let inside = lines[at].split("(lines").nth(1).unwrap_or("").replace([')', 't', 'o'], " ");
        match numbers(&inside)[..] {
            [a, b] if a >= 1.0 && b >= a && b as usize <= lines.len() => Ok((a as usize, b as usize)),
            _ => Err(malformed(at + 1, "`(lines A to B)` within the file")),
        }
    };
    let (first, last) = section("Certified Values")?;
    let certified = &lines[first - 1..last];
    let (mut parameters, mut standard_errors, mut intercept) = (Vec::new(), Vec::new(), false);
    let (mut deviation, mut r_squared, mut regression, mut residual) = (None, None, None, None);
    for line in certified {
        let words: Vec<&str> = line.split_whitespace().collect();
        let values = numbers(line);
        match words[..] {
            [b, _, _] if b.starts_with('B') && values.len() == 2 => {
                intercept |= b == "B0";
                parameters.push(values[0]);
                standard_errors.push(values[1]);
            }
            ["Standard", "Deviation", _] => deviation = values.first().copied(),
            ["R-Squared", _] => r_squared = values.first().copied(),
            ["Regression", ..] if values.len() == 4 => regression = Some((values[1], values[3])),
            ["Residual", ..] if values.len() == 3 => residual = Some(values[1]),
            _ => {}
        }
    }
    let missing = |what: &str| malformed(first, what);
    let (start, end) = section("Data ")?;
    let mut y = Vec::new();
    let mut x = Vec::new();
    for (i, line) in lines[start - 1..end].iter().enumerate() {
        let values = numbers(line);
        let width = x.len().checked_div(y.len()).unwrap_or(values.len().saturating_sub(1));
        if values.len() < 2 || values.len() != line.split_whitespace().count() || values.len() != width + 1 {
            return Err(malformed(start + i, "a response and its predictors, all numbers"));
        }
        y.push(values[0]);
        x.extend_from_slice(&values[1..]);
    }
    let d = x.len() / y.len().max(1);
    let p = parameters.len() - usize::from(intercept);
    let (regression_sum_of_squares, f_value) = regression.ok_or_else(|| missing("the line `Regression`"))?;
    Ok(Reference {
        name,
        x: Tensor::from_vec(x, [y.len(), d]).map_err(|e| missing(&e.to_string()))?,
        y: y.into(),
        degree: if p == d { 0 } else { p },
        intercept,
        parameters,
        standard_errors,
        residual_deviation: deviation.ok_or_else(|| missing("the residual standard deviation"))?,
        r_squared: r_squared.ok_or_else(|| missing("the line `R-Squared`"))?,
        regression_sum_of_squares,
        residual_sum_of_squares: residual.ok_or_else(|| missing("the line `Residual`"))?,
        f_value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_has_its_shape_and_model() {
        let sets = nist_linear().unwrap();
        let shape: Vec<_> =
            sets.iter().map(|s| (s.name, s.y.len(), s.parameters.len(), s.degree, s.intercept)).collect();
        let wampler = |name| (name, 21, 6, 5, true);
        let expected = [
            ("Norris", 36, 2, 0, true),
            ("Pontius", 40, 3, 2, true),
            ("NoInt1", 11, 1, 0, false),
            ("NoInt2", 3, 1, 0, false),
            ("Filip", 82, 11, 10, true),
            ("Longley", 16, 7, 0, true),
            wampler("Wampler1"),
            wampler("Wampler2"),
            wampler("Wampler3"),
            wampler("Wampler4"),
            wampler("Wampler5"),
        ];
        assert_eq!(shape, expected);
        let longley = &sets[5];
        assert_eq!(longley.x.dims(), [16, 6]);
        assert_eq!(longley.parameters[0], -3482258.63459582);
        assert_eq!(longley.standard_errors[6], 455.478499142212);
        assert_eq!((longley.r_squared, longley.f_value), (0.995479004577296, 330.285339234588));
        assert_eq!((sets[4].y.as_slice()[0], sets[4].x.as_slice()[0]), (0.8116, -6.860120914));
    }

    #[test]
    fn a_damaged_file_names_its_line() {
        let whole = FILES[0].1;
        let error = |text: &str| read("Norris", text).unwrap_err().to_string();
        let spoilt = whole.replacen("118.1", "1l8.1", 1);
        assert!(error(&spoilt).contains("Norris.dat, line "), "{}", error(&spoilt));
        assert!(error("nothing").contains("Certified Values"));
        let cut: Vec<&str> = whole.lines().take(70).collect();
        assert!(error(&cut.join("\n")).contains("within the file"));
    }
}
