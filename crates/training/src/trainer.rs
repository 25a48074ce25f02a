//! The loop: batch, loss, gradients, step; after each epoch a look at what it came to.

use crate::error::allow;
use crate::random::step_rng;
use crate::{
    Batches, Checkpoint, EarlyStopping, EpochMean, EpochRecord, Error, Evaluation, History, Observer, Result,
    StepRecord, correct,
};
use gradus_autograd::{Gradients, Mode, Parameters, Var};
use gradus_optimization::{Optimizer, Plateau, Schedule, clip_grad_norm, clip_grad_value};
use gradus_tensor::kernel::{row, vectorize};
use gradus_tensor::{Scalar, Tensor};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What a batch came to: its loss and, where that has a meaning, how many of its samples are right.
pub struct Scored<T: Scalar = f32> {
    /// The mean loss of the batch.
    pub loss: Var<T>,
    /// How many of its samples are right.
    pub correct: Option<usize>,
}

impl<T: Scalar> Scored<T> {
    /// A loss, and how many samples' true class has the largest score.
    ///
    /// # Errors
    /// If the scores are no matrix with a row a class.
    pub fn classes(loss: Var<T>, scores: &Var<T>, classes: &Tensor<u32>) -> Result<Self> {
        Ok(Self { loss, correct: Some(correct(&scores.value(), classes)?) })
    }
}

impl<T: Scalar> From<Var<T>> for Scored<T> {
    fn from(loss: Var<T>) -> Self {
        Self { loss, correct: None }
    }
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All its epochs are over.
    Epochs,
    /// Nothing had become better for as long as early stopping allows.
    Early,
    /// The observer ended it.
    Observer,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// What its epochs came to.
    pub history: History,
    /// Why it ended.
    pub ended: Ended,
    /// The best epoch, from 0: the one whose model there is now, if the run [keeps the best](Trainer::keep_best).
    pub best: Option<usize>,
}

enum Clip {
    Norm(f64),
    Value(f64),
}

type Validate<'a> = Box<dyn FnMut() -> Result<Evaluation> + 'a>;

/// A training: a model, an optimiser, batches, and what else is wished for.
///
/// A run is a function of its settings and its seed: the same bits on every run and for every number of threads. Whatever is random in
/// a step follows from (seed, epoch, step), so that a run that was killed goes on from its last [checkpoint](Self::checkpoint) with
/// the bits that it would have had.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_optimization::Sgd;
/// use gradus_tensor::Tensor;
/// use gradus_training::{Batches, Trainer};
/// // The mean of four numbers is where the mean of (w − x)² is lowest.
/// let data = [1.0, 2.0, 3.0, 6.0];
/// let w = Var::parameter(Tensor::from([0.0f64]));
/// let mut sgd = Sgd::new(0.25);
/// let report = Trainer::new(&w, &mut sgd, Batches::new(4, 4)?).epochs(60).run(|numbers, _| {
///     let x: Vec<f64> = numbers.iter().map(|&i| data[i as usize]).collect();
///     let error = w.sub(&Var::constant(x.into()))?;
///     Ok(error.mul(&error)?.mean()?.into())
/// })?;
/// assert!((w.item()? - 3.0).abs() < 1e-12);
/// assert_eq!(report.history.epochs.len(), 60);
/// assert_eq!(report.history.epochs[0].loss, 12.5); // (1 + 4 + 9 + 36)/4
/// # Ok::<(), gradus_training::Error>(())
/// ```
#[must_use = "a training does nothing until it is run"]
pub struct Trainer<'a, T: Scalar> {
    model: &'a dyn Parameters<T>,
    optimizer: &'a mut dyn Optimizer<T>,
    batches: Batches,
    epochs: u64,
    seed: u64,
    schedule: Option<Box<dyn Schedule + 'a>>,
    plateau: Option<Plateau>,
    clip: Option<Clip>,
    validate: Option<Validate<'a>>,
    stopping: Option<EarlyStopping>,
    keep_best: bool,
    checkpoint: Option<PathBuf>,
    every: Option<u64>,
    resume: bool,
    observer: Option<&'a mut dyn Observer>,
}

impl<'a, T: Scalar> Trainer<'a, T> {
    /// One epoch, at the optimiser's own rate, with seed 0.
    pub fn new(model: &'a dyn Parameters<T>, optimizer: &'a mut dyn Optimizer<T>, batches: Batches) -> Self {
        Self {
            model,
            optimizer,
            batches,
            epochs: 1,
            seed: 0,
            schedule: None,
            plateau: None,
            clip: None,
            validate: None,
            stopping: None,
            keep_best: false,
            checkpoint: None,
            every: None,
            resume: false,
            observer: None,
        }
    }

    /// For this many epochs.
    pub fn epochs(mut self, epochs: u64) -> Self {
        self.epochs = epochs;
        self
    }

    /// What all randomness of the run follows from: orders, and what layers draw.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The learning rate of each step, counted from the first step of the first epoch.
    pub fn schedule(mut self, schedule: impl Schedule + 'a) -> Self {
        self.schedule = Some(Box::new(schedule));
        self
    }

    /// The learning rate of each epoch, from the losses before it: those of the validation, or without one of the training.
    pub fn plateau(mut self, plateau: Plateau) -> Self {
        self.plateau = Some(plateau);
        self
    }

    /// Shortens the gradient of all parameters together to this length, if it is longer.
    pub fn clip_norm(mut self, limit: f64) -> Self {
        self.clip = Some(Clip::Norm(limit));
        self
    }

    /// Cuts each component of the gradient to this size.
    pub fn clip_value(mut self, limit: f64) -> Self {
        self.clip = Some(Clip::Value(limit));
        self
    }

    /// Judges the model after each epoch; see [`evaluate`](crate::evaluate).
    pub fn validate(mut self, validate: impl FnMut() -> Result<Evaluation> + 'a) -> Self {
        self.validate = Some(Box::new(validate));
        self
    }

    /// Stops when the validation loss, or without one the training loss, has not become better for a while.
    pub fn early_stopping(mut self, rule: EarlyStopping) -> Self {
        self.stopping = Some(rule);
        self
    }

    /// Leaves the model at the end as it was after its best epoch, by the same loss.
    pub fn keep_best(mut self) -> Self {
        self.keep_best = true;
        self
    }

    /// Writes a checkpoint to this file after each epoch.
    pub fn checkpoint(mut self, path: impl AsRef<Path>) -> Self {
        self.checkpoint = Some(path.as_ref().to_owned());
        self
    }

    /// Writes a checkpoint after every so many steps too.
    pub fn checkpoint_every(mut self, steps: u64) -> Self {
        self.every = Some(steps);
        self
    }

    /// Goes on from the checkpoint, if its file is there; else begins.
    pub fn resume(mut self, yes: bool) -> Self {
        self.resume = yes;
        self
    }

    /// Lets someone watch, and end the run: then the checkpoint is written at once.
    pub fn observer(mut self, observer: &'a mut dyn Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Runs. `loss` gets the numbers of a batch's samples and the mode (training, with the randomness of this step), and gives the
    /// mean loss of the batch. Nothing that it computed may outlive it: the step would copy every parameter.
    ///
    /// # Errors
    /// If a loss or a gradient is no finite number ([`Error::Diverged`]; the parameters are those before that step), `loss` or the
    /// validation fails, a setting is refused, or the checkpoint can't be written, read, or is that of another run.
    pub fn run(mut self, mut loss: impl FnMut(&[u32], &mut Mode<'_>) -> Result<Scored<T>>) -> Result<Report> {
        let steps = self.batches.len() as u64;
        allow(steps > 0, "Trainer::run", "batches", 0, "at least one an epoch")?;
        allow(self.every != Some(0), "Trainer::run", "checkpoint_every", 0, "at least 1")?;
        allow(
            self.schedule.is_none() || self.plateau.is_none(),
            "Trainer::run",
            "schedule and plateau",
            "both",
            "one of them",
        )?;
        let mut at = self.start()?;
        let parameters = self.model.named_parameters();
        let ended = 'run: loop {
            if self.stops(&at.history) {
                break Ended::Early;
            }
            if at.epoch >= self.epochs {
                break Ended::Epochs;
            }
            for numbers in self.batches.epoch(self.seed, at.epoch).iter().skip(at.step as usize) {
                let begin = Instant::now();
                let value = self.step(&mut at, &parameters, numbers, &mut loss)?;
                at.seconds += begin.elapsed().as_secs_f64();
                at.step += 1;
                let record = StepRecord {
                    epoch: at.epoch,
                    epochs: self.epochs,
                    step: at.step - 1,
                    steps,
                    loss: value,
                    mean_loss: at.mean.loss(),
                    learning_rate: at.learning_rate,
                };
                let watched = self.observer.as_mut().map(|observer| observer.step(&record));
                let ends = watched == Some(ControlFlow::Break(()));
                if ends || self.every.is_some_and(|every| (at.epoch * steps + at.step).is_multiple_of(every))
                {
                    self.save(&mut at)?;
                }
                if ends {
                    break 'run Ended::Observer;
                }
            }
            let record = self.finish_epoch(&mut at)?;
            self.save(&mut at)?;
            if let Some(observer) = &mut self.observer
                && observer.epoch(&record) == ControlFlow::Break(())
            {
                break Ended::Observer;
            }
        };
        if let Some(best) = at.best.as_ref().filter(|_| self.keep_best) {
            self.model.load_state(best)?;
        }
        let best = self.rule().best(&at.history.watched());
        Ok(Report { history: at.history, ended, best })
    }

    /// Where the run begins: at its first step, or where the checkpoint stands.
    fn start(&mut self) -> Result<Checkpoint<T>> {
        let found = self.checkpoint.as_ref().filter(|file| self.resume && file.exists());
        let Some(file) = found else {
            return Ok(Checkpoint {
                model: Default::default(),
                optimizer: Default::default(),
                best: None,
                seed: self.seed,
                epoch: 0,
                step: 0,
                learning_rate: self.optimizer.learning_rate(),
                history: History::default(),
                batches: self.batches.signature(),
                mean: EpochMean::default(),
                seconds: 0.0,
            });
        };
        let mut at = Checkpoint::load(file)?;
        let theirs = (at.seed, at.batches);
        let ours = (self.seed, self.batches.signature());
        if theirs != ours || at.step > self.batches.len() as u64 {
            let why = format!(
                "a checkpoint of another run: seed and batches (samples, size, order, last one dropped) are {theirs:?}, step {} \
                 (allowed: {ours:?})",
                at.step
            );
            return Err(Error::File { file: file.display().to_string(), why });
        }
        self.model.load_state(&at.model)?;
        self.optimizer.load_state(&at.optimizer)?;
        // Else the first step copies every parameter, because the checkpoint shares it.
        (at.model, at.optimizer) = Default::default();
        self.optimizer.set_learning_rate(at.learning_rate)?;
        if let Some(plateau) = &mut self.plateau {
            at.history.watched().into_iter().for_each(|loss| {
                plateau.observe(loss);
            });
        }
        Ok(at)
    }

    /// One step. Gives the loss before it.
    fn step(
        &mut self,
        at: &mut Checkpoint<T>,
        parameters: &[(String, Var<T>)],
        numbers: &[u32],
        loss: &mut impl FnMut(&[u32], &mut Mode<'_>) -> Result<Scored<T>>,
    ) -> Result<f64> {
        let (epoch, step) = (at.epoch, at.step);
        let mut rng = step_rng(self.seed, epoch, step);
        let Scored { loss, correct } = loss(numbers, &mut Mode::Train(&mut rng))?;
        let value = loss.item()?.as_f64();
        if !value.is_finite() {
            return Err(diverged(parameters, value, epoch, step));
        }
        let mut gradients = loss.backward()?;
        // Else the graph shares the parameters, and the step copies them.
        drop(loss);
        finite(parameters, &gradients, epoch, step)?;
        match self.clip {
            Some(Clip::Norm(limit)) => {
                clip_grad_norm(self.model, &mut gradients, limit)?;
            }
            Some(Clip::Value(limit)) => clip_grad_value(self.model, &mut gradients, limit)?,
            None => {}
        }
        let rate = match (&self.schedule, &self.plateau) {
            (Some(schedule), _) => Some(schedule.rate(epoch * self.batches.len() as u64 + step)),
            (None, plateau) => plateau.as_ref().map(Plateau::rate),
        };
        if let Some(rate) = rate {
            self.optimizer.set_learning_rate(rate)?;
        }
        self.optimizer.step(self.model, &gradients)?;
        at.learning_rate = self.optimizer.learning_rate();
        at.mean.add(value, numbers.len(), correct);
        Ok(value)
    }

    /// Judges, takes note, and goes to the next epoch.
    fn finish_epoch(&mut self, at: &mut Checkpoint<T>) -> Result<EpochRecord> {
        let judged = self.validate.as_mut().map(|validate| validate()).transpose()?;
        let record = EpochRecord {
            epoch: at.epoch,
            loss: at.mean.loss(),
            accuracy: at.mean.accuracy(),
            validation_loss: judged.map(|e| e.loss),
            validation_accuracy: judged.and_then(|e| e.accuracy),
            learning_rate: at.learning_rate,
            seconds: at.seconds,
            samples: at.mean.samples(),
        };
        at.history.epochs.push(record);
        if self.keep_best && self.rule().best(&at.history.watched()) == Some(at.history.epochs.len() - 1) {
            at.best = Some(self.model.state());
        }
        if let Some(plateau) = &mut self.plateau {
            plateau.observe(record.watched());
        }
        (at.epoch, at.step) = (at.epoch + 1, 0);
        (at.mean, at.seconds) = (EpochMean::default(), 0.0);
        Ok(record)
    }

    fn save(&self, at: &mut Checkpoint<T>) -> Result<()> {
        let Some(path) = &self.checkpoint else { return Ok(()) };
        (at.model, at.optimizer) = (self.model.state(), self.optimizer.state());
        at.save(path)?;
        // Else the next step copies every parameter, because the checkpoint shares it.
        (at.model, at.optimizer) = Default::default();
        Ok(())
    }

    /// The rule that tells the best epoch, with or without early stopping.
    fn rule(&self) -> EarlyStopping {
        self.stopping.unwrap_or(EarlyStopping::NEVER)
    }

    fn stops(&self, history: &History) -> bool {
        self.stopping.is_some_and(|rule| rule.stops_after(&history.watched()).is_some())
    }
}

/// The first number that is not finite. A sum of 0·x is 0 if all are, and NaN if not: one pass, of many numbers at a time.
fn not_finite<T: Scalar>(x: &[T]) -> Option<f64> {
    let sum = vectorize(
        #[inline(always)]
        || {
            row::sum_by(
                x,
                #[inline(always)]
                |x| x * T::ZERO,
            )
        },
    );
    if sum == T::ZERO { None } else { x.iter().map(|x| x.as_f64()).find(|x| !x.is_finite()) }
}

/// Refuses gradients that are not finite, by the first parameter that has such a one.
fn finite<T: Scalar>(
    parameters: &[(String, Var<T>)],
    gradients: &Gradients<T>,
    epoch: u64,
    step: u64,
) -> Result<()> {
    for (name, parameter) in parameters {
        if let Some(value) = gradients.get(parameter).and_then(|g| not_finite(g.as_slice())) {
            let tensor = format!("the gradient of `{name}`");
            return Err(Error::Diverged { epoch, step, tensor, value });
        }
    }
    Ok(())
}

/// The error of a loss that is not finite: by the first parameter that is not, or else by the loss itself.
fn diverged<T: Scalar>(parameters: &[(String, Var<T>)], loss: f64, epoch: u64, step: u64) -> Error {
    let bad = |(name, p): &(String, Var<T>)| {
        not_finite(p.value().as_slice()).map(|value| (format!("the parameter `{name}`"), value))
    };
    let (tensor, value) = parameters.iter().find_map(bad).unwrap_or(("the loss".into(), loss));
    Error::Diverged { epoch, step, tensor, value }
}
