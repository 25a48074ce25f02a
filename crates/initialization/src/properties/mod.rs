//! The properties of initialization: of variances and laws, of the signal in deep networks, of streams.
//!
//! A statistical property draws N numbers and allows z = 6.5 standard errors of its statistic: a right generator fails with a probability below
//! 10⁻⁹ (2·Φ(−6.11) for a normal statistic; the rest is for the skewness of a sample variance at this N). All seeds are fixed.

mod derivations;
mod laws;
mod networks;
mod streams;
mod variances;

use gradus_formula::Property;

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] = &[
    variances::properties,
    laws::properties,
    networks::properties,
    streams::properties,
    derivations::properties,
];

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

/// How many standard errors a statistic may be off: beyond lies less than 10⁻⁹.
const Z: f64 = 6.5;

/// How many numbers a statistical property draws.
const N: usize = 1 << 15;

/// The mean of f over numbers.
fn mean(x: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    x.iter().map(|&x| f(x)).sum::<f64>() / x.len() as f64
}

/// |x − y| in units of y.
fn relative(x: f64, y: f64) -> f64 {
    if x == y { 0.0 } else { (x - y).abs() / y.abs() }
}

/// The largest distance between the numbers' distribution function and another, times √N: by Dvoretzky, Kiefer, Wolfowitz and Massart above 3.27 with a
/// probability below 10⁻⁹, for any N.
fn distance_from(mut x: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    x.sort_by(f64::total_cmp);
    let n = x.len() as f64;
    let gaps = x.iter().enumerate().map(|(i, &x)| {
        let f = cdf(x);
        (f - i as f64 / n).abs().max(((i + 1) as f64 / n - f).abs())
    });
    gaps.fold(0.0, f64::max) * n.sqrt()
}
