//! Many samples are fitted by passes that copy nothing: the same answers as the general way, and the same refusals.
#![allow(clippy::unwrap_used)] // helpers of the tests

use gradus_linear_regression::{Error, Fit, LinearRegression, Method};
use gradus_tensor::{Scalar, Tensor};
use rand_distr::StandardNormal;

fn normal(dims: [usize; 2], seed: u64) -> Tensor<f64> {
    Tensor::random(dims, &StandardNormal, &mut gradus_tensor::rng(seed)).unwrap()
}

/// X = (N + offset)·M with columns of very different lengths and a condition number of about `condition`.
fn data(n: usize, d: usize, condition: f64, targets: usize, seed: u64) -> (Tensor<f64>, Tensor<f64>) {
    let mut x = normal([n, d], seed);
    if d > 1 {
        // The last column is nearly the first.
        let first = x.slice(1, 0..1).unwrap();
        let last = x.slice(1, d - 1..d).unwrap().scale(1.0 / condition).add(&first).unwrap();
        x = Tensor::concatenate(&[&x.slice(1, 0..d - 1).unwrap(), &last], 1).unwrap();
    }
    let lengths = Tensor::from_fn([d], |j| 10f64.powi(j[0] as i32 % 7 - 3)).unwrap();
    let x = x.add(&Tensor::full([d], 0.3).unwrap()).unwrap().mul(&lengths).unwrap();
    let theta = normal([d, targets], seed + 1).div(&lengths.insert_axis(1).unwrap()).unwrap();
    let noise = normal([n, targets], seed + 2).scale(0.1);
    let y =
        x.matmul(&theta).unwrap().add(&noise).unwrap().add(&Tensor::full([targets], 2.5).unwrap()).unwrap();
    (x, y)
}

/// The largest relative distance of the parameters, each target's together.
fn apart(a: &Fit, b: &Fit) -> f64 {
    let size = b.parameters().abs();
    let off = a.parameters().sub(b.parameters()).unwrap().abs();
    off.zip(&size, |o, s| o / s.max(1e-300)).unwrap().max().unwrap()
}

/// A row of weight 1 for each sample is no weight, but goes the general way.
fn general(x: &Tensor<f64>, y: &Tensor<f64>, intercept: bool, method: Method) -> Fit {
    let ones = vec![1.0; x.dims()[0]];
    LinearRegression::new().intercept(intercept).method(method).weights(&ones).fit(x, y).unwrap()
}

#[test]
fn the_fast_way_gives_the_general_ways_answers() {
    for (n, d, targets) in [(70_000, 1, 1), (20_000, 5, 2), (9_000, 13, 1), (3_001, 50, 3)] {
        for condition in [1.0, 1e2, 1e4] {
            let (x, y) = data(n, d, condition, targets, n as u64);
            for intercept in [true, false] {
                let expected = general(&x, &y, intercept, Method::Qr);
                for (method, tolerance) in [
                    (Method::Auto, 1e-13),
                    (Method::Qr, 1e-13),
                    (Method::NormalEquations, 1e-15 * condition * condition),
                ] {
                    let fit =
                        LinearRegression::new().intercept(intercept).method(method).fit(&x, &y).unwrap();
                    let what =
                        format!("{n}×{d}, {targets} targets, {condition:e}, {method}: {}", fit.reason());
                    let off = apart(&fit, &expected);
                    assert!(off <= 1e-12_f64.max(tolerance * 100.0), "{what}: {off:e} apart");
                    let off = fit.residuals().max_difference(expected.residuals()).unwrap();
                    // Unrefined, the normal equations lose digits in the residuals too, the more the larger the condition.
                    let unrefined = method == Method::NormalEquations;
                    let room = if unrefined { 1e-12 * condition.max(10.0) } else { 1e-11 };
                    assert!(off < room, "{what}: residuals {off:e} apart");
                    let (c, e) = (fit.condition(), expected.condition());
                    assert!((c / e - 1.0).abs() < 1e-3, "{what}: a condition of {c:e} for {e:e}");
                    let (a, b) =
                        (fit.statistics(targets - 1).unwrap(), expected.statistics(targets - 1).unwrap());
                    // Cholesky's factor has the square of the condition number.
                    let room = if method == Method::Qr {
                        1e-11
                    } else {
                        1e-11_f64.max(1e-15 * fit.condition().powi(2))
                    };
                    for (s, e) in a.standard_errors.iter().zip(&b.standard_errors) {
                        assert!((s / e - 1.0).abs() < room, "{what}: a standard error of {s} for {e}");
                    }
                    assert!((a.r_squared - b.r_squared).abs() < 1e-12, "{what}");
                    let off = a
                        .leverage()
                        .iter()
                        .zip(b.leverage())
                        .map(|(a, b)| (a - b).abs())
                        .fold(0.0, f64::max_or_nan);
                    assert!(off < 10.0 * room, "{what}: leverages {off:e} apart");
                }
            }
        }
    }
}

#[test]
fn it_says_what_it_chose_and_why() {
    let model = LinearRegression::new();
    let (x, y) = data(20_000, 5, 1.0, 1, 1);
    let fit = model.fit(&x, &y).unwrap();
    assert_eq!(fit.method(), Method::NormalEquations);
    assert!(
        fit.reason().contains("XᵀX is safe") && fit.reason().contains("20000 rows for 6 columns"),
        "{}",
        fit.reason()
    );
    let (x, y) = data(20_000, 5, 1e4, 1, 2);
    let fit = model.fit(&x, &y).unwrap();
    assert_eq!(fit.method(), Method::Qr, "{}", fit.reason());
    // Beyond what R alone can refine: the general way, to the same digits as ever.
    let (x, y) = data(20_000, 5, 1e9, 1, 3);
    assert_eq!(model.fit(&x, &y).unwrap().method(), Method::Qr);
    let twice = Tensor::concatenate(&[&x, &x.slice(1, 0..1).unwrap()], 1).unwrap();
    assert_eq!(model.fit(&twice, &y).unwrap().method(), Method::Svd);
}

#[test]
fn refusals_and_extremes_are_those_of_the_general_way() {
    let (x, y) = data(20_000, 5, 1.0, 1, 4);
    let mut spoilt = x.clone();
    spoilt.set([12_345, 3], f64::NAN).unwrap();
    let mut endless = y.clone();
    endless.set([19_999, 0], f64::INFINITY).unwrap();
    for method in [Method::Auto, Method::NormalEquations, Method::Qr] {
        let model = LinearRegression::new().method(method);
        let error = model.fit(&spoilt, &y).unwrap_err().to_string();
        assert!(error.contains("X[12345, 3] = NaN"), "{error}");
        assert!(model.fit(&x, &endless).unwrap_err().to_string().contains("y[19999, 0] = inf"));
        let constant = Tensor::concatenate(&[&x, &Tensor::ones([20_000, 1]).unwrap()], 1).unwrap();
        match (method, model.fit(&constant, &y)) {
            (Method::Auto, fit) => assert_eq!(fit.unwrap().rank(), 6),
            (_, fit) => assert!(matches!(fit, Err(Error::RankDeficient { rank: 6, columns: 7, .. }))),
        }
        // Squares that overflow, and squares that vanish.
        let plain = model.fit(&x, &y).unwrap();
        for size in [1e-170, 1e170] {
            let fit = model.fit(&x.scale(size), &y).unwrap();
            let back = fit.coefficients().scale(size);
            assert!(
                back.sub(&plain.coefficients()).unwrap().abs().max().unwrap() < 1e-9,
                "{method} at {size:e}"
            );
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (x, y) = data(30_000, 7, 10.0, 2, 5);
    for method in [Method::Auto, Method::NormalEquations, Method::Qr] {
        let fit = || LinearRegression::new().method(method).fit(&x, &y).unwrap();
        let (one, three) = (gradus_tensor::with_threads(1, fit), gradus_tensor::with_threads(3, fit));
        assert!(one.parameters().same_bits(three.parameters()), "{method}");
        assert!(one.residuals().same_bits(three.residuals()), "{method}");
    }
}
