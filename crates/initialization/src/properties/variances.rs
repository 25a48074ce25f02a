//! Of the variances that layers want.

use super::relative;
use crate::{FanMode, Fans, Init, glorot_variance, he_variance, lecun_variance, sum_variance};
use gradus_formula::{Case, Draw, Failure, Property};

fn fan(name: &'static str) -> Draw {
    Draw::size(name, 1..=1000)
}

/// A few ulp.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// Var(s) and E\[x²\] by enumeration: n weights that are ±√v with equal probability, inputs given.
fn enumerated(v: f64, x: &[f64]) -> f64 {
    let patterns = 1usize << x.len();
    let sums = (0..patterns).map(|p| {
        let signed = |(i, &x): (usize, &f64)| if p >> i & 1 == 1 { x } else { -x };
        x.iter().enumerate().map(signed).sum::<f64>() * v.sqrt()
    });
    // The mean of s is 0 by symmetry.
    sums.map(|s| s * s).sum::<f64>() / patterns as f64
}

fn inputs(property: Property) -> Property {
    property
        .draw(Draw::size("n", 1..=8).limited(1.0..=12.0))
        .draw(Draw::array("x", -3.0..=3.0, &["n"]).limited(-1e3..=1e3))
        .draw(Draw::log("variance", 1e-3..=10.0).limited(1e-9..=1e9))
        .within("the rounding of 2ⁿ sums", 1e-11)
}

fn moment(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64
}

fn mean_of(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn apart(x: f64, y: f64) -> f64 {
    (x - y).abs() / (1e-9 + y.abs())
}

pub(super) fn properties() -> Vec<Property> {
    let mut all = sums();
    all.extend(preserving());
    all.extend(fans());
    all
}

fn sums() -> Vec<Property> {
    vec![
        inputs(Property::new(
            "xavier-var-sum.enumerated",
            &["xavier-var-sum"],
            "for weights ±√v, all 2ⁿ sums have the variance n·v·E[x²], whatever the inputs' mean",
        ))
        .check(|case| {
            let (x, v) = (&case.array("x").data, case.real("variance"));
            case.classify(mean_of(x).abs() > 0.5, "inputs far from mean 0");
            Ok(apart(enumerated(v, x), sum_variance(x.len(), v, moment(x))))
        }),
        inputs(Property::new(
            "xavier-var-sum.zero-mean",
            &["xavier-var-sum"],
            "for inputs of mean 0 the printed n·Var(w)·Var(x) is the same",
        ))
        .check(|case| {
            let (x, v) = (&case.array("x").data, case.real("variance"));
            // Each input with its negative: the mean is 0, the variance the second moment.
            let both: Vec<f64> = x.iter().flat_map(|&x| [x, -x]).take(12).collect();
            let printed = sum_variance(both.len(), v, moment(&both) - mean_of(&both).powi(2));
            Ok(apart(enumerated(v, &both), printed))
        }),
        inputs(Property::new(
            "xavier-var-sum.additive",
            &["xavier-var-sum"],
            "the variance over two blocks of inputs is the sum of theirs",
        ))
        .draw(Draw::size("m", 1..=6).limited(1.0..=8.0))
        .check(|case| {
            let (x, v) = (&case.array("x").data, case.real("variance"));
            let (left, right) = x.split_at(case.size("m").min(x.len()));
            let part = |x: &[f64]| if x.is_empty() { 0.0 } else { sum_variance(x.len(), v, moment(x)) };
            Ok(apart(part(left) + part(right), part(x)))
        }),
        inputs(Property::refutation(
            "xavier-var-sum.printed",
            &["xavier-var-sum"],
            "Var(s) = n·Var(w)·Var(x) for inputs of any mean",
        ))
        .check(|case| {
            let (x, v) = (&case.array("x").data, case.real("variance"));
            let variance = moment(x) - mean_of(x).powi(2);
            Ok(apart(enumerated(v, x), sum_variance(x.len(), v, variance.max(0.0))))
        }),
    ]
}

fn preserving() -> Vec<Property> {
    vec![
        Property::new(
            "xavier-preserve.second-moment",
            &["xavier-preserve", "xavier-underbrace", "xavier-var"],
            "with n·Var(w) = 1 the sum's variance is the inputs' second moment, whatever that is",
        )
        .draw(fan("n"))
        .draw(Draw::log("moment", 1e-3..=1e3))
        .within("8 ulp", ROUNDING)
        .check(|case| {
            let (n, m) = (case.size("n"), case.real("moment"));
            Ok(relative(sum_variance(n, lecun_variance(n), m), m))
        }),
        Property::refutation(
            "xavier-underbrace.printed",
            &["xavier-underbrace"],
            "Var(w)·Var(x) = 1 keeps the variance: n·Var(w)·Var(x) = Var(x)",
        )
        .draw(fan("n"))
        .draw(Draw::log("variance of x", 1e-3..=1e3))
        .within("8 ulp", ROUNDING)
        .check(|case| {
            let (n, x) = (case.size("n"), case.real("variance of x"));
            Ok(relative(sum_variance(n, 1.0 / x, x), x))
        }),
        Property::new("xavier-var.halved", &["xavier-var"], "twice the inputs, half the variance")
            .draw(fan("n"))
            .check(|case| {
                Ok((2.0 * lecun_variance(2 * case.size("n")) - lecun_variance(case.size("n"))).abs())
            }),
        Property::new(
            "xavier-var.init",
            &["xavier-var"],
            "LeCun's initializations have it, whatever the outputs",
        )
        .draw(fan("n"))
        .draw(fan("m"))
        .draw(Draw::choice("law", &["normal", "uniform", "truncated"]))
        .within("the closed form of a truncated variance", 1e-13)
        .check(|case| {
            let (n, m) = (case.size("n"), case.size("m"));
            let init = spread(case, [Init::lecun_normal(), Init::lecun_uniform()]);
            Ok(relative(init.law(Fans::dense(n, m))?.variance(), lecun_variance(n)))
        }),
    ]
}

/// The initialization with the law that was drawn.
fn spread(case: &Case<'_>, [normal, uniform]: [Init; 2]) -> Init {
    match case.choice("law") {
        "normal" => normal,
        "uniform" => uniform,
        _ => normal.truncated(),
    }
}

fn fans() -> Vec<Property> {
    let two = |id, formula: &'static [&'static str], statement| {
        Property::new(id, formula, statement).draw(fan("n")).draw(fan("m")).within("8 ulp", ROUNDING)
    };
    let of = |case: &Case<'_>| Fans::dense(case.size("n"), case.size("m"));
    vec![
        two("glorot-var.symmetric", &["glorot-var"], "a transposed layer has the same variance").check(
            move |case| {
                let f = of(case);
                Ok((glorot_variance(f) - glorot_variance(Fans::dense(f.fan_out, f.fan_in))).abs())
            },
        ),
        two(
            "glorot-var.harmonic",
            &["glorot-var", "xavier-var"],
            "it is the harmonic mean of what forward and backward want; equal fans make all three one",
        )
        .check(move |case| {
            let f = of(case);
            let (ahead, back) = (lecun_variance(f.fan_in), lecun_variance(f.fan_out));
            let harmonic = 2.0 / (1.0 / ahead + 1.0 / back);
            let equal = glorot_variance(Fans::dense(f.fan_in, f.fan_in));
            Ok(relative(glorot_variance(f), harmonic).max(relative(equal, ahead)))
        }),
        two(
            "glorot-var.compromise",
            &["glorot-var"],
            "what it does to the signal and to the gradient adds up to 2",
        )
        .check(move |case| {
            let f = of(case);
            let v = glorot_variance(f);
            let both = sum_variance(f.fan_in, v, 1.0) + sum_variance(f.fan_out, v, 1.0);
            Ok(relative(both, 2.0))
        }),
        Property::new("glorot-var.init", &["glorot-var"], "Xavier's initializations have it")
            .draw(fan("n"))
            .draw(fan("m"))
            .draw(Draw::choice("law", &["normal", "uniform", "truncated"]))
            .within("the closed form of a truncated variance", 1e-13)
            .check(move |case| {
                let init = spread(case, [Init::xavier_normal(), Init::xavier_uniform()]);
                Ok(relative(init.law(of(case))?.variance(), glorot_variance(of(case))))
            }),
        Property::refutation("xavier-var.called-glorot", &["xavier-var"], "1/n is Glorot's variance")
            .draw(fan("n"))
            .draw(fan("m"))
            .within("8 ulp", ROUNDING)
            .check(move |case| Ok(relative(lecun_variance(case.size("n")), glorot_variance(of(case))))),
        Property::new(
            "he-var.slopes",
            &["he-var", "xavier-var"],
            "slope 1 is no activation: 1/n; slope 0 twice that; a slope's sign does not matter",
        )
        .draw(fan("n"))
        .draw(Draw::real("a", -3.0..=3.0))
        .within("8 ulp", ROUNDING)
        .check(|case| {
            let (n, a) = (case.size("n"), case.real("a"));
            let ends = relative(he_variance(n, 1.0), lecun_variance(n))
                .max(relative(he_variance(n, 0.0), 2.0 * lecun_variance(n)));
            Ok(ends.max(relative(he_variance(n, a), he_variance(n, -a))))
        }),
        Property::new(
            "he-var.preserves",
            &["he-var"],
            "behind a leaky ReLU of a symmetric z the second moment is (1 + a²)/2 of z's, and He's variance gives it back",
        )
        .draw(Draw::size("k", 1..=20))
        .draw(Draw::array("z", -5.0..=5.0, &["k"]).limited(-1e3..=1e3))
        .draw(Draw::real("a", -3.0..=3.0).limited(-1e3..=1e3))
        .draw(fan("n"))
        .within("the rounding of a sum", 1e-13)
        .check(|case| {
            let (z, a) = (&case.array("z").data, case.real("a"));
            let leaky = |z: f64| if z > 0.0 { z } else { a * z };
            let symmetric: Vec<f64> = z.iter().flat_map(|&z| [z, -z]).collect();
            let behind: Vec<f64> = symmetric.iter().map(|&z| leaky(z)).collect();
            let n = case.size("n");
            let next = sum_variance(n, he_variance(n, a), moment(&behind));
            Ok(apart(next, moment(&symmetric)))
        }),
        Property::new("he-var.init", &["he-var"], "He's initializations have it, by fan-in or fan-out")
            .draw(fan("n"))
            .draw(fan("m"))
            .draw(Draw::choice("law", &["normal", "uniform", "truncated"]))
            .within("the closed form of a truncated variance", 1e-13)
            .check(move |case| {
                let init = spread(case, [Init::he_normal(), Init::he_uniform()]);
                let (ahead, back) = (init.law(of(case))?, init.fan(FanMode::Out).law(of(case))?);
                let (n, m) = (case.size("n"), case.size("m"));
                let gap = relative(ahead.variance(), he_variance(n, 0.0));
                Ok(gap.max(relative(back.variance(), he_variance(m, 0.0))))
            }),
        Property::new(
            "glorot-var.conv",
            &["glorot-var"],
            "the fans of a convolution are those that counting finds: inputs of one output, outputs of one input",
        )
        .draw(Draw::size("in a group", 1..=4))
        .draw(Draw::size("out a group", 1..=4))
        .draw(Draw::size("groups", 1..=3))
        .draw(Draw::size("h", 1..=3))
        .draw(Draw::size("w", 1..=3))
        .check(|case| {
            let [i, o, g, h, w] = ["in a group", "out a group", "groups", "h", "w"].map(|name| case.size(name));
            counted_fans(i, o, g, [h, w])
        }),
    ]
}

/// Counts the connections of a grouped convolution, far from the edges.
fn counted_fans(i: usize, o: usize, groups: usize, [h, w]: [usize; 2]) -> Result<f64, Failure> {
    let fans = Fans::conv(i * groups, o * groups, groups, &[h, w])?;
    let joined = |from: usize, to: usize| from / i == to / o;
    let inputs = (0..i * groups).filter(|&c| joined(c, 0)).count() * h * w;
    let outputs = (0..o * groups).filter(|&c| joined(0, c)).count() * h * w;
    Ok(fans.fan_in.abs_diff(inputs) as f64 + fans.fan_out.abs_diff(outputs) as f64)
}
