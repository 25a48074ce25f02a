//! Solutions chosen by their length: the shortest one, and ridge.

use super::{ROUNDING, apart, conditioned, fit, full, structured, theta};
use crate::{LinearRegression, Method, cost, min_norm, ridge_path};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Scalar, Tensor, Transpose, rng};
use rand_distr::StandardNormal;

pub(super) fn properties() -> Vec<Property> {
    let mut all = smallest_norm();
    all.extend(ridges());
    all
}

fn smallest_norm() -> Vec<Property> {
    let deficient = |id, statement| {
        conditioned(id, &["lls-min-norm"], statement).draw(Draw::integer("lost", 0..=4).limited(0.0..=8.0))
    };
    let data = |case: &mut Case<'_>| -> Result<(Tensor<f64>, Tensor<f64>, usize)> {
        let rank = case.size("d").saturating_sub(case.size("lost")).max(1);
        case.classify(rank < case.size("d"), "rank deficient");
        let (x, y) = structured(case, rank)?;
        Ok((x, y, rank))
    };
    vec![
        deficient(
            "lls-min-norm.rank",
            "the rank that was built in is found, and the residual is orthogonal to every column",
        )
        .within("rounding, by the condition number", 1e-8)
        .check(move |case| {
            let (x, y, rank) = data(case)?;
            let fit = fit(&x, &y, Method::Svd)?;
            if fit.rank() != rank {
                return Ok(f64::INFINITY);
            }
            Ok(x.product(Transpose::Yes, fit.residuals(), Transpose::No)?.abs().max()?)
        }),
        deficient(
            "lls-min-norm.smallest",
            "no other solution is shorter: a step in the null space only adds length",
        )
        .draw(Draw::seed("step"))
        .within("rounding, by the condition number", 1e-7)
        .check(move |case| {
            let (x, y, rank) = data(case)?;
            let best = min_norm(&x, &y)?;
            let vt = x.svd()?.vt;
            let null = vt.slice(0, rank..x.dims()[1])?;
            let step = Tensor::random([1, x.dims()[1] - rank], &StandardNormal, &mut rng(case.seed("step")))?;
            let other = best.add(&step.matmul(&null)?.remove_axis(0)?)?;
            let across =
                null.matmul(&best.insert_axis(1)?)?.abs().as_slice().iter().fold(0.0, |m: f64, &v| m.max(v));
            let longer = other.dot(&other)? - best.dot(&best)?;
            Ok((-longer).max(0.0).max_or_nan(across) / (1.0 + best.dot(&best)?))
        }),
        deficient("lls-min-norm.ridge-limit", "ridge goes to it as λ goes to 0")
            .within("λ/s², s the smallest singular value", 1e-3)
            .check(move |case| {
                let (x, y, _) = data(case)?;
                let smallest = 1.0 / case.real("condition").powi(2);
                let near = ridge_path(&x, &y, &[1e-4 * smallest])?.select(0, 0)?;
                let best = min_norm(&x, &y)?;
                Ok(near.sub(&best)?.abs().max()? / (1e-9 + best.abs().max()?))
            }),
    ]
}

fn ridges() -> Vec<Property> {
    let ridge = |id, statement| {
        conditioned(id, &["ridge"], statement).draw(Draw::log("lambda", 1e-4..=1e3).limited(1e-8..=1e8))
    };
    vec![
        ridge("ridge.normal-equations", "(XᵀX + λI)θ = Xᵀy").within("rounding", ROUNDING).check(|case| {
            let ((x, y), lambda) = (full(case)?, case.real("lambda"));
            let t = ridge_path(&x, &y, &[lambda])?.transpose()?;
            let left = x.product(Transpose::Yes, &x.matmul(&t)?, Transpose::No)?.add(&t.scale(lambda))?;
            let right = x.product(Transpose::Yes, &y.insert_axis(1)?, Transpose::No)?;
            apart(&left, &right).map_err(Failure::from)
        }),
        ridge("ridge.shrinks", "a larger λ has a shorter θ and a larger residual")
            .within("rounding", ROUNDING)
            .check(|case| {
                let ((x, y), lambda) = (full(case)?, case.real("lambda"));
                let path = ridge_path(&x, &y, &[lambda, 2.0 * lambda])?;
                let (near, far) = (path.select(0, 0)?, path.select(0, 1)?);
                let longer = far.dot(&far)? - near.dot(&near)?;
                let better = cost(&x, &near, &y)? - cost(&x, &far, &y)?;
                Ok(longer.max(better).max(0.0))
            }),
        ridge("ridge.rows", "it is least squares with √λ·I below X and 0 below y, by every method")
            .within("rounding, by the condition number", 1e-9)
            .check(|case| {
                let ((x, y), lambda) = (full(case)?, case.real("lambda"));
                let path = ridge_path(&x, &y, &[lambda])?.select(0, 0)?;
                let mut off: f64 = 0.0;
                for method in [Method::Qr, Method::Svd, Method::Precise] {
                    let fit =
                        LinearRegression::new().intercept(false).ridge(lambda).method(method).fit(&x, &y)?;
                    off = off.max_or_nan(apart(&theta(&fit)?, &path)?);
                }
                Ok(off)
            }),
        ridge("ridge.intercept", "the intercept is not penalised: a constant added to y moves nothing else")
            .draw(Draw::real("level", -1e3..=1e3))
            .within("rounding, by the condition number", 1e-8)
            .check(|case| {
                let ((x, y), level) = (full(case)?, case.real("level"));
                let fit = |y: &Tensor<f64>| LinearRegression::new().ridge(case.real("lambda")).fit(&x, y);
                let (here, there) = (fit(&y)?, fit(&y.map(|v| v + level))?);
                let size = 1.0 + level.abs();
                let moved = (there.intercept().item()? - here.intercept().item()? - level).abs() / size;
                Ok(moved.max_or_nan(apart(&there.coefficients(), &here.coefficients())? / size))
            }),
    ]
}
