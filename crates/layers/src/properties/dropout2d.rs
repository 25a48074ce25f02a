//! Dropout of channels: whole or not at all, each with its probability.

use super::{ROUNDING, gradients, holds, normal};
use crate::{ChannelMask, Dropout2d, dropout, dropout2d, kept};
use gradus_autograd::{Layer, Mode, Var, gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Tensor, rng};

fn drawn(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, &["channel-dropout"], statement)
        .draw(Draw::size("n", 0..=4))
        .draw(Draw::size("c", 1..=5))
        .draw(Draw::size("h", 1..=3))
        .draw(Draw::size("w", 1..=4))
        .draw(Draw::choice("shape", &["[N, C]", "[N, C, W]", "[N, C, H, W]"]))
        .draw(Draw::real("p", 0.0..=1.0).limited(0.0..=1.0))
        .draw(Draw::seed("key"))
        .draw(Draw::seed("values"))
}

fn dims(case: &mut Case<'_>) -> Vec<usize> {
    let (n, c, h, w) = (case.size("n"), case.size("c"), case.size("h"), case.size("w"));
    case.classify(n == 0, "no samples");
    match case.choice("shape") {
        "[N, C]" => vec![n, c],
        "[N, C, W]" => vec![n, c, w],
        _ => vec![n, c, h, w],
    }
}

/// The numbers of each channel of each sample.
fn channels<'a>(x: &'a Tensor<f64>) -> impl Iterator<Item = &'a [f64]> + use<'a> {
    x.as_slice().chunks_exact(x.dims()[2..].iter().product())
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        drawn(
            "channel-dropout.whole",
            "a channel of a sample stays whole, as x/(1 − p), or goes whole, and the key says which",
        )
        .check(|case| {
            let (dims, p, key) = (dims(case), case.real("p"), case.seed("key"));
            case.classify(p == 0.0, "p = 0");
            case.classify(p == 1.0, "p = 1");
            let x = normal(case, "values", 0, &dims)?;
            let y = dropout2d(&x, p, key)?;
            let scale = 1.0 / (1.0 - p);
            let right = |(i, (x, y)): (usize, (&[f64], &[f64]))| {
                let stays = kept(key, p, i as u64);
                x.iter().zip(y).all(|(&x, &y)| if stays { y == x * scale } else { y == 0.0 })
            };
            Ok(holds(channels(&x).zip(channels(&y)).enumerate().all(right)))
        }),
        drawn("channel-dropout.one-pixel", "of images of one pixel it is dropout").check(|case| {
            let (n, c) = (case.size("n"), case.size("c"));
            let (p, key) = (case.real("p"), case.seed("key"));
            let x = normal(case, "values", 0, &[n, c, 1, 1])?;
            Ok(holds(dropout2d(&x, p, key)?.same_bits(&dropout(&x, p, key)?)))
        }),
        Property::new(
            "channel-dropout.expectation",
            &["channel-dropout"],
            "the mean over all masks, each with its probability, is x",
        )
        .draw(Draw::size("n", 1..=2))
        .draw(Draw::size("c", 1..=2))
        .draw(Draw::size("h", 1..=3))
        .draw(Draw::real("p", 0.25..=0.75).limited(0.2..=0.8))
        .draw(Draw::seed("key"))
        .draw(Draw::seed("values"))
        .within("rounding of 16 terms", ROUNDING)
        .check(|case| {
            let (n, c, h, p) = (case.size("n"), case.size("c"), case.size("h"), case.real("p"));
            let x = normal(case, "values", 0, &[n, c, h, 2])?;
            let mut mean = x.zeros_like();
            let mut missing: Vec<usize> = (0..1 << (n * c)).collect();
            // A key for every mask; the rarest of 16 has a probability of 1/625 at least. No more keys than it takes, or a mask that never comes is waited for.
            for key in (0..20_000).map(|k| case.seed("key") + k) {
                let y = dropout2d(&x, p, key)?;
                // As they were dropped, not as the key says: a mask that is none of these is never missed.
                let mask = channels(&y)
                    .enumerate()
                    .fold(0, |mask, (i, y)| mask | usize::from(y.iter().any(|&y| y != 0.0)) << i);
                let Some(at) = missing.iter().position(|&m| m == mask) else { continue };
                missing.swap_remove(at);
                let stay = mask.count_ones() as i32;
                let probability = (1.0 - p).powi(stay) * p.powi((n * c) as i32 - stay);
                mean.add_scaled(probability, &y)?;
                if missing.is_empty() {
                    break;
                }
            }
            Ok(if missing.is_empty() { mean.max_difference(&x)? } else { f64::INFINITY })
        }),
        drawn("channel-dropout.adjoint", "⟨dropout(x), v⟩ = ⟨x, its gradient⟩: the way back has the same mask")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (dims, p, key) = (dims(case), case.real("p").min(0.99), case.seed("key"));
                let (x, v) = (normal(case, "values", 0, &dims)?, normal(case, "values", 1, &dims)?);
                let y = dropout2d(&x, p, key)?;
                let [back] = gradients(&ChannelMask { p, key }, [&x], &v)?;
                Ok((y.dot(&v)? - x.dot(&back)?).abs() / y.mul(&v)?.abs().sum().max(1.0))
            }),
        gradient_property(drawn("channel-dropout.gradient", "the gradient in x"), |case| {
            let dims = dims(case);
            let x = normal(case, "values", 0, &dims)?;
            Ok((ChannelMask { p: case.real("p").min(0.9), key: case.seed("key") }, [x]))
        }),
        drawn(
            "channel-dropout.identity",
            "in evaluation, and in training with p = 0, it is x; with p = 1 it is 0; and a call takes one number of the generator",
        )
        .check(|case| {
            let dims = dims(case);
            let x = Var::constant(normal(case, "values", 0, &dims)?);
            let layer = Dropout2d::new(case.real("p"))?;
            let eval = layer.forward(&x, &mut Mode::Eval)?.value();
            let rng = &mut rng(case.seed("key"));
            let never = Dropout2d::new(0.0)?.forward(&x, &mut Mode::Train(rng))?.value();
            let always = Dropout2d::new(1.0)?.forward(&x, &mut Mode::Train(rng))?.value();
            let same = eval.same_bits(&x.value()) && never.same_bits(&x.value());
            let mut other = gradus_tensor::rng(case.seed("key"));
            let draws: [u64; 3] = std::array::from_fn(|_| rand::Rng::next_u64(&mut other));
            let third = rand::Rng::next_u64(rng);
            Ok(holds(same && always.as_slice().iter().all(|&y| y == 0.0) && third == draws[2]))
        }),
        drawn("channel-dropout.nan", "a NaN stays one, whether its channel is dropped or not").check(|case| {
            let dims = dims(case);
            let mut x = normal(case, "values", 0, &dims)?;
            if x.is_empty() {
                return Ok(0.0);
            }
            let at = (case.seed("values") % x.len() as u64) as usize;
            x.as_mut_slice()[at] = f64::NAN;
            let y = dropout2d(&x, case.real("p"), case.seed("key"))?;
            let right = |(i, y): (usize, &f64)| y.is_nan() == (i == at);
            Ok(holds(y.as_slice().iter().enumerate().all(right)))
        }),
        Property::new("channel-dropout.refused", &["channel-dropout"], "a p outside 0..=1 and a vector are refused")
            .check(|_| {
                let x = Tensor::<f64>::ones([2, 3])?;
                let refuses = |result: gradus_tensor::Result<Tensor<f64>>| -> Result<bool, Failure> {
                    let Err(error) = result else { return Ok(false) };
                    Ok(error.to_string().contains("dropout2d"))
                };
                let mut all = true;
                for p in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
                    all &= refuses(dropout2d(&x, p, 1))? && Dropout2d::new(p).is_err();
                }
                Ok(holds(all && refuses(dropout2d(&Tensor::<f64>::ones([3])?, 0.5, 1))?))
            }),
    ]
}
