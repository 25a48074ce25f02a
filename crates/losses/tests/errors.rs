//! Bad input: each refusal names the value and what is allowed; and what is defined though it looks bad.
#![allow(clippy::unwrap_used)] // helpers of the tests

use gradus_autograd::Op;
use gradus_losses::{
    CrossEntropy, Elementwise, Hinge, Mse, Reduction, bce, bce_with_logits, categorical_cross_entropy,
    cross_entropy, dice, focal, hinge, huber, kl, l1, mse, nll, soft_cross_entropy, squared_distance,
};
use gradus_tensor::{Error, Tensor};

#[test]
fn every_refusal_names_the_value_and_what_is_allowed() {
    let s = Tensor::from([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]);
    let y = Tensor::from([0u32, 2]);
    let v = Tensor::from([0.5, 0.25]);
    let wide = Tensor::from([0.5, 0.25, 1.0]);
    let outside = Tensor::from([0.5, 1.5]);
    let below = Tensor::from([[0.5, 0.5, -0.1], [1.0, 0.0, 0.0]]);
    let ce = || CrossEntropy::new(&y);
    let table: Vec<(Error, &[&str])> = vec![
        (l1(&v, &wide).unwrap_err(), &["l1", "one shape", "[3]", "[2]"]),
        (mse(&v, &wide).unwrap_err(), &["mse", "[3]"]),
        (squared_distance(&v, &wide).unwrap_err(), &["squared_distance", "[3]"]),
        (huber(&v, &v, 0.0).unwrap_err(), &["huber", "delta = 0", "above 0"]),
        (huber(&v, &v, f64::NAN).unwrap_err(), &["delta = NaN"]),
        (bce(&outside, &v).unwrap_err(), &["bce", "probability = 1.5 (number 1)", "0..=1"]),
        (bce(&v, &outside).unwrap_err(), &["label = 1.5 (number 1)", "0..=1"]),
        (bce_with_logits(&v, &outside).unwrap_err(), &["bce_with_logits", "label = 1.5"]),
        (bce_with_logits(&v, &wide).unwrap_err(), &["bce_with_logits", "[3]"]),
        (cross_entropy(&v, &y).unwrap_err(), &["cross_entropy", "[N, K]", "[2]"]),
        (cross_entropy(&s, &Tensor::from([0u32])).unwrap_err(), &["each of the 1 classes", "[2, 3]"]),
        (cross_entropy(&s, &Tensor::from([0u32, 3])).unwrap_err(), &["class = 3 (row 1)", "0..3"]),
        (ce().label_smoothing(1.5).eval([&s]).unwrap_err(), &["label_smoothing = 1.5", "0..=1"]),
        (ce().label_smoothing(f64::NAN).eval([&s]).unwrap_err(), &["label_smoothing = NaN"]),
        (ce().class_weights(&[1.0]).eval([&s]).unwrap_err(), &["class_weights = 1 of them", "3"]),
        (
            ce().class_weights(&[1.0, -1.0, 1.0]).eval([&s]).unwrap_err(),
            &["class_weights = -1 (number 1)", "at least 0"],
        ),
        (
            ce().sample_weights(&[1.0, f64::INFINITY]).eval([&s]).unwrap_err(),
            &["sample_weights = inf", "finite"],
        ),
        (soft_cross_entropy(&s, &below).unwrap_err(), &["target = -0.1 (number 2)", "at least 0"]),
        (soft_cross_entropy(&s, &v).unwrap_err(), &["[N, K] for both", "[2]"]),
        (categorical_cross_entropy(&v, &v).unwrap_err(), &["categorical_cross_entropy", "[N, K]"]),
        (nll(&s, &Tensor::from([0u32, 9])).unwrap_err(), &["nll", "class = 9 (row 1)", "0..3"]),
        (kl(&s, &below).unwrap_err(), &["kl", "target = -0.1"]),
        (hinge(&s, &Tensor::from([5u32, 0])).unwrap_err(), &["hinge", "class = 5 (row 0)", "0..3"]),
        (focal(&v, &v, -1.0, 0.5).unwrap_err(), &["focal", "gamma = -1", "at least 0"]),
        (focal(&v, &v, 2.0, 1.5).unwrap_err(), &["alpha = 1.5", "0..=1"]),
        (dice(&v, &v, 0.0).unwrap_err(), &["dice", "smooth = 0", "above 0"]),
    ];
    for (error, fragments) in table {
        let text = error.to_string();
        for fragment in fragments {
            assert!(text.contains(fragment), "`{text}` does not say `{fragment}`");
        }
    }
}

#[test]
fn an_empty_or_wholly_ignored_batch_costs_nothing() {
    let none = Tensor::<f64>::zeros([0, 3]).unwrap();
    let classes = Tensor::<u32>::zeros([0]).unwrap();
    assert_eq!(cross_entropy(&none, &classes).unwrap().item().unwrap(), 0.0);
    assert_eq!(mse(&none, &none).unwrap().item().unwrap(), 0.0);
    let s = Tensor::from([[f64::NAN, 1.0]]);
    let ignored = CrossEntropy::new(&Tensor::from([7u32])).ignore(7);
    let (loss, saved) = ignored.forward([&s]).unwrap();
    assert_eq!(loss.item().unwrap(), 0.0);
    let [gradient] = ignored.vjp([&s], &saved, &Tensor::scalar(1.0), [true]).unwrap();
    assert_eq!(gradient.unwrap(), Tensor::from([[0.0, 0.0]]));
}

#[test]
fn a_nan_comes_out_of_every_loss() {
    let (nan, one) = (Tensor::from([[f64::NAN, 0.5]]), Tensor::from([[0.5, 0.5]]));
    let y = Tensor::from([0u32]);
    let all = [
        l1(&nan, &one),
        mse(&nan, &one),
        huber(&nan, &one, 1.0),
        bce(&nan, &one),
        bce_with_logits(&nan, &one),
        cross_entropy(&nan, &y),
        soft_cross_entropy(&nan, &one),
        nll(&nan, &y),
        kl(&nan, &one),
        hinge(&nan, &y),
        focal(&nan, &one, 2.0, 0.25),
        dice(&nan, &one, 1.0),
        Hinge { form: gradus_losses::HingeForm::CrammerSinger, ..Hinge::new(&Tensor::from([1u32])) }
            .eval([&nan]),
        Elementwise { loss: Mse, reduction: Reduction::Sum }.eval([&one, &nan]),
    ];
    for (i, loss) in all.into_iter().enumerate() {
        assert!(loss.unwrap().item().unwrap().is_nan(), "loss {i}");
    }
}
