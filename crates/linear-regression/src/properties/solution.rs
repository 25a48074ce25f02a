//! The solution, by every method: orthogonal residuals, agreement, and the rule that chooses.

use super::{ROUNDING, apart, conditioned, fit, full, model, theta};
use crate::{Error, LinearRegression, Method, cost, fit_polynomial, inverse_formula, min_norm};
use gradus_formula::{Draw, Failure, Property};
use gradus_tensor::{Scalar, Tensor, Transpose, tensor_of};

pub(super) fn properties() -> Vec<Property> {
    vec![
        conditioned(
            "lls-normal-equation.orthogonal",
            &["lls-normal-equation"],
            "the residual is orthogonal to every column",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (x, y) = full(case)?;
            let fit = fit(&x, &y, Method::Qr)?;
            let across = x.product(Transpose::Yes, fit.residuals(), Transpose::No)?.abs().max()?;
            Ok(across / (1.0 + y.dot(&y)?.sqrt()))
        }),
        conditioned(
            "lls-normal-equation.methods",
            &["lls-normal-equation"],
            "QR, SVD, Cholesky and double-double agree, to the condition number squared",
        )
        .within("16 u κ²", 16.0)
        .check(|case| {
            let ((x, y), kappa) = (full(case)?, case.real("condition"));
            let exact = theta(&fit(&x, &y, Method::Precise)?)?;
            let mut off: f64 = 0.0;
            for method in [Method::Qr, Method::Svd, Method::NormalEquations] {
                off = off.max_or_nan(apart(&theta(&fit(&x, &y, method)?)?, &exact)?);
            }
            Ok(off / (f64::EPSILON * kappa * kappa * (1.0 + y.dot(&y)?.sqrt())))
        }),
        conditioned(
            "lls-normal-equation.refined",
            &["lls-normal-equation"],
            "QR with refinement is the double-double solution, rounded",
        )
        .within("8 ulp of the largest coefficient", 8.0 * f64::EPSILON)
        .check(|case| {
            let (x, y) = full(case)?;
            apart(&theta(&fit(&x, &y, Method::Qr)?)?, &theta(&fit(&x, &y, Method::Precise)?)?)
                .map_err(Failure::from)
        }),
        conditioned(
            "lls-normal-equation.by-products",
            &["lls-normal-equation"],
            "QR by Cholesky's factor loses nothing against reflections, or refuses, and does so above its limit only",
        )
        .draw(Draw::choice("intercept", &["with", "without"]))
        .draw(Draw::choice("weights", &["none", "some"]))
        .within("16 u, and 16 u κ for what is made of R", 16.0)
        .check(|case| {
            let (x, y) = full(case)?;
            let model = model(case, y.len());
            if y.len() < case.size("d") + 2 {
                return Ok(0.0);
            }
            let reflected = model.clone().method(Method::Qr).fit(&x, &y)?;
            let made = match model.method(Method::CholeskyQr).fit(&x, &y) {
                Ok(fit) => fit,
                Err(Error::IllConditioned { condition, limit, .. }) if condition > 0.999 * limit => {
                    case.label("refused");
                    return Ok(0.0);
                }
                Err(other) => return Err(other.into()),
            };
            let (a, b) = (made.statistics(0)?, reflected.statistics(0)?);
            let mut off = apart(made.parameters(), reflected.parameters())?;
            let with_r = f64::EPSILON * reflected.condition();
            for (a, b) in a.standard_errors.iter().zip(&b.standard_errors) {
                off = off.max_or_nan((a / b - 1.0).abs() * f64::EPSILON / with_r);
            }
            for (a, b) in a.leverage().iter().zip(b.leverage()) {
                off = off.max_or_nan((a - b).abs() * f64::EPSILON / with_r);
            }
            Ok(off / f64::EPSILON)
        }),
        Property::new(
            "lls-normal-equation.choice",
            &["lls-normal-equation"],
            "the automatic method is what its rule says: products for tall and safe, reflections, SVD for dependent columns",
        )
        .draw(Draw::size("d", 1..=4))
        .draw(Draw::integer("more", 0..=30).limited(0.0..=64.0))
        .draw(Draw::log("condition", 1.0..=1e9).limited(1.0..=1e10))
        .draw(Draw::seed("values"))
        .draw(Draw::choice("columns", &["independent", "dependent"]))
        .holds(|case| {
            let (mut x, y) = full(case)?;
            if case.choice("columns") == "dependent" {
                x = Tensor::concatenate(&[&x, &x.slice(1, 0..1)?.scale(-3.0)], 1)?;
            }
            let fit = LinearRegression::new().intercept(false).fit(&x, &y)?;
            let (tall, kappa) = (y.len() >= 4 * x.dims()[1], fit.condition());
            case.label(fit.method().to_string());
            // Near the limit either is right: the number itself is rounded.
            let near = (0.999..=1.001).contains(&(kappa / 1e5));
            Ok(match fit.method() {
                Method::Svd => case.choice("columns") == "dependent" && kappa == f64::INFINITY,
                Method::CholeskyQr => tall && kappa <= 1e5,
                Method::Qr => near || !tall || kappa > 1e5,
                _ => false,
            })
        }),
        conditioned(
            "lls-normal-equation.equivariant",
            &["lls-normal-equation"],
            "columns scaled by 2ᵏ have coefficients divided by it, to the bit",
        )
        .draw(Draw::integer("k", -30..=30).limited(-200.0..=200.0))
        .check(|case| {
            // A power of two rounds nothing.
            let ((x, y), c) = (full(case)?, (case.integer("k") as f64).exp2());
            let scaled = theta(&fit(&x.scale(c), &y, Method::Qr)?)?.scale(c);
            Ok(scaled.max_difference(&theta(&fit(&x, &y, Method::Qr)?)?)?)
        }),
        Property::refutation(
            "lls-normal-equation.printed",
            &["lls-normal-equation"],
            "(XᵀX)⁻¹Xᵀy solves every least-squares problem",
        )
        .draw(Draw::size("n", 2..=5))
        .draw(Draw::array("x", -3.0..=3.0, &["n", "1"]))
        .draw(Draw::array("y", -3.0..=3.0, &["n"]))
        .within("rounding", 1e-6)
        .check(|case| {
            let (x, y): (Tensor<f64>, Tensor<f64>) =
                (tensor_of(case.array("x"))?, tensor_of(case.array("y"))?);
            // The same column twice: nothing wrong with that, the fit is as good as with one.
            let x = Tensor::concatenate(&[&x, &x], 1)?;
            let best = cost(&x, &min_norm(&x, &y)?, &y)?;
            let printed = match inverse_formula(&x, &y) {
                Ok(theta) => cost(&x, &theta, &y)?,
                Err(_) => f64::INFINITY,
            };
            Ok(printed - best)
        }),
        Property::new(
            "lls-normal-equation.polynomial",
            &["lls-normal-equation"],
            "the polynomial that made the data comes back, to the last digits",
        )
        .draw(Draw::size("degree", 1..=8))
        .draw(Draw::integer("c", -9..=9))
        .draw(Draw::integer("more", 1..=6).limited(1.0..=64.0))
        .within("4 ulp of the largest coefficient", 4.0 * f64::EPSILON)
        .check(|case| {
            let (degree, c) = (case.size("degree"), case.integer("c") as f64);
            // Whole numbers: the values are exact.
            let x: Vec<f64> = (0..degree + case.size("more")).map(|i| i as f64 - 3.0).collect();
            let y: Vec<f64> =
                x.iter().map(|x| (0..=degree).rev().fold(0.0, |s, j| s * x + c + j as f64)).collect();
            let fit = fit_polynomial(&x, &y, degree)?;
            let expected: Tensor<f64> = (0..=degree).map(|j| c + j as f64).collect();
            apart(&theta(&fit)?, &expected).map_err(Failure::from)
        }),
    ]
}
