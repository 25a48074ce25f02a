//! scikit-learn's estimator checks, as far as they mean something here: what any fit must do and refuse.
#![allow(clippy::unwrap_used)] // helpers of the tests

use gradus_linear_regression::{
    Accumulator, Error, LinearRegression, Method, cost, fit_polynomial, gradient, inverse_formula, ridge_path,
};
use gradus_tensor::Tensor;

const METHODS: [Method; 5] =
    [Method::Auto, Method::NormalEquations, Method::Qr, Method::Svd, Method::Precise];

fn data() -> (Tensor<f64>, Tensor<f64>) {
    let x = Tensor::from([[1.0, 2.0], [2.0, -1.0], [3.0, 0.5], [4.0, 4.0], [5.0, 1.0], [-2.0, 3.0]]);
    (x, Tensor::from([3.0, 1.0, 4.0, 1.0, 5.0, 9.0]))
}

#[test]
fn fitting_is_idempotent_and_leaves_its_inputs_alone() {
    let (x, y) = data();
    let (x0, y0) = (x.clone(), y.clone());
    for method in METHODS {
        let model = LinearRegression::new().method(method);
        let (first, again) = (model.fit(&x, &y).unwrap(), model.fit(&x, &y).unwrap());
        assert!(first.parameters().same_bits(again.parameters()), "{method}");
    }
    assert!(x.same_bits(&x0) && y.same_bits(&y0));
}

#[test]
fn the_order_of_samples_and_the_subset_predicted_do_not_matter() {
    let (x, y) = data();
    let order = [3, 0, 5, 1, 4, 2];
    for method in METHODS {
        let fit = LinearRegression::new().method(method).fit(&x, &y).unwrap();
        let turned = LinearRegression::new()
            .method(method)
            .fit(&x.gather(0, &order).unwrap(), &y.gather(0, &order).unwrap());
        assert!(turned.unwrap().parameters().max_difference(fit.parameters()).unwrap() < 1e-12, "{method}");
        let all = fit.predict(&x).unwrap();
        let one = fit.predict(&x.slice(0, 2..3).unwrap()).unwrap();
        assert!((one.item().unwrap() - all.get([2, 0]).unwrap()).abs() < 1e-14, "{method}");
    }
}

#[test]
fn a_weight_of_zero_is_an_absent_row_and_equal_weights_are_none() {
    let (x, y) = data();
    for method in METHODS {
        let model = || LinearRegression::new().method(method);
        let without = model().fit(&x.slice(0, 0..5).unwrap(), &y.slice(0, 0..5).unwrap()).unwrap();
        let zero = model().weights(&[1.0, 1.0, 1.0, 1.0, 1.0, 0.0]).fit(&x, &y).unwrap();
        assert!(zero.parameters().max_difference(without.parameters()).unwrap() < 1e-12, "{method}");
        let (plain, equal) = (model().fit(&x, &y).unwrap(), model().weights(&[4.0; 6]).fit(&x, &y).unwrap());
        assert!(equal.parameters().max_difference(plain.parameters()).unwrap() < 1e-12, "{method}");
        // 0 weights do not count for the statistics either.
        let (a, b) = (zero.statistics(0).unwrap(), without.statistics(0).unwrap());
        assert_eq!((a.samples, a.degrees_of_freedom), (b.samples, b.degrees_of_freedom));
        assert!((a.standard_errors[1] - b.standard_errors[1]).abs() < 1e-12);
    }
}

#[test]
fn one_sample_one_feature_and_no_feature() {
    let one = LinearRegression::new().fit(&Tensor::from([[2.0]]), &Tensor::from([7.0])).unwrap();
    assert_eq!((one.method(), one.rank()), (Method::Svd, 1));
    assert_eq!(one.predict(&Tensor::from([[2.0]])).unwrap().item().unwrap(), 7.0);
    assert!(matches!(one.statistics(0), Err(Error::NoFreedom { samples: 1, rank: 1, .. })));
    // A constant column is the intercept over again.
    let constant = LinearRegression::new()
        .fit(&Tensor::from([[3.0], [3.0], [3.0]]), &Tensor::from([1.0, 2.0, 3.0]))
        .unwrap();
    assert_eq!((constant.rank(), constant.method()), (1, Method::Svd));
    assert!((constant.predict(&Tensor::from([[3.0]])).unwrap().item().unwrap() - 2.0).abs() < 1e-14);
    // Nothing but the intercept: the mean.
    let empty = Tensor::<f64>::zeros([3, 0]).unwrap();
    let mean = LinearRegression::new().fit(&empty, &Tensor::from([1.0, 2.0, 6.0])).unwrap();
    assert!((mean.intercept().item().unwrap() - 3.0).abs() < 1e-14);
    // More columns than samples.
    let wide = Tensor::from([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    let fit = LinearRegression::new().intercept(false).fit(&wide, &Tensor::from([1.0, 2.0])).unwrap();
    assert!(fit.parameters().max_difference(&Tensor::from([[1.0], [2.0], [0.0]])).unwrap() < 1e-14);
}

#[test]
fn badly_scaled_columns_lose_nothing() {
    let (x, y) = data();
    let plain = LinearRegression::new().fit(&x, &y).unwrap();
    let scale = Tensor::from([1e-150, 1e150]);
    for method in [Method::Auto, Method::Qr, Method::Svd, Method::NormalEquations] {
        let fit = LinearRegression::new().method(method).fit(&x.mul(&scale).unwrap(), &y).unwrap();
        let back = fit.coefficients().flatten().mul(&scale).unwrap();
        assert!(back.max_difference(&plain.coefficients().flatten()).unwrap() < 1e-10, "{method}: {back}");
    }
}

#[test]
fn every_refusal_names_the_value_and_what_is_allowed() {
    let (x, y) = data();
    let short = y.slice(0, 0..5).unwrap();
    let mut spoilt = x.clone();
    spoilt.set([4, 1], f64::NAN).unwrap();
    let mut endless = y.clone();
    endless.set([2], f64::INFINITY).unwrap();
    let empty = Tensor::<f64>::zeros([0, 2]).unwrap();
    let double = Tensor::concatenate(&[&x, &x], 1).unwrap();
    let model = LinearRegression::new;
    let fit = model().fit(&x, &y).unwrap();
    let exact = model().fit(&x.slice(0, 0..3).unwrap(), &y.slice(0, 0..3).unwrap()).unwrap();
    let mut seen = Accumulator::new(true);
    seen.partial_fit(&x, &y, None).unwrap();
    let table: Vec<(Error, &[&str])> = vec![
        (model().fit(&y, &y).unwrap_err(), &["X has the shape [6]", "[N, D]"]),
        (model().fit(&x, &short).unwrap_err(), &["y has the shape [5]", "[6] or [6, K]"]),
        (model().fit(&empty, &Tensor::from([0.0; 0])).unwrap_err(), &["no samples", "[0, 2]", "at least 1"]),
        (model().fit(&spoilt, &y).unwrap_err(), &["X[4, 1] = NaN", "finite"]),
        (model().fit(&x, &endless).unwrap_err(), &["y[2, 0] = inf", "finite"]),
        (model().ridge(-1.0).fit(&x, &y).unwrap_err(), &["ridge = -1", "at least 0"]),
        (model().ridge(f64::NAN).fit(&x, &y).unwrap_err(), &["ridge = NaN"]),
        (model().rank_tolerance(1.5).fit(&x, &y).unwrap_err(), &["rank_tolerance = 1.5", "0..1"]),
        (model().weights(&[1.0]).fit(&x, &y).unwrap_err(), &["weights = 1 of them", "one for each sample"]),
        (
            model().weights(&[1.0, 1.0, -2.0, 1.0, 1.0, 1.0]).fit(&x, &y).unwrap_err(),
            &["weight = -2", "at least 0"],
        ),
        (model().weights(&[f64::NAN; 6]).fit(&x, &y).unwrap_err(), &["weight = NaN"]),
        (model().weights(&[0.0; 6]).fit(&x, &y).unwrap_err(), &["weights = all 0", "one above 0"]),
        (
            model().method(Method::Qr).fit(&double, &y).unwrap_err(),
            &["Method::Qr", "rank 3 and 5 columns", "Method::Svd"],
        ),
        (
            model().method(Method::NormalEquations).fit(&double, &y).unwrap_err(),
            &["NormalEquations", "rank 3"],
        ),
        (model().method(Method::Precise).fit(&double, &y).unwrap_err(), &["Method::Precise", "5 columns"]),
        (fit.predict(&double).unwrap_err(), &["X has the shape [6, 4]", "[N, 2]"]),
        (fit.statistics(1).unwrap_err(), &["select", "index 1"]),
        (exact.statistics(0).unwrap_err(), &["more samples than coefficients", "3 samples, rank 3"]),
        (model().ridge(1.0).fit(&x, &y).unwrap().statistics(0).unwrap_err(), &["ridge = 1", "biased"]),
        (
            fit.statistics(0).unwrap().confidence_intervals(1.0).unwrap_err(),
            &["confidence = 1", "strictly between"],
        ),
        (
            fit_polynomial(&[1.0, 2.0], &[1.0, 2.0], 2).unwrap_err(),
            &["fit_polynomial", "rank 2 and 3 columns"],
        ),
        (fit_polynomial(&[1.0, 2.0], &[1.0], 1).unwrap_err(), &["y has the shape [1]"]),
        (fit_polynomial(&[1.0, f64::NAN], &[1.0, 2.0], 1).unwrap_err(), &["X[1, 0] = NaN"]),
        (ridge_path(&x, &y, &[-0.5]).unwrap_err(), &["lambda = -0.5", "at least 0"]),
        (cost(&x, &y, &y).unwrap_err(), &["theta has the shape [6]", "[2]"]),
        (cost(&empty, &Tensor::from([0.0, 0.0]), &Tensor::from([0.0; 0])).unwrap_err(), &["no samples"]),
        (gradient(&x, &Tensor::from([0.0, 0.0]), &short).unwrap_err(), &["y has the shape [5]"]),
        (inverse_formula(&x, &short).unwrap_err(), &["y has the shape [5]"]),
        (seen.partial_fit(&double, &y, None).unwrap_err(), &["2 columns of X and 1 targets"]),
        (seen.merge(&Accumulator::new(false)).unwrap_err(), &["intercept = true here, false there"]),
        (Accumulator::new(true).parameters().unwrap_err(), &["no samples"]),
    ];
    for (error, fragments) in table {
        let text = error.to_string();
        for fragment in fragments {
            assert!(text.contains(fragment), "`{text}` does not say `{fragment}`");
        }
    }
    assert_eq!(seen.samples(), 6, "a refused block adds nothing");
}
