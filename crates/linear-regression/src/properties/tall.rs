//! Many samples: solutions by passes over X, held against the definition in twice the precision.

use crate::double::{Double, dot};
use crate::{LinearRegression, Method};
use gradus_formula::{Draw, Property};
use gradus_tensor::{Scalar, Tensor, Transpose, rng};
use rand_distr::StandardNormal;

pub(super) fn properties() -> Vec<Property> {
    vec![
        Property::new(
            "lls-normal-equation.tall-residuals",
            &["lls-normal-equation"],
            "of many samples, the residuals are those of the coefficients beside them, in twice the precision",
        )
        .draw(Draw::integer("d", 2..=6).limited(2.0..=24.0))
        .draw(Draw::log("condition", 1.0..=1e4).limited(1.0..=1e4))
        .draw(Draw::seed("values"))
        .draw(Draw::choice("intercept", &["with", "without"]))
        .draw(Draw::choice("method", &["automatic", "QR"]))
        .costly(8)
        .within("a rounding of each product, and one of the residual", 1.0)
        .check(|case| {
            let (d, kappa, mut rng) = (case.size("d"), case.real("condition"), rng(case.seed("values")));
            // As few rows as still go this way.
            let n = (1usize << 16).div_ceil(d);
            // N·ΣVᵀ: the columns of N are nearly orthonormal, but for their length.
            let v = Tensor::random([d, d], &StandardNormal, &mut rng)?.qr()?.0;
            let s: Tensor<f64> = (0..d).map(|i| kappa.powf(-(i as f64) / (d - 1) as f64)).collect();
            let turned = s.insert_axis(1)?.mul(&v.transpose()?)?;
            let x = Tensor::random([n, d], &StandardNormal, &mut rng)?
                .product(Transpose::No, &turned, Transpose::No)?;
            let y = Tensor::random([n], &StandardNormal, &mut rng)?;
            let with = case.choice("intercept") == "with";
            let method = if case.choice("method") == "QR" { Method::Qr } else { Method::Auto };
            let fit = LinearRegression::new().intercept(with).method(method).fit(&x, &y)?;
            case.label(fit.method().to_string());
            let (theta, constant) = (fit.coefficients(), fit.intercept().item()?);
            let sizes: Vec<f64> = theta.as_slice().iter().map(|t| t.abs()).collect();
            let mut off: f64 = 0.0;
            // Every 37th will do.
            for i in (0..n).step_by(37) {
                let row = &x.as_slice()[i * d..][..d];
                let exact = Double::from(y.as_slice()[i]) - Double::from(constant) - dot(row, theta.as_slice());
                let rest = fit.residuals().as_slice()[i];
                let products: f64 = row.iter().zip(&sizes).map(|(x, t)| x.abs() * t).sum();
                let room = 0.5 * f64::EPSILON * (products + constant.abs() + 2.0 * rest.abs());
                off = off.max_or_nan((Double::from(rest) - exact).value().abs() / room);
            }
            Ok(off)
        }),
    ]
}
