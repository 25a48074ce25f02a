//! Figures of the chapter on LeNet: what it has found, and what it makes of a reader's digit.

use super::pixels::{Canvas, Picture};
use super::plot::{decimals, short};
use super::{Button, Control, Figure, Grid, Inputs, Scale, Slider, Touch};
use anyhow::{Result, anyhow, bail};
use gradus_activations::Activations;
use gradus_architectures::{LeNet, LeNetShape, Squashing};
use gradus_autograd::{Layer, Mode, Var};
use gradus_datasets::{Images, Mnist, mnist_subset};
use gradus_losses::CrossEntropy;
use gradus_optimization::{OneCycle, Sgd};
use gradus_tensor::Tensor;
use gradus_training::{Batches, Scored, Trainer, evaluate};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// The side of MNIST's images.
const SIDE: usize = 28;
const BATCH: usize = 32;
/// For the page, and when the button is pressed.
const EPOCHS: [u64; 2] = [1, 3];

static DATA: LazyLock<gradus_datasets::Result<Mnist>> = LazyLock::new(mnist_subset);

fn data() -> Result<&'static Mnist> {
    DATA.as_ref().map_err(|error| anyhow!("{error}"))
}

/// A network that has learned, and how that went.
struct Learned {
    net: LeNet<f32>,
    accuracy: f64,
    judged_by: usize,
    seconds: f64,
    images: u64,
}

/// The networks of both figures: each is trained when it is first wanted, and kept. A stroke must not wait for a training.
static LEARNED: [Mutex<Option<Arc<Learned>>>; 2] = [Mutex::new(None), Mutex::new(None)];

fn learned(pressed: bool) -> Result<Arc<Learned>> {
    let which = usize::from(pressed);
    // Who comes second waits for the first. A training that panicked left nothing behind, so it may be tried again.
    let mut kept = LEARNED[which].lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(learned) = &*kept {
        return Ok(learned.clone());
    }
    Ok(kept.insert(Arc::new(train(EPOCHS[which])?)).clone())
}

fn train(epochs: u64) -> Result<Learned> {
    const RATE: f64 = 0.1;
    let Mnist { train, test, .. } = data()?;
    let net = LeNet::new(LeNetShape::mnist(), Squashing::Tanh, &mut ChaCha8Rng::seed_from_u64(1))?;
    let mut sgd = Sgd::new(RATE).momentum(0.9).nesterov(true);
    let batches = Batches::new(train.len(), BATCH)?.shuffled();
    let schedule = OneCycle::new(RATE, epochs * batches.len() as u64)?;
    let report = Trainer::new(&net, &mut sgd, batches)
        .epochs(epochs)
        .seed(1)
        .schedule(schedule)
        .run(|numbers, mode| score(&net, train, numbers, mode))?;
    let judged = evaluate(test.len(), 500, |numbers| {
        let scored = score(&net, test, numbers, &mut Mode::Eval)?;
        Ok((scored.loss.item()?.into(), scored.correct))
    })?;
    let records = &report.history.epochs;
    Ok(Learned {
        net,
        accuracy: judged.accuracy.unwrap_or(f64::NAN),
        judged_by: test.len(),
        seconds: records.iter().map(|e| e.seconds).sum(),
        images: records.iter().map(|e| e.samples).sum(),
    })
}

fn score(
    net: &LeNet<f32>,
    images: &Images,
    numbers: &[u32],
    mode: &mut Mode<'_>,
) -> gradus_training::Result<Scored<f32>> {
    let (pixels, classes) = images.batch(numbers)?;
    let x = Var::constant(pixels.reshape([numbers.len(), 1, SIDE, SIDE])?);
    let scores = net.forward(&x, mode)?;
    Scored::classes(Var::apply(CrossEntropy::new(&classes), [&scores])?, &scores, &classes)
}

impl Learned {
    /// How it was trained, for a caption.
    fn told(&self, pressed: bool) -> String {
        let epochs = EPOCHS[usize::from(pressed)];
        format!(
            "{} embedded images of MNIST, {epochs} {} with momentum and one cycle of the rate; it gets {} % of the {} test images right",
            self.images / epochs,
            if epochs == 1 { "epoch" } else { "epochs" },
            decimals(100.0 * self.accuracy, 1),
            self.judged_by,
        )
    }

    /// What a reader who has pressed the button is told first.
    fn timed(&self, pressed: bool) -> String {
        if !pressed {
            return String::new();
        }
        let rate = self.images as f64 / self.seconds;
        format!("Trained in {} s on your machine, {} images a second. ", short(self.seconds), short(rate))
    }

    /// The probabilities of the ten digits.
    fn shares(&self, x: &Var<f32>) -> Result<Vec<f64>> {
        let scores = self.net.forward(x, &mut Mode::Eval)?.value();
        Ok(scores.softmax(1)?.as_slice().iter().map(|&p| p.into()).collect())
    }
}

/// An image as the network takes it.
fn input(pixels: &[f64]) -> Result<Var<f32>> {
    let pixels = pixels.iter().map(|&p| p as f32).collect();
    Ok(Var::constant(Tensor::from_vec(pixels, [1, 1, SIDE, SIDE])?))
}

/// What it reads, and what else it might be.
fn answer(shares: &[f64]) -> String {
    let mut digits: Vec<_> = shares.iter().enumerate().collect();
    digits.sort_by(|a, b| b.1.total_cmp(a.1));
    let percent = |(digit, share): (usize, &f64)| match 100.0 * share {
        little if little < 0.05 => format!("{digit} with less than 0.1 %"),
        percent => format!("{digit} with {} %", decimals(percent, 1)),
    };
    let [first, second, ..] = digits[..] else { return String::new() };
    format!("It reads {}; next comes {}.", percent(first), percent(second))
}

const WIDTH: f64 = 620.0;
/// How high image and answer are together.
const STRIP: f64 = 158.0;

/// An image, and beside it the ten probabilities.
fn strip(canvas: &mut Canvas, pixels: &[f64], shares: &[f64]) {
    let side = 120.0;
    canvas.text([0.0, 18.0], false, "image");
    canvas.picture([0.5, 28.0], side, &(SIDE, SIDE, pixels.to_vec()));
    canvas.text([152.0, 18.0], false, "how sure it is of each digit");
    canvas.columns([146.0, 28.0, WIDTH, 28.0 + side - 24.0], shares);
}

const TRAIN: Control = Control::Button(Button {
    name: "train",
    label: "Train three epochs",
    busy: "Training on 8,000 images, three times each, which takes some seconds …",
    stays: true,
});

/// Which image the maps are of, and the button that trains.
pub(super) const MAPS: &[Control] = &[
    Control::Slider(Slider {
        name: "image",
        label: "test image",
        range: (0.0, 199.0),
        step: 1.0,
        scale: Scale::Linear,
        default: DIGIT as f64,
        unit: "",
    }),
    TRAIN,
];

/// The test image that the figures begin with.
const DIGIT: u32 = 0;

/// A channel's pixels as a picture, scaled so that the largest of `among` is full.
fn channel(tensor: &Tensor<f32>, number: usize, among: Option<f64>) -> Result<Picture> {
    let &[.., height, width] = tensor.dims() else { bail!("{:?} is no image", tensor.dims()) };
    let size = height * width;
    let pixels = tensor.as_slice()[number * size..][..size].iter().map(|&v| f64::from(v));
    let largest = among.unwrap_or_else(|| pixels.clone().fold(f64::MIN_POSITIVE, |m, v| m.max(v.abs())));
    Ok((width, height, pixels.map(|v| v / largest).collect()))
}

/// The first filters of a trained LeNet, and both its layers' maps of an image.
pub(super) fn lenet_maps(inputs: &Inputs) -> Result<Figure> {
    let (number, pressed) = (inputs.number("image")? as u32, inputs.pressed("train")?);
    let learned = learned(pressed)?;
    let (pixels, classes) = data()?.test.batch::<f64>(&[number])?;
    let x = input(pixels.as_slice())?;
    let shares = learned.shares(&x)?;
    let [first, second] = learned.net.maps(&x)?.map(|map| map.value());
    let filters = learned.net.conv1.weight.value();

    let [map, filter, small, gap] = [96.0, 60.0, 70.0, 8.8];
    let mut canvas = Canvas::new(WIDTH, STRIP + 3.0 * 30.0 + 10.0 + filter + map + 2.0 * (small + 8.0));
    strip(&mut canvas, pixels.as_slice(), &shares);
    let mut top = STRIP + 22.0;
    canvas.text([0.0, top], false, "filters of the first layer, each above its map");
    top += 10.0;
    for k in 0..6 {
        let x = k as f64 * (map + gap);
        canvas.picture([x + (map - filter) / 2.0, top], filter, &channel(&filters, k, None)?);
        canvas.picture([x, top + filter + 8.0], map, &channel(&first, k, Some(1.0))?);
    }
    top += filter + map + 38.0;
    canvas.text([0.0, top], false, "maps of the second layer");
    top += 10.0;
    for k in 0..16 {
        let place = [(k % 8) as f64 * (small + 8.5), top + (k / 8) as f64 * (small + 8.0)];
        canvas.picture(place, small, &channel(&second, k, Some(1.0))?);
    }
    let figure = canvas.figure(
        "A digit and ten bars; below, six filters of five by five pixels, the six images that they make of the digit, and sixteen smaller ones.",
        &format!(
            "A LeNet that has learned from {}. Its filters, each scaled to its largest weight, and what it makes of an image: one colour above 0, \
             the other below, paler towards 0. {}",
            learned.told(pressed),
            if pressed { "Press again for the page’s network." } else { "Trained when the book was built." },
        ),
    );
    let class = classes.get([0])?;
    let told = format!("{}Test image {number}, a {class}. {}", learned.timed(pressed), answer(&shares));
    Ok(figure.status(told))
}

/// The cells to paint, whether they are moved to the middle, and the button that trains.
pub(super) const DRAW: &[Control] = &[
    Control::Grid(Grid {
        name: "digit",
        label: "paint a digit",
        size: (SIDE, SIDE),
        range: (0.0, 1.0),
        touch: Touch::Brush,
        default: first_digit,
        chooses: None,
    }),
    Control::Slider(Slider {
        name: "centred",
        label: "move to the middle: 1, or not: 0",
        range: (0.0, 1.0),
        step: 1.0,
        scale: Scale::Linear,
        default: 1.0,
        unit: "",
    }),
    TRAIN,
];

/// A test image in hundredths, as a brush leaves them, and where a brush may leave it: not in the middle. Without the data set there is nothing to begin with, and drawing the figure says why.
fn first_digit() -> Vec<f64> {
    let pixels = data().and_then(|data| Ok(data.test.batch::<f64>(&[DIGIT])?.0));
    pixels.map_or_else(
        |_| vec![0.0; SIDE * SIDE],
        |pixels| moved(&pixels.map(|p| (100.0 * p).round() / 100.0).into_vec(), [4, 4]),
    )
}

/// The row and the column of the pixel that has the centre of mass in it; an empty image has none.
fn centre(pixels: &[f64]) -> Option<[usize; 2]> {
    let ink: f64 = pixels.iter().sum();
    let mean = |place: fn(usize) -> usize| {
        let moment: f64 = pixels.iter().enumerate().map(|(i, p)| (place(i) as f64 + 0.5) * p).sum();
        (moment / ink) as usize
    };
    (ink > 0.0).then(|| [mean(|i| i / SIDE), mean(|i| i % SIDE)])
}

/// The image with its centre of mass where all of MNIST have it: in the pixel below and to the right of the very middle.
fn centred(pixels: &[f64]) -> Vec<f64> {
    let off = |at: usize| at as isize - (SIDE / 2) as isize;
    centre(pixels).map_or_else(|| pixels.to_vec(), |at| moved(pixels, at.map(off)))
}

/// The image moved up and to the left; what leaves the frame is lost.
fn moved(pixels: &[f64], [up, left]: [isize; 2]) -> Vec<f64> {
    let from = |i: usize, by: isize| i.checked_add_signed(by).filter(|i| *i < SIDE);
    let pixel = |i: usize| Some(pixels[from(i / SIDE, up)? * SIDE + from(i % SIDE, left)?]);
    (0..SIDE * SIDE).map(|i| pixel(i).unwrap_or(0.0)).collect()
}

/// What the network reads in the reader's digit.
pub(super) fn lenet_draw(inputs: &Inputs) -> Result<Figure> {
    let (painted, pressed) = (inputs.cells("digit")?, inputs.pressed("train")?);
    let to_middle = inputs.number("centred")? >= 0.5;
    let seen = if to_middle { centred(painted) } else { painted.to_vec() };
    let learned = learned(pressed)?;
    let shares = learned.shares(&input(&seen)?)?;
    let mut canvas = Canvas::new(WIDTH, STRIP);
    strip(&mut canvas, &seen, &shares);
    let figure = canvas.figure(
        "A digit as the network gets it, and ten bars: how sure it is of each digit.",
        &format!(
            "What was painted as the network gets it, {}, and what the network makes of it. It has learned from {}.",
            if to_middle {
                "moved so that the centre of mass is in the middle, as it is in MNIST’s images"
            } else {
                "where it was painted"
            },
            learned.told(pressed),
        ),
    );
    let place = match centre(painted) {
        None => "Nothing is painted, and it answers all the same.".into(),
        Some([row, column]) => {
            let middle = SIDE / 2;
            let moved = if to_middle && [row, column] != [middle; 2] {
                format!(", moved to row {middle}, column {middle}")
            } else {
                String::new()
            };
            format!("Centre of mass in row {row}, column {column}{moved}.")
        }
    };
    Ok(figure.status(format!("{}{} {place}", learned.timed(pressed), answer(&shares))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value, json};

    fn inputs(controls: &[Control], sent: Value) -> Inputs {
        let sent: Map<String, Value> = sent.as_object().unwrap().clone();
        Inputs::read(controls, &sent).unwrap()
    }

    #[test]
    fn centring_moves_no_image_of_mnist() {
        let Mnist { train, test, .. } = data().unwrap();
        for images in [train, test] {
            let pixels = images.tensor::<f64>().unwrap();
            for image in pixels.as_slice().chunks(SIDE * SIDE) {
                assert_eq!(centre(image), Some([14, 14]));
            }
        }
    }

    #[test]
    fn a_digit_is_moved_back_to_where_it_was() {
        let digit = centred(&first_digit());
        assert_eq!(centre(&digit), Some([14, 14]));
        for away in [[3, 2], [4, 0], [0, -4]] {
            let there = moved(&digit, away);
            assert_ne!(there, digit);
            assert_eq!(centred(&there), digit, "{away:?}");
        }
        assert_eq!(centred(&[0.0; SIDE * SIDE]), [0.0; SIDE * SIDE]);
        // What leaves the frame does not come in on the other side.
        assert_eq!(moved(&[1.0; SIDE * SIDE], [0, 1]).iter().sum::<f64>(), (SIDE * (SIDE - 1)) as f64);
    }

    #[test]
    fn a_stroke_changes_what_is_seen_and_a_place_counts_only_where_nothing_is_centred() {
        let look = |cells: &[f64], centred: u8| {
            lenet_draw(&inputs(DRAW, json!({ "digit": cells, "centred": centred }))).unwrap()
        };
        let digit = centred(&first_digit());
        let mut painted = digit.clone();
        painted[5 * SIDE..5 * SIDE + 20].fill(1.0);
        assert_ne!(look(&painted, 1).svg, look(&digit, 1).svg);
        let beside = moved(&digit, [0, 4]);
        assert_eq!(look(&beside, 1).svg, look(&digit, 1).svg);
        assert_ne!(look(&beside, 0).svg, look(&digit, 0).svg);
        assert!(look(&beside, 0).status.ends_with("Centre of mass in row 14, column 10."));
        let empty = look(&[0.0; SIDE * SIDE], 1).status;
        assert!(
            empty.starts_with("It reads ")
                && empty.ends_with("Nothing is painted, and it answers all the same."),
            "{empty}"
        );
    }

    #[test]
    fn both_figures_have_one_network_which_can_read() {
        let (one, other) = (learned(false).unwrap(), learned(false).unwrap());
        assert!(Arc::ptr_eq(&one, &other));
        assert!(one.accuracy > 0.9, "{}", one.accuracy);
        let maps = lenet_maps(&Inputs::defaults(MAPS)).unwrap();
        // An image, six filters and maps, sixteen maps.
        assert_eq!(maps.svg.matches("<g transform").count(), 1 + 6 + 6 + 16);
        let drawn = lenet_draw(&Inputs::defaults(DRAW)).unwrap();
        let reads = |status: &str| status.split("It reads ").nth(1).unwrap()[..1].to_owned();
        assert_eq!(reads(&maps.status), reads(&drawn.status), "the same digit, but for hundredths");
    }
}
