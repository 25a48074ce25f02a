//! ReLU and its kin: exact identities, and the misprint max(a·x, x).

use super::same;
use crate::{
    Activations, LEAKY_SLOPE_MAAS, LEAKY_SLOPE_NOTES, PRelu, SELU_ALPHA, SELU_LAMBDA, elu, elu_derivative,
    leaky_relu, prelu, prelu_derivatives, relu, relu_derivative, selu,
};
use gradus_autograd::{Op, gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Tensor, tensor_of};

fn x() -> Draw {
    Draw::real("x", -100.0..=100.0)
}

fn slope() -> Draw {
    Draw::real("a", -3.0..=3.0)
}

pub(super) fn properties() -> Vec<Property> {
    let mut all = relus();
    all.extend(leaky());
    all.extend(parametric());
    all.extend(exponential());
    all
}

fn relus() -> Vec<Property> {
    vec![
        Property::new("relu.halves", &["relu"], "relu(x) − relu(−x) = x and relu(x) + relu(−x) = |x|")
            .draw(x())
            .check(|case| {
                let x = case.real("x");
                Ok((relu(x) - relu(-x) - x).abs() + (relu(x) + relu(-x) - x.abs()).abs())
            }),
        Property::new("relu.idempotent", &["relu"], "relu(relu(x)) = relu(x)")
            .draw(x())
            .check(|case| Ok((relu(relu(case.real("x"))) - relu(case.real("x"))).abs())),
        Property::new("relu.homogeneous", &["relu"], "relu(c·x) = c·relu(x) for c ≥ 0")
            .draw(x())
            .draw(Draw::real("c", 0.0..=50.0).limited(0.0..=1e300))
            .check(|case| {
                let (x, c) = (case.real("x"), case.real("c"));
                Ok((relu(c * x) - c * relu(x)).abs())
            }),
        Property::new(
            "relu.kink",
            &["relu"],
            "the derivative is 1 above 0, 0 below, and 0 at the kink by convention",
        )
        .draw(x())
        .check(|case| {
            let x = case.real("x");
            case.classify(x == 0.0, "the kink");
            let expected = if x > 0.0 { 1.0 } else { 0.0 };
            Ok((relu_derivative(x) - expected).abs() + relu_derivative(0.0f64))
        }),
        Property::new(
            "relu.nan-everywhere",
            &["relu"],
            "one NaN in a tensor stays where it is, and only there",
        )
        .draw(Draw::size("n", 1..=8))
        .draw(Draw::array("x", -5.0..=5.0, &["n"]))
        .draw(Draw::integer("at", 0..=7).limited(0.0..=64.0))
        .holds(|case| {
            let mut x: Tensor<f64> = tensor_of(case.array("x"))?;
            let at = case.size("at") % x.len();
            x.set([at], f64::NAN)?;
            let y = x.relu()?;
            Ok(y.as_slice().iter().enumerate().all(|(i, v)| v.is_nan() == (i == at)))
        }),
    ]
}

fn leaky() -> Vec<Property> {
    vec![
        Property::new("leaky-relu.halves", &["leaky-relu"], "leaky(x) = relu(x) − a·relu(−x)")
            .draw(x())
            .draw(slope())
            .check(|case| {
                let (x, a) = (case.real("x"), case.real("a"));
                Ok((leaky_relu(x, a) - (relu(x) - a * relu(-x))).abs())
            }),
        Property::new("leaky-relu.inverse", &["leaky-relu"], "its inverse is leaky with the slope 1/a")
            .draw(x())
            .draw(Draw::real("a", 0.01..=3.0).limited(1e-6..=1e6))
            .within("4 ulp of x", 4.0 * f64::EPSILON)
            .check(|case| {
                let (x, a) = (case.real("x"), case.real("a"));
                case.classify(a > 1.0, "slope above 1");
                Ok((leaky_relu(leaky_relu(x, a), 1.0 / a) - x).abs() / x.abs().max(1.0))
            }),
        Property::new(
            "leaky-relu.maximum",
            &["leaky-relu"],
            "for a slope up to 1 it is max(a·x, x), as the notes print it",
        )
        .draw(x())
        .draw(Draw::real("a", -3.0..=1.0).limited(-1e6..=1.0))
        .check(|case| {
            let (x, a) = (case.real("x"), case.real("a"));
            Ok((leaky_relu(x, a) - (a * x).max(x)).abs())
        }),
        Property::new("leaky-relu.slopes", &["leaky-relu"], "the notes' slope is 0.1, the source's 0.01")
            .check(|_| {
                let gap = leaky_relu(-1.0, LEAKY_SLOPE_NOTES) + 0.1;
                Ok(gap.abs() + (leaky_relu(-1.0, LEAKY_SLOPE_MAAS) + 0.01).abs())
            }),
        Property::refutation(
            "leaky-relu.printed-default",
            &["leaky-relu"],
            "the notes' slope 0.1 is the one of the source and the frameworks, 0.01",
        )
        .draw(x())
        .check(|case| {
            let x = case.real("x");
            Ok((leaky_relu(x, LEAKY_SLOPE_NOTES) - leaky_relu(x, LEAKY_SLOPE_MAAS)).abs())
        }),
    ]
}

fn parametric() -> Vec<Property> {
    let layer = || {
        Property::new(
            "prelu.gradient",
            &["prelu"],
            "the gradients in x and in the slopes, one or one a channel",
        )
        .draw(Draw::size("n", 1..=3))
        .draw(Draw::size("c", 1..=3))
        .draw(Draw::size("w", 1..=3))
        .draw(Draw::array("x", 0.1..=5.0, &["n", "c", "w"]).limited(0.01..=1e3))
        .draw(Draw::array("a", -3.0..=3.0, &["c"]))
        .draw(Draw::choice("slopes", &["one", "one a channel"]))
        .draw(Draw::integer("signs", 0..=65535).limited(0.0..=65535.0))
    };
    vec![
        Property::new("prelu.definition", &["prelu"], "it is max(0, x) + a·min(0, x)")
            .draw(x())
            .draw(slope())
            .check(|case| {
                let (x, a) = (case.real("x"), case.real("a"));
                case.classify(a > 1.0, "slope above 1");
                Ok((prelu(x, a) - (x.max(0.0) + a * x.min(0.0))).abs())
            }),
        Property::new(
            "prelu.special-slopes",
            &["prelu"],
            "a = 0 is the ReLU, a = 1 the identity, a = −1 the absolute value",
        )
        .draw(x())
        .check(|case| {
            let x = case.real("x");
            Ok((prelu(x, 0.0) - relu(x)).abs() + (prelu(x, 1.0) - x).abs() + (prelu(x, -1.0) - x.abs()).abs())
        }),
        Property::new("prelu.positive-side", &["prelu"], "for x > 0 the slope has no say, however large")
            .draw(Draw::real("x", 0.001..=100.0).limited(0.0..=1e300))
            .draw(Draw::log("a", 1e-3..=1e6))
            .check(|case| {
                let (x, a) = (case.real("x"), case.real("a"));
                case.classify(a > 1.0, "slope above 1");
                Ok((prelu(x, a) - x).abs() + prelu_derivatives(x, a).1.abs())
            }),
        Property::new("prelu.affine", &["prelu"], "it is affine in the slope, with the derivative min(0, x)")
            .draw(x())
            .draw(slope())
            .draw(Draw::real("b", -3.0..=3.0))
            .within("8 ulp of the terms", 8.0 * f64::EPSILON)
            .check(|case| {
                let (x, a, b) = (case.real("x"), case.real("a"), case.real("b"));
                let (_, in_slope) = prelu_derivatives(x, a);
                let apart = (prelu(x, b) - prelu(x, a) - (b - a) * in_slope).abs() / (3.0 * (1.0 + x.abs()));
                Ok(apart + (in_slope - x.min(0.0)).abs())
            }),
        gradient_property(layer(), |case| {
            let (x, a) = layer_inputs(case)?;
            Ok((PRelu, [x, a]))
        }),
        Property::new("prelu.channels", &["prelu"], "each channel is its own PReLU")
            .draw(Draw::size("n", 1..=3))
            .draw(Draw::size("c", 1..=4))
            .draw(Draw::size("w", 1..=3))
            .draw(Draw::array("x", -5.0..=5.0, &["n", "c", "w"]))
            .draw(Draw::array("a", -3.0..=3.0, &["c"]))
            .check(|case| {
                let (x, a): (Tensor<f64>, Tensor<f64>) =
                    (tensor_of(case.array("x"))?, tensor_of(case.array("a"))?);
                let y = PRelu.eval([&x, &a])?;
                let mut apart = 0.0;
                for c in 0..a.len() {
                    let alone = x.select(1, c)?.map(|v| prelu(v, a.as_slice()[c]));
                    apart += if y.select(1, c)?.same_bits(&alone) { 0.0 } else { f64::INFINITY };
                }
                Ok(apart)
            }),
        Property::new("prelu.nan", &["prelu"], "a NaN comes out as a NaN, from x and from the slope").holds(
            |_| {
                let nan = f64::NAN;
                let derivatives = prelu_derivatives(nan, 0.5);
                Ok(prelu(nan, 0.5).is_nan()
                    && prelu(-1.0, nan).is_nan()
                    && derivatives.0.is_nan()
                    && derivatives.1.is_nan())
            },
        ),
        Property::refutation("prelu.printed", &["prelu"], "max(a·x, x) = max(0, x) + a·min(0, x)")
            .draw(slope())
            .draw(x())
            .check(|case| {
                let (x, a) = (case.real("x"), case.real("a"));
                Ok(((a * x).max(x) - prelu(x, a)).abs())
            }),
    ]
}

/// Inputs away from the kink: magnitudes are drawn, signs too.
fn layer_inputs(case: &mut Case<'_>) -> Result<(Tensor<f64>, Tensor<f64>), Failure> {
    let mut x: Tensor<f64> = tensor_of(case.array("x"))?;
    let signs = case.size("signs");
    for (i, v) in x.as_mut_slice().iter_mut().enumerate() {
        if signs >> (i % 16) & 1 == 1 {
            *v = -*v;
        }
    }
    let a: Tensor<f64> = tensor_of(case.array("a"))?;
    let a = if case.choice("slopes") == "one" { a.slice(0, 0..1)? } else { a };
    case.classify(a.as_slice().iter().any(|&a| a > 1.0), "slope above 1");
    Ok((x, a))
}

fn exponential() -> Vec<Property> {
    vec![
        Property::new("elu.pieces", &["elu"], "x above 0; below, α(eˣ − 1) with all its digits")
            .draw(Draw::log("x", 1e-200..=30.0).limited(1e-300..=700.0))
            .draw(Draw::real("alpha", -2.0..=3.0))
            .within("4 ulp", 4.0)
            .check(|case| {
                let (x, alpha) = (case.real("x"), case.real("alpha"));
                Ok((elu(x, alpha) - x).abs() + super::ulps(elu(-x, alpha), alpha * (-x).exp_m1()))
            }),
        Property::new("elu.derivative-from-value", &["elu"], "below 0 the derivative is the value plus α")
            .draw(Draw::real("x", -50.0..=0.0).limited(-700.0..=0.0))
            .draw(Draw::real("alpha", -2.0..=3.0))
            .within("4 ulp of α", 4.0 * f64::EPSILON)
            .check(|case| {
                let (x, alpha) = (case.real("x"), case.real("alpha"));
                Ok((elu_derivative(x, alpha) - (elu(x, alpha) + alpha)).abs() / alpha.abs().max(1.0))
            }),
        Property::new("selu.scaled-elu", &["selu"], "it is λ·ELU with α")
            .draw(Draw::real("x", -50.0..=50.0))
            .check(|case| {
                let x = case.real("x");
                Ok(same(selu(x), SELU_LAMBDA * elu(x, SELU_ALPHA)))
            }),
        Property::new(
            "selu.fixed-point",
            &["selu"],
            "for standard normal x, SELU(x) has mean 0 and variance 1",
        )
        .within("the trapezium rule on ±12 with a kink at a node", 1e-7)
        .check(|_| {
            // Analytic on both sides of 0, which is a node: the rule's error is that of the kink, h²/12·λ(α − 1)φ(0).
            let (n, reach) = (48_000i32, 12.0);
            let h = 2.0 * reach / f64::from(n);
            let moment = |power: i32| -> f64 {
                let term = |i: i32| {
                    let x = -reach + h * f64::from(i);
                    selu(x).powi(power) * (-0.5 * x * x).exp()
                };
                (0..=n).map(term).sum::<f64>() * h / (2.0 * std::f64::consts::PI).sqrt()
            };
            Ok(moment(1).abs().max((moment(2) - 1.0).abs()))
        }),
    ]
}
