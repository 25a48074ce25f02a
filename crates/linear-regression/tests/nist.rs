//! NIST's certified results: correct digits of every coefficient and statistic, by every path.

#![allow(clippy::unwrap_used)] // helpers of the tests

use gradus_datasets::{Reference, nist_linear};
use gradus_linear_regression::{Fit, LinearRegression, Method, Statistics, fit_polynomial, inverse_formula};
use gradus_tensor::Tensor;

/// −log₁₀ of the relative error, 15 at most: NIST certifies no more. Absolute where the certified value is 0.
fn digits(got: f64, certified: f64) -> f64 {
    if got == certified {
        return 15.0;
    }
    let error = if certified == 0.0 { got.abs() } else { (got - certified).abs() / certified.abs() };
    if error.is_nan() { 0.0 } else { (-error.log10()).clamp(0.0, 15.0) }
}

fn worst(got: &[f64], certified: &[f64]) -> f64 {
    assert_eq!(got.len(), certified.len());
    got.iter().zip(certified).map(|(g, c)| digits(*g, *c)).fold(15.0, f64::min)
}

/// The columns as a user would make them: powers rounded to doubles.
fn columns(set: &Reference) -> Tensor<f64> {
    if set.degree == 0 {
        return set.x.clone();
    }
    Tensor::from_fn([set.y.len(), set.degree], |i| set.x.as_slice()[i[0]].powi(i[1] as i32 + 1)).unwrap()
}

fn fit(set: &Reference, method: Method) -> Option<Fit> {
    LinearRegression::new().intercept(set.intercept).method(method).fit(&columns(set), &set.y).ok()
}

fn precise(set: &Reference) -> Fit {
    match set.degree {
        0 => fit(set, Method::Precise).unwrap(),
        degree => fit_polynomial(set.x.as_slice(), set.y.as_slice(), degree).unwrap(),
    }
}

/// What the notes' formula reaches.
fn inverse(set: &Reference) -> f64 {
    let x = columns(set);
    let x = match set.intercept {
        true => Tensor::concatenate(&[&Tensor::ones([set.y.len(), 1]).unwrap(), &x], 1).unwrap(),
        false => x,
    };
    inverse_formula(&x, &set.y).map_or(0.0, |theta| worst(theta.as_slice(), &set.parameters))
}

/// The digits that the default path must have on each set: what was measured, rounded down.
const DEFAULT: [(&str, f64); 11] = [
    ("Norris", 13.0),
    ("Pontius", 13.0),
    ("NoInt1", 14.0),
    ("NoInt2", 14.5),
    // The exact solution of the rounded powers has no more.
    ("Filip", 7.5),
    ("Longley", 13.0),
    ("Wampler1", 13.0),
    ("Wampler2", 13.0),
    ("Wampler3", 13.0),
    ("Wampler4", 13.0),
    ("Wampler5", 13.0),
];

#[test]
fn coefficients_and_statistics_have_their_digits() {
    println!("             default                      precise                        normal    notes'");
    println!(
        "set          θ     s.e.   R²    rss       θ     s.e.   R²    F           equations inverse   default by"
    );
    for (set, (name, least)) in nist_linear().unwrap().iter().zip(DEFAULT) {
        assert_eq!(set.name, name);
        let of = |fit: &Fit| {
            let s = fit.statistics(0).unwrap();
            // An exact fit leaves rounding for a residual; relative to the sum of squares that is nothing.
            let exact = set.residual_sum_of_squares == 0.0;
            let rss = if exact {
                s.residual_sum_of_squares / s.total_sum_of_squares
            } else {
                s.residual_sum_of_squares
            };
            let se = if exact { 15.0 } else { worst(&s.standard_errors, &set.standard_errors) };
            let f = if exact { 15.0 } else { digits(s.f_value, set.f_value) };
            let theta = worst(fit.parameters().as_slice(), &set.parameters);
            [theta, se, digits(s.r_squared, set.r_squared), digits(rss, set.residual_sum_of_squares), f]
        };
        let (auto, exact) = (fit(set, Method::Auto).unwrap(), precise(set));
        let (default, precise) = (of(&auto), of(&exact));
        let normal =
            fit(set, Method::NormalEquations).map(|f| worst(f.parameters().as_slice(), &set.parameters));
        println!(
            "{name:10} {:5.1}  {:5.1}  {:5.1}  {:5.1}    {:5.1}  {:5.1}  {:5.1}  {:5.1}    {:>11} {:8.1}    {}",
            default[0],
            default[1],
            default[2],
            default[3],
            precise[0],
            precise[1],
            precise[2],
            precise[4],
            normal.map_or("refused".into(), |d| format!("{d:.1}")),
            inverse(set),
            auto.method(),
        );
        assert!(default[0] >= least, "{name}: default {:.1}, at least {least}", default[0]);
        assert!(precise[0] >= 13.0, "{name}: precise {:.1}", precise[0]);
        // Leverages add up to the rank, on the hardest set too, where the product (XᵀX)⁻¹ has no digit left.
        for fit in [&auto, &exact] {
            let leverage: f64 = fit.statistics(0).unwrap().leverage().iter().sum();
            let off = leverage - set.parameters.len() as f64;
            assert!(off.abs() < 1e-9, "{name}, {}: leverages add up to {leverage}", fit.method());
        }
        assert!(precise[1] >= 12.0 && precise[2] >= 13.0, "{name}: statistics {precise:?}");
    }
}

#[test]
fn the_notes_formula_fails_on_filip_without_a_word() {
    let sets = nist_linear().unwrap();
    let filip = &sets[4];
    let x = Tensor::concatenate(&[&Tensor::ones([82, 1]).unwrap(), &columns(filip)], 1).unwrap();
    let theta = inverse_formula(&x, &filip.y).expect("no error: that is the trap");
    assert!(theta.is_finite());
    assert!(worst(theta.as_slice(), &filip.parameters) < 1.0, "not one correct digit");
    // The normal equations at least refuse.
    let refused = LinearRegression::new().method(Method::NormalEquations).fit(&columns(filip), &filip.y);
    assert!(refused.is_err());
}

#[test]
fn products_lose_no_digit_where_they_are_safe() {
    let mut safe = Vec::new();
    for (set, (name, least)) in nist_linear().unwrap().iter().zip(DEFAULT) {
        let Some(by_products) = fit(set, Method::CholeskyQr) else { continue };
        let reflected = fit(set, Method::Qr).unwrap();
        let digits = |fit: &Fit| worst(fit.parameters().as_slice(), &set.parameters);
        let (a, b) = (digits(&by_products), digits(&reflected));
        println!(
            "{name:10} {a:5.1} by products, {b:5.1} by reflections, condition {:.1e}",
            reflected.condition()
        );
        assert!(a >= least.min(b), "{name}: {a} digits by products, {b} by reflections");
        let (s, r) = (by_products.statistics(0).unwrap(), reflected.statistics(0).unwrap());
        // Per residual: an exact fit leaves rounding for one.
        let of = |s: &Statistics| -> Vec<f64> {
            s.standard_errors.iter().map(|e| e / s.residual_variance.sqrt()).collect()
        };
        for (s, r) in of(&s).iter().zip(&of(&r)) {
            assert!(
                (s / r - 1.0).abs() <= 16.0 * f64::EPSILON * reflected.condition(),
                "{name}: {s} and {r}"
            );
        }
        safe.push(name);
    }
    assert!(safe.len() >= 9 && !safe.contains(&"Filip"), "{safe:?}");
}
