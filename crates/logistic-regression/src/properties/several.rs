//! Several classes: the derivatives of softmax regression, and its fit.

use super::{DIFFERENCES, ROUNDING, apart, differences, drawn, overlapping, relative};
use crate::{LogisticRegression, SoftmaxRegression, gradient, hessian, softmax_gradient, softmax_hessian};
use gradus_activations::linear_softmax;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_losses::cross_entropy;
use gradus_tensor::{Result, Scalar, Tensor, Transpose, rng, tensor_of};
use rand_distr::StandardNormal;

const GRADIENT: &[&str] = &["softmax-regression-gradient"];
const HESSIAN: &[&str] = &["softmax-regression-hessian"];

fn small(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::size("n", 1..=6))
        .draw(Draw::size("d", 1..=3))
        .draw(Draw::size("k", 1..=4))
        .draw(Draw::array("x", -3.0..=3.0, &["n", "d"]).limited(-30.0..=30.0))
        .draw(Draw::array("theta", -2.0..=2.0, &["d", "k"]).limited(-10.0..=10.0))
        .draw(Draw::array("y", 0.0..=0.9999, &["n"]).limited(0.0..=0.9999))
}

fn parts(case: &Case<'_>) -> Result<(Tensor<f64>, Tensor<f64>, Tensor<u32>)> {
    let k = case.real("k");
    let y = tensor_of::<f64>(case.array("y"))?.map(|y| (y * k) as u32);
    Ok((tensor_of(case.array("x"))?, tensor_of(case.array("theta"))?, y))
}

pub(super) fn properties() -> Vec<Property> {
    let mut all = derivatives();
    all.extend(curvatures());
    all.extend(fits());
    all
}

fn derivatives() -> Vec<Property> {
    vec![
        small(
            "softmax-regression-gradient.differences",
            GRADIENT,
            "it is the slope of the mean cross entropy of the scores Xθ",
        )
        .within("five-point differences", DIFFERENCES)
        .check(|case| {
            let (x, theta, y) = parts(case)?;
            let slopes = differences(&theta, |t| Ok(cross_entropy(&x.matmul(t)?, &y)?.flatten()))?;
            let slopes: Tensor<f64> = slopes.iter().map(|s| s.as_slice()[0]).collect();
            Ok(apart(&softmax_gradient(&x, &theta, &y)?.flatten(), &slopes)?)
        }),
        small(
            "softmax-regression-gradient.balance",
            GRADIENT,
            "what one class gains the others lose: each row adds up to 0",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (x, theta, y) = parts(case)?;
            Ok(softmax_gradient(&x, &theta, &y)?.sum_axis(1)?.abs().max()?)
        }),
        small(
            "softmax-regression-gradient.shift",
            &["softmax-regression-gradient", "softmax-regression-hessian"],
            "the same vector added to every class changes neither derivative",
        )
        .draw(Draw::array("c", -5.0..=5.0, &["d"]).limited(-20.0..=20.0))
        .within("rounding of the shifted scores", 1e-11)
        .check(|case| {
            let (x, theta, y) = parts(case)?;
            let moved = theta.add(&tensor_of::<f64>(case.array("c"))?.insert_axis(1)?)?;
            let first = apart(&softmax_gradient(&x, &moved, &y)?, &softmax_gradient(&x, &theta, &y)?)?;
            Ok(first.max_or_nan(apart(&softmax_hessian(&x, &moved)?, &softmax_hessian(&x, &theta)?)?))
        }),
        small(
            "softmax-regression-gradient.two-classes",
            &["softmax-regression-gradient", "softmax-regression-hessian"],
            "of two classes it is the logistic gradient at θ₁ − θ₀, and so is the Hessian",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (x, theta, y) = parts(case)?;
            let y = y.map(|y| y % 2);
            let one = theta.select(1, 0)?;
            let pair = Tensor::stack(&[&one.scale(0.5), &one.scale(-0.5)], 1)?;
            let difference = one.scale(-1.0);
            let g = softmax_gradient(&x, &pair, &y)?.select(1, 1)?;
            let first = apart(&g, &gradient(&x, &difference, &y)?)?;
            let d = x.dims()[1];
            let h = softmax_hessian(&x, &pair)?.reshape([d, 2, d, 2])?.select(3, 1)?.select(1, 1)?;
            Ok(first.max_or_nan(apart(&h, &hessian(&x, &difference)?)?))
        }),
        Property::new(
            "softmax-regression-gradient.confident",
            GRADIENT,
            "a confident correct prediction still pulls: by minus the other probabilities, however small",
        )
        .draw(Draw::size("k", 2..=4).limited(2.0..=64.0))
        .draw(Draw::integer("class", 0..=3).limited(0.0..=63.0))
        .draw(Draw::array("margin", 1.0..=700.0, &["k"]).limited(0.0..=700.0))
        .within("8 ulp", 8.0)
        .check(|case| {
            let (k, margins) = (case.size("k"), case.array("margin").data.as_slice());
            let class = case.size("class") % k;
            // The own class has the score 0, every other one its margin less. From a margin of 37 on, 1 − p is 0.
            let theta = Tensor::from_fn([1, k], |i| if i[1] == class { 0.0 } else { -margins[i[1]] })?;
            let label = Tensor::from([class as u32]);
            let gradient = softmax_gradient(&Tensor::from([[1.0]]), &theta, &label)?;
            let others = |j: &usize| *j != class;
            let sum: f64 = (0..k).filter(others).map(|j| (-margins[j]).exp()).sum();
            case.classify((0..k).filter(others).all(|j| margins[j] > 37.0), "certain to rounding");
            let mut off = 0.0f64;
            for (j, got) in gradient.as_slice().iter().enumerate() {
                let power = if j == class { -sum } else { (-margins[j]).exp() };
                let expected = power / (1.0 + sum);
                off = off.max_or_nan((got - expected).abs() / (f64::EPSILON * expected.abs()));
            }
            Ok(off)
        }),
    ]
}

fn curvatures() -> Vec<Property> {
    vec![
        small("softmax-regression-hessian.differences", HESSIAN, "it is the slope of the gradient")
            .within("five-point differences", DIFFERENCES)
            .check(|case| {
                let (x, theta, y) = parts(case)?;
                let slopes = differences(&theta, |t| Ok(softmax_gradient(&x, t, &y)?.flatten()))?;
                Ok(apart(
                    &Tensor::stack(&slopes.iter().collect::<Vec<_>>(), 0)?,
                    &softmax_hessian(&x, &theta)?,
                )?)
            }),
        small(
            "softmax-regression-hessian.variance",
            HESSIAN,
            "along V it is the mean variance of the scores’ change xᵢV under pᵢ: never below 0",
        )
        .draw(Draw::array("v", -2.0..=2.0, &["d", "k"]))
        .within("rounding", 1e-12)
        .check(|case| {
            let (x, theta, _) = parts(case)?;
            let v: Tensor<f64> = tensor_of(case.array("v"))?;
            let (p, change) = (linear_softmax(&x, &theta)?, x.matmul(&v)?);
            let mean = p.mul(&change)?.sum_axis(1)?.insert_axis(1)?;
            let variance = change.sub(&mean)?.powi(2).mul(&p)?.sum_axis(1)?.mean()?;
            let v = v.reshape([v.len(), 1])?;
            let along = v
                .product(Transpose::Yes, &softmax_hessian(&x, &theta)?.matmul(&v)?, Transpose::No)?
                .item()?;
            Ok(relative(along, variance))
        }),
        small(
            "softmax-regression-hessian.null",
            HESSIAN,
            "along a shift of all classes alike it is 0, and it is symmetric to the bit",
        )
        .draw(Draw::array("c", -2.0..=2.0, &["d"]))
        .within("rounding", 1e-12)
        .check(|case| {
            let (x, theta, _) = parts(case)?;
            let h = softmax_hessian(&x, &theta)?;
            let shift = tensor_of::<f64>(case.array("c"))?.insert_axis(1)?.broadcast_to(theta.shape())?;
            let zero = h.matmul(&shift.reshape([shift.len(), 1])?)?.abs().max()?;
            let symmetric = h.max_difference(&h.transpose()?)? == 0.0;
            Ok(if symmetric { zero / (1.0 + h.abs().max()?) } else { f64::INFINITY })
        }),
    ]
}

/// Every row with each of three classes, each with a weight of its own.
fn several(case: &mut Case<'_>) -> Result<(Tensor<f64>, Tensor<u32>, Vec<f64>), Failure> {
    let d = drawn(case)?;
    let n = d.x.dims()[0] / 2;
    let half = d.x.slice(0, 0..n)?;
    let x = Tensor::concatenate(&[&half, &half, &half], 0)?;
    let y = (0..3 * n).map(|i| (i / n) as u32).collect();
    let mut rng = rng(case.seed("values") ^ 5);
    let weights: Tensor<f64> = Tensor::random([3 * n], &StandardNormal, &mut rng)?;
    Ok((x, y, weights.as_slice().iter().map(|v| 1.0 + v.abs()).collect()))
}

fn fits() -> Vec<Property> {
    vec![
        overlapping("softmax-regression-gradient.binary-fit", &["softmax-regression-gradient", "logreg-irls"], "the fit of two classes at λ is the binary one at λ/2, as the difference of its classes")
            .draw(Draw::log("l2", 1e-3..=1e2).limited(1e-9..=1e6))
            .draw(Draw::choice("penalty", &["some", "none"]))
            .within("the fits’ tolerance", 1e-6)
            .check(|case| {
                let d = drawn(case)?;
                let l2 = if case.choice("penalty") == "some" { case.real("l2") } else { 0.0 };
                let two = SoftmaxRegression::new(2).l2(l2).sample_weights(&d.weights).fit(&d.x, &d.y)?;
                let one = LogisticRegression::new().l2(0.5 * l2).sample_weights(&d.weights).fit(&d.x, &d.y)?;
                let (coefficients, intercepts) = two.relative_to(0)?;
                let sizes = d.x.abs().max_axis(0)?;
                let off = apart(&coefficients.select(1, 1)?.mul(&sizes)?, &one.coefficients().mul(&sizes)?)?;
                let p = two.predict_proba(&d.x)?.select(1, 1)?.max_difference(&one.predict_proba(&d.x)?)?;
                Ok(off.max_or_nan(p).max_or_nan(relative(intercepts.as_slice()[1], one.intercept())))
            }),
        overlapping("softmax-regression-gradient.stationary", GRADIENT, "Σ wᵢ(pᵢₖ − [yᵢ = k])xᵢ + λθₖ is 0 at the fit, for the intercepts without the λ")
            .draw(Draw::log("l2", 1e-3..=1e2).limited(1e-9..=1e6))
            .within("the fit’s tolerance", 1e-7)
            .check(|case| {
                let (x, y, w) = several(case)?;
                let l2 = case.real("l2");
                let fit = SoftmaxRegression::new(3).l2(l2).sample_weights(&w).fit(&x, &y)?;
                let p = fit.predict_proba(&x)?;
                let total: f64 = w.iter().sum();
                let off = Tensor::from_fn(p.shape(), |i| {
                    let own = if y.as_slice()[i[0]] as usize == i[1] { 1.0 } else { 0.0 };
                    w[i[0]] * (p.as_slice()[i[0] * 3 + i[1]] - own)
                })?;
                let slopes = x.product(Transpose::Yes, &off, Transpose::No)?.add(&fit.coefficients().scale(l2))?;
                let sizes = x.abs().max_axis(0)?.insert_axis(1)?.map(|s| s * total);
                let sums = off.sum_axis(0)?.abs().max()? / total;
                Ok(slopes.div(&sizes.add(&fit.coefficients().abs().scale(l2))?)?.abs().max()?.max_or_nan(sums))
            }),
        overlapping("softmax-regression-hessian.reference", HESSIAN, "without a penalty rows add up to 0, and every reference gives the same probabilities and errors of the same contrast")
            .within("the fit’s tolerance", 1e-6)
            .check(|case| {
                let (x, y, w) = several(case)?;
                let fit = SoftmaxRegression::new(3).sample_weights(&w).fit(&x, &y)?;
                let sizes = x.abs().max_axis(0)?.insert_axis(1)?;
                let mut off = fit.coefficients().mul(&sizes)?.sum_axis(1)?.abs().max()?;
                off = off.max_or_nan(fit.intercepts().sum().abs());
                let p = fit.predict_proba(&x)?;
                for class in 0..3 {
                    let (coefficients, intercepts) = fit.relative_to(class)?;
                    let again = gradus_activations::softmax(&x.matmul(&coefficients)?.add(&intercepts)?, 1)?;
                    off = off.max_or_nan(again.max_difference(&p)?);
                }
                let (one, other) = (fit.standard_errors(0)?, fit.standard_errors(2)?);
                let contrast = one.0.select(1, 2)?.mul(&sizes.flatten())?;
                off = off.max_or_nan(apart(&contrast, &other.0.select(1, 0)?.mul(&sizes.flatten())?)?);
                Ok(off.max_or_nan(relative(one.1.as_slice()[2], other.1.as_slice()[0])))
            }),
        overlapping("softmax-regression-gradient.names", GRADIENT, "classes numbered otherwise have their coefficients with them")
            .within("the fit’s tolerance", 1e-6)
            .check(|case| {
                let (x, y, w) = several(case)?;
                let fit = |y: &Tensor<u32>| SoftmaxRegression::new(3).l2(1.0).sample_weights(&w).fit(&x, y);
                let (one, other) = (fit(&y)?, fit(&y.map(|y| (y + 1) % 3))?);
                let back = other.coefficients().gather(1, &[1, 2, 0])?;
                let sizes = x.abs().max_axis(0)?.insert_axis(1)?;
                Ok(apart(&back.mul(&sizes)?, &one.coefficients().mul(&sizes)?)?)
            }),
    ]
}
