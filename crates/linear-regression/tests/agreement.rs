//! What the methods must agree on beyond the coefficients, and small promises of the builders.
#![allow(clippy::unwrap_used)] // helpers of the tests

use gradus_linear_regression::{Accumulator, GradientDescent, LinearRegression, Method};
use gradus_tensor::Tensor;

fn data() -> (Tensor<f64>, Tensor<f64>) {
    let x = Tensor::from([[1.0, 2.0], [2.0, -1.0], [3.0, 0.5], [4.0, 4.0], [5.0, 1.0], [-2.0, 3.0]]);
    (x, Tensor::from([3.0, 1.0, 4.0, 1.0, 5.0, 9.0]))
}

#[test]
fn every_method_has_the_same_statistics() {
    let (x, y) = data();
    for intercept in [true, false] {
        let model = LinearRegression::new().intercept(intercept).weights(&[1.0, 2.0, 1.0, 0.5, 1.0, 3.0]);
        let qr = model.clone().method(Method::Qr).fit(&x, &y).unwrap().statistics(0).unwrap();
        for method in [Method::NormalEquations, Method::CholeskyQr, Method::Svd, Method::Precise] {
            let s = model.clone().method(method).fit(&x, &y).unwrap().statistics(0).unwrap();
            let pairs = s.standard_errors.iter().zip(&qr.standard_errors);
            for (a, b) in pairs.chain(s.leverage().iter().zip(qr.leverage())) {
                assert!((a - b).abs() < 1e-12, "{method}: {a} and {b}");
            }
        }
    }
}

#[test]
fn a_tolerance_is_relative_and_a_weight_of_0_is_no_sample() {
    let (x, y) = data();
    let run = |c: f64| GradientDescent::new().tolerance(1e-6).run(&x, &y.scale(c)).unwrap();
    assert_eq!(run(1.0).steps, run(1048576.0).steps);
    let mut all = Accumulator::new(true);
    all.partial_fit(&x, &y, Some(&[1.0, 0.0, 2.0, 1.0, 1.0, 1.0])).unwrap();
    assert_eq!(all.samples(), 5);
}

#[test]
fn a_summary_is_of_its_target() {
    let (x, y) = data();
    let both = Tensor::stack(&[&y, &y.map(|v| v * v)], 1).unwrap();
    let fit = LinearRegression::new().fit(&x, &both).unwrap();
    let alone = LinearRegression::new().fit(&x, &y.map(|v| v * v)).unwrap();
    let table = |fit: &gradus_linear_regression::Fit, k| fit.summary(&[], k, 0.95).unwrap().to_string();
    assert_eq!(table(&fit, 1), table(&alone, 0));
}
