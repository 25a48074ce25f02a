//! Figures of the first network: the data, learning curves, first weights, and networks that are trained while one watches.

use super::pixels::pictures;
use super::plot::{decimals, short};
use super::{Button, Control, Figure, Inputs, Plot, Scale, Slider};
use anyhow::Result;
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_datasets::{Images, mnist_subset};
use gradus_layers::Linear;
use gradus_losses::CrossEntropy;
use gradus_optimization::{OneCycle, Sgd};
use gradus_tensor::Scalar;
use gradus_training::{
    Batches, EpochRecord, Error, Evaluation, Observer, Scored, Split, StepRecord, Trainer, evaluate,
};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::ops::ControlFlow;

/// The chapter's network.
struct Mlp<T: Scalar> {
    fc1: Linear<T>,
    fc2: Linear<T>,
}

parameters!(Mlp<T> { fc1, fc2 });

impl<T: Scalar> Layer<T> for Mlp<T> {
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> gradus_tensor::Result<Var<T>> {
        self.fc2.forward(&self.fc1.forward(x, mode)?.relu()?, mode)
    }
}

impl Mlp<f32> {
    fn new(inputs: usize, width: usize) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        Ok(Self { fc1: Linear::new(inputs, width, &mut rng)?, fc2: Linear::new(width, 10, &mut rng)? })
    }

    fn score(
        &self,
        images: &Images,
        numbers: &[u32],
        mode: &mut Mode<'_>,
    ) -> gradus_training::Result<Scored<f32>> {
        let (pixels, classes) = images.batch(numbers)?;
        let rows = pixels.reshape([numbers.len(), images.height() * images.width()])?;
        let scores = self.forward(&Var::constant(rows), mode)?;
        let loss = Var::apply(CrossEntropy::new(&classes), [&scores])?;
        Scored::classes(loss, &scores, &classes)
    }

    fn judge(&self, images: &Images) -> gradus_training::Result<Evaluation> {
        evaluate(images.len(), 500, |numbers| {
            let scored = self.score(images, numbers, &mut Mode::Eval)?;
            Ok((scored.loss.item()?.into(), scored.correct))
        })
    }
}

/// The digits of 8 × 8 pixels in two parts: to learn from, and not.
fn parts(held_back: f64) -> Result<[Images; 2]> {
    let digits = Images::digits()?;
    let parts = Split::stratified(digits.classes(), held_back, 0.0, 7)?;
    Ok([digits.samples(&parts.train)?, digits.samples(&parts.validation)?])
}

/// Some of MNIST's digits.
pub(super) fn mnist_digits() -> Result<Figure> {
    const EACH: usize = 4;
    let train = mnist_subset()?.train;
    let row = |number: usize| -> Result<Vec<_>> {
        let of = |digit: u32| {
            let mut found = train.classes().as_slice().iter().enumerate().filter(|(_, c)| **c == digit);
            found.nth(number).map_or(0, |(i, _)| i as u32)
        };
        let numbers: Vec<u32> = (0..10).map(of).collect();
        let (pixels, _) = train.batch::<f64>(&numbers)?;
        Ok(pixels.as_slice().chunks(28 * 28).map(|image| (28, 28, image.to_vec())).collect())
    };
    let rows = (0..EACH).map(row).collect::<Result<Vec<_>>>()?;
    Ok(pictures(
        &rows,
        56.0,
        "Four rows of ten handwritten digits, 0 to 9, as grey pixels.",
        "Forty of MNIST’s training images, 28 × 28 pixels each. The network gets them as rows of 784 numbers.",
    ))
}

/// The curves of a network that is given time to learn its data by heart.
pub(super) fn learning_curves() -> Result<Figure> {
    const EPOCHS: u64 = 60;
    let [rest, train] = parts(0.2)?;
    let net = Mlp::new(64, 64)?;
    let mut sgd = Sgd::new(0.1).momentum(0.9);
    let report = Trainer::new(&net, &mut sgd, Batches::new(train.len(), 32)?.shuffled())
        .epochs(EPOCHS)
        .seed(1)
        .validate(|| net.judge(&rest))
        .run(|numbers, mode| net.score(&train, numbers, mode))?;
    let epochs = &report.history.epochs;
    let curve = |of: fn(&EpochRecord) -> f64| -> Vec<(f64, f64)> {
        epochs.iter().map(|e| (e.epoch as f64 + 1.0, of(e).log10())).collect()
    };
    let best = report.best.map_or(f64::NAN, |e| e as f64 + 1.0);
    let last = epochs.last().map_or(f64::NAN, EpochRecord::watched);
    let lowest = epochs.iter().map(EpochRecord::watched).fold(f64::INFINITY, f64::min);
    Plot::new("epoch", 1.0..EPOCHS as f64, -4.0..0.5)
        .y_name("loss, nats")
        .log_y()
        .curve("training", curve(|e| e.loss))
        .curve("validation", curve(EpochRecord::watched))
        .figure(
            "Both losses fall together at first. The training loss goes on falling towards a ten-thousandth; the validation loss becomes level \
             after some epochs.",
            &format!(
                "A network 64–64–10 on {} digits of 8 × 8 pixels, judged on {} others after each epoch. The validation loss was lowest, \
                 {}, after epoch {best:.0}, and is {} at the end, while the training loss goes on falling: what is still learned there is of no \
                 use elsewhere. Computed when the book was built.",
                train.len(),
                rest.len(),
                decimals(lowest, 3),
                decimals(last, 3),
            ),
        )
}

/// What the first layer of a small network looks at.
pub(super) fn first_weights() -> Result<Figure> {
    const WIDTH: usize = 32;
    let digits = Images::digits()?;
    let net = Mlp::new(64, WIDTH)?;
    let mut sgd = Sgd::new(0.1).momentum(0.9).weight_decay(1e-3);
    let steps = Trainer::new(&net, &mut sgd, Batches::new(digits.len(), 32)?.shuffled()).epochs(20).seed(1);
    steps.run(|numbers, mode| net.score(&digits, numbers, mode))?;
    let accuracy = net.judge(&digits)?.accuracy.unwrap_or(f64::NAN);
    let weights = net.fc1.weight.value();
    let unit = |k: usize| -> Result<_> {
        let column: Vec<f64> = weights.select(1, k)?.as_slice().iter().map(|w| f64::from(*w)).collect();
        let largest = column.iter().fold(f64::MIN_POSITIVE, |m, w| m.max(w.abs()));
        Ok((8, 8, column.iter().map(|w| w / largest).collect()))
    };
    let units = (0..WIDTH).map(unit).collect::<Result<Vec<_>>>()?;
    let rows: Vec<_> = units.chunks(8).map(<[_]>::to_vec).collect();
    Ok(pictures(
        &rows,
        64.0,
        "Thirty-two squares of 8 × 8 pixels in two colours; some show the edge of a stroke, most look like patterned noise.",
        &format!(
            "The weights of the 32 hidden units of a network 64–32–10 after 20 epochs, each as a picture, scaled to its largest weight: \
             the first colour wants ink, the second wants none. It gets {} % of the digits right that it learned from.",
            decimals(100.0 * accuracy, 1),
        ),
    ))
}

/// The rate and the width.
pub(super) const DIGITS: &[Control] = &[
    Control::Slider(Slider {
        name: "rate",
        label: "learning rate",
        range: (0.001, 10.0),
        step: 0.1,
        scale: Scale::Log,
        default: 0.1,
        unit: "",
    }),
    Control::Slider(Slider {
        name: "width",
        label: "hidden units",
        range: (1.0, 64.0),
        step: 1.0,
        scale: Scale::Linear,
        default: 32.0,
        unit: "",
    }),
];

/// The losses of all steps.
#[derive(Default)]
struct Steps(Vec<f64>);

impl Observer for Steps {
    fn step(&mut self, record: &StepRecord) -> ControlFlow<()> {
        self.0.push(record.loss);
        ControlFlow::Continue(())
    }
}

/// A curve of losses on a logarithmic axis, averaged over some steps so that it can be read.
fn smooth(losses: &[f64], over: usize) -> Vec<(f64, f64)> {
    let mean = |(i, part): (usize, &[f64])| {
        ((i * over + part.len()) as f64, (part.iter().sum::<f64>() / part.len() as f64).max(1e-300).log10())
    };
    losses.chunks(over).enumerate().map(mean).collect()
}

/// Five epochs on the small digits.
pub(super) fn train_digits(inputs: &Inputs) -> Result<Figure> {
    let (rate, width) = (inputs.number("rate")?, inputs.number("width")? as usize);
    let [train, rest] = parts(0.2)?;
    let net = Mlp::new(64, width)?;
    let mut sgd = Sgd::new(rate).momentum(0.9);
    let mut steps = Steps::default();
    let batches = Batches::new(train.len(), 32)?.shuffled();
    let each = batches.len();
    let run = Trainer::new(&net, &mut sgd, batches)
        .epochs(5)
        .seed(1)
        .observer(&mut steps)
        .run(|numbers, mode| net.score(&train, numbers, mode));
    let status = match run {
        Ok(_) => {
            let judged = net.judge(&rest)?;
            let share = 100.0 * judged.accuracy.unwrap_or(f64::NAN);
            let loss = if judged.loss.is_finite() { short(judged.loss) } else { "beyond all numbers".into() };
            format!("After five epochs: validation loss {loss}, {} % right.", decimals(share, 1))
        }
        Err(Error::Diverged { epoch, step, tensor, .. }) => {
            format!(
                "Diverged in epoch {}, step {}: {tensor} is no finite number any more.",
                epoch + 1,
                step + 1
            )
        }
        Err(other) => return Err(other.into()),
    };
    let figure = Plot::new("step", 0.0..(5 * each) as f64, -2.5..2.0)
        .y_name("training loss, nats")
        .log_y()
        .curve("mean of five steps", smooth(&steps.0, 5))
        .line("ten per cent for each", |_| std::f64::consts::LN_10.log10())
        .figure(
            "The training loss against the step, on a logarithmic axis, with a level line at ln 10.",
            &format!(
                "A network with one hidden layer of {width} learns {} digits of 8 × 8 pixels, at the rate {} with momentum 0.9, in five epochs of \
                 {each} steps; {} others judge it. It is trained anew whenever something is moved.",
                train.len(),
                short(rate),
                rest.len(),
            ),
        )?;
    Ok(figure.status(status))
}

/// The button that trains.
pub(super) const MNIST: &[Control] = &[Control::Button(Button {
    name: "train",
    label: "Train on this machine",
    busy: "Training on 8,000 images, which takes a few seconds …",
    stays: false,
})];

/// The network 784–128–10 on the embedded part of MNIST: a part of an epoch for the page, five epochs if the button is pressed.
pub(super) fn train_mnist(inputs: &Inputs) -> Result<Figure> {
    const BATCH: usize = 64;
    const EPOCHS: u64 = 5;
    let pressed = inputs.pressed("train")?;
    let data = mnist_subset()?;
    let net = Mlp::new(28 * 28, 128)?;
    let mut sgd = Sgd::new(0.12).momentum(0.9).nesterov(true);
    let mut steps = Steps::default();
    let batches = Batches::new(data.train.len(), BATCH)?.shuffled();
    let each = batches.len();
    let report = Trainer::new(&net, &mut sgd, batches)
        .epochs(if pressed { EPOCHS } else { 1 })
        .seed(1)
        .schedule(OneCycle::new(0.12, EPOCHS * each as u64)?)
        .observer(&mut steps)
        .run(|numbers, mode| net.score(&data.train, numbers, mode))?;
    let judged = net.judge(&data.test)?;
    let share = decimals(100.0 * judged.accuracy.unwrap_or(f64::NAN), 2);
    let seconds: f64 = report.history.epochs.iter().map(|e| e.seconds).sum();
    let images: u64 = report.history.epochs.iter().map(|e| e.samples).sum();
    let status = if pressed {
        format!(
            "Five epochs in {} s on your machine, {} images a second: {share} % of {} test images right.",
            short(seconds),
            short(images as f64 / seconds),
            data.test.len()
        )
    } else {
        format!("After the first of five epochs: {share} % of {} test images right.", data.test.len())
    };
    let figure = Plot::new("step", 0.0..(EPOCHS as usize * each) as f64, -2.5..0.7)
        .y_name("training loss, nats")
        .log_y()
        .curve("mean of five steps", smooth(&steps.0, 5))
        .line("ten per cent for each", |_| std::f64::consts::LN_10.log10())
        .figure(
            "The training loss against the step, on a logarithmic axis, with a level line at ln 10.",
            &format!(
                "A network 784–128–10 learns the 8,000 embedded images of MNIST in batches of {BATCH}, {EPOCHS} epochs of one cycle of the rate. {}",
                if pressed {
                    "Trained just now; Reset goes back to the first epoch."
                } else {
                    "The page has the first epoch, computed when the book was built."
                }
            ),
        )?;
    Ok(figure.status(status))
}
