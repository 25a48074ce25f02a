//! Interim: three formulas, enough to build the tools on.
#![forbid(unsafe_code)]
#![allow(missing_docs)]
#[cfg(feature = "properties")]
use gradus_formula::{Draw, Property};
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};

/// The logistic function.
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}
/// The parametric ReLU.
pub fn prelu(x: f64, slope: f64) -> f64 {
    if x > 0.0 { x } else { slope * x }
}

const X: Symbol = Symbol { latex: "x", code: "x", meaning: "the pre-activation", shape: "any", unit: "1" };

pub const FORMULAS: &[Formula] = &[
    Formula {
        id: "sigmoid",
        kind: Kind::Formula,
        verdict: Verdict::Ok,
        title: "The logistic sigmoid",
        latex: r"\sigma(x) = \frac{1}{1 + e^{-x}}",
        unicode: "σ(x) = 1 / (1 + e⁻ˣ)",
        symbols: &[X],
        source: "Verhulst 1845; Cox 1958; Goodfellow, Bengio & Courville, Deep Learning, §3.10",
        item: item!(fn sigmoid),
        chapter: "activations",
        printed: None,
    },
    Formula {
        id: "act-sigmoid",
        kind: Kind::Alias("sigmoid"),
        verdict: Verdict::Ok,
        title: "The sigmoid as an activation",
        latex: r"\sigma(x) = \frac{1}{1 + e^{-x}}",
        unicode: "σ(x) = 1 / (1 + e⁻ˣ)",
        symbols: &[X],
        source: "as for the sigmoid",
        item: item!(fn sigmoid),
        chapter: "activations",
        printed: None,
    },
    Formula {
        id: "prelu",
        kind: Kind::Formula,
        verdict: Verdict::Wrong,
        title: "Parametric ReLU",
        latex: r"f(x) = \max(0, x) + a \min(0, x)",
        unicode: "f(x) = max(0, x) + a·min(0, x)",
        symbols: &[
            X,
            Symbol {
                latex: "a",
                code: "slope",
                meaning: "the learned slope on the negative side",
                shape: "[C]",
                unit: "1",
            },
        ],
        source: "He, Zhang, Ren & Sun 2015, eq. 1",
        item: item!(fn prelu),
        chapter: "activations",
        printed: Some(Printed {
            latex: r"\max(a x, x)",
            reason: "for a > 1 the two sides change places",
            counterexample: "a = 2, x = 1: printed 2, correct 1",
        }),
    },
];

#[cfg(feature = "properties")]
pub fn properties() -> Vec<Property> {
    vec![
        Property::new("sigmoid.symmetry", &["sigmoid"], "σ(−x) = 1 − σ(x)")
            .draw(Draw::real("x", -40.0..=40.0))
            .within("2 ulp of 1", 2.0 * f64::EPSILON)
            .check(|case| {
                let x = case.real("x");
                case.classify(x.abs() > 36.0, "saturated");
                Ok((sigmoid(-x) - (1.0 - sigmoid(x))).abs())
            }),
        Property::new("sigmoid.range", &["sigmoid"], "0 ≤ σ(x) ≤ 1")
            .draw(Draw::real("x", -800.0..=800.0))
            .holds(|case| Ok((0.0..=1.0).contains(&sigmoid(case.real("x"))))),
        Property::new("sigmoid.half", &["sigmoid"], "σ(0) = ½").check(|_| Ok((sigmoid(0.0) - 0.5).abs())),
        Property::new("prelu.identity", &["prelu"], "with a = 1 it is the identity")
            .draw(Draw::real("x", -40.0..=40.0))
            .check(|case| Ok((prelu(case.real("x"), 1.0) - case.real("x")).abs())),
        Property::new("prelu.relu", &["prelu"], "with a = 0 it is the ReLU")
            .draw(Draw::real("x", -40.0..=40.0))
            .check(|case| Ok((prelu(case.real("x"), 0.0) - case.real("x").max(0.0)).abs())),
        Property::new("prelu.slope", &["prelu"], "f(−|x|) = −a|x|")
            .draw(Draw::real("a", -3.0..=3.0))
            .draw(Draw::real("x", 0.0..=40.0))
            .check(|case| {
                let (a, x) = (case.real("a"), case.real("x"));
                Ok((prelu(-x, a) + a * x).abs())
            }),
        Property::refutation("prelu.printed", &["prelu"], "max(ax, x) = max(0, x) + a·min(0, x)")
            .draw(Draw::real("a", -3.0..=3.0))
            .draw(Draw::real("x", -40.0..=40.0))
            .check(|case| {
                let (a, x) = (case.real("a"), case.real("x"));
                Ok(((a * x).max(x) - prelu(x, a)).abs())
            }),
    ]
}
