//! Slopes by differences: what a derivative that was derived is held against.

/// The slope of a function of one number, by differences over five points that are `h` apart; wrong by about f⁽⁵⁾h⁴/30, and by u·f/h of rounding.
///
/// ```
/// use gradus_formula::slope;
/// assert!((slope(1.0, 1e-3, f64::exp) - 1f64.exp()).abs() < 1e-11);
/// ```
pub fn slope(x: f64, h: f64, f: impl Fn(f64) -> f64) -> f64 {
    let at = |steps: f64| f(x + steps * h);
    (8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h)
}

/// The slopes of a function of several numbers, in each of them, as [`slope`].
///
/// ```
/// use gradus_formula::slopes;
/// let g = slopes(&[3.0, 4.0], 1e-3, |x| x[0] * x[0] * x[1]);
/// assert!((g[0] - 24.0).abs() < 1e-9 && (g[1] - 9.0).abs() < 1e-9);
/// ```
pub fn slopes(x: &[f64], h: f64, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let in_one = |i: usize| {
        slope(x[i], h, |moved| {
            let mut there = x.to_vec();
            there[i] = moved;
            f(&there)
        })
    };
    (0..x.len()).map(in_one).collect()
}
