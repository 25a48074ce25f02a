//! Bad input: each refusal names the value and what is allowed; and what is defined though it looks bad.
#![allow(clippy::unwrap_used)] // helpers of the tests

use gradus_autograd::Op;
use gradus_losses::{
    Bce, Componentwise, CrossEntropy, Elementwise, Hinge, Mse, Reduction, bce, bce_with_logits,
    categorical_cross_entropy, cross_entropy, dice, focal, hinge, huber, kl, l1, mse, nll,
    soft_cross_entropy, squared_distance,
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
        (bce(&Tensor::from([0.5, -0.5]), &v).unwrap_err(), &["probability = -0.5 (number 1)", "0..=1"]),
        (bce(&v, &Tensor::from([-1.0, 0.5])).unwrap_err(), &["label = -1 (number 0)", "0..=1"]),
        (bce(&v, &wide).unwrap_err(), &["bce", "[3]", "[2]"]),
        (focal(&v, &outside, 2.0, 0.5).unwrap_err(), &["focal", "label = 1.5 (number 1)", "0..=1"]),
        (focal(&v, &wide, 2.0, 0.5).unwrap_err(), &["focal", "[3]"]),
        (focal(&v, &v, f64::NAN, 0.5).unwrap_err(), &["gamma = NaN"]),
        (focal(&v, &v, 2.0, f64::NAN).unwrap_err(), &["alpha = NaN"]),
        (huber(&v, &wide, 1.0).unwrap_err(), &["huber", "[3]"]),
        (huber(&v, &v, f64::INFINITY).unwrap_err(), &["delta = inf", "finite"]),
        (dice(&v, &wide, 1.0).unwrap_err(), &["dice", "[3]"]),
        (dice(&v, &v, f64::NAN).unwrap_err(), &["smooth = NaN"]),
        // A class of K itself, the first that is none.
        (nll(&s, &Tensor::from([3u32, 0])).unwrap_err(), &["nll", "class = 3 (row 0)", "0..3"]),
        (hinge(&s, &Tensor::from([0u32, 3])).unwrap_err(), &["hinge", "class = 3 (row 1)", "0..3"]),
        (nll(&v, &y).unwrap_err(), &["nll", "[N, K]"]),
        (hinge(&v, &y).unwrap_err(), &["hinge", "[N, K]"]),
        (hinge(&s, &Tensor::from([0u32])).unwrap_err(), &["hinge", "1 classes"]),
        (kl(&s, &v).unwrap_err(), &["kl", "[N, K] for both", "[2]"]),
        (categorical_cross_entropy(&s, &below).unwrap_err(), &["target = -0.1"]),
        (ce().sample_weights(&[1.0]).eval([&s]).unwrap_err(), &["sample_weights = 1 of them", "2"]),
        (ce().sample_weights(&[1.0, -0.5]).eval([&s]).unwrap_err(), &["sample_weights = -0.5 (number 1)"]),
        (
            ce().class_weights(&[1.0, f64::NAN, 1.0]).eval([&s]).unwrap_err(),
            &["class_weights = NaN (number 1)"],
        ),
        (ce().ignore(7).label_smoothing(-0.5).eval([&s]).unwrap_err(), &["label_smoothing = -0.5", "0..=1"]),
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

#[test]
fn weights_that_are_all_0_cost_nothing_as_an_ignored_batch_does() {
    let (s, y) = (Tensor::from([[1.0, 2.0], [0.5, 0.0]]), Tensor::from([0u32, 1]));
    let op = CrossEntropy::new(&y).sample_weights(&[0.0, 0.0]);
    let (loss, saved) = op.forward([&s]).unwrap();
    assert_eq!(loss.item().unwrap(), 0.0);
    let [gradient] = op.vjp([&s], &saved, &Tensor::scalar(1.0), [true]).unwrap();
    assert_eq!(gradient.unwrap(), s.zeros_like());
}

#[test]
fn a_perfect_prediction_costs_0_without_a_sign_and_a_number_is_one_sample() {
    assert!(Bce.loss(1.0f64, 1.0).is_sign_positive() && Bce.loss(0.0f64, 0.0).is_sign_positive());
    let one = Tensor::from([1.0f64, 0.0]);
    for reduction in [Reduction::Mean, Reduction::None] {
        let loss = Elementwise { loss: Bce, reduction }.eval([&one, &one]).unwrap();
        assert!(loss.as_slice().iter().all(|v| *v == 0.0 && v.is_sign_positive()), "{loss}");
    }
    let (p, t) = (Tensor::scalar(5.0f64), Tensor::scalar(2.0));
    assert_eq!(l1(&p, &t).unwrap().item().unwrap(), 3.0);
    assert_eq!(mse(&p, &t).unwrap().item().unwrap(), 9.0);
}

#[test]
fn every_kind_of_bad_value_has_an_outcome_in_every_loss() {
    type Loss = fn(&Tensor<f64>, &Tensor<f64>) -> gradus_tensor::Result<Tensor<f64>>;
    let losses: [(&str, Loss); 13] = [
        ("l1", |p, t| l1(p, t)),
        ("mse", |p, t| mse(p, t)),
        ("squared_distance", |p, t| squared_distance(p, t).map(Tensor::scalar)),
        ("huber", |p, t| huber(p, t, 1.0)),
        ("bce", |p, t| bce(p, t)),
        ("bce_with_logits", |p, t| bce_with_logits(p, t)),
        ("cross_entropy", |p, _| cross_entropy(p, &Tensor::from(vec![0u32; p.dims()[0]]))),
        ("soft_cross_entropy", |p, t| soft_cross_entropy(p, t)),
        ("nll", |p, _| nll(p, &Tensor::from(vec![0u32; p.dims()[0]]))),
        ("kl", |p, t| kl(p, t)),
        ("hinge", |p, _| hinge(p, &Tensor::from(vec![0u32; p.dims()[0]]))),
        ("focal", |p, t| focal(p, t, 2.0, 0.25)),
        ("dice", |p, t| dice(p, t, 1.0)),
    ];
    let plain = Tensor::from([[0.5, 0.25], [0.125, 0.75]]);
    let mut tried = 0;
    for (name, loss) in losses {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324, f64::MAX, f64::MIN] {
            for spoil_target in [false, true] {
                let mut spoilt = plain.clone();
                spoilt.set([1, 1], value).unwrap();
                let (p, t) = if spoil_target { (&plain, &spoilt) } else { (&spoilt, &plain) };
                tried += 1;
                let Ok(result) = loss(p, t) else { continue };
                let looked_at = !matches!((name, spoil_target), ("cross_entropy" | "nll" | "hinge", true));
                let result = result.item().unwrap();
                // The first class is the true one: nll does not look at the second.
                if value.is_nan() && looked_at && name != "nll" {
                    assert!(result.is_nan(), "{name} swallowed a NaN");
                }
                // The largest number less its negative is ∞; a NaN would come of ∞ − ∞ only.
                assert!(
                    value.is_nan() || value.is_infinite() || !result.is_nan(),
                    "{name} made a NaN of {value}"
                );
            }
        }
        for shape in [[0, 2], [0, 0], [2, 0]] {
            tried += 1;
            let empty = Tensor::zeros(shape).unwrap();
            if let Ok(result) = loss(&empty, &empty) {
                assert_eq!(result.item().unwrap(), 0.0, "{name} of {shape:?}");
            }
        }
    }
    println!("{tried} bad inputs to losses");
}
