//! The graph's own promises: long chains, forks, freeing, refusals.

use gradus_autograd::{Buffer, Error, Op, Parameters, Var, no_grad, parameters};
use gradus_tensor::{Result, Scalar, Tensor};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_long_chain_overflows_no_stack() {
    // In a thread with a small stack: a call a node would need far more.
    let small = std::thread::Builder::new().stack_size(128 * 1024);
    let run = || {
        let x = Var::parameter(Tensor::from([1.0f64]));
        let chain = |n: usize| (0..n).fold(x.clone(), |v, _| v.scale(1.0).unwrap());
        let gradient = chain(100_000).backward().unwrap();
        assert_eq!(gradient.get(&x), Some(&Tensor::from([1.0])));
        drop(chain(100_000)); // dropped without a backward pass
    };
    small.spawn(run).unwrap().join().unwrap();
}

/// Counts how many of it are alive.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Twice(Arc<AtomicUsize>);

impl Op<f64, 1> for Twice {
    type Saved = Counted;

    fn forward(&self, [x]: [&Tensor<f64>; 1]) -> Result<(Tensor<f64>, Counted)> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok((x.scale(2.0), Counted(Arc::clone(&self.0))))
    }

    fn vjp(
        &self,
        _: [&Tensor<f64>; 1],
        _: &Counted,
        dy: &Tensor<f64>,
        _: [bool; 1],
    ) -> Result<[Option<Tensor<f64>>; 1]> {
        Ok([Some(dy.scale(2.0))])
    }

    fn eval(&self, [x]: [&Tensor<f64>; 1]) -> Result<Tensor<f64>> {
        Ok(x.scale(2.0)) // saves nothing
    }
}

#[test]
fn nothing_leaks_and_backward_frees_what_it_used() {
    let alive = Arc::new(AtomicUsize::new(0));
    let x = Var::parameter(Tensor::from([1.0]));
    let chain = || {
        (0..1000)
            .fold(x.clone(), |v, _| Var::apply(Twice(Arc::clone(&alive)), [&v]).unwrap().scale(0.5).unwrap())
    };
    let y = chain();
    assert_eq!(alive.load(Ordering::SeqCst), 1000);
    y.backward().unwrap();
    assert_eq!(alive.load(Ordering::SeqCst), 0, "used up though the result is still held");
    drop(y);
    let z = chain();
    let half_way = chain();
    drop(z);
    assert_eq!(alive.load(Ordering::SeqCst), 1000);
    drop(half_way);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn nothing_is_saved_where_nothing_is_tracked() {
    let alive = Arc::new(AtomicUsize::new(0));
    let twice = |v: &Var<f64>| Var::apply(Twice(Arc::clone(&alive)), [v]).unwrap();
    let constant = twice(&Var::constant(Tensor::from([1.0])));
    let x = Var::parameter(Tensor::from([1.0]));
    let quiet = no_grad(|| twice(&x));
    assert_eq!(alive.load(Ordering::SeqCst), 0);
    assert!(!constant.is_tracked() && !quiet.is_tracked());
    assert!(std::panic::catch_unwind(|| no_grad(|| panic!("inside"))).is_err());
    assert!(twice(&x).is_tracked(), "recording is on again after a panic");
}

#[test]
fn a_diamond_sums() {
    let x = Var::parameter(Tensor::from([3.0]));
    let y = x.mul(&x).unwrap().add(&x).unwrap(); // x² + x
    assert_eq!(y.backward().unwrap().get(&x), Some(&Tensor::from([7.0])));
}

#[test]
fn what_backward_refuses() {
    let x = Var::parameter(Tensor::from([1.0, 2.0]));
    assert_eq!(x.exp().unwrap().backward().unwrap_err(), Error::NotScalar { shape: x.shape() });
    let constant = Var::constant(Tensor::from([1.0]));
    assert_eq!(constant.backward().unwrap_err(), Error::Untracked);
    let y = x.sum().unwrap();
    y.backward().unwrap();
    assert_eq!(y.backward().unwrap_err(), Error::Consumed);
    let shared = x.exp().unwrap();
    shared.sum().unwrap().backward().unwrap();
    let text = shared.mean().unwrap().backward().unwrap_err().to_string();
    assert!(text.contains("used up by an earlier backward pass; compute the value again"), "{text}");
    assert!(x.exp().unwrap().backward_with(&Tensor::from([1.0, 1.0, 1.0])).is_err());
}

#[test]
fn a_parameter_alone_is_its_own_gradient() {
    let x = Var::parameter(Tensor::from([2.0]));
    let mut gradients = x.backward().unwrap();
    assert_eq!(gradients.take(&x), Some(Tensor::from([1.0])));
    assert!(gradients.is_empty());
}

#[test]
fn an_update_does_not_change_a_recorded_pass() {
    let w = Var::parameter(Tensor::from([3.0]));
    let y = w.mul(&w).unwrap();
    w.update(|value| *value = Tensor::from([100.0]));
    assert_eq!(
        y.backward().unwrap().get(&w),
        Some(&Tensor::from([6.0])),
        "the gradient at the recorded value"
    );
    // With the graph gone, the update is in place.
    let before = w.value().as_slice().as_ptr();
    w.update(|value| value.as_mut_slice()[0] = 5.0);
    assert_eq!(w.value().as_slice().as_ptr(), before);
    assert_eq!(w.item().unwrap(), 5.0);
}

struct Norm<T: Scalar> {
    weight: Var<T>,
    running_mean: Buffer<T>,
}
parameters!(Norm<T> { weight, running_mean });

#[test]
fn state_is_loaded_whole_or_not_at_all() {
    let norm = Norm {
        weight: Var::parameter(Tensor::from([1.0, 2.0])),
        running_mean: Buffer::new(Tensor::from([0.0])),
    };
    assert_eq!(norm.parameter_count(), 2);
    let mut state = norm.state();
    assert_eq!(state.keys().collect::<Vec<_>>(), ["running_mean", "weight"]);
    state.insert("weight".into(), Tensor::from([5.0, 6.0]));
    norm.load_state(&state).unwrap();
    assert_eq!(norm.weight.value(), Tensor::from([5.0, 6.0]));

    state.insert("weights".into(), Tensor::from([0.0]));
    let text = norm.load_state(&state).unwrap_err().to_string();
    assert!(text.contains("`weights`") && text.contains("nearest: weight"), "{text}");
    state.remove("weights");
    state.insert("running_mean".into(), Tensor::from([9.0]));
    state.insert("weight".into(), Tensor::from([5.0]));
    let text = norm.load_state(&state).unwrap_err().to_string();
    assert!(text.contains("`weight` has the shape [2], the state has [1]"), "{text}");
    assert_eq!(norm.running_mean.value(), Tensor::from([0.0]), "nothing was loaded");
    state.remove("weight");
    assert_eq!(norm.load_state(&state).unwrap_err(), Error::Missing { name: "weight".into() });
}
