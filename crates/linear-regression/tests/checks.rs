//! scikit-learn's estimator checks, as far as they mean something for a regression in Rust: every check a test of its name, run for
//! every estimator of the crate; and the table of what passes.
#![allow(clippy::unwrap_used)] // helpers of the tests

use gradus_linear_regression::{
    Accumulator, Error, GradientDescent, LinearRegression, Method, fit_polynomial, predict,
};
use gradus_tensor::Tensor;

type Fitting = dyn Fn(&Tensor<f64>, &Tensor<f64>, Option<&[f64]>) -> Result<Tensor<f64>, Error>;
type Predicting = dyn Fn(&Tensor<f64>, &Tensor<f64>, &Tensor<f64>) -> Result<Tensor<f64>, Error>;

/// One estimator, brought into one form.
struct Estimator {
    name: String,
    /// How near two ways to one fit must be.
    tolerance: f64,
    weights: bool,
    targets: bool,
    /// Whether a new fit can go on from what an earlier one has seen.
    goes_on: bool,
    /// A polynomial of the first column: other columns are not looked at.
    polynomial: bool,
    /// The parameters for X, y and weights, `[P, K]`.
    fit: Box<Fitting>,
    /// The predictions for a third set of samples, of the fit to X and y, `[N, K]`.
    predict: Box<Predicting>,
}

/// What came of a check.
enum Outcome {
    Pass,
    Fail(String),
    /// The compiler refuses what the check would try.
    ByType,
    NotOffered,
}
use Outcome::{ByType, Fail, NotOffered, Pass};

fn regression(name: &str, model: LinearRegression) -> Estimator {
    let other = model.clone();
    Estimator {
        name: name.into(),
        tolerance: 1e-11,
        weights: true,
        targets: true,
        goes_on: false,
        polynomial: false,
        fit: Box::new(move |x, y, w| {
            let model = w.map_or_else(|| model.clone(), |w| model.clone().weights(w));
            Ok(model.fit(x, y)?.parameters().clone())
        }),
        predict: Box::new(move |x, y, new| other.fit(x, y)?.predict(new)),
    }
}

fn powers(x: &Tensor<f64>) -> Tensor<f64> {
    let x = x.select(1, 0).unwrap();
    Tensor::stack(&[&x, &x.map(|v| v * v)], 1).unwrap()
}

fn with_ones(x: &Tensor<f64>) -> Result<Tensor<f64>, Error> {
    if x.rank() != 2 {
        return Ok(x.clone()); // to be refused as it is
    }
    Ok(Tensor::concatenate(&[&Tensor::ones([x.dims()[0], 1])?, x], 1)?)
}

fn estimators() -> Vec<Estimator> {
    let methods =
        [Method::Auto, Method::NormalEquations, Method::CholeskyQr, Method::Qr, Method::Svd, Method::Precise];
    let mut all: Vec<Estimator> = methods
        .iter()
        .map(|&method| regression(&method.to_string(), LinearRegression::new().method(method)))
        .collect();
    all.push(regression("no intercept", LinearRegression::new().intercept(false)));
    all.push(regression("ridge", LinearRegression::new().ridge(0.5)));
    all.push(Estimator {
        weights: false,
        targets: false,
        polynomial: true,
        fit: Box::new(|x, y, _| {
            let fit = fit_polynomial(x.select(1, 0)?.as_slice(), y.as_slice(), 2)?;
            Ok(fit.parameters().clone())
        }),
        predict: Box::new(|x, y, new| {
            fit_polynomial(x.select(1, 0)?.as_slice(), y.as_slice(), 2)?.predict(&powers(new))
        }),
        ..regression("fit_polynomial", LinearRegression::new())
    });
    let accumulated = |x: &Tensor<f64>, y: &Tensor<f64>, w: Option<&[f64]>| {
        let mut all = Accumulator::new(true);
        all.partial_fit(x, y, w)?;
        all.parameters()
    };
    all.push(Estimator {
        goes_on: true,
        fit: Box::new(accumulated),
        predict: Box::new(move |x, y, new| {
            Ok(predict(&with_ones(new)?, &accumulated(x, y, None)?.select(1, 0)?)?.insert_axis(1)?)
        }),
        ..regression("Accumulator", LinearRegression::new())
    });
    let descended = |x: &Tensor<f64>, y: &Tensor<f64>| {
        let end = GradientDescent::new().tolerance(1e-13).steps(100_000).run(&with_ones(x)?, y)?;
        Ok::<_, Error>(end.theta)
    };
    all.push(Estimator {
        tolerance: 1e-9,
        weights: false,
        targets: false,
        goes_on: true,
        fit: Box::new(move |x, y, _| Ok(descended(x, y)?.insert_axis(1)?)),
        predict: Box::new(move |x, y, new| Ok(predict(&with_ones(new)?, &descended(x, y)?)?.insert_axis(1)?)),
        ..regression("GradientDescent", LinearRegression::new())
    });
    all
}

fn data() -> (Tensor<f64>, Tensor<f64>) {
    let x = Tensor::from([[1.0, 2.0], [2.0, -1.0], [3.0, 0.5], [4.0, 4.0], [5.0, 1.0], [-2.0, 3.0]]);
    (x, Tensor::from([3.0, 1.0, 4.0, 1.0, 5.0, 9.0]))
}

fn rows(t: &Tensor<f64>, which: &[u32]) -> Tensor<f64> {
    t.gather(0, which).unwrap()
}

fn told(yes: bool, what: impl FnOnce() -> String) -> Outcome {
    if yes { Pass } else { Fail(what()) }
}

/// Refused, in words that hold these.
fn refused(result: Result<Tensor<f64>, Error>, fragments: &[&str]) -> Outcome {
    match result {
        Ok(theta) => Fail(format!("accepted: {theta}")),
        Err(error) => {
            let text = error.to_string();
            told(fragments.iter().all(|f| text.contains(f)), || {
                format!("`{text}` does not say {fragments:?}")
            })
        }
    }
}

/// A finite result, or a typed refusal.
fn defined(result: Result<Tensor<f64>, Error>) -> Outcome {
    match result {
        Ok(theta) => told(theta.is_finite(), || format!("{theta}")),
        Err(_) => Pass,
    }
}

fn near(e: &Estimator, a: &Tensor<f64>, b: &Tensor<f64>) -> Outcome {
    let off = a.max_difference(b).unwrap_or(f64::NAN);
    told(off <= e.tolerance, || format!("{a} and {b}, {off:e} apart"))
}

fn spoilt(t: &Tensor<f64>, index: &[usize], value: f64) -> Tensor<f64> {
    let mut t = t.clone();
    t.set(index, value).unwrap();
    t
}

fn refuses_a_nan_in_x(e: &Estimator) -> Outcome {
    let (x, y) = data();
    refused((e.fit)(&spoilt(&x, &[4, 0], f64::NAN), &y, None), &["X[4, ", "NaN", "finite"])
}

fn refuses_an_infinity_in_x(e: &Estimator) -> Outcome {
    let (x, y) = data();
    refused((e.fit)(&spoilt(&x, &[0, 0], f64::INFINITY), &y, None), &["X[0, ", "= inf", "finite"])
}

fn refuses_a_nan_in_y(e: &Estimator) -> Outcome {
    let (x, y) = data();
    refused((e.fit)(&x, &spoilt(&y, &[2], f64::NAN), None), &["y[2, 0] = NaN", "finite"])
}

fn refuses_an_infinity_in_y(e: &Estimator) -> Outcome {
    let (x, y) = data();
    refused((e.fit)(&x, &spoilt(&y, &[5], f64::NEG_INFINITY), None), &["y[5, 0] = -inf", "finite"])
}

fn refuses_no_samples(e: &Estimator) -> Outcome {
    refused(
        (e.fit)(&Tensor::zeros([0, 2]).unwrap(), &Tensor::zeros([0]).unwrap(), None),
        &["no samples", "at least 1"],
    )
}

fn refuses_an_x_that_is_no_matrix(e: &Estimator) -> Outcome {
    let (_, y) = data();
    if e.polynomial { ByType } else { refused((e.fit)(&y, &y, None), &["X has the shape [6]", "[N, D]"]) }
}

fn refuses_a_y_of_another_length(e: &Estimator) -> Outcome {
    let (x, y) = data();
    refused((e.fit)(&x, &rows(&y, &[0, 1, 2, 3, 4]), None), &["y has the shape [5]", "[6]"])
}

fn refuses_to_predict_for_other_columns(e: &Estimator) -> Outcome {
    let (x, y) = data();
    if e.polynomial {
        // Powers are the caller's: a fit of degree 2 takes two columns.
        let fit = fit_polynomial(x.select(1, 0).unwrap().as_slice(), y.as_slice(), 2).unwrap();
        return refused(fit.predict(&x.slice(1, 0..1).unwrap()), &["X has the shape [6, 1]", "[N, 2]"]);
    }
    refused((e.predict)(&x, &y, &Tensor::concatenate(&[&x, &x], 1).unwrap()), &["has the shape", "expected"])
}

fn defines_one_sample(e: &Estimator) -> Outcome {
    let (x, y) = data();
    defined((e.fit)(&rows(&x, &[1]), &rows(&y, &[1]), None))
}

fn takes_one_feature(e: &Estimator) -> Outcome {
    let (x, y) = data();
    match (e.fit)(&x.slice(1, 0..1).unwrap(), &y, None) {
        Ok(theta) => told(theta.is_finite(), || format!("{theta}")),
        Err(error) => Fail(error.to_string()),
    }
}

fn defines_no_feature(e: &Estimator) -> Outcome {
    let (_, y) = data();
    if e.polynomial { ByType } else { defined((e.fit)(&Tensor::zeros([6, 0]).unwrap(), &y, None)) }
}

fn defines_fewer_samples_than_features(e: &Estimator) -> Outcome {
    let (x, y) = data();
    defined((e.fit)(&rows(&x, &[0, 3]), &rows(&y, &[0, 3]), None))
}

fn defines_columns_that_depend_on_each_other(e: &Estimator) -> Outcome {
    let (x, y) = data();
    let first = x.slice(1, 0..1).unwrap();
    let twice = Tensor::concatenate(&[&first, &first.scale(2.0)], 1).unwrap();
    let constant = Tensor::full([6, 2], 3.0).unwrap();
    match defined((e.fit)(&twice, &y, None)) {
        Pass => defined((e.fit)(&constant, &y, None)),
        other => other,
    }
}

fn fitting_again_gives_the_same_bits(e: &Estimator) -> Outcome {
    let (x, y) = data();
    let (first, again) = ((e.fit)(&x, &y, None).unwrap(), (e.fit)(&x, &y, None).unwrap());
    told(first.same_bits(&again), || format!("{first} and then {again}"))
}

fn leaves_its_inputs_alone(e: &Estimator) -> Outcome {
    let ((x, y), (x0, y0)) = (data(), data());
    (e.fit)(&x, &y, None).unwrap();
    (e.predict)(&x, &y, &x).unwrap();
    told(x.same_bits(&x0) && y.same_bits(&y0), || format!("X is {x}, y {y}"))
}

fn the_order_of_samples_does_not_matter(e: &Estimator) -> Outcome {
    let ((x, y), order) = (data(), [3, 0, 5, 1, 4, 2]);
    near(e, &(e.fit)(&rows(&x, &order), &rows(&y, &order), None).unwrap(), &(e.fit)(&x, &y, None).unwrap())
}

fn a_subset_is_predicted_as_within_the_whole(e: &Estimator) -> Outcome {
    let ((x, y), some) = (data(), [4, 2]);
    let all = (e.predict)(&x, &y, &x).unwrap();
    near(e, &(e.predict)(&x, &y, &rows(&x, &some)).unwrap(), &rows(&all, &some))
}

fn predictions_of_what_it_fits_exactly_are_exact(e: &Estimator) -> Outcome {
    if e.name == "ridge" {
        return NotOffered; // shrinking is its purpose
    }
    let (x, _) = data();
    let level = if e.name == "no intercept" { 0.0 } else { 2.0 };
    let y = x.select(1, 0).unwrap().map(|v| level + 3.0 * v);
    near(e, &(e.predict)(&x, &y, &x).unwrap(), &y.insert_axis(1).unwrap())
}

fn a_weight_of_0_is_an_absent_sample(e: &Estimator) -> Outcome {
    let ((x, y), kept) = (data(), [0, 1, 2, 4, 5]);
    if !e.weights {
        return NotOffered;
    }
    let zero = (e.fit)(&x, &y, Some(&[1.0, 1.0, 1.0, 0.0, 1.0, 1.0])).unwrap();
    near(e, &zero, &(e.fit)(&rows(&x, &kept), &rows(&y, &kept), None).unwrap())
}

fn a_weight_of_k_is_the_sample_k_times(e: &Estimator) -> Outcome {
    let ((x, y), repeated) = (data(), [0, 1, 1, 1, 2, 3, 3, 4, 5]);
    if !e.weights {
        return NotOffered;
    }
    let weighted = (e.fit)(&x, &y, Some(&[1.0, 3.0, 1.0, 2.0, 1.0, 1.0])).unwrap();
    near(e, &weighted, &(e.fit)(&rows(&x, &repeated), &rows(&y, &repeated), None).unwrap())
}

fn weights_of_1_are_none(e: &Estimator) -> Outcome {
    let (x, y) = data();
    if !e.weights {
        return NotOffered;
    }
    near(e, &(e.fit)(&x, &y, Some(&[1.0; 6])).unwrap(), &(e.fit)(&x, &y, None).unwrap())
}

fn refuses_weights_that_are_all_0(e: &Estimator) -> Outcome {
    let (x, y) = data();
    if !e.weights {
        return NotOffered;
    }
    refused((e.fit)(&x, &y, Some(&[0.0; 6])), &["weights = all 0", "one above 0"])
}

fn refuses_weights_below_0_or_not_finite_or_too_few(e: &Estimator) -> Outcome {
    let (x, y) = data();
    if !e.weights {
        return NotOffered;
    }
    let bad = [(-1.0, "weight = -1"), (f64::NAN, "weight = NaN"), (f64::INFINITY, "weight = inf")];
    for (value, fragment) in bad {
        let outcome =
            refused((e.fit)(&x, &y, Some(&[1.0, 1.0, value, 1.0, 1.0, 1.0])), &[fragment, "at least 0"]);
        if !matches!(outcome, Pass) {
            return outcome;
        }
    }
    refused((e.fit)(&x, &y, Some(&[1.0; 5])), &["weights = 5 of them", "one for each sample"])
}

fn several_targets_are_fitted_as_each_alone(e: &Estimator) -> Outcome {
    let (x, y) = data();
    if !e.targets {
        return NotOffered;
    }
    let other = y.map(|v| v * v - 3.0);
    let both = (e.fit)(&x, &Tensor::stack(&[&y, &other], 1).unwrap(), None).unwrap();
    let each = [(e.fit)(&x, &y, None).unwrap(), (e.fit)(&x, &other, None).unwrap()];
    near(e, &both, &Tensor::concatenate(&[&each[0], &each[1]], 1).unwrap())
}

fn a_constant_added_to_y_moves_every_prediction_by_it(e: &Estimator) -> Outcome {
    if e.name == "no intercept" {
        return NotOffered;
    }
    let (x, y) = data();
    let plain = (e.predict)(&x, &y, &x).unwrap();
    near(e, &(e.predict)(&x, &y.map(|v| v + 8.0), &x).unwrap(), &plain.map(|v| v + 8.0))
}

fn y_doubled_doubles_every_prediction(e: &Estimator) -> Outcome {
    let (x, y) = data();
    let plain = (e.predict)(&x, &y, &x).unwrap();
    near(e, &(e.predict)(&x, &y.scale(2.0), &x).unwrap(), &plain.scale(2.0))
}

fn columns_in_other_units_have_the_same_predictions(e: &Estimator) -> Outcome {
    if e.name == "ridge" {
        return NotOffered; // its price is in the units of x
    }
    let (x, y) = data();
    let scaled = x.mul(&Tensor::from([8.0, 0.5])).unwrap();
    near(e, &(e.predict)(&scaled, &y, &scaled).unwrap(), &(e.predict)(&x, &y, &x).unwrap())
}

fn defines_huge_and_tiny_values(e: &Estimator) -> Outcome {
    let (x, y) = data();
    for (a, b) in
        [(1e300, 1.0), (1e-300, 1.0), (1.0, 1e300), (1e-160, 1e160), (1e307, 1e307), (5e-324, 5e-324)]
    {
        let outcome = defined((e.fit)(&x.scale(a), &y.scale(b), None));
        if !matches!(outcome, Pass) {
            return outcome;
        }
    }
    Pass
}

fn fits_the_same_in_another_thread(e: &Estimator) -> Outcome {
    let (x, y) = data();
    let here = (e.fit)(&x, &y, None).unwrap();
    let name = e.name.clone();
    let there = std::thread::spawn(move || {
        let all = estimators();
        (all.iter().find(|e| e.name == name).unwrap().fit)(&x, &y, None).unwrap()
    });
    let there = there.join().unwrap();
    told(here.same_bits(&there), || format!("{here} here, {there} there"))
}

fn an_unfitted_one_does_not_predict(e: &Estimator) -> Outcome {
    match e.name.as_str() {
        "Accumulator" => refused(Accumulator::new(true).parameters(), &["no samples"]),
        _ => ByType,
    }
}

fn takes_single_precision(_: &Estimator) -> Outcome {
    ByType // the caller casts: that the digits are f64's is then plain to see
}

fn goes_on_from_what_it_has_seen(e: &Estimator) -> Outcome {
    let (x, y) = data();
    if !e.goes_on {
        return NotOffered;
    }
    let whole = (e.fit)(&x, &y, None).unwrap();
    if e.name == "Accumulator" {
        let mut parts = Accumulator::new(true);
        parts.partial_fit(&rows(&x, &[0, 1]), &rows(&y, &[0, 1]), None).unwrap();
        parts.partial_fit(&rows(&x, &[2, 3, 4, 5]), &rows(&y, &[2, 3, 4, 5]), None).unwrap();
        return near(e, &parts.parameters().unwrap(), &whole);
    }
    // Ten steps and ten more are twenty, to the bit.
    let (x, model) = (with_ones(&x).unwrap(), || GradientDescent::new().tolerance(0.0));
    let ten = model().steps(10).run(&x, &y).unwrap().theta;
    let more = model().steps(10).start(&ten).run(&x, &y).unwrap().theta;
    let twenty = model().steps(20).run(&x, &y).unwrap().theta;
    told(more.same_bits(&twenty), || format!("{more} and {twenty}"))
}

fn is_saved_and_read_back(_: &Estimator) -> Outcome {
    NotOffered
}

type Check = fn(&Estimator) -> Outcome;

/// Each check a test, and all of them in a table; after the semicolon what can only be stated.
macro_rules! checks {
    ($($name:ident)*; $($stated:ident)*) => {
        const CHECKS: &[(&str, Check)] =
            &[$((stringify!($name), $name),)* $((stringify!($stated), $stated)),*];

        mod check {
            $(#[test] fn $name() { super::of_each(stringify!($name), super::$name); })*
        }
    };
}

checks! {
    refuses_a_nan_in_x
    refuses_an_infinity_in_x
    refuses_a_nan_in_y
    refuses_an_infinity_in_y
    refuses_no_samples
    refuses_an_x_that_is_no_matrix
    refuses_a_y_of_another_length
    refuses_to_predict_for_other_columns
    defines_one_sample
    takes_one_feature
    defines_no_feature
    defines_fewer_samples_than_features
    defines_columns_that_depend_on_each_other
    fitting_again_gives_the_same_bits
    leaves_its_inputs_alone
    the_order_of_samples_does_not_matter
    a_subset_is_predicted_as_within_the_whole
    predictions_of_what_it_fits_exactly_are_exact
    a_weight_of_0_is_an_absent_sample
    a_weight_of_k_is_the_sample_k_times
    weights_of_1_are_none
    refuses_weights_that_are_all_0
    refuses_weights_below_0_or_not_finite_or_too_few
    several_targets_are_fitted_as_each_alone
    a_constant_added_to_y_moves_every_prediction_by_it
    y_doubled_doubles_every_prediction
    columns_in_other_units_have_the_same_predictions
    defines_huge_and_tiny_values
    fits_the_same_in_another_thread
    an_unfitted_one_does_not_predict
    goes_on_from_what_it_has_seen;
    takes_single_precision
    is_saved_and_read_back
}

fn of_each(name: &str, check: Check) {
    let estimators = estimators();
    let mut failed = Vec::new();
    for e in &estimators {
        if let Fail(why) = check(e) {
            failed.push(format!("{}: {why}", e.name));
        }
    }
    assert!(failed.is_empty(), "{name}:\n{}", failed.join("\n"));
}

#[test]
fn the_table() {
    let estimators = estimators();
    println!("{} checks, {} estimators", CHECKS.len(), estimators.len());
    println!("{:25} {:>5} {:>5} {:>15} {:>12}", "", "pass", "fail", "refused by type", "not offered");
    for e in &estimators {
        let mut counts = [0; 4];
        for (_, check) in CHECKS {
            counts[match check(e) {
                Pass => 0,
                Fail(_) => 1,
                ByType => 2,
                NotOffered => 3,
            }] += 1;
        }
        let [pass, fail, by_type, missing] = counts;
        println!("{:25} {pass:>5} {fail:>5} {by_type:>15} {missing:>12}", e.name);
        assert_eq!(fail, 0, "{}", e.name);
        assert!(pass >= 20, "{}: only {pass} of {} checks are made", e.name, CHECKS.len());
    }
}
