//! A run against one written by hand, divergence, checkpoints good and bad, watching and stopping.
#![allow(clippy::unwrap_used)] // helpers of the tests

mod common;

use common::{Toy, data, loss, run_toy};
use gradus_autograd::{Layer, Mode, Parameters, Var};
use gradus_losses::CrossEntropy;
use gradus_optimization::{Adam, Cosine, Optimizer, Plateau, Sgd};
use gradus_tensor::{Tensor, load_safetensors, save_safetensors};
use gradus_training::{
    Batches, Checkpoint, EarlyStopping, Ended, EpochRecord, Error, Evaluation, Observer, StepRecord, Trainer,
    step_rng,
};
use std::cell::Cell;
use std::ops::ControlFlow;

#[test]
fn the_loop_is_the_one_that_anyone_would_write() {
    let images = data();
    let (net, by_hand) = (Toy::new(3), Toy::new(3));
    let mut sgd = Sgd::new(0.1).momentum(0.9);
    let batches = Batches::new(images.len(), 50).unwrap().shuffled();
    let schedule = Cosine::new(0.1, 0.01, 100).unwrap();
    let trainer = Trainer::new(&net, &mut sgd, batches.clone()).epochs(2).seed(9).schedule(schedule);
    let report = trainer.run(|numbers, mode| loss(&net, &images, numbers, mode)).unwrap();

    let mut sgd = Sgd::new(0.1).momentum(0.9);
    let mut step = 0;
    for epoch in 0..2 {
        let (mut sum, mut hits) = (0.0, 0);
        for (s, numbers) in batches.epoch(9, epoch).iter().enumerate() {
            let (x, y) = images.batch::<f32>(numbers).unwrap();
            let x = Var::constant(x.reshape([numbers.len(), 64]).unwrap());
            let mut rng = step_rng(9, epoch, s as u64);
            let scores = by_hand.forward(&x, &mut Mode::Train(&mut rng)).unwrap();
            let loss = Var::apply(CrossEntropy::new(&y), [&scores]).unwrap();
            let best = scores.value().argmax_axis(1).unwrap();
            hits += best.as_slice().iter().zip(y.as_slice()).filter(|(a, b)| a == b).count();
            sum += f64::from(loss.item().unwrap()) * numbers.len() as f64;
            let gradients = loss.backward().unwrap();
            let t: f64 = f64::from(step) / 100.0;
            sgd.set_learning_rate(0.01 + 0.045 * (1.0 + (std::f64::consts::PI * t).cos())).unwrap();
            sgd.step(&by_hand, &gradients).unwrap();
            step += 1;
        }
        let record = report.history.epochs[epoch as usize];
        assert!((record.loss - sum / images.len() as f64).abs() < 1e-9, "{record}");
        assert_eq!(record.accuracy, Some(hits as f64 / images.len() as f64));
        assert_eq!((record.epoch, record.samples), (epoch, images.len() as u64));
    }
    // The rates agree to the last digits of double precision, the weights to those of single.
    for (name, ours) in net.state() {
        let theirs = &by_hand.state()[&name];
        let apart = ours.sub(theirs).unwrap().abs().max().unwrap();
        assert!(apart < 1e-5, "{name}: {apart}");
    }
    assert_eq!((report.ended, report.history.epochs.len()), (Ended::Epochs, 2));
}

/// A parameter w with the loss factor·w, and what becomes of it.
fn diverging(factor: f32, w: f32, rate: f64) -> (Error, f32) {
    let w = Var::parameter(Tensor::from([w]));
    let mut sgd = Sgd::new(rate);
    let trainer = Trainer::new(&w, &mut sgd, Batches::new(4, 1).unwrap()).epochs(3);
    // (factor·w²): its gradient is 2·factor·w.
    let error = trainer.run(|_, _| Ok(w.mul(&w)?.scale(factor)?.sum()?.into())).unwrap_err();
    let value = w.value().as_slice()[0];
    (error, value)
}

#[test]
fn what_is_not_finite_ends_the_run_with_its_place_and_name() {
    // w grows by a factor of −10⁶ a step: 10¹⁸ squared is finite in single precision, 10²⁴ is not.
    let (error, w) = diverging(0.5, 1.0, 1e6);
    let message = error.to_string();
    assert!(message.contains("epoch 0, step 4") || message.contains("epoch 1, step 0"), "{message}");
    assert!(message.contains("the loss holds inf") && w.is_finite(), "{message}, {w}");
    // A NaN in a parameter is named.
    let (error, _) = diverging(1.0, f32::NAN, 0.1);
    assert!(
        matches!(&error, Error::Diverged { epoch: 0, step: 0, tensor, value } if tensor == "the parameter ``" && value.is_nan())
    );
    // A finite loss with a gradient that is not: √x at 0 has an infinite slope.
    let w = Var::parameter(Tensor::from([1.0f32, 0.0]));
    let mut sgd = Sgd::new(0.1);
    let trainer = Trainer::new(&w, &mut sgd, Batches::new(4, 2).unwrap());
    let error = trainer.run(|_, _| Ok(w.sqrt()?.sum()?.into())).unwrap_err();
    assert!(
        matches!(&error, Error::Diverged { tensor, value, .. } if tensor == "the gradient of ``" && *value == f64::INFINITY),
        "{error}"
    );
    assert_eq!(w.value(), [1.0, 0.0].into(), "the step was not made");
}

#[test]
fn a_run_that_is_interrupted_anywhere_has_the_bits_of_one_that_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let images = data();
    let whole = run_toy(&images, None, u64::MAX).unwrap();
    for stop in [1, 7, 18, 19, 36, 40, 53] {
        let file = folder.path().join(format!("{stop}.safetensors"));
        assert_eq!(run_toy(&images, Some(&file), stop), None, "stopped");
        let (state, history) = run_toy(&images, Some(&file), u64::MAX).unwrap();
        assert_eq!((&state, &history), (&whole.0, &whole.1), "{stop}");
    }
    let left = std::fs::read_dir(folder.path())
        .unwrap()
        .filter(|e| e.as_ref().unwrap().path().extension().is_none_or(|x| x != "safetensors"));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_checkpoint_is_read_as_it_was_written_and_bad_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.safetensors");
    let images = data();
    run_toy(&images, Some(&file), 25);
    let good = Checkpoint::<f32>::load(&file).unwrap();
    assert_eq!((good.seed, good.epoch, good.step), (11, 1, 7));
    assert_eq!(good.history.epochs.len(), 1);
    assert!(good.model.contains_key("fc1.weight") && good.best.is_some() && !good.optimizer.is_empty());
    let copy = folder.path().join("copy.safetensors");
    good.save(&copy).unwrap();
    assert_eq!(std::fs::read(&copy).unwrap(), std::fs::read(&file).unwrap());

    // Cut anywhere, it is refused and nothing panics.
    let bytes = std::fs::read(&file).unwrap();
    for cut in (0..bytes.len()).step_by(101) {
        std::fs::write(&copy, &bytes[..cut]).unwrap();
        assert!(Checkpoint::<f32>::load(&copy).is_err(), "{cut}");
    }
    // Another element type, another layout, a foreign tensor, one that is missing.
    assert!(
        Checkpoint::<f64>::load(&file).unwrap_err().to_string().contains("has the type F32 (allowed: F64)")
    );
    let tensors = load_safetensors(&file).unwrap();
    let changed = |change: &dyn Fn(&mut std::collections::BTreeMap<String, gradus_tensor::AnyTensor>)| {
        let mut tensors = tensors.clone();
        change(&mut tensors);
        save_safetensors(&copy, &tensors).unwrap();
        Checkpoint::<f32>::load(&copy).unwrap_err().to_string()
    };
    assert!(changed(&|t| drop(t.remove("run.words"))).contains("no checkpoint"));
    assert!(
        changed(&|t| drop(t.insert("other".into(), Tensor::from([1.0f32]).into())))
            .contains("`other` is nothing")
    );
    assert!(
        changed(&|t| drop(t.insert("run.words".into(), Tensor::from([[2u32, 0]]).into())))
            .contains("layout 2 (allowed: 1)")
    );
    assert!(
        changed(&|t| drop(t.insert("run.history".into(), Tensor::from([[1.0f64]]).into())))
            .contains("no checkpoint")
    );

    // Another run: other batches, another seed, another model.
    let attempt = |size: usize, seed: u64, net: &Toy<f32>| {
        let mut sgd = Sgd::new(0.1).momentum(0.9);
        let batches = Batches::new(images.len(), size).unwrap().stratified(images.classes()).unwrap();
        let trainer =
            Trainer::new(net, &mut sgd, batches).epochs(3).seed(seed).checkpoint(&file).resume(true);
        trainer.run(|numbers, mode| loss(net, &images, numbers, mode)).unwrap_err().to_string()
    };
    assert!(attempt(99, 11, &Toy::new(0)).contains("another run"));
    assert!(attempt(100, 12, &Toy::new(0)).contains("another run"));
    let narrow = Toy::sized(0, 9);
    assert!(attempt(100, 11, &narrow).contains("fc1"), "{}", attempt(100, 11, &narrow));
}

/// The history of a run whose validation losses are given.
fn with_losses(
    losses: &[f64],
    change: impl for<'a> FnOnce(Trainer<'a, f64>) -> Trainer<'a, f64>,
) -> (Vec<EpochRecord>, f64, Ended) {
    let w = Var::parameter(Tensor::from([0.0f64]));
    let mut sgd = Sgd::new(1.0);
    let epoch = Cell::new(0);
    let trainer =
        Trainer::new(&w, &mut sgd, Batches::new(1, 1).unwrap()).epochs(losses.len() as u64).validate(|| {
            epoch.set(epoch.get() + 1);
            Ok(Evaluation { loss: losses[epoch.get() - 1], accuracy: None })
        });
    // −w: each step adds the rate to w, so w is the number of the epochs at rate 1.
    let report = change(trainer).run(|_, _| Ok(w.scale(-1.0)?.sum()?.into())).unwrap();
    (report.history.epochs, w.item().unwrap(), report.ended)
}

#[test]
fn it_stops_early_and_keeps_the_best() {
    let losses = [3.0, 2.0, 1.0, 1.5, 1.2, 0.1];
    let rule = EarlyStopping::new(2).unwrap();
    let (epochs, w, ended) = with_losses(&losses, |t| t.early_stopping(rule));
    assert_eq!((epochs.len(), w, ended), (5, 5.0, Ended::Early));
    let (epochs, w, _) = with_losses(&losses, |t| t.early_stopping(rule).keep_best());
    assert_eq!((epochs.len(), w), (5, 3.0));
    let (epochs, w, ended) = with_losses(&losses[..5], |t| t.keep_best());
    assert_eq!((epochs.len(), w, ended), (5, 3.0, Ended::Epochs));
    // Divided by ten after one bad epoch in a row: the rates of the epochs.
    let plateau = Plateau::new(1.0).unwrap().patience(0);
    let (epochs, ..) = with_losses(&losses, |t| t.plateau(plateau.clone()));
    let rates: Vec<f64> = epochs.iter().map(|e| e.learning_rate).collect();
    assert_eq!(rates, [1.0, 1.0, 1.0, 1.0, 0.1, 0.01]);
    let both = std::panic::AssertUnwindSafe(|| {
        with_losses(&losses, |t| t.plateau(plateau).schedule(Cosine::new(1.0, 0.0, 5).unwrap()))
    });
    assert!(std::panic::catch_unwind(both).is_err(), "a schedule and a plateau are refused");
}

#[test]
fn a_watcher_sees_every_step_and_may_end_the_run() {
    struct Watcher(Vec<(u64, u64)>, usize);
    impl Observer for Watcher {
        fn step(&mut self, r: &StepRecord) -> ControlFlow<()> {
            self.0.push((r.epoch, r.step));
            if self.0.len() == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
        fn epoch(&mut self, _: &EpochRecord) -> ControlFlow<()> {
            self.1 += 1;
            ControlFlow::Continue(())
        }
    }
    let w = Var::parameter(Tensor::from([1.0f64]));
    let mut adam = Adam::new(0.1);
    let mut watcher = Watcher(Vec::new(), 0);
    let trainer = Trainer::new(&w, &mut adam, Batches::new(6, 2).unwrap()).epochs(9).observer(&mut watcher);
    let report = trainer.run(|_, _| Ok(w.mul(&w)?.sum()?.into())).unwrap();
    assert_eq!(report.ended, Ended::Observer);
    assert_eq!(watcher.0, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0)]);
    assert_eq!(watcher.1, 2);
}

#[test]
fn clipping_shortens_what_is_too_long() {
    let moved = |clip: fn(Trainer<'_, f64>) -> Trainer<'_, f64>| {
        let w = Var::parameter(Tensor::from([0.0f64, 0.0]));
        let mut sgd = Sgd::new(1.0);
        let slope = Var::constant(Tensor::from([-30.0, -40.0]));
        let trainer = clip(Trainer::new(&w, &mut sgd, Batches::new(1, 1).unwrap()));
        trainer.run(|_, _| Ok(w.mul(&slope)?.sum()?.into())).unwrap();
        w.value()
    };
    assert_eq!(moved(|t| t), [30.0, 40.0].into());
    assert_eq!(moved(|t| t.clip_norm(5.0)), [3.0, 4.0].into());
    assert_eq!(moved(|t| t.clip_value(35.0)), [30.0, 35.0].into());
}

#[test]
fn what_cannot_be_run_is_refused() {
    let w = Var::parameter(Tensor::from([0.0f64]));
    let mut sgd = Sgd::new(1.0);
    let none = Batches::new(3, 4).unwrap().drop_last();
    assert!(none.is_empty());
    let run = |t: Trainer<'_, f64>| t.run(|_, _| Ok(w.sum()?.into())).unwrap_err().to_string();
    assert!(run(Trainer::new(&w, &mut sgd, none)).contains("batches = 0"));
    let batches = Batches::new(3, 4).unwrap();
    assert!(
        run(Trainer::new(&w, &mut sgd, batches.clone()).checkpoint_every(0)).contains("checkpoint_every = 0")
    );
    let nowhere = Trainer::new(&w, &mut sgd, batches.clone()).checkpoint("/no such folder/c.safetensors");
    assert!(run(nowhere).contains("/no such folder/c.safetensors"));
    for error in [Batches::new(0, 1), Batches::new(1, 0), Batches::new(1 << 33, 5)].map(Result::unwrap_err) {
        assert!(matches!(error, Error::Argument { .. }), "{error}");
    }
    assert!(batches.stratified(&[1u32, 2].into()).is_err());
    // The caller's own error comes out as it went in.
    let one = Batches::new(1, 1).unwrap();
    let error = Trainer::new(&w, &mut sgd, one).run(|_, _| Err(Error::other("no such file"))).unwrap_err();
    assert_eq!(error.to_string(), "no such file");
}

#[test]
fn a_history_is_a_table_and_a_picture() {
    let images = data();
    let (_, history) = run_toy(&images, None, u64::MAX).unwrap();
    let csv = history.to_csv();
    let table = gradus_datasets::Table::parse(&csv).unwrap();
    assert_eq!((table.rows(), table.names()[..3].to_vec()), (3, vec!["epoch", "loss", "accuracy"]));
    assert_eq!(table.column("loss").unwrap().get([2]).unwrap(), history.epochs[2].loss);
    let svg = history.to_svg().unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") && !svg.contains("NaN"));
    assert!(
        ["accuracy", "loss", "validation", "training", "epoch"].iter().all(|word| svg.contains(word)),
        "{svg}"
    );
    // One epoch, and none.
    let mut one = history.clone();
    one.epochs.truncate(1);
    one.epochs[0].loss = f64::INFINITY;
    assert!(one.to_svg().unwrap().contains("validation"));
    one.epochs.clear();
    assert!(one.to_svg().unwrap().starts_with("<svg"));
    assert_eq!(one.to_csv().lines().count(), 1);
}
