//! A small network on the digits of 8 × 8 pixels, with dropout, so that a step draws something.
#![allow(dead_code)] // each test file uses what it needs

use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Parameters, Var, parameters};
use gradus_datasets::Images;
use gradus_layers::{Dropout, Linear};
use gradus_losses::CrossEntropy;
use gradus_optimization::{OneCycle, Sgd};
use gradus_tensor::Scalar;
use gradus_training::{
    Batches, Ended, Evaluation, History, Observer, Result, Scored, State, StepRecord, Trainer, correct,
    evaluate,
};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use sha2::{Digest, Sha256};
use std::ops::ControlFlow;
use std::path::Path;

/// Pixels to features, some of them dropped, to scores.
pub(crate) struct Toy<T: Scalar> {
    pub(crate) fc1: Linear<T>,
    pub(crate) fc2: Linear<T>,
    dropout: f64,
}

parameters!(Toy<T> { fc1, fc2 });

impl Toy<f32> {
    pub(crate) fn new(seed: u64) -> Self {
        Self::sized(seed, 16)
    }

    pub(crate) fn sized(seed: u64, width: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let [fc1, fc2] = [(64, width), (width, 10)].map(|(d, k)| Linear::new(d, k, &mut rng).unwrap());
        Self { fc1, fc2, dropout: 0.1 }
    }
}

impl<T: Scalar> Toy<T> {
    /// These two layers, and no dropout.
    pub(crate) fn of(fc1: Linear<T>, fc2: Linear<T>) -> Self {
        Self { fc1, fc2, dropout: 0.0 }
    }
}

impl<T: Scalar> Layer<T> for Toy<T> {
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> gradus_tensor::Result<Var<T>> {
        let hidden = self.fc1.forward(x, mode)?.relu()?;
        let dropout: &dyn Layer<T> = &Dropout::new(self.dropout)?;
        self.fc2.forward(&dropout.forward(&hidden, mode)?, mode)
    }
}

/// The digits.
pub(crate) fn data() -> Images {
    Images::digits().unwrap()
}

/// Loss and hits of a batch.
pub(crate) fn loss(
    net: &Toy<f32>,
    images: &Images,
    numbers: &[u32],
    mode: &mut Mode<'_>,
) -> Result<Scored<f32>> {
    let (x, classes) = images.batch::<f32>(numbers)?;
    let x = Var::constant(x.reshape([numbers.len(), images.height() * images.width()])?);
    let scores = net.forward(&x, mode)?;
    let loss = Var::apply(CrossEntropy::new(&classes), [&scores])?;
    Scored::classes(loss, &scores, &classes)
}

/// The mean loss without dropout, and the hits.
pub(crate) fn judge(net: &Toy<f32>, images: &Images) -> Result<Evaluation> {
    evaluate(images.len(), 500, |numbers| {
        let (x, classes) = images.batch::<f32>(numbers)?;
        let x = Var::constant(x.reshape([numbers.len(), 64])?);
        let scores = net.forward(&x, &mut Mode::Eval)?;
        let loss = Var::apply(CrossEntropy::new(&classes), [&scores])?.item()?;
        Ok((loss.into(), Some(correct(&scores.value(), &classes)?)))
    })
}

/// Ends a run after so many steps.
struct After(u64);

impl Observer for After {
    fn step(&mut self, _: &StepRecord) -> ControlFlow<()> {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Three epochs of 18 steps with everything that a run can have, ended after so many steps: the last state and history, without the
/// times; nothing if it was ended. With a file it goes on from there, and writes it after each step.
pub(crate) fn run_toy(images: &Images, file: Option<&Path>, steps: u64) -> Option<(State<f32>, History)> {
    let net = Toy::new(0);
    let mut sgd = Sgd::new(0.1).momentum(0.9);
    let batches = Batches::new(images.len(), 100).unwrap().stratified(images.classes()).unwrap();
    let schedule = OneCycle::new(0.2, 54).unwrap();
    let mut after = After(steps);
    let mut trainer = Trainer::new(&net, &mut sgd, batches)
        .epochs(3)
        .seed(11)
        .schedule(schedule)
        .clip_norm(1.0)
        .validate(|| judge(&net, images))
        .keep_best()
        .observer(&mut after);
    if let Some(file) = file {
        trainer = trainer.checkpoint(file).checkpoint_every(1).resume(true);
    }
    let mut report = trainer.run(|numbers, mode| loss(&net, images, numbers, mode)).unwrap();
    report.history.epochs.iter_mut().for_each(|epoch| epoch.seconds = 1.0);
    (report.ended == Ended::Epochs).then(|| (net.state(), report.history))
}

/// SHA-256 of all parameters and buffers: for each its name, its dimensions and its elements.
pub(crate) fn fingerprint(state: &State<f32>) -> String {
    let mut hash = Sha256::new();
    for (name, tensor) in state {
        hash.update(name.as_bytes());
        tensor.dims().iter().for_each(|&d| hash.update((d as u64).to_le_bytes()));
        tensor.as_slice().iter().for_each(|x| hash.update(x.to_le_bytes()));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
