//! Agreement with scikit-learn and statsmodels: `golden.csv` is written by `../scripts/golden.py`.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_datasets::{breast_cancer, iris};
use gradus_logistic_regression::{ClassWeights, LogisticRegression, Method, SoftmaxRegression, Stop};
use gradus_tensor::Tensor;
use std::collections::BTreeMap;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// What the issue asks for; most agree to ten digits.
const DIGITS: f64 = 1e-6;

struct Golden(BTreeMap<(String, String), Vec<f64>>);

impl Golden {
    fn read() -> Self {
        let mut values: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        for line in include_str!("golden.csv").lines().skip(2) {
            let [case, item, value] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
            values.entry((case.to_owned(), item.to_owned())).or_default().push(value.parse().unwrap());
        }
        Self(values)
    }

    fn of(&self, case: &str, item: &str) -> &[f64] {
        &self.0[&(case.to_owned(), item.to_owned())]
    }

    #[track_caller]
    fn agree(&self, case: &str, item: &str, ours: &[f64]) {
        let theirs = self.of(case, item);
        assert_eq!(ours.len(), theirs.len(), "{case} {item}");
        for (o, t) in ours.iter().zip(theirs) {
            assert!((o - t).abs() <= DIGITS * t.abs().max(1e-3), "{case} {item}: {o} against {t}");
        }
    }
}

fn standardised() -> Result<(Tensor<f64>, Tensor<u32>), Box<dyn std::error::Error>> {
    let data = breast_cancer()?;
    let deviation = data.features.variance_axis(0, 0)?.sqrt();
    Ok((data.features.sub(&data.features.mean_axis(0)?)?.div(&deviation)?, data.target))
}

/// Both methods.
const METHODS: [Method; 2] = [Method::Newton, Method::Lbfgs];

#[test]
fn penalised_fits_are_those_of_scikit_learn() -> Outcome {
    let golden = Golden::read();
    let (z, y) = standardised()?;
    let weights: Vec<f64> = (0..y.len()).map(|i| 1.0 + (i % 3) as f64).collect();
    for method in METHODS {
        let model = LogisticRegression::new().l2(1.0).method(method).max_iterations(5000);
        let cases = [
            ("cancer-standardised", model.clone()),
            ("cancer-balanced", model.clone().class_weights(ClassWeights::Balanced)),
            ("cancer-weighted", model.clone().l2(10.0).sample_weights(&weights)),
            ("cancer-no-intercept", model.clone().intercept(false)),
        ];
        for (case, model) in cases {
            let fit = model.fit(&z, &y)?;
            assert!(fit.convergence().converged(), "{case} {method}:\n{}", fit.convergence());
            golden.agree(case, "coefficient", fit.coefficients().as_slice());
            golden.agree(case, "intercept", &[fit.intercept()]);
        }
    }
    Ok(())
}

#[test]
fn raw_and_badly_scaled_columns_make_no_difference() -> Outcome {
    let golden = Golden::read();
    let data = breast_cancer()?;
    let fit = LogisticRegression::new().l2(1.0).fit(&data.features, &data.target)?;
    assert_eq!(fit.convergence().stop, Stop::Tolerance);
    golden.agree("cancer", "coefficient", fit.coefficients().as_slice());
    golden.agree("cancer", "intercept", &[fit.intercept()]);

    let units = Tensor::from([1e-6, 1e-3, 1.0, 1e3, 1e6]);
    let five = data.features.slice(1, 0..5)?.mul(&units)?;
    let offset = 100.0 * five.variance_axis(0, 0)?.get([1])?.sqrt();
    let fit = LogisticRegression::new()
        .l2(1.0)
        .fit(&five.add(&Tensor::from([0.0, offset, 0.0, 0.0, 0.0]))?, &data.target)?;
    golden.agree("scaled", "coefficient", fit.coefficients().as_slice());
    golden.agree("scaled", "intercept", &[fit.intercept()]);
    Ok(())
}

#[test]
fn softmax_fits_are_those_of_scikit_learn() -> Outcome {
    let golden = Golden::read();
    let data = iris()?;
    for method in METHODS {
        let model = SoftmaxRegression::new(3).l2(1.0).method(method).max_iterations(2000);
        let fit = model.fit(&data.features, &data.target)?;
        assert!(fit.convergence().converged());
        golden.agree("iris", "coefficient", fit.coefficients().as_slice());
        golden.agree("iris", "intercept", fit.intercepts().as_slice());
    }
    let two = LogisticRegression::new()
        .l2(1.0)
        .fit(&data.features.slice(0, 50..150)?, &data.target.slice(0, 50..150)?.map(|y| y - 1))?;
    golden.agree("iris-two", "coefficient", two.coefficients().as_slice());
    golden.agree("iris-two", "intercept", &[two.intercept()]);
    Ok(())
}

#[test]
fn the_statistics_are_those_of_statsmodels() -> Outcome {
    let golden = Golden::read();
    let column = |item| golden.of("spector-data", item).iter().copied().collect::<Tensor<f64>>();
    let x = Tensor::stack(&[&column("gpa"), &column("tuce"), &column("psi")], 1)?;
    let y = column("grade").map(|g| g as u32);
    let cancer = breast_cancer()?;
    let parts: Vec<_> = [0, 1, 4].iter().map(|&j| cancer.features.select(1, j)).collect::<Result<_, _>>()?;
    let three = Tensor::stack(&parts.iter().collect::<Vec<_>>(), 1)?;
    for (case, x, y) in [("spector", x, y), ("cancer-three", three, cancer.target)] {
        let s = LogisticRegression::new().fit(&x, &y)?.statistics()?;
        golden.agree(case, "parameter", &s.parameters);
        golden.agree(case, "standard error", &s.standard_errors);
        golden.agree(case, "p", &s.p_values);
        golden.agree(case, "log-likelihood", &[s.log_likelihood]);
        golden.agree(case, "null log-likelihood", &[s.null_log_likelihood]);
        golden.agree(case, "likelihood ratio p", &[s.likelihood_ratio_p]);
        golden.agree(case, "pseudo R2", &[s.pseudo_r_squared]);
        golden.agree(case, "aic", &[s.aic]);
        golden.agree(case, "bic", &[s.bic]);
        let intervals: Vec<f64> = s.intervals(0.9)?.into_iter().flat_map(|(a, b)| [a, b]).collect();
        golden.agree(case, "interval", &intervals);
    }
    Ok(())
}

#[test]
fn the_statistics_of_several_classes_are_those_of_statsmodels() -> Outcome {
    let golden = Golden::read();
    let data = iris()?;
    let mixed: Tensor<u32> =
        data.target.as_slice().iter().enumerate().map(|(i, y)| (y + u32::from(i % 3 == 0)) % 3).collect();
    let fit = SoftmaxRegression::new(3).fit(&data.features.slice(1, 0..2)?, &mixed)?;
    let (coefficients, intercepts) = fit.relative_to(0)?;
    let (coefficient_errors, intercept_errors) = fit.standard_errors(0)?;
    // Theirs have no column for the reference, and the constant first.
    let theirs = |c: &Tensor<f64>, b: &Tensor<f64>| -> Vec<f64> {
        [&[b.as_slice()[1], b.as_slice()[2]], &c.as_slice()[1..3], &c.as_slice()[4..6]].concat()
    };
    golden.agree("multinomial", "parameter", &theirs(&coefficients, &intercepts));
    golden.agree("multinomial", "standard error", &theirs(&coefficient_errors, &intercept_errors));
    golden.agree("multinomial", "log-likelihood", &[fit.log_likelihood()?]);
    Ok(())
}
