//! Sigmoid, tanh and what is made of them: identities that tie the functions to each other.

use super::{same, ulps};
use crate::{
    Activation, Gelu, GeluTanh, HardSwish, Mish, Silu, gelu, gelu_tanh, hard_sigmoid, hard_swish, hard_tanh,
    log_sigmoid, logit, logit_derivative, mish, relu, sigmoid, sigmoid_derivative, silu, softplus, tanh,
    tanh_derivative,
};
use gradus_formula::{Draw, Property};
use gradus_tensor::Scalar;

fn on(id: &'static str, formula: &'static [&'static str], statement: &'static str, reach: f64) -> Property {
    Property::new(id, formula, statement).draw(Draw::real("x", -reach..=reach).limited(-reach..=reach))
}

pub(super) fn properties() -> Vec<Property> {
    let mut all = sigmoids();
    all.extend(tanhs());
    all.extend(linear_units());
    all.extend(infinities());
    all
}

fn sigmoids() -> Vec<Property> {
    vec![
        on("sigmoid.symmetry", &["sigmoid"], "σ(−x) = 1 − σ(x)", 800.0)
            .within("2 ulp of 1", 2.0 * f64::EPSILON)
            .check(|case| {
                let x = case.real("x");
                case.classify(x.abs() > 37.0, "saturated");
                Ok((sigmoid(-x) - (1.0 - sigmoid(x))).abs())
            }),
        on("sigmoid.tanh", &["sigmoid"], "σ(x) = ½(1 + tanh(x/2))", 40.0)
            .within("4 ulp of 1", 4.0 * f64::EPSILON)
            .check(|case| {
                let x = case.real("x");
                Ok((sigmoid(x) - 0.5 * (1.0 + (x / 2.0).tanh())).abs())
            }),
        on("sigmoid.logit", &["sigmoid", "logit"], "logit(σ(x)) = x", 15.0)
            // σ is rounded to u near 1, and the logit multiplies that by 1/(p(1 − p)) ≤ e¹⁵.
            .within("u·e¹⁵, the condition of the logit", 4.0 * f64::EPSILON * 3.3e6)
            .check(|case| {
                let x = case.real("x");
                Ok((logit(sigmoid(x)) - x).abs())
            }),
        Property::new("sigmoid.odds", &["sigmoid"], "σ(−x) = e⁻ˣσ(x), down to the smallest numbers")
            .draw(Draw::real("x", 0.0..=740.0).limited(0.0..=740.0))
            .within("8 ulp, absolute where σ is subnormal", 8.0)
            .check(|case| {
                let x = case.real("x");
                case.classify(x > 709.8, "the printed form gives 0");
                let expected = (-x).exp() * sigmoid(x);
                let unit = (f64::EPSILON * expected).max(f64::from_bits(1));
                Ok((sigmoid(-x) - expected).abs() / unit)
            }),
        Property::new("sigmoid.values", &["sigmoid"], "σ(0) = ½, σ(∞) = 1, σ(−∞) = 0, σ(ln 3) = ¾").check(
            |_| {
                let infinity = f64::INFINITY;
                let quarter = (sigmoid(3f64.ln()) - 0.75).abs();
                Ok(same(sigmoid(0.0), 0.5)
                    + same(sigmoid(infinity), 1.0)
                    + same(sigmoid(-infinity), 0.0)
                    + if quarter <= f64::EPSILON { 0.0 } else { quarter })
            },
        ),
        on("sigmoid.derivative", &["sigmoid"], "σ′(x) = σ(x) − σ(x)², even, at most ¼", 700.0)
            .within("4 ulp of ¼", f64::EPSILON)
            .check(|case| {
                let (x, s) = (case.real("x"), sigmoid(case.real("x")));
                let even = same(sigmoid_derivative(x), sigmoid_derivative(-x));
                let above = (sigmoid_derivative(x) - 0.25).max(0.0);
                Ok((sigmoid_derivative(x) - (s - s * s)).abs().max(even).max(above))
            }),
        Property::new("logit.odd", &["logit"], "logit(1 − p) = −logit(p)")
            .draw(Draw::integer("k", 1..=1023).limited(1.0..=1023.0))
            .within("4 ulp of the value, absolute near ½", 4.0)
            // p = k/1024: 1 − p has no rounding.
            .check(|case| {
                let p = case.integer("k") as f64 / 1024.0;
                let (left, right) = (logit(1.0 - p), -logit(p));
                Ok((left - right).abs() / (f64::EPSILON * right.abs().max(0.5)))
            }),
        Property::new(
            "logit.values",
            &["logit"],
            "−∞ at 0, 0 at ½, ∞ at 1, NaN outside; infinitely steep at both ends",
        )
        .holds(|_| {
            let ends = logit(0.0) == f64::NEG_INFINITY && logit(1.0) == f64::INFINITY && logit(0.5) == 0.0;
            Ok(ends
                && logit(-0.1f64).is_nan()
                && logit(1.1f64).is_nan()
                && [-0.0, 0.0, 1.0].map(logit_derivative) == [f64::INFINITY; 3])
        }),
        on(
            "log-sigmoid.logarithm",
            &["log-sigmoid"],
            "ln σ(x) is the logarithm of σ(x), where that has digits",
            30.0,
        )
        .within("rounding of σ, carried through the logarithm", 8.0 * f64::EPSILON)
        .check(|case| {
            let x = case.real("x");
            Ok((log_sigmoid(x) - sigmoid(x).ln()).abs() / (1.0 + x.abs()))
        }),
        on("log-sigmoid.difference", &["log-sigmoid", "softplus"], "ln σ(x) − ln σ(−x) = x", 1e5)
            .within("4 ulp of x", 4.0)
            .check(|case| {
                let x = case.real("x");
                Ok((log_sigmoid(x) - log_sigmoid(-x) - x).abs() / (f64::EPSILON * x.abs().max(1.0)))
            }),
        Property::new(
            "log-sigmoid.tail",
            &["log-sigmoid"],
            "for large x, ln σ(x) = −e⁻ˣ + e⁻²ˣ/2 − …, not 0",
        )
        .draw(Draw::real("x", 20.0..=700.0).limited(20.0..=700.0))
        .within("4 ulp", 4.0)
        .check(|case| {
            let e = (-case.real("x")).exp();
            Ok(ulps(log_sigmoid(case.real("x")), -e * (1.0 - e * (0.5 - e / 3.0))))
        }),
        on("softplus.reflection", &["softplus"], "softplus(x) − softplus(−x) = x", 1e5)
            .within("2 ulp of x", 2.0)
            .check(|case| {
                let x = case.real("x");
                Ok((softplus(x) - softplus(-x) - x).abs() / (f64::EPSILON * x.abs().max(1.0)))
            }),
        on("softplus.above-relu", &["softplus"], "max(0, x) ≤ softplus(x) ≤ max(0, x) + ln 2", 800.0).holds(
            |case| {
                let x = case.real("x");
                Ok(softplus(x) >= relu(x)
                    && softplus(x) <= relu(x) + std::f64::consts::LN_2 * (1.0 + f64::EPSILON))
            },
        ),
        on("softplus.exponential", &["softplus"], "e^softplus(x) = 1 + eˣ", 300.0)
            .within("4 ulp of the exponent, carried through exp", 4.0)
            .check(|case| {
                let x = case.real("x");
                let y = softplus(x);
                Ok(ulps(y.exp(), 1.0 + x.exp()) / y.max(1.0))
            }),
    ]
}

fn tanhs() -> Vec<Property> {
    vec![
        on("act-tanh.odd", &["act-tanh"], "tanh(−x) = −tanh(x), to the bit", 800.0)
            .check(|case| Ok(same(tanh(-case.real("x")), -tanh(case.real("x"))))),
        on("act-tanh.sigmoid", &["act-tanh", "sigmoid"], "tanh(x) = 2σ(2x) − 1", 30.0)
            .within("4 ulp of 1", 4.0 * f64::EPSILON)
            .check(|case| {
                let x = case.real("x");
                Ok((tanh(x) - (2.0 * sigmoid(2.0 * x) - 1.0)).abs())
            }),
        Property::new(
            "act-tanh.addition",
            &["act-tanh"],
            "tanh(x + y) = (tanh x + tanh y) / (1 + tanh x · tanh y)",
        )
        .draw(Draw::real("x", -1.0..=1.0).limited(-1.5..=1.5))
        .draw(Draw::real("y", -1.0..=1.0).limited(-1.5..=1.5))
        .within("16 ulp of 1", 16.0 * f64::EPSILON)
        .check(|case| {
            let (x, y) = (case.real("x"), case.real("y"));
            let (a, b) = (tanh(x), tanh(y));
            Ok((tanh(x + y) - (a + b) / (1.0 + a * b)).abs())
        }),
        Property::new(
            "act-tanh.small",
            &["act-tanh"],
            "tanh(x) = x − x³/3 + 2x⁵/15 near 0, to the last place",
        )
        .draw(Draw::log("x", 1e-300..=1e-4).limited(1e-300..=1e-3))
        .within("2 ulp", 2.0)
        .check(|case| {
            let x = case.real("x");
            Ok(ulps(tanh(x), x * (1.0 - x * x * (1.0 / 3.0 - x * x * 2.0 / 15.0))))
        }),
        on("act-tanh.derivative", &["act-tanh"], "tanh′(x) = 1 − tanh²(x)", 800.0)
            .within("4 ulp of 1", 4.0 * f64::EPSILON)
            .check(|case| {
                let x = case.real("x");
                Ok((tanh_derivative(x) - (1.0 - tanh(x) * tanh(x))).abs())
            }),
    ]
}

fn linear_units() -> Vec<Property> {
    vec![
        on("silu.difference", &["silu"], "SiLU(x) − SiLU(−x) = x", 1e4).within("4 ulp of x", 4.0).check(
            |case| {
                let x = case.real("x");
                Ok((silu(x) - silu(-x) - x).abs() / (f64::EPSILON * x.abs().max(1.0)))
            },
        ),
        on("gelu.difference", &["gelu"], "GELU(x) − GELU(−x) = x", 1e4).within("4 ulp of x", 4.0).check(
            |case| {
                let x = case.real("x");
                Ok((gelu(x) - gelu(-x) - x).abs() / (f64::EPSILON * x.abs().max(1.0)))
            },
        ),
        Property::new(
            "gelu.tail",
            &["gelu"],
            "on the left, Mills' bounds: x² / (1 + x²) < −GELU(x) / φ(x) < 1",
        )
        .draw(Draw::real("x", 3.0..=30.0).limited(2.0..=35.0))
        .holds(|case| {
            let x = case.real("x");
            let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let ratio = -gelu(-x) / density;
            Ok(ratio < 1.0 && ratio > x * x / (1.0 + x * x))
        }),
        on("gelu-tanh.difference", &["gelu-tanh"], "the approximation keeps GELU(x) − GELU(−x) = x", 1e4)
            .within("4 ulp of x", 4.0)
            .check(|case| {
                let x = case.real("x");
                Ok((gelu_tanh(x) - gelu_tanh(-x) - x).abs() / (f64::EPSILON * x.abs().max(1.0)))
            }),
        on("gelu-tanh.near", &["gelu-tanh", "gelu"], "it is within 4.8·10⁻⁴ of the exact GELU", 40.0)
            .within("4.8e-4, the known distance", 4.8e-4)
            .check(|case| {
                let x = case.real("x");
                Ok((gelu_tanh(x) - gelu(x)).abs())
            }),
        on("mish.definition", &["mish"], "Mish(x) = x·tanh(softplus(x))", 800.0).within("8 ulp", 8.0).check(
            |case| {
                let x = case.real("x");
                Ok(ulps(mish(x), x * tanh(softplus(x))))
            },
        ),
        on("mish.bounds", &["mish", "silu"], "for x > 0: SiLU(x) ≤ Mish(x) ≤ x", 800.0).holds(|case| {
            let x = case.real("x").abs();
            Ok(silu(x) <= mish(x) && mish(x) <= x)
        }),
        on("hard-sigmoid.symmetry", &["hard-sigmoid"], "hardsigmoid(−x) = 1 − hardsigmoid(x)", 10.0)
            .within("2 ulp of 1", 2.0 * f64::EPSILON)
            .check(|case| {
                let x = case.real("x");
                Ok((hard_sigmoid(-x) - (1.0 - hard_sigmoid(x))).abs())
            }),
        on("hard-sigmoid.near", &["hard-sigmoid", "sigmoid"], "it is within 0.08 of the sigmoid", 30.0)
            .within("0.08, the known distance", 0.08)
            .check(|case| Ok((hard_sigmoid(case.real("x")) - sigmoid(case.real("x"))).abs())),
        on("hard-tanh.relus", &["hard-tanh"], "hardtanh(x) = relu(x + 1) − relu(x − 1) − 1", 10.0)
            .within("4 ulp of x", 4.0)
            .check(|case| {
                let x = case.real("x");
                let pieces = relu(x + 1.0) - relu(x - 1.0) - 1.0;
                Ok((hard_tanh(x) - pieces).abs() / (f64::EPSILON * x.abs().max(1.0)))
            }),
        on("hard-tanh.odd", &["hard-tanh"], "hardtanh(−x) = −hardtanh(x)", 10.0)
            .check(|case| Ok((hard_tanh(-case.real("x")) + hard_tanh(case.real("x"))).abs())),
        on("hard-swish.difference", &["hard-swish"], "hardswish(x) − hardswish(−x) = x", 100.0)
            .within("4 ulp of x", 4.0)
            .check(|case| {
                let x = case.real("x");
                Ok((hard_swish(x) - hard_swish(-x) - x).abs() / (f64::EPSILON * x.abs().max(1.0)))
            }),
        on("hard-swish.near", &["hard-swish", "silu"], "it is within 0.15 of SiLU", 30.0)
            .within("0.15, the known distance", 0.15)
            .check(|case| Ok((hard_swish(case.real("x")) - silu(case.real("x"))).abs())),
    ]
}

/// What x times a gate is at the ends of the line, where −∞·0 would be NaN. No draw gets there.
fn infinities() -> Vec<Property> {
    fn has_limits<T: Scalar>(f: impl Activation) -> bool {
        let (below, above) = (T::NEG_INFINITY, T::INFINITY);
        // −0 or 0: both are 0 here.
        f.value(below) == T::ZERO
            && f.value(above) == above
            && f.derivative(below) == T::ZERO
            && f.derivative(above) == T::ONE
    }
    fn limits(id: &'static str, formula: &'static [&'static str], f: impl Activation) -> Property {
        Property::new(id, formula, "at −∞ it is 0 and level, at ∞ it is ∞ and rises by 1: no NaN")
            .holds(move |_| Ok(has_limits::<f64>(f) && has_limits::<f32>(f)))
    }
    vec![
        limits("silu.infinities", &["silu"], Silu),
        limits("gelu.infinities", &["gelu"], Gelu),
        limits("gelu-tanh.infinities", &["gelu-tanh"], GeluTanh),
        limits("mish.infinities", &["mish"], Mish),
        limits("hard-swish.infinities", &["hard-swish"], HardSwish),
        Property::new(
            "silu.from-below",
            &["silu", "hard-swish"],
            "at −∞ it comes to 0 from below: −0, to the bit",
        )
        .check(|_| {
            let below = f64::NEG_INFINITY;
            Ok(same(silu(below), -0.0) + same(hard_swish(below), -0.0))
        }),
    ]
}
