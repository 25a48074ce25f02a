//! The graph's own promises: long chains, forks, freeing, refusals.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_autograd::ops::{Permute, PowF, PowI, Slice};
use gradus_autograd::{Buffer, Error, Mode, Op, OpMany, Parameters, SlotMut, Var, no_grad, parameters};
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

#[test]
fn a_cotangent_is_not_stretched() {
    let x = Var::parameter(Tensor::from([1.0, 2.0]));
    for cotangent in [Tensor::scalar(1.0), Tensor::from([1.0]), Tensor::from([[1.0, 1.0]])] {
        let text = x.exp().unwrap().backward_with(&cotangent).unwrap_err().to_string();
        assert!(text.contains("the shape of the value"), "{text}");
    }
    // Nor is it computed with: −0 stays −0.
    let gradients = x.backward_with(&Tensor::from([-0.0, 1.0])).unwrap();
    assert!(gradients.get(&x).unwrap().same_bits(&Tensor::from([-0.0, 1.0])));
}

/// An operation whose `vjp` gives whatever it is told to.
struct Wrong(Vec<Option<Tensor<f64>>>);

impl Op<f64, 1> for Wrong {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<f64>; 1]) -> Result<(Tensor<f64>, ())> {
        Ok((x.clone(), ()))
    }

    fn vjp(
        &self,
        _: [&Tensor<f64>; 1],
        _: &(),
        _: &Tensor<f64>,
        _: [bool; 1],
    ) -> Result<[Option<Tensor<f64>>; 1]> {
        Ok([self.0[0].clone()])
    }
}

impl OpMany<f64> for Wrong {
    type Saved = ();

    fn forward(&self, inputs: &[&Tensor<f64>]) -> Result<(Tensor<f64>, ())> {
        Ok((inputs[0].clone(), ()))
    }

    fn vjp(
        &self,
        _: &[&Tensor<f64>],
        _: &(),
        _: &Tensor<f64>,
        _: &[bool],
    ) -> Result<Vec<Option<Tensor<f64>>>> {
        Ok(self.0.clone())
    }
}

#[test]
fn a_vjp_that_breaks_its_contract_is_an_error_and_not_a_gradient() {
    let x = Var::parameter(Tensor::from([1.0, 2.0]));
    let dy = Tensor::from([1.0, 1.0]);
    let y = Var::apply(Wrong(vec![Some(Tensor::scalar(1.0))]), [&x]).unwrap();
    let text = y.backward_with(&dy).unwrap_err().to_string();
    assert!(text.contains("another shape than its input") && text.contains("[2]"), "{text}");
    let y = Var::apply_many(Wrong(vec![Some(dy.clone())]), &[&x, &x]).unwrap();
    let text = y.backward_with(&dy).unwrap_err().to_string();
    assert!(text.contains("one for each of 2 inputs"), "{text}");
}

#[test]
fn operations_refuse_what_does_not_fit_in_their_derivative_too() {
    let x = Tensor::from([1.0, 2.0, 3.0]);
    assert!(Slice { axis: 0, range: 1..9 }.vjp([&x], &(), &x, [true]).is_err());
    assert!(Slice { axis: 4, range: 0..1 }.vjp([&x], &(), &x, [true]).is_err());
    assert!(Permute(vec![3]).vjp([&x], &(), &x, [true]).is_err());
    assert!(Permute(vec![0, 0]).vjp([&Tensor::from([[1.0]])], &(), &Tensor::from([[1.0]]), [true]).is_err());
}

#[test]
fn powers_at_their_edges() {
    let x = Tensor::from([0.0, -2.0, 2.0]);
    let slopes = |gradient: Result<[Option<Tensor<f64>>; 1]>| gradient.unwrap()[0].clone().unwrap();
    let dy = Tensor::from([1.0; 3]);
    assert_eq!(slopes(PowF(0.0).vjp([&x], &(), &dy, [true])), Tensor::from([0.0; 3]), "x⁰ is 1 everywhere");
    assert_eq!(slopes(PowI(0).vjp([&x], &(), &dy, [true])), Tensor::from([0.0; 3]));
    assert_eq!(slopes(PowI(1).vjp([&x], &(), &dy, [true])), Tensor::from([1.0; 3]));
    assert_eq!(slopes(PowI(-1).vjp([&x], &(), &dy, [true])), Tensor::from([f64::NEG_INFINITY, -0.25, -0.25]));
    let ones = Tensor::from([1.0, -1.0]);
    let n = f64::from(i32::MIN);
    let dy = Tensor::from([1.0; 2]);
    assert_eq!(slopes(PowI(i32::MIN).vjp([&ones], &(), &dy, [true])), Tensor::from([n, -n]));
}

struct Tied<T: Scalar> {
    encoder: Var<T>,
    decoder: Var<T>,
    r#type: Option<Var<T>>,
}
parameters!(Tied<T> { encoder, decoder, r#type });

struct Empty<T: Scalar>(std::marker::PhantomData<T>);
#[deny(unused)]
mod without_fields {
    use super::Empty;
    gradus_autograd::parameters!(Empty<T> {});
}

#[test]
fn tied_parameters_count_once_and_names_are_plain() {
    let weight = || Var::parameter(Tensor::from([1.0, 2.0]));
    let mut model = Tied { encoder: weight(), decoder: weight(), r#type: Some(weight()) };
    assert_eq!(model.parameter_count(), 6);
    assert_eq!(model.state().keys().collect::<Vec<_>>(), ["decoder", "encoder", "type"]);
    let shared = model.encoder.clone();
    model.visit_mut(&mut Default::default(), &mut |name, slot| {
        if let (SlotMut::Parameter(p), "decoder") = (slot, name) {
            *p = shared.clone();
        }
    });
    assert_eq!(model.parameter_count(), 4);
    assert_eq!(Empty::<f64>(std::marker::PhantomData).parameter_count(), 0);
}

#[test]
fn a_deep_graph_shared_by_threads_is_dropped_once_and_by_whoever_is_last() {
    let alive = Arc::new(AtomicUsize::new(0));
    let x = Var::parameter(Tensor::from([1.0]));
    for _ in 0..20 {
        let top = (0..2000).fold(x.clone(), |v, _| Var::apply(Twice(Arc::clone(&alive)), [&v]).unwrap());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let copy = top.clone();
                std::thread::Builder::new()
                    .stack_size(64 * 1024)
                    .spawn_scoped(scope, move || drop(copy))
                    .unwrap();
            }
            drop(top);
        });
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn no_grad_nests_and_stays_in_its_thread() {
    let x = Var::parameter(Tensor::from([1.0]));
    no_grad(|| {
        no_grad(|| assert!(!x.exp().unwrap().is_tracked()));
        assert!(!x.exp().unwrap().is_tracked(), "the inner one does not turn recording on");
        std::thread::scope(|s| s.spawn(|| assert!(x.exp().unwrap().is_tracked())).join().unwrap());
    });
    assert!(x.exp().unwrap().is_tracked());
}

#[test]
fn what_was_saved_is_handed_back_with_or_without_a_graph() {
    let x = Tensor::from([1.0, 2.0]);
    for (var, tracked) in [(Var::parameter(x.clone()), true), (Var::constant(x.clone()), false)] {
        let (y, saved) = Var::apply_saved(gradus_autograd::ops::Exp, [&var]).unwrap();
        assert_eq!((y.value(), y.is_tracked()), ((*saved).clone(), tracked));
        if tracked {
            let gradients = y.backward_with(&Tensor::from([1.0, 10.0])).unwrap();
            assert_eq!(gradients.get(&var), Some(&saved.mul(&Tensor::from([1.0, 10.0])).unwrap()));
        }
    }
}

/// Tells which inputs' gradients it was asked for.
struct Asked(Arc<std::sync::Mutex<Vec<bool>>>);

impl Op<f64, 2> for Asked {
    type Saved = ();

    fn forward(&self, [x, _]: [&Tensor<f64>; 2]) -> Result<(Tensor<f64>, ())> {
        Ok((x.clone(), ()))
    }

    fn vjp(
        &self,
        _: [&Tensor<f64>; 2],
        _: &(),
        dy: &Tensor<f64>,
        wants: [bool; 2],
    ) -> Result<[Option<Tensor<f64>>; 2]> {
        *self.0.lock().unwrap() = wants.to_vec();
        Ok([Some(dy.clone()), Some(dy.clone())])
    }
}

impl OpMany<f64> for Asked {
    type Saved = ();

    fn forward(&self, inputs: &[&Tensor<f64>]) -> Result<(Tensor<f64>, ())> {
        Ok((inputs[0].clone(), ()))
    }

    fn vjp(
        &self,
        _: &[&Tensor<f64>],
        _: &(),
        dy: &Tensor<f64>,
        wants: &[bool],
    ) -> Result<Vec<Option<Tensor<f64>>>> {
        *self.0.lock().unwrap() = wants.to_vec();
        Ok(vec![Some(dy.clone()); wants.len()])
    }
}

#[test]
fn only_what_is_tracked_is_asked_for_and_given() {
    let asked = Arc::default();
    let op = || Asked(Arc::clone(&asked));
    let (x, data) = (Var::parameter(Tensor::from([1.0])), Var::constant(Tensor::from([2.0])));
    for (inputs, wants) in
        [([&x, &data], [true, false]), ([&data, &x], [false, true]), ([&x, &x], [true, true])]
    {
        for y in [Var::apply(op(), inputs).unwrap(), Var::apply_many(op(), &inputs).unwrap()] {
            let gradients = y.backward().unwrap();
            assert_eq!(*asked.lock().unwrap(), wants);
            assert_eq!((gradients.len(), gradients.get(&data)), (1, None));
        }
    }
    let quiet = [Var::apply(op(), [&data, &data]).unwrap(), Var::apply_many(op(), &[&data]).unwrap()];
    assert!(quiet.iter().all(|y| !y.is_tracked() && y.backward().unwrap_err() == Error::Untracked));
}

#[test]
fn gradients_of_a_fork_add_up_inside_and_at_the_leaves() {
    let x = Var::parameter(Tensor::from([2.0]));
    let square = x.mul(&x).unwrap(); // x²
    let fork = square.mul(&square).unwrap().add(&square).unwrap().sub(&x).unwrap(); // x⁴ + x² − x
    assert_eq!(fork.backward().unwrap().get(&x), Some(&Tensor::from([35.0])));
    let y = Var::concatenate(&[&x, &x, &x], 0).unwrap();
    let gradients = y.backward_with(&Tensor::from([1.0, 10.0, 100.0])).unwrap();
    assert_eq!(gradients.get(&x), Some(&Tensor::from([111.0])));
}

#[test]
fn methods_of_a_variable_are_the_tensors() {
    let x = Tensor::from_fn([2, 3, 4], |i| (12 * i[0] + 4 * i[1] + i[2]) as f64).unwrap();
    let v = Var::parameter(x.clone());
    assert_eq!(v.transpose().unwrap().value(), x.transpose().unwrap());
    for axis in 0..3 {
        assert_eq!(v.select(axis, 1).unwrap().value(), x.select(axis, 1).unwrap());
        assert_eq!(v.insert_axis(axis).unwrap().value(), x.insert_axis(axis).unwrap());
        assert_eq!(Var::stack(&[&v, &v], axis).unwrap().value(), Tensor::stack(&[&x, &x], axis).unwrap());
        assert!(v.select(axis, 4).is_err() && v.remove_axis(axis).is_err());
    }
    assert!(v.select(3, 0).is_err() && Var::<f64>::stack(&[], 0).is_err());
    assert!(Var::parameter(Tensor::from([1.0])).transpose().is_err());
}

#[test]
fn lists_are_numbered_from_nought_and_visited_in_order() {
    let weight = |x: f64| Var::parameter(Tensor::from([x]));
    let mut list = vec![Some(weight(1.0)), None, Some(weight(3.0))];
    let names: Vec<_> = list.named_parameters().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["0", "2"]);
    let mut seen = Vec::new();
    list.visit_mut(&mut Default::default(), &mut |name, _| seen.push(name.to_owned()));
    assert_eq!(seen, names);
    let mut nested = vec![vec![Box::new(weight(1.0))], vec![Box::new(weight(2.0)), Box::new(weight(3.0))]];
    assert_eq!(nested.state().keys().collect::<Vec<_>>(), ["0.0", "1.0", "1.1"]);
    seen.clear();
    nested.visit_mut(&mut Default::default(), &mut |name, _| seen.push(name.to_owned()));
    assert_eq!(seen, ["0.0", "1.0", "1.1"]);
}

#[test]
fn a_mode_stays_what_it_is_when_it_is_lent() {
    let mut rng = gradus_tensor::rng(0);
    let mut train = Mode::Train(&mut rng);
    assert!(train.is_train() && train.reborrow().is_train() && train.is_train());
    assert!(!Mode::Eval.is_train() && !Mode::Eval.reborrow().is_train());
}
