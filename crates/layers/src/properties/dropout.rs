//! Dropout: exact facts about masks, and a few about how they are drawn.

use super::{ROUNDING, gradients, holds, normal};
use crate::{Dropout, Mask, dropout, kept};
use gradus_autograd::{Layer, Mode, Var, gradient_property};
use gradus_formula::{Draw, Property};
use gradus_tensor::{Tensor, rng};

fn drawn(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, &["dropout"], statement)
        .draw(Draw::size("n", 1..=70))
        .draw(Draw::real("p", 0.0..=1.0).limited(0.0..=1.0))
        .draw(Draw::seed("key"))
        .draw(Draw::seed("values"))
}

pub(super) fn properties() -> Vec<Property> {
    let mut all = exact();
    all.extend(statistical());
    all
}

fn exact() -> Vec<Property> {
    vec![
        Property::new(
            "dropout.expectation",
            &["dropout"],
            "the mean over all masks, each with its probability, is x",
        )
        .draw(Draw::size("n", 1..=4).limited(1.0..=5.0))
        .draw(Draw::real("p", 0.25..=0.75).limited(0.2..=0.8))
        .draw(Draw::seed("key"))
        .draw(Draw::seed("values"))
        .within("rounding of 2ⁿ terms", ROUNDING)
        .check(|case| {
            let (n, p) = (case.size("n"), case.real("p"));
            let x = normal(case, "values", 0, &[n])?;
            let mut mean = x.zeros_like();
            let mut missing: Vec<usize> = (0..1 << n).collect();
            // A key for every mask; the rarest of 32 has a probability of 1/3125 at least.
            for key in (0..200_000).map(|k| case.seed("key") + k) {
                let mask = (0..n).fold(0, |mask, i| mask | usize::from(kept(key, p, i as u64)) << i);
                let Some(at) = missing.iter().position(|&m| m == mask) else { continue };
                missing.swap_remove(at);
                let stay = mask.count_ones() as i32;
                let probability = (1.0 - p).powi(stay) * p.powi(n as i32 - stay);
                mean.add_scaled(probability, &dropout(&x, p, key)?)?;
                if missing.is_empty() {
                    break;
                }
            }
            Ok(if missing.is_empty() { mean.max_difference(&x)? } else { f64::INFINITY })
        }),
        drawn("dropout.values", "what stays is x/(1 − p), what goes is 0, and the key says which").check(
            |case| {
                let (n, p, key) = (case.size("n"), case.real("p"), case.seed("key"));
                case.classify(p == 0.0, "p = 0");
                case.classify(p == 1.0, "p = 1");
                let x = normal(case, "values", 0, &[n])?;
                let y = dropout(&x, p, key)?;
                let scale = 1.0 / (1.0 - p);
                let right = |(i, (&x, &y)): (usize, (&f64, &f64))| {
                    if kept(key, p, i as u64) { y == x * scale } else { y == 0.0 }
                };
                Ok(holds(x.as_slice().iter().zip(y.as_slice()).enumerate().all(right)))
            },
        ),
        drawn("dropout.adjoint", "⟨dropout(x), v⟩ = ⟨x, its gradient⟩: the way back has the same mask")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (n, p, key) = (case.size("n"), case.real("p").min(0.99), case.seed("key"));
                let (x, v) = (normal(case, "values", 0, &[n])?, normal(case, "values", 1, &[n])?);
                let y = dropout(&x, p, key)?;
                let [back] = gradients(&Mask { p, key }, [&x], &v)?;
                Ok((y.dot(&v)? - x.dot(&back)?).abs() / y.mul(&v)?.abs().sum().max(1.0))
            }),
        gradient_property(drawn("dropout.gradient", "the gradient in x"), |case| {
            let x = normal(case, "values", 0, &[case.size("n").min(12)])?;
            Ok((Mask { p: case.real("p").min(0.9), key: case.seed("key") }, [x]))
        }),
        drawn("dropout.identity", "in evaluation, and in training with p = 0, it is x; with p = 1 it is 0")
            .check(|case| {
                let x = Var::constant(normal(case, "values", 0, &[case.size("n")])?);
                let rng = &mut rng(case.seed("key"));
                let layer = Dropout::new(case.real("p"))?;
                let eval = layer.forward(&x, &mut Mode::Eval)?.value();
                let never = Dropout::new(0.0)?.forward(&x, &mut Mode::Train(rng))?.value();
                let always = Dropout::new(1.0)?.forward(&x, &mut Mode::Train(rng))?.value();
                let same = eval.same_bits(&x.value()) && never.same_bits(&x.value());
                Ok(holds(same && always.as_slice().iter().all(|&y| y == 0.0)))
            }),
        drawn("dropout.draws", "a call in training takes one number, whatever p, and in evaluation none")
            .check(|case| {
                let x = Var::constant(normal(case, "values", 0, &[case.size("n")])?);
                let after = |p: f64, train: bool| -> gradus_tensor::Result<f64> {
                    let rng = &mut rng(case.seed("key"));
                    let mut mode = if train { Mode::Train(rng) } else { Mode::Eval };
                    Dropout::new(p)?.forward(&x, &mut mode)?;
                    if !train {
                        return Ok(0.0);
                    }
                    // What the next layer draws.
                    let next =
                        Dropout::new(0.5)?.forward(&Var::constant(Tensor::<f64>::ones([32])?), &mut mode)?;
                    Ok(next.value().as_slice().iter().fold(0.0, |bits, y| 2.0 * bits + y))
                };
                Ok((after(case.real("p"), true)? - after(0.0, true)?).abs() + after(case.real("p"), false)?)
            }),
    ]
}

const MANY: u64 = 1 << 19;

/// How many standard deviations a count of `hits` among `MANY` is from its mean, where each has probability `p`.
fn deviations(hits: usize, p: f64) -> f64 {
    let n = MANY as f64;
    (hits as f64 - n * p).abs() / (n * p * (1.0 - p)).sqrt()
}

fn statistical() -> Vec<Property> {
    let constant =
        |id, statement| Property::new(id, &["dropout"], statement).within("6.5 standard deviations", 6.5);
    vec![
        constant("dropout.rate", "the share of what is dropped is p (fixed keys; false alarm 4·10⁻¹⁰)").check(|_| {
            let mut worst: f64 = 0.0;
            for (key, p) in [(1, 0.1), (2, 0.25), (3, 0.5), (4, 0.8), (u64::MAX, 0.99)] {
                let y = dropout(&Tensor::<f64>::ones([MANY as usize])?, p, key)?;
                let dropped = y.as_slice().iter().filter(|&&y| y == 0.0).count();
                worst = worst.max(deviations(dropped, p));
            }
            Ok(worst)
        }),
        constant(
            "dropout.independence",
            "neighbours agree half the time at p = ½: elements, pairs of them, keys (fixed keys; false alarm 6·10⁻¹⁰)",
        )
        .check(|_| {
            let stays = |key: u64, i: u64| kept(key, 0.5, i);
            let count = |agree: &dyn Fn(u64) -> bool| (0..MANY).filter(|&i| agree(i)).count();
            let counts = [
                count(&|i| stays(7, 2 * i) == stays(7, 2 * i + 1)),
                count(&|i| stays(7, i) == stays(7, i + 2)),
                count(&|i| stays(7, i) == stays(7, i + 64)),
                count(&|i| stays(7, i) == stays(8, i)),
                count(&|i| stays(i, 0) == stays(i + 1, 0)),
                // A key that is one step of the generator farther on must not be the same stream, one number later.
                count(&|i| stays(7, i + 2) == stays(7u64.wrapping_add(0x9E37_79B9_7F4A_7C15), i)),
                count(&|i| stays(i, 0) == stays(i, 1)),
            ];
            Ok(counts.into_iter().map(|hits| deviations(hits, 0.5)).fold(0.0, f64::max))
        }),
    ]
}
