//! A fit's statistics as the table that statistics programs print.

use crate::{Error, Fit, Result, Statistics};
use std::fmt;

/// The table of a fit: a header of what holds for the whole, a row for each parameter. Print it.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// What the header says, in two columns of names and values.
    header: Vec<[(&'static str, String); 2]>,
    /// How the fit was made, and why so.
    made: [String; 2],
    confidence: f64,
    rows: Vec<Row>,
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    name: String,
    /// Coefficient, standard error, t, p, and the interval's ends.
    values: [f64; 6],
}

impl Fit {
    /// The statistics of one target as a table, with intervals of this confidence. The columns of X are called `x1`, `x2`, … if no
    /// names are given.
    ///
    /// ```
    /// use gradus_linear_regression::LinearRegression;
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [2.0, 1.0], [3.0, 5.0], [4.0, 3.0], [5.0, 8.0]]);
    /// let fit = LinearRegression::new().fit(&x, &Tensor::from([3.1, 4.0, 8.9, 8.1, 14.2]))?;
    /// let table = fit.summary(&["rain", "sun"], 0, 0.95)?.to_string();
    /// println!("{table}");
    /// assert!(table.contains("coef") && table.contains("rain"));
    /// # Ok::<(), gradus_linear_regression::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another number of names than X has columns; as [`Fit::statistics`] and [`Statistics::confidence_intervals`].
    pub fn summary(&self, names: &[&str], target: usize, confidence: f64) -> Result<Summary> {
        let expected = self.x.dims()[1];
        if !names.is_empty() && names.len() != expected {
            return Err(Error::Names { expected, got: names.len() });
        }
        let statistics = self.statistics(target)?;
        let intervals = statistics.confidence_intervals(confidence)?;
        let name = |j: usize| names.get(j).map_or_else(|| format!("x{}", j + 1), |name| (*name).to_owned());
        let about = usize::from(self.has_intercept());
        let row = |(i, (below, above)): (usize, (f64, f64))| Row {
            name: if i < about { "(intercept)".into() } else { name(i - about) },
            values: [
                self.parameters().as_slice()[i * self.parameters().dims()[1] + target],
                statistics.standard_errors[i],
                statistics.t_values[i],
                statistics.p_values[i],
                below,
                above,
            ],
        };
        let rows = intervals.into_iter().enumerate().map(row).collect();
        let (header, made) =
            (self.header(&statistics), [self.method().to_string(), self.reason().to_owned()]);
        Ok(Summary { header, made, confidence, rows })
    }

    fn header(&self, s: &Statistics) -> Vec<[(&'static str, String); 2]> {
        let condition = self.condition();
        vec![
            [("samples", s.samples.to_string()), ("R²", number(s.r_squared))],
            [
                ("degrees of freedom", s.degrees_of_freedom.to_string()),
                ("adjusted R²", number(s.adjusted_r_squared)),
            ],
            [("residual std. error", number(s.residual_variance.sqrt())), ("F", number(s.f_value))],
            [
                // A fit of powers in double-double has none.
                (
                    "condition number",
                    if condition.is_nan() { "not computed".into() } else { number(condition) },
                ),
                ("P(F)", number(s.f_p_value)),
            ],
        ]
    }
}

/// Five digits or so, in at most ten characters.
fn number(v: f64) -> String {
    let size = v.abs();
    if v == 0.0 || !v.is_finite() {
        v.to_string()
    } else if !(1e-3..1e5).contains(&size) {
        format!("{v:.3e}")
    } else {
        let before = size.log10().floor().max(0.0) as usize;
        format!("{v:.*}", 4usize.saturating_sub(before))
    }
}

/// How wide the table is.
const WIDTH: usize = 78;

/// A name cut or filled to `width` characters.
fn cell(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return format!("{name:<width$}");
    }
    name.chars().take(width - 1).chain(['…']).collect()
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (double, single) = ("═".repeat(WIDTH), "─".repeat(WIDTH));
        writeln!(f, "{double}")?;
        for [(left, a), (right, b)] in &self.header {
            writeln!(f, "{left:<20}{a:>17}    {right:<20}{b:>17}")?;
        }
        writeln!(f, "{single}")?;
        let tail = (1.0 - self.confidence) / 2.0;
        // Whole thousandths, as far as they are.
        let end = |p: f64| format!("{}", (p * 1e6).round() / 1e6);
        let (below, above) = (format!("[{}", end(tail)), format!("{}]", end(1.0 - tail)));
        writeln!(
            f,
            "{:<17}{:>11}{:>10}{:>10}{:>8}{below:>11}{above:>11}",
            "", "coef", "std err", "t", "P>|t|"
        )?;
        for Row { name, values: [coefficient, error, t, p, from, to] } in &self.rows {
            let (c, e, t) = (number(*coefficient), number(*error), number(*t));
            let (from, to) = (number(*from), number(*to));
            writeln!(f, "{}{c:>11}{e:>10}{t:>10}{p:>8.3}{from:>11}{to:>11}", cell(name, 17))?;
        }
        writeln!(f, "{single}")?;
        let [method, reason] = &self.made;
        writeln!(f, "{method}:\n{reason}")?;
        write!(f, "{double}")
    }
}
