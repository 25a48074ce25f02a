//! Means of functions of a standard normal, by Gauss and Legendre's rule on short pieces.

use std::f64::consts::PI;

/// Nodes on (−1, 1) and weights of the rule with 16 points, exact for polynomials up to degree 31.
fn rule() -> [(f64, f64); 16] {
    std::array::from_fn(|i| {
        // Newton's iteration on the Legendre polynomial, from the usual guess.
        let mut x = (PI * (i as f64 + 0.75) / 16.5).cos();
        let mut slope = 1.0;
        for _ in 0..8 {
            let (mut p, mut before) = (1.0, 0.0);
            for k in 0..16 {
                let k = f64::from(k);
                (p, before) = (((2.0 * k + 1.0) * x * p - k * before) / (k + 1.0), p);
            }
            slope = 16.0 * (x * p - before) / (x * x - 1.0);
            x -= p / slope;
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    })
}

/// ∫ f over `low..high`, in pieces of equal width.
pub(crate) fn integral(low: f64, high: f64, pieces: u32, f: impl Fn(f64) -> f64) -> f64 {
    let (rule, half) = (rule(), 0.5 * (high - low) / f64::from(pieces));
    let piece = |i: u32| {
        let middle = low + half * f64::from(2 * i + 1);
        rule.iter().map(|(x, weight)| weight * f(middle + half * x)).sum::<f64>()
    };
    half * (0..pieces).map(piece).sum::<f64>()
}

/// The density of the standard normal.
pub(crate) fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// E\[f(z)\] for a standard normal z. 0 is the edge of a piece: a kink there costs nothing.
pub(crate) fn normal_mean(f: impl Fn(f64) -> f64) -> f64 {
    // Beyond 12 lies less than 10⁻³² of the mass.
    integral(-12.0, 12.0, 24, |z| f(z) * density(z))
}
