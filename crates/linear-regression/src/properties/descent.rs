//! Gradient descent against the bound of its learning rate.

use super::{ROUNDING, apart, fit, full, relative, theta};
use crate::{Error, GradientDescent, Method, cost, gradient, learning_rate_bound};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Scalar, Tensor, rng};
use rand_distr::StandardNormal;

pub(super) fn properties() -> Vec<Property> {
    let descent = |id, statement| {
        Property::new(id, &["lls-gradient", "lls-cost"], statement)
            .draw(Draw::size("d", 1..=4))
            .draw(Draw::integer("more", 0..=8).limited(0.0..=64.0))
            .draw(Draw::log("condition", 1.0..=10.0).limited(1.0..=30.0))
            .draw(Draw::seed("values"))
            .draw(Draw::real("share", 0.1..=0.95).limited(0.02..=0.99))
    };
    type Drawn = (Tensor<f64>, Tensor<f64>, f64, Tensor<f64>);
    let drawn = |case: &mut Case<'_>| -> Result<Drawn, Failure> {
        let (x, y) = full(case)?;
        let bound = learning_rate_bound(&x)?;
        let start = Tensor::random([x.dims()[1]], &StandardNormal, &mut rng(case.seed("values") ^ 1))?;
        Ok((x, y, bound, start))
    };
    vec![
        descent("lls-gradient.descent-converges", "below the bound, descent comes to what QR computes")
            .within("the tolerance of the gradient, by the condition number squared", 1e-7)
            .check(move |case| {
                let (x, y, bound, start) = drawn(case)?;
                let model = GradientDescent::new().learning_rate(case.real("share") * bound);
                let end = model.steps(200_000).tolerance(1e-11).start(&start).run(&x, &y)?;
                case.classify(end.steps > 1000, "more than 1000 steps");
                let off = apart(&end.theta, &theta(&fit(&x, &y, Method::Qr)?)?)?;
                Ok(if end.converged { off } else { f64::INFINITY })
            }),
        descent("lls-gradient.descent-falls", "below the bound the cost never rises, and each is the cost of its step")
            .within("rounding", ROUNDING)
            .check(move |case| {
                let (x, y, bound, start) = drawn(case)?;
                let (mut costs, mut off) = (Vec::new(), 0.0);
                let model = GradientDescent::new().learning_rate(case.real("share") * bound).steps(50);
                let end = model.start(&start).run_with(&x, &y, |step| {
                    let again = cost(&x, step.theta, &y).unwrap_or(f64::NAN);
                    off = f64::max_or_nan(off, (again - step.cost).abs());
                    costs.push(step.cost);
                })?;
                let rises = costs.windows(2).map(|w| (w[1] - w[0]) / (1.0 + w[0]));
                let highest = rises.fold(0.0, f64::max_or_nan);
                Ok(if costs == end.cost_history { off.max_or_nan(highest) } else { f64::INFINITY })
            }),
        descent("lls-gradient.descent-step", "one step is θ − η∇J(θ), to the bit; the default rate is half the bound").check(
            move |case| {
                let (x, y, bound, start) = drawn(case)?;
                let rate = case.real("share") * bound;
                let step = |model: GradientDescent| model.steps(1).tolerance(0.0).start(&start).run(&x, &y);
                let by_hand = |rate: f64| -> Result<Tensor<f64>, Failure> {
                    let mut theta = start.clone();
                    theta.add_scaled(-rate, &gradient(&x, &start, &y)?)?;
                    Ok(theta)
                };
                let own = step(GradientDescent::new().learning_rate(rate))?.theta.max_difference(&by_hand(rate)?)?;
                let half = step(GradientDescent::new())?.theta.max_difference(&by_hand(0.5 * bound)?)?;
                Ok(own.max_or_nan(half))
            },
        ),
        descent(
            "lls-gradient.descent-factor",
            "along an eigenvector of the Hessian the error is multiplied by 1 − ηλ a step, on either side of the bound",
        )
        .draw(Draw::choice("side", &["below", "above"]))
        .within("rounding of four steps", 1e-12)
        .check(|case| {
            // y = 0: the error is θ itself. The largest singular value is 1: λ = 2/n, the bound is n.
            let x = full(case)?.0;
            let (n, v) = (x.dims()[0] as f64, x.svd()?.vt.select(0, 0)?);
            let share = case.real("share") + if case.choice("side") == "above" { 1.0 } else { 0.0 };
            let rate = share * n;
            let model = GradientDescent::new().learning_rate(rate).steps(4).tolerance(0.0).start(&v);
            let mut off: f64 = 0.0;
            let mut factor = 1.0;
            model.run_with(&x, &Tensor::zeros([x.dims()[0]])?, |step| {
                let error = step.theta.sub(&v.scale(factor)).and_then(|t| t.abs().max());
                off = off.max_or_nan(error.unwrap_or(f64::NAN) / f64::max(1.0, factor.abs()));
                factor *= 1.0 - rate * 2.0 / n;
            })?;
            Ok(off.max_or_nan(relative(learning_rate_bound(&x)?, n)))
        }),
        descent("lls-gradient.descent-diverges", "above the bound it is refused, with the rate and the bound named").holds(
            move |case| {
                let (x, y, bound, start) = drawn(case)?;
                let rate = (1.0 + case.real("share")) * bound;
                let run = GradientDescent::new().learning_rate(rate).tolerance(0.0).start(&start).run(&x, &y);
                Ok(matches!(run, Err(Error::Diverged { rate: r, bound: b, .. }) if r == rate && b == bound))
            },
        ),
    ]
}
