//! What must be refused, and with which words; and what must not end in an endless or exploding fit.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_datasets::{breast_cancer, iris};
use gradus_logistic_regression::{
    ClassWeights, Error, LogisticRegression, Method, Separation, SoftmaxRegression, Stop, gradient, hessian,
    likelihood, log_likelihood_of, newton_step, probabilities, softmax_gradient, softmax_hessian,
};
use gradus_tensor::Tensor;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn overlapping() -> (Tensor<f64>, Tensor<u32>) {
    let x = Tensor::from([[0.0, 1.0], [1.0, 0.5], [2.0, -1.0], [3.0, 2.0], [4.0, 0.0], [5.0, 1.0]]);
    (x, Tensor::from([0, 1, 0, 1, 0, 1]))
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Error>, words: &[&str]) {
    let error = result.unwrap_err().to_string();
    for word in words {
        assert!(error.contains(word), "`{error}` lacks `{word}`");
    }
}

#[test]
fn data_that_is_none() -> Outcome {
    let (x, y) = overlapping();
    let model = LogisticRegression::new();
    refused(model.fit(&x.flatten(), &y), &["X", "[12]", "[N, D]"]);
    refused(model.fit(&x, &y.slice(0, 0..5)?), &["labels", "[5]", "[6]"]);
    refused(model.fit(&x, &y.insert_axis(1)?), &["labels", "[6, 1]"]);
    refused(model.fit(&Tensor::zeros([0, 2])?, &Tensor::zeros([0])?), &["no samples"]);
    refused(model.clone().intercept(false).fit(&Tensor::zeros([6, 0])?, &y), &["X", "at least one column"]);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut x = x.clone();
        x.set([4, 1], bad)?;
        refused(model.fit(&x, &y), &["X[4, 1]", &bad.to_string(), "finite"]);
        // A sample that does not count is looked at all the same.
        let weights = [1.0, 1.0, 1.0, 1.0, 0.0, 1.0];
        refused(model.clone().sample_weights(&weights).fit(&x, &y), &["X[4, 1]"]);
        refused(SoftmaxRegression::new(2).fit(&x, &y), &["X[4, 1]"]);
    }
    let mut x = x;
    x.set([0, 0], f64::MAX)?;
    x.set([1, 0], f64::MIN)?;
    refused(model.fit(&x, &y), &["range of a column", "largest number"]);
    Ok(())
}

#[test]
fn labels_that_are_no_classes() -> Outcome {
    let (x, y) = overlapping();
    let mut bad = y.clone();
    bad.set([3], 2)?;
    refused(LogisticRegression::new().fit(&x, &bad), &["row 3", "is 2", "0..2"]);
    refused(SoftmaxRegression::new(2).fit(&x, &bad), &["row 3", "is 2", "0..2"]);
    refused(SoftmaxRegression::new(4).fit(&x, &bad), &["class 3", "4 classes"]);
    refused(SoftmaxRegression::new(1).fit(&x, &y.map(|_| 0)), &["classes = 1", "at least 2"]);
    refused(SoftmaxRegression::new(0).fit(&x, &y), &["classes = 0"]);
    for class in [0, 1] {
        let model = LogisticRegression::new().l2(1.0);
        refused(model.fit(&x, &y.map(|_| class)), &[&format!("class {}", 1 - class), "2 classes"]);
    }
    // A class whose samples count nothing is not there.
    let weights = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0];
    refused(LogisticRegression::new().sample_weights(&weights).fit(&x, &y), &["class 1"]);
    let fit = LogisticRegression::new().fit(&x, &y)?;
    refused(fit.accuracy(&x, &bad), &["row 3"]);
    refused(fit.log_loss(&x, &y.slice(0, 0..3)?), &["labels", "[3]"]);
    refused(fit.confusion(&x, &bad), &["row 3"]);
    refused(fit.predict(&x.slice(1, 0..1)?), ["X", "theta"].map(|_| "[2]").as_slice());
    refused(fit.predict(&x.map(|_| f64::NAN)), &["decision[0, 0]"]);
    assert!(
        fit.predict_proba(&x.map(|_| f64::NAN))?.as_slice().iter().all(|p| p.is_nan()),
        "NaN in, NaN out"
    );
    Ok(())
}

#[test]
fn options_outside_their_domains() {
    let (x, y) = overlapping();
    let model = LogisticRegression::new();
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        refused(model.clone().l2(bad).fit(&x, &y), &["l2", &bad.to_string(), "at least 0"]);
        let weights = [1.0, 1.0, bad, 1.0, 1.0, 1.0];
        refused(model.clone().sample_weights(&weights).fit(&x, &y), &["sample_weight", &bad.to_string()]);
        refused(
            model.clone().class_weights(ClassWeights::Given(vec![1.0, bad])).fit(&x, &y),
            &["class_weight"],
        );
    }
    for bad in [0.0, 1.0, -1e-9, f64::NAN] {
        refused(
            model.clone().tolerance(bad).fit(&x, &y),
            &["tolerance", &bad.to_string(), "between 0 and 1"],
        );
    }
    refused(model.clone().sample_weights(&[1.0; 5]).fit(&x, &y), &["sample_weights", "5 of them"]);
    refused(model.clone().sample_weights(&[0.0; 6]).fit(&x, &y), &["class 0"]);
    refused(model.clone().sample_weights(&[f64::MAX; 6]).fit(&x, &y), &["sum of inf"]);
    refused(model.class_weights(ClassWeights::Given(vec![1.0])).fit(&x, &y), &["class_weights", "1 of them"]);
}

#[test]
fn dependent_columns_are_named() -> Outcome {
    let (x, y) = overlapping();
    let model = LogisticRegression::new();
    let with = |column: &Tensor<f64>| Tensor::concatenate(&[&x, &column.insert_axis(1)?], 1);
    let sum = x.sum_axis(1)?;
    for column in [sum.clone(), Tensor::full([6], 7.0)?, Tensor::zeros([6])?, x.select(1, 0)?] {
        let wide = with(&column)?;
        refused(model.fit(&wide, &y), &["column 2", "combination", "intercept", "l2"]);
        refused(SoftmaxRegression::new(2).fit(&wide, &y), &["column 2", "combination"]);
        assert!(model.clone().l2(0.1).fit(&wide, &y)?.convergence().converged(), "a penalty settles it");
    }
    // Fewer samples than columns.
    let wide = Tensor::from_fn([4, 9], |i| ((i[0] * 7 + i[1] * i[1]) as f64).sin())?;
    assert!(matches!(model.fit(&wide, &Tensor::from([0, 1, 0, 1])), Err(Error::RankDeficient { .. })));
    Ok(())
}

#[track_caller]
fn separated<T: std::fmt::Debug>(result: Result<T, Error>) -> Separation {
    match result.unwrap_err() {
        Error::Separated(found) => *found,
        other => panic!("{other}"),
    }
}

#[test]
fn perfect_separation_is_said_by_either_method() -> Outcome {
    let x = Tensor::from([[1.0, 5.0], [2.0, 1.0], [3.0, 4.0], [4.0, 2.0], [5.0, 3.0]]);
    let y = Tensor::from([0, 0, 0, 1, 1]);
    for method in [Method::Newton, Method::Lbfgs] {
        let model = LogisticRegression::new().method(method);
        let found = separated(model.fit(&x, &y));
        assert_eq!((found.complete, found.touching, found.feature), (true, 0, Some(0)));
        assert!(found.to_string().contains("feature 0 alone") && found.to_string().contains("l2"));
        // Along x₁ + x₂, and by neither alone.
        let x = Tensor::from([[0.0, 0.0], [3.0, -2.5], [-2.5, 3.0], [1.0, 1.0], [-2.0, 4.0], [4.0, -2.0]]);
        let y = Tensor::from([0, 0, 0, 1, 1, 1]);
        let found = separated(model.fit(&x, &y));
        assert!(found.complete && found.feature.is_none());
        let d: Tensor<f64> = found.direction.iter().copied().collect();
        for (row, &y) in x.rows()?.zip(y.as_slice()) {
            let side = row.dot(&d)? + found.intercept[0];
            assert!(if y == 1 { side > 0.0 } else { side < 0.0 }, "{found}");
        }
        let fit = model.clone().l2(1e-3).max_iterations(1000).fit(&x, &y)?;
        assert!(fit.convergence().converged() && fit.accuracy(&x, &y)? == 1.0);
    }
    Ok(())
}

#[test]
fn quasi_separation_is_said() -> Outcome {
    // The second column is 1 for some samples of class 1 only; the first one overlaps.
    let x = Tensor::from([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [4.0, 0.0], [2.5, 1.0], [1.5, 1.0]]);
    let y = Tensor::from([0, 1, 0, 1, 1, 1]);
    let found = separated(LogisticRegression::new().fit(&x, &y));
    assert_eq!((found.complete, found.feature, found.touching), (false, Some(1), 4));
    // The same turned by 45°: no feature does it alone.
    let turn = Tensor::from([[1.0, 1.0], [1.0, -1.0]]);
    let found = separated(LogisticRegression::new().fit(&x.matmul(&turn)?, &y));
    assert_eq!((found.complete, found.feature, found.touching), (false, None, 4), "{found}");
    let ratio = found.direction[0] / found.direction[1];
    assert!((ratio + 1.0).abs() < 1e-9, "along (1, −1): {found}");
    Ok(())
}

#[test]
fn the_separated_class_is_named() -> Outcome {
    let data = iris()?;
    let found = separated(SoftmaxRegression::new(3).fit(&data.features, &data.target));
    assert_eq!((found.class, found.complete, found.touching), (Some(0), false, 100), "{found}");
    assert!(found.to_string().contains("class 0"));
    // Breast cancer's thirty features separate its classes.
    let cancer = breast_cancer()?;
    let found = separated(LogisticRegression::new().fit(&cancer.features, &cancer.target));
    assert!(found.complete && found.direction.len() == 30);
    Ok(())
}

#[test]
fn steps_used_up_are_said() -> Outcome {
    let (x, y) = overlapping();
    let fit = LogisticRegression::new().max_iterations(1).tolerance(1e-12).fit(&x, &y)?;
    assert_eq!((fit.convergence().stop, fit.convergence().steps()), (Stop::Iterations, 1));
    assert!(!fit.convergence().converged() && fit.convergence().to_string().contains("not reached"));
    let fit = LogisticRegression::new().max_iterations(0).fit(&x, &y)?;
    assert_eq!(fit.coefficients(), &Tensor::zeros([2])?);
    Ok(())
}

#[test]
fn statistics_need_a_maximum_of_the_likelihood() -> Outcome {
    let (x, y) = overlapping();
    refused(LogisticRegression::new().l2(2.0).fit(&x, &y)?.statistics(), &["standard error", "l2 = 2"]);
    let fit = LogisticRegression::new().fit(&x, &y)?;
    for bad in [0.0, 1.0, f64::NAN] {
        refused(fit.statistics()?.intervals(bad), &["confidence"]);
        refused(fit.boundary((0.0, 1.0), (0.0, 1.0), bad), &["level"]);
    }
    let fit = SoftmaxRegression::new(2).l2(1.0).fit(&x, &y)?;
    refused(fit.standard_errors(0), &["l2 = 1"]);
    refused(fit.relative_to(2), &["class = 2"]);
    Ok(())
}

#[test]
fn the_formulas_check_their_arguments() -> Outcome {
    let (x, y) = overlapping();
    let (theta, short) = (Tensor::zeros([2])?, Tensor::zeros([3])?);
    for error in [
        probabilities(&x, &short).map(drop),
        gradient(&x, &short, &y).map(drop),
        hessian(&x, &short).map(drop),
        log_likelihood_of(&x, &short, &y).map(drop),
    ] {
        refused(error, &["theta", "[3]", "[2]"]);
    }
    refused(gradient(&x, &theta, &y.map(|_| 9)), &["row 0", "is 9"]);
    refused(newton_step(&x, &theta, &y.slice(0, 0..2)?), &["labels"]);
    refused(hessian(&Tensor::zeros([0, 2])?, &theta), &["no samples"]);
    assert!(newton_step(&Tensor::ones([6, 2])?, &theta, &y).is_err(), "equal columns");
    let p = Tensor::from([0.5, 1.5]);
    refused(likelihood(&p, &Tensor::from([0, 1])), &["probability = 1.5"]);
    refused(likelihood(&Tensor::from([0.5]), &Tensor::from([2])), &["row 0", "is 2"]);
    refused(likelihood(&Tensor::from([0.5]), &Tensor::from([1, 1])), &["labels"]);
    let theta = Tensor::zeros([2, 3])?;
    refused(softmax_gradient(&x, &theta, &y.map(|_| 3)), &["row 0", "0..3"]);
    refused(softmax_hessian(&x, &Tensor::zeros([3, 3])?), &["theta", "[2, K]"]);
    refused(softmax_hessian(&x.flatten(), &theta), &["[N, D]"]);
    Ok(())
}

#[test]
fn whole_steps_that_lead_away_are_halved() -> Outcome {
    // Found by a search: from 0 some whole steps lead away.
    let x = Tensor::from([[0.0], [-2.0], [1.0], [1.0], [16.0], [-59.0]]);
    let (y, weights) = (Tensor::from([0, 1, 1, 0, 0, 1]), [10.0, 2.0, 1.0, 1000.0, 100.0, 1.0]);
    let rows: Vec<u32> = (0..6).flat_map(|i| vec![i as u32; weights[i] as usize]).collect();
    let ones = Tensor::concatenate(&[&Tensor::ones([6, 1])?, &x], 1)?.gather(0, &rows)?;
    let labels = y.gather(0, &rows)?;
    let mut theta = Tensor::zeros([2])?;
    let mut likelihoods = vec![log_likelihood_of(&ones, &theta, &labels)?];
    while let Ok(next) = newton_step(&ones, &theta, &labels)
        && likelihoods.len() < 8
    {
        theta = next;
        likelihoods.push(log_likelihood_of(&ones, &theta, &labels)?);
    }
    assert!(likelihoods.windows(2).any(|l| l[1] < l[0]), "no whole step leads away: {likelihoods:?}");

    let fit = LogisticRegression::new().sample_weights(&weights).fit(&x, &y)?;
    assert!(
        fit.convergence().iterations.iter().any(|i| i.step > 0.0 && i.step < 1.0),
        "{}",
        fit.convergence()
    );
    assert_eq!(fit.convergence().stop, Stop::Tolerance);
    let best = Tensor::from([fit.intercept(), fit.coefficients().item()?]);
    assert!(gradient(&ones, &best, &labels)?.abs().max()? < 1e-9);
    Ok(())
}
