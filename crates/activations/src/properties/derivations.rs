//! The derivations of the chapter, line by line.

use crate::sigmoid;
use gradus_formula::{Derivation, Draw, Property};

pub(super) fn properties() -> Vec<Property> {
    [sigmoid_slope()].iter().map(Derivation::property).collect()
}

/// The slope of the sigmoid, as the chapter derives it.
fn sigmoid_slope() -> Derivation {
    Derivation::new("sigmoid.derivation", &["sigmoid"], "The derivative of the sigmoid")
        .draw(Draw::real("x", -30.0..=30.0).limited(-600.0..=600.0))
        .line(
            r"\frac{d}{dx}\,\frac{1}{1 + e^{-x}}",
            "what is wanted; computed by differences over five points",
            |case| {
                let (x, h) = (case.real("x"), 1e-3);
                let at = |steps: f64| 1.0 / (1.0 + (-(x + steps * h)).exp());
                Ok(vec![(8.0 * (at(1.0) - at(-1.0)) - (at(2.0) - at(-2.0))) / (12.0 * h)])
            },
        )
        .within("five-point differences", 1e-11)
        .line(
            r"\frac{e^{-x}}{(1 + e^{-x})^2}",
            r"the chain rule: $-(1 + e^{-x})^{-2}$ from the power, times $-e^{-x}$ from what is in it",
            |case| {
                let e = (-case.real("x")).exp();
                Ok(vec![e / ((1.0 + e) * (1.0 + e))])
            },
        )
        .within("a few roundings", 1e-15)
        .line(r"\frac{1}{1 + e^{-x}} \cdot \frac{e^{-x}}{1 + e^{-x}}", "the square taken apart", |case| {
            let e = (-case.real("x")).exp();
            Ok(vec![1.0 / (1.0 + e) * (e / (1.0 + e))])
        })
        .line(
            r"\sigma(x)\,\sigma(-x)",
            r"top and bottom of the second factor multiplied by $e^x$: it is $1/(e^x + 1)$",
            |case| Ok(vec![sigmoid(case.real("x")) * sigmoid(-case.real("x"))]),
        )
        .line(r"\sigma(x)\,\bigl(1 - \sigma(x)\bigr)", r"$\sigma(x) + \sigma(-x) = 1$", |case| {
            let p = sigmoid(case.real("x"));
            Ok(vec![p * (1.0 - p)])
        })
}
