//! What is refused, and that nothing has changed then; and that a step works in place.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests too

use gradus_autograd::{Gradients, Var};
use gradus_optimization::{
    Adam, AdamW, BiasVariance, Cosine, Error, GradientNoise, Group, MultiStep, OneCycle, Optimizer, Plateau,
    Polynomial, RmsProp, Sampling, Sgd, StepDecay, Threshold, ZeroOne, bootstrap, clip_grad_norm,
    clip_grad_value, ridge_curves,
};
use gradus_tensor::Tensor;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use std::collections::BTreeMap;

type State = BTreeMap<String, Tensor<f64>>;

fn slopes(w: &Var<f64>) -> Gradients<f64> {
    w.mul(w).unwrap().sum().unwrap().backward().unwrap()
}

fn message(error: Result<impl std::fmt::Debug, Error>) -> String {
    error.unwrap_err().to_string()
}

#[test]
fn a_setting_outside_its_domain_is_refused_by_name_and_nothing_moves() {
    let w = Var::parameter(Tensor::from([1.0, 2.0]));
    let gradients = slopes(&w);
    let refused: Vec<(Box<dyn Optimizer<f64>>, &str)> = vec![
        (Box::new(Sgd::new(-0.1)), "learning_rate = -0.1, allowed: finite and at least 0"),
        (Box::new(Sgd::new(f64::NAN)), "learning_rate = NaN"),
        (Box::new(Sgd::new(f64::INFINITY)), "learning_rate = inf"),
        (Box::new(Sgd::new(0.1).momentum(1.0)), "momentum = 1, allowed: at least 0 and below 1"),
        (Box::new(Sgd::new(0.1).momentum(f64::NAN)), "momentum = NaN"),
        (Box::new(Sgd::new(0.1).nesterov(true)), "momentum = 0, allowed: above 0 with Nesterov's"),
        (Box::new(Sgd::new(0.1).weight_decay(-1.0)), "weight_decay = -1"),
        (Box::new(Sgd::new(0.1).group(Group::vectors().rate_factor(-1.0))), "rate_factor of a group = -1"),
        (
            Box::new(Sgd::new(0.1).group(Group::prefix("x").weight_decay(f64::NAN))),
            "weight_decay of a group = NaN",
        ),
        (Box::new(Adam::new(0.1).betas(1.0, 0.9)), "beta1 = 1"),
        (Box::new(Adam::new(0.1).betas(0.9, -0.1)), "beta2 = -0.1"),
        (Box::new(AdamW::new(0.1).epsilon(-1e-8)), "epsilon = -0.00000001"),
        (Box::new(RmsProp::new(0.1).alpha(1.5)), "alpha = 1.5"),
    ];
    for (mut optimizer, expected) in refused {
        let said = message(optimizer.step(&w, &gradients));
        assert!(said.contains(expected), "{said}");
        assert_eq!(w.value(), Tensor::from([1.0, 2.0]), "{expected}");
    }
    let mut sgd = Sgd::<f64>::new(0.1);
    assert!(sgd.set_learning_rate(f64::NAN).is_err() && sgd.set_learning_rate(-1.0).is_err());
    assert_eq!(sgd.learning_rate(), 0.1);
}

#[test]
fn a_parameter_that_changed_its_shape_is_refused_before_anything_moves() {
    let model = vec![Var::parameter(Tensor::from([1.0, 2.0])), Var::parameter(Tensor::from([3.0, 4.0]))];
    let loss = model[0].mul(&model[1]).unwrap().sum().unwrap();
    let gradients = loss.backward().unwrap();
    drop(loss);
    let mut adam = Adam::new(0.1);
    adam.step(&model, &gradients).unwrap();
    let before = model[0].value();
    // The second one is cut: its gradient does not fit any more, and the first must not move either.
    model[1].update(|value| *value = Tensor::from([3.0]));
    let said = message(adam.step(&model, &gradients));
    assert_eq!(said, "the gradient of `1` has the shape [2], the parameter [1]");
    assert_eq!(model[0].value(), before);
    // With a gradient that fits, the state does not.
    let cut = slopes(&model[1]);
    let said = message(adam.step(&model, &cut));
    assert_eq!(said, "the state of `1` has the shape [2], the parameter [1]");
}

#[test]
fn a_state_that_does_not_fit_is_refused_by_name_and_nothing_changes() {
    let w = vec![Var::parameter(Tensor::from([1.0, 2.0]))];
    let gradients = slopes(&w[0]);
    let mut adam = Adam::new(0.1);
    adam.step(&w, &gradients).unwrap();
    let good = adam.state();
    let names: Vec<&str> = good.keys().map(String::as_str).collect();
    assert_eq!(names, ["first_moment.0", "learning_rate", "second_moment.0", "step.0"]);
    let with = |change: &dyn Fn(&mut State)| {
        let mut state = good.clone();
        change(&mut state);
        state
    };
    let words = |bits: u64| (0..4).map(|k| (bits >> (16 * k) & 0xFFFF) as f64).collect::<Tensor<f64>>();
    let cases: Vec<(State, &str)> = vec![
        (with(&|s| drop(s.remove("learning_rate"))), "`learning_rate` is missing"),
        (with(&|s| drop(s.remove("second_moment.0"))), "`second_moment.0` is missing"),
        (with(&|s| drop(s.remove("step.0"))), "`step.0` is missing"),
        (
            with(&|s| drop(s.insert("momentum.0".into(), Tensor::zeros([2]).unwrap()))),
            "`momentum.0` is unknown",
        ),
        (with(&|s| drop(s.insert("odd".into(), Tensor::zeros([2]).unwrap()))), "`odd` is unknown"),
        (
            with(&|s| drop(s.insert("step.0".into(), Tensor::from([0.5, 0.0, 0.0, 0.0])))),
            "`step.0` is not four words",
        ),
        (with(&|s| drop(s.insert("step.0".into(), Tensor::from([1.0])))), "`step.0` is not four words"),
        (
            with(&|s| drop(s.insert("learning_rate".into(), words(f64::NAN.to_bits())))),
            "`learning_rate` is not",
        ),
        (
            with(&|s| drop(s.insert("learning_rate".into(), words((-1f64).to_bits())))),
            "`learning_rate` is not",
        ),
        (with(&|s| drop(s.insert("second_moment.0".into(), Tensor::zeros([3]).unwrap()))), "another shape"),
    ];
    for (state, expected) in cases {
        let said = message(adam.load_state(&state));
        assert!(said.contains(expected), "{said}, not {expected}");
        assert_eq!(adam.state(), good, "{expected}");
    }
    assert_eq!(Sgd::<f64>::new(0.1).state().len(), 1, "without momentum there is the rate alone");
}

#[test]
fn a_step_writes_where_the_parameter_and_its_state_are() {
    let w = Var::parameter(Tensor::from([1.0, 2.0, 3.0]));
    let place = |w: &Var<f64>| w.update(|value| value.as_slice().as_ptr());
    let mut adam = AdamW::new(0.1);
    let first = place(&w);
    let gradients = slopes(&w);
    adam.step(&w, &gradients).unwrap();
    let state = |adam: &AdamW<f64>| adam.state()["first_moment."].as_slice().as_ptr();
    let moment = state(&adam);
    adam.step(&w, &gradients).unwrap();
    assert_eq!((place(&w), state(&adam)), (first, moment));
    // A value that somebody else holds is not written into.
    let held = w.value();
    let kept = held.as_slice().to_vec();
    adam.step(&w, &gradients).unwrap();
    assert_eq!(held.as_slice(), kept);
    assert_ne!(place(&w), first);
}

#[test]
fn settings_may_change_on_the_way() {
    let w = Var::parameter(Tensor::from([1.0]));
    let gradients = slopes(&w);
    let mut sgd = Sgd::new(0.1).momentum(0.9);
    sgd.step(&w, &gradients).unwrap();
    let mut plain = sgd.momentum(0.0);
    plain.step(&w, &gradients).unwrap();
    let mut again = plain.momentum(0.9);
    again.step(&w, &gradients).unwrap();
    assert!((w.item().unwrap() - (1.0 - 0.2 - 0.2 - 0.38)).abs() < 1e-15, "{}", w.item().unwrap());
}

#[test]
fn empty_parameters_and_models_are_no_trouble() {
    let w = Var::parameter(Tensor::<f64>::zeros([0]).unwrap());
    let mut gradients = slopes(&w);
    for optimizer in [&mut Adam::new(0.1) as &mut dyn Optimizer<f64>, &mut Sgd::new(0.1).momentum(0.9)] {
        optimizer.step(&w, &gradients).unwrap();
        optimizer.step(&Vec::<Var<f64>>::new(), &gradients).unwrap();
    }
    assert_eq!(clip_grad_norm(&w, &mut gradients, 1.0).unwrap(), 0.0);
}

#[test]
fn an_infinite_gradient_shows_after_clipping() {
    let w = Var::parameter(Tensor::from([1.0, 1.0]));
    let slopes = Var::constant(Tensor::from([f64::INFINITY, 1.0]));
    let mut gradients = w.mul(&slopes).unwrap().sum().unwrap().backward().unwrap();
    assert_eq!(clip_grad_norm(&w, &mut gradients, 1.0).unwrap(), f64::INFINITY);
    let clipped = gradients.get(&w).unwrap().as_slice();
    assert!(clipped[0].is_nan() && clipped[1] == 0.0);
}

#[test]
fn schedules_and_clipping_refuse_what_has_no_meaning() {
    assert!(message(StepDecay::new(0.1, 10.0, 0)).contains("every = 0, allowed: at least 1"));
    assert!(message(StepDecay::new(0.1, 0.5, 3)).contains("divide_by = 0.5"));
    assert!(message(MultiStep::new(0.1, 10.0, &[3, 3])).contains("milestones = [3, 3]"));
    assert!(message(Polynomial::new(0.1, 0.0, 10, 0.0)).contains("power = 0"));
    assert!(message(Cosine::new(0.1, 0.0, 0)).contains("steps = 0"));
    assert!(message(Cosine::new(f64::NAN, 0.0, 9)).contains("peak = NaN"));
    assert!(message(Cosine::new(0.1, 0.0, 9).unwrap().restarts(0)).contains("multiply = 0"));
    assert!(message(OneCycle::new(0.1, 9).unwrap().rise(1.5)).contains("rise = 1.5"));
    assert!(message(OneCycle::new(0.1, 9).unwrap().divisors(0.0, 1.0)).contains("divide_by = 0"));
    assert!(message(Plateau::new(-1.0)).contains("start = -1"));
    assert!(message(Plateau::new(0.1).unwrap().divide_by(0.1)).contains("divide_by = 0.1"));
    let threshold = Plateau::new(0.1).unwrap().threshold(Threshold::Absolute(f64::NAN));
    assert!(message(threshold).contains("threshold = NaN"));
    let w = Var::parameter(Tensor::from([1.0]));
    let mut gradients = slopes(&w);
    assert!(message(clip_grad_norm(&w, &mut gradients, 0.0)).contains("limit = 0, allowed: above 0"));
    assert!(message(clip_grad_value(&w, &mut gradients, f64::NAN)).contains("limit = NaN"));
    let mut plateau = Plateau::new(0.1).unwrap();
    let mut state = plateau.state();
    state.insert("drops".into(), Tensor::scalar(0.5));
    assert!(message(plateau.load_state(&state)).contains("`drops` is no such number"));
    state.remove("drops");
    assert!(message(plateau.load_state(&state)).contains("`drops` is missing"));
    assert_eq!(plateau, Plateau::new(0.1).unwrap());
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let matrix = |n, d| Tensor::<f64>::zeros([n, d]).unwrap();
    assert!(message(GradientNoise::new(&matrix(0, 2))).contains("[N, D] with a sample at least"));
    let noise = GradientNoise::new(&matrix(3, 2)).unwrap();
    assert!(message(noise.variance(0, Sampling::WithReplacement)).contains("m = 0"));
    assert!(message(noise.variance(4, Sampling::WithoutReplacement)).contains("m = 4"));
    assert!(noise.variance(4, Sampling::WithReplacement).is_ok());
    assert!(message(noise.batch(&[])).contains("samples = 0"));
    assert!(noise.batch(&[3]).is_err());
    assert!(BiasVariance::new(&matrix(0, 2), &matrix(1, 2)).is_err());
    assert!(message(BiasVariance::new(&matrix(2, 2), &matrix(1, 3))).contains("[2] or [R, 2]"));
    assert!(ZeroOne::new(&Tensor::zeros([2, 2]).unwrap(), &Tensor::zeros([3]).unwrap()).is_err());
    assert!(message(bootstrap(0, 3, &mut ChaCha8Rng::seed_from_u64(1))).contains("n = 0"));
    let truth = Tensor::zeros([3]).unwrap();
    assert!(ridge_curves(&matrix(2, 2), &truth, 1.0, &[]).is_err());
    assert!(message(ridge_curves(&matrix(3, 2), &truth, 1.0, &[-1.0])).contains("lambda = -1"));
    assert!(message(ridge_curves(&matrix(3, 2), &truth, f64::NAN, &[])).contains("sigma = NaN"));
}
