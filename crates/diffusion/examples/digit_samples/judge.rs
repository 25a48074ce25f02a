//! A LeNet-5 that has learned to read the same digits says what it sees in the drawings.

use crate::{Arguments, Data, Network, batch};
use gradus_architectures::{LeNet, LeNetShape, Squashing};
use gradus_autograd::{Layer, Mode, Op, Var, no_grad};
use gradus_cnn::Upsample;
use gradus_datasets::Images;
use gradus_diffusion::{Sampler, frechet_distance};
use gradus_losses::CrossEntropy;
use gradus_optimization::{Cosine, Sgd};
use gradus_tensor::Tensor;
use gradus_training::{Batches, Result, Scored, Trainer, correct};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// Images as the judge wants them: small ones enlarged to 32 × 32.
fn seen(x: &Tensor<f32>) -> Result<Tensor<f32>> {
    Ok(if x.dims()[2] < 16 { Upsample::to([32, 32]).bilinear().eval([x])? } else { x.clone() })
}

/// Learns to read, for about as long as it takes to be right on 98 of 100.
fn reader(data: &Data, seed: u64) -> Result<LeNet> {
    let shape = if data.train.height() < 16 { LeNetShape::default() } else { LeNetShape::mnist() };
    let shape = shape.classes(data.classes as usize);
    let net = LeNet::<f32>::new(shape, Squashing::Tanh, &mut ChaCha8Rng::seed_from_u64(seed ^ 0x1EAD))?;
    let epochs = (120_000 / data.train.len() as u64).clamp(3, 40);
    let batches = Batches::new(data.train.len(), 64)?.shuffled();
    let schedule = Cosine::new(0.05, 0.0, epochs * batches.len() as u64)?;
    let mut sgd = Sgd::new(0.05).momentum(0.9);
    Trainer::new(&net, &mut sgd, batches).epochs(epochs).seed(seed).clip_norm(1.0).schedule(schedule).run(
        |numbers, mode| {
            let (x, classes) = batch(&data.train, numbers)?;
            let scores = net.forward(&Var::constant(seen(&x)?), mode)?;
            let classes = classes.into();
            Scored::classes(Var::apply(CrossEntropy::new(&classes), [&scores])?, &scores, &classes)
        },
    )?;
    Ok(net)
}

/// What the reader makes of images: scores and features, in batches.
fn read(net: &LeNet, x: &Tensor<f32>) -> Result<(Tensor<f32>, Tensor<f64>)> {
    let (mut scores, mut features) = (Vec::new(), Vec::new());
    for start in (0..x.dims()[0]).step_by(500) {
        let part = seen(&x.slice(0, start..(start + 500).min(x.dims()[0]))?)?;
        let of = no_grad(|| net.features(&Var::constant(part), &mut Mode::Eval))?;
        scores.push(no_grad(|| net.fc3.forward(&of, &mut Mode::Eval))?.value());
        features.push(of.value().cast::<f64>());
    }
    let all = |parts: &[Tensor<f32>]| Tensor::concatenate(&parts.iter().collect::<Vec<_>>(), 0);
    Ok((all(&scores)?, Tensor::concatenate(&features.iter().collect::<Vec<_>>(), 0)?))
}

/// The root of the mean squared difference of pixels from each image to the nearest of the others.
fn nearest(x: &Tensor<f32>, others: &Tensor<f32>) -> Result<Vec<f64>> {
    let flat = |x: &Tensor<f32>| x.reshape([x.dims()[0], x.len() / x.dims()[0]]);
    let (x, others) = (flat(x)?, flat(others)?);
    let squares = |x: &Tensor<f32>| x.mul(x)?.sum_axis(1);
    let (own, theirs) = (squares(&x)?, squares(&others)?);
    let products = x.matmul(&others.transpose()?)?;
    let pixels = x.dims()[1] as f64;
    let row = |(row, &own): (&[f32], &f32)| {
        let far = |(&product, &theirs): (&f32, &f32)| own + theirs - 2.0 * product;
        let least = row.iter().zip(theirs.as_slice()).map(far).fold(f32::INFINITY, f32::min);
        (f64::from(least.max(0.0)) / pixels).sqrt()
    };
    Ok(products.as_slice().chunks_exact(others.dims()[0]).zip(own.as_slice()).map(row).collect())
}

/// Of each class the root of the mean squared difference of two of its images, over the pixels.
fn spreads(x: &Tensor<f32>, labels: &[u32], classes: u32) -> Result<Vec<f64>> {
    let of = |class: u32| {
        let own: Vec<u32> = (0..labels.len() as u32).filter(|&i| labels[i as usize] == class).collect();
        // Two draws differ by twice the variance.
        Ok((2.0 * f64::from(x.gather(0, &own)?.variance_axis(0, 1)?.mean()?)).sqrt())
    };
    (0..classes).map(of).collect()
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len().max(1) as f64
}

fn some(images: &Images, count: usize) -> Result<(Tensor<f32>, Vec<u32>)> {
    let count = count.min(images.len());
    let step = images.len() / count.max(1);
    batch(images, &(0..count).map(|i| (i * step) as u32).collect::<Vec<_>>())
}

/// Draws, and says what the drawings are worth.
pub(super) fn judge(a: &Arguments, net: &dyn Network, sampler: &Sampler, data: &Data) -> Result<()> {
    let reader = reader(data, a.training.seed)?;
    let (real, real_labels) = some(&data.test, a.judged)?;
    let (scores, real_features) = read(&reader, &real)?;
    let right = correct(&scores, &real_labels.clone().into())?;
    println!(
        "the reader is right on {:.2} % of {} test images",
        percent(right, real_labels.len()),
        real_labels.len()
    );

    let [c, h, w] = data.shape();
    let (mut drawn, mut labels) = (Vec::new(), Vec::new());
    let bar = indicatif::ProgressBar::new(a.judged as u64);
    while labels.len() < a.judged {
        let count = (a.judged - labels.len()).min(250);
        let asked: Vec<u32> =
            (0..count).map(|i| ((labels.len() + i) % data.classes as usize) as u32).collect();
        // Other noise for every batch, and other than the sheet's.
        let seed = a.training.seed.wrapping_add(1 + labels.len() as u64);
        drawn.push(sampler.draw::<f32>(net, [count, c, h, w], Some(&asked), seed)?);
        labels.extend(asked);
        bar.inc(count as u64);
    }
    bar.finish_and_clear();
    let drawn = Tensor::concatenate(&drawn.iter().collect::<Vec<_>>(), 0)?;
    let (scores, features) = read(&reader, &drawn)?;
    let right = correct(&scores, &labels.clone().into())?;
    println!(
        "the digit that was asked for: {:.2} % of {} drawings",
        percent(right, labels.len()),
        labels.len()
    );

    let (learned, _) = some(&data.train, 10_000)?;
    let (ours, theirs) = (nearest(&drawn, &learned)?, nearest(&real, &learned)?);
    println!(
        "distance to the nearest image that was learned from: {:.3}, at least {:.3} (test images: {:.3}, at least {:.3}); white to black is 2",
        mean(&ours),
        ours.iter().fold(f64::INFINITY, |a, &b| a.min(b)),
        mean(&theirs),
        theirs.iter().fold(f64::INFINITY, |a, &b| a.min(b)),
    );
    let (ours, theirs) =
        (spreads(&drawn, &labels, data.classes)?, spreads(&real, &real_labels, data.classes)?);
    let all = |of: &[f64]| mean(&of.iter().map(|spread| spread * spread).collect::<Vec<_>>()).sqrt();
    println!("distance of two drawings of a digit: {:.3} (test images: {:.3})", all(&ours), all(&theirs));
    for (class, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        println!("  of the digit {class}: {ours:.3} ({theirs:.3})");
    }
    // As many of each: of few samples the distance is larger.
    let count = real_labels.len().min(labels.len());
    let (_, learned_features) = read(&reader, &some(&data.train, count)?.0)?;
    println!(
        "Fréchet distance of {count} to as many test images, in the reader's features: {:.3} (images learned from: {:.3})",
        frechet_distance(&features.slice(0, 0..count)?, &real_features.slice(0, 0..count)?)?,
        frechet_distance(&learned_features, &real_features.slice(0, 0..count)?)?
    );
    Ok(())
}

fn percent(right: usize, of: usize) -> f64 {
    100.0 * right as f64 / of.max(1) as f64
}
