//! Every kind of bad input against every public function that takes data: a finite result or a typed refusal, never a panic, and a
//! NaN out of a plain formula only where one went in.
#![allow(clippy::unwrap_used)] // helpers of the tests

use gradus_linear_regression::{
    Accumulator, Error, GradientDescent, LinearRegression, Method, cost, fit_polynomial, gradient,
    inverse_formula, learning_rate_bound, matrix_cost, min_norm, predict, ridge_path,
};
use gradus_tensor::Tensor;

/// What is to come of a kind of input.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Expected {
    /// A finite result or a refusal.
    Either,
    Refusal,
}
use Expected::{Either, Refusal};

struct Input {
    name: &'static str,
    x: Tensor<f64>,
    y: Tensor<f64>,
    expected: Expected,
}

fn inputs() -> Vec<Input> {
    let x = Tensor::from([[1.0, 2.0], [2.0, -1.0], [3.0, 0.5], [4.0, 4.0], [5.0, 1.0], [-2.0, 3.0]]);
    let y = Tensor::from([3.0, 1.0, 4.0, 1.0, 5.0, 9.0]);
    let mut all = Vec::new();
    for (name, value, expected) in [
        ("NaN", f64::NAN, Refusal),
        ("∞", f64::INFINITY, Refusal),
        ("−∞", f64::NEG_INFINITY, Refusal),
        ("−0", -0.0, Either),
        ("subnormal", 5e-324, Either),
        ("MAX", f64::MAX, Either),
    ] {
        for at in 0..3 {
            let (mut x, mut y) = (x.clone(), y.clone());
            match at {
                0 => x.set([3, 1], value).unwrap(),
                1 => y.set([3], value).unwrap(),
                _ => x = x.map(|v| if v > 2.0 { value } else { v }),
            }
            all.push(Input { name, x, y, expected });
        }
    }
    let mut add = |name, x: &Tensor<f64>, y: &Tensor<f64>, expected| {
        all.push(Input { name, x: x.clone(), y: y.clone(), expected });
    };
    let zeros = |shape: &[usize]| Tensor::<f64>::zeros(shape).unwrap();
    add("no samples", &zeros(&[0, 2]), &zeros(&[0]), Refusal);
    add("no samples, no columns", &zeros(&[0, 0]), &zeros(&[0]), Refusal);
    add("no columns", &zeros(&[6, 0]), &y, Either);
    add("x of one dimension", &y, &y, Refusal);
    add("x of three dimensions", &zeros(&[6, 2, 2]), &y, Refusal);
    add("x a number", &Tensor::scalar(1.0), &y, Refusal);
    add("y a number", &x, &Tensor::scalar(1.0), Refusal);
    add("y too short", &x, &zeros(&[5]), Refusal);
    add("y too long", &x, &zeros(&[7]), Refusal);
    add("y of three dimensions", &x, &zeros(&[6, 1, 1]), Refusal);
    add("n < d", &x.slice(0, 0..1).unwrap(), &y.slice(0, 0..1).unwrap(), Either);
    add("all zero", &zeros(&[6, 2]), &y, Either);
    add(
        "a constant column",
        &x.mul(&Tensor::from([1.0, 0.0])).unwrap().add(&Tensor::from([0.0, 3.0])).unwrap(),
        &y,
        Either,
    );
    add("equal columns", &x.gather(1, &[0, 0]).unwrap(), &y, Either);
    add("y constant", &x, &zeros(&[6]), Either);
    all
}

type Taking = Box<dyn Fn(&Tensor<f64>, &Tensor<f64>) -> Result<Vec<f64>, Error>>;

/// Whatever fits: they check their numbers.
fn fitting() -> Vec<(String, Taking)> {
    let mut all: Vec<(String, Taking)> = Vec::new();
    let methods =
        [Method::Auto, Method::NormalEquations, Method::CholeskyQr, Method::Qr, Method::Svd, Method::Precise];
    for method in methods {
        for (name, model) in [
            ("", LinearRegression::new()),
            (" without intercept", LinearRegression::new().intercept(false)),
            (" ridge", LinearRegression::new().ridge(0.1)),
        ] {
            let model = model.method(method);
            all.push((
                format!("{method}{name}"),
                Box::new(move |x, y| {
                    let fit = model.fit(x, y)?;
                    let mut out = fit.parameters().as_slice().to_vec();
                    // What follows from the fit is refused in its own right.
                    if let Ok(s) = fit.statistics(0) {
                        out.extend([s.residual_sum_of_squares, s.total_sum_of_squares]);
                        out.extend(s.leverage());
                    }
                    Ok(out)
                }),
            ));
        }
    }
    all.push((
        "Accumulator".into(),
        Box::new(|x, y| {
            let mut all = Accumulator::new(true);
            all.partial_fit(x, y, None)?;
            let mut out = all.parameters()?.into_vec();
            out.extend(all.residual_sums_of_squares()?);
            Ok(out)
        }),
    ));
    all.push((
        "fit_polynomial".into(),
        Box::new(|x, y| {
            let first = x.select(1, 1)?;
            Ok(fit_polynomial(first.as_slice(), y.as_slice(), 1)?.parameters().as_slice().to_vec())
        }),
    ));
    all.push(("min_norm".into(), Box::new(|x, y| Ok(min_norm(x, y)?.into_vec()))));
    all.push((
        "GradientDescent".into(),
        Box::new(|x, y| Ok(GradientDescent::new().steps(100).run(x, y)?.theta.into_vec())),
    ));
    all
}

#[test]
fn a_fit_is_finite_or_refused() {
    let (mut tried, mut refused, mut wrong) = (0, 0, Vec::new());
    for (name, fit) in fitting() {
        for input in inputs() {
            // Slices have no such shapes; it looks at the second column, where everything is spoilt.
            if name == "fit_polynomial" && (input.y.rank() != 1 || input.x.dims().get(1) != Some(&2)) {
                continue;
            }
            tried += 1;
            match fit(&input.x, &input.y) {
                Err(error) => {
                    refused += 1;
                    assert!(error.to_string().len() > 20, "{error}");
                }
                Ok(out) if out.iter().all(|v| v.is_finite()) && input.expected == Either => {}
                Ok(out) => wrong.push(format!("{name}, {}: {out:?}", input.name)),
            }
        }
    }
    println!("{tried} bad inputs to fits: {refused} refused, {} finite", tried - refused - wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_formula_lets_a_nan_through_and_refuses_shapes() {
    let theta = Tensor::from([1.0, -1.0]);
    let formulas: [(&str, Taking); 7] = [
        ("cost", {
            let t = theta.clone();
            Box::new(move |x, y| Ok(vec![cost(x, &t, y)?]))
        }),
        ("matrix_cost", {
            let t = theta.clone();
            Box::new(move |x, y| Ok(vec![matrix_cost(x, &t, y)?]))
        }),
        ("gradient", {
            let t = theta.clone();
            Box::new(move |x, y| Ok(gradient(x, &t, y)?.into_vec()))
        }),
        ("predict", {
            let t = theta;
            Box::new(move |x, _| Ok(predict(x, &t)?.into_vec()))
        }),
        ("inverse_formula", Box::new(|x, y| Ok(inverse_formula(x, y)?.into_vec()))),
        ("ridge_path", Box::new(|x, y| Ok(ridge_path(x, y, &[0.0, 1.0])?.into_vec()))),
        ("learning_rate_bound", Box::new(|x, _| Ok(vec![learning_rate_bound(x)?]))),
    ];
    let mut tried = 0;
    for (name, formula) in &formulas {
        for input in inputs() {
            tried += 1;
            let spoilt = |t: &Tensor<f64>| t.as_slice().iter().any(|v| !v.is_finite());
            // These do not take y.
            let without = matches!(*name, "predict" | "learning_rate_bound");
            let bad = spoilt(&input.x) || (!without && spoilt(&input.y));
            let huge = input.name == "MAX";
            if let Ok(out) = formula(&input.x, &input.y) {
                let finite = out.iter().all(|v| v.is_finite());
                if bad {
                    assert!(!finite, "{name} swallowed {}: {out:?}", input.name);
                } else if !huge && *name != "learning_rate_bound" {
                    assert!(
                        finite || out.iter().all(|v| !v.is_nan()),
                        "{name} made of {}: {out:?}",
                        input.name
                    );
                }
                let shape = input.expected == Refusal && !bad && !without;
                assert!(!shape || out.is_empty(), "{name} took {}: {out:?}", input.name);
            }
        }
    }
    println!("{tried} bad inputs to formulas");
}

#[test]
fn options_outside_their_domain_are_refused_by_name() {
    let (x, y) = (Tensor::from([[1.0], [2.0], [4.0]]), Tensor::from([1.0, 2.0, 3.0]));
    let descend = GradientDescent::new;
    for bad in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let text = descend().learning_rate(bad).run(&x, &y).unwrap_err().to_string();
        assert_eq!(text, format!("learning_rate = {bad}, allowed: finite and above 0"));
    }
    for bad in [-1e-300, f64::NAN, f64::INFINITY] {
        let text = descend().tolerance(bad).run(&x, &y).unwrap_err().to_string();
        assert_eq!(text, format!("tolerance = {bad}, allowed: finite and at least 0"));
        let text = LinearRegression::new().ridge(bad).fit(&x, &y).unwrap_err().to_string();
        assert_eq!(text, format!("ridge = {bad}, allowed: finite and at least 0"));
        assert!(ridge_path(&x, &y, &[bad]).unwrap_err().to_string().starts_with("lambda = "));
        let weights = [1.0, bad, 1.0];
        let text = LinearRegression::new().weights(&weights).fit(&x, &y).unwrap_err().to_string();
        assert_eq!(text, format!("weight = {bad}, allowed: finite and at least 0"));
        assert!(Accumulator::new(true).partial_fit(&x, &y, Some(&weights)).is_err());
    }
    let text = LinearRegression::new().weights(&[f64::MAX; 3]).fit(&x, &y).unwrap_err().to_string();
    assert_eq!(text, "weights = a sum of inf, allowed: a finite sum");
    for bad in [-0.1, 1.0, 7.0, f64::NAN] {
        let text = LinearRegression::new().rank_tolerance(bad).fit(&x, &y).unwrap_err().to_string();
        assert_eq!(text, format!("rank_tolerance = {bad}, allowed: 0..1"));
    }
    let statistics = LinearRegression::new().fit(&x, &y).unwrap().statistics(0).unwrap();
    for bad in [0.0, 1.0, -0.5, 95.0, f64::NAN] {
        assert!(statistics.confidence_intervals(bad).unwrap_err().to_string().contains("strictly between"));
    }
    let start = descend().start(&Tensor::from([f64::NAN])).run(&x, &y).unwrap_err();
    assert!(start.to_string().contains("start[0, 0] = NaN"));
    let start = descend().start(&Tensor::from([1.0, 2.0])).run(&x, &y).unwrap_err();
    assert!(start.to_string().contains("theta has the shape [2], expected [1]"), "{start}");
}

#[test]
fn the_refusals_of_descent_and_of_a_method_say_both_numbers() {
    let (x, y) = (Tensor::from([[2.0], [0.0]]), Tensor::from([1.0, 1.0]));
    let error = GradientDescent::new().learning_rate(0.75).run(&x, &y).unwrap_err();
    assert!(matches!(error, Error::Diverged { rate: 0.75, bound: 0.5, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("rate 0.75") && text.contains("not below 0.5"), "{text}");
    // At the bound itself it neither comes nears nor goes away.
    let at = GradientDescent::new().learning_rate(0.5).steps(7).run(&x, &y).unwrap();
    assert!(!at.converged && at.steps == 7 && at.cost_history == [1.0; 8], "{at:?}");

    let nearly = Tensor::from([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 4.000001]]);
    let y = Tensor::from([1.0, 2.0, 3.0, 5.0]);
    let error = LinearRegression::new().method(Method::CholeskyQr).fit(&nearly, &y).unwrap_err();
    assert!(matches!(error, Error::IllConditioned { limit: 1e5, .. }), "{error}");
    assert!(error.to_string().contains("Method::CholeskyQr: the condition number is"), "{error}");
}
