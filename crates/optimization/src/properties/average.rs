//! The running mean of the weights.

use super::{ROUNDING, apart, drawn, path, same, slopes, walk};
use crate::{Adam, Averaged, Optimizer, Sgd};
use gradus_autograd::Var;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::Tensor;

const ID: &[&str] = &["ema-weights"];

/// The places that the weights come to, and the means after each step.
fn averaged(
    case: &mut Case<'_>,
    inner: impl Optimizer<f64> + 'static,
) -> Result<(Vec<Tensor<f64>>, Vec<Tensor<f64>>), Failure> {
    let (start, gradients) = drawn::<f64>(case, 1.0)?;
    let mut optimizer = Averaged::new(inner, case.real("decay"))?;
    let w = Var::parameter(start);
    let (mut places, mut means) = (Vec::new(), Vec::new());
    for g in &gradients {
        let gradients = slopes(&w, g)?;
        optimizer.step(&w, &gradients)?;
        places.push(w.value());
        means.push(optimizer.averages().values().next().cloned().unwrap_or_else(|| Tensor::scalar(f64::NAN)));
    }
    Ok((places, means))
}

fn walked(id: &'static str, statement: &'static str) -> Property {
    walk(id, ID, statement).draw(Draw::real("decay", 0.0..=0.999).limited(0.0..=0.999_999))
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        walked("ema-weights.sum", "it is the sum of all places so far, each with 1 − dₖ of its own step times the d of all steps after it; the first with what is left of 1")
            .within("rounding of some dozen terms", 16.0 * ROUNDING)
            .check(|case| {
                let (places, means) = averaged(case, Sgd::new(0.3))?;
                let Some(last) = means.last() else { return Ok(0.0) };
                let d = |k: usize| case.real("decay").min(k as f64 / (9.0 + k as f64));
                let mut expected = last.zeros_like();
                for (j, place) in places.iter().enumerate() {
                    let later: f64 = (j + 1..places.len()).map(d).product();
                    expected.add_scaled((1.0 - d(j)) * later, place)?;
                }
                let size = places.iter().map(|place| place.abs().max()).collect::<Result<Vec<_>, _>>()?;
                Ok(last.max_difference(&expected)? / (1.0 + size.into_iter().fold(0.0, f64::max)))
            }),
        walked("ema-weights.hull", "no number of it lies outside of where that weight has been")
            .within("rounding", 16.0 * ROUNDING)
            .check(|case| {
                let (places, means) = averaged(case, Sgd::new(0.3))?;
                let mut off = 0.0f64;
                let Some(last) = means.last() else { return Ok(0.0) };
                for (i, &mean) in last.as_slice().iter().enumerate() {
                    let been = || places.iter().map(|place| place.as_slice()[i]);
                    let (low, high) = (been().fold(f64::INFINITY, f64::min), been().fold(f64::NEG_INFINITY, f64::max));
                    off = off.max((low - mean).max(mean - high) / (1.0 + low.abs().max(high.abs())));
                }
                Ok(off)
            }),
        walked("ema-weights.beside", "the weights go where they would have gone without it, to the bit")
            .holds(|case| {
                let (places, _) = averaged(case, Adam::new(0.1))?;
                let (start, gradients) = drawn::<f64>(case, 1.0)?;
                let alone = path(&mut Adam::new(0.1), &start, &gradients)?;
                Ok(places.iter().zip(&alone[1..]).all(|(a, b)| same(a, b)))
            }),
        walked("ema-weights.still", "what does not move stays, to the bit; put into a model it takes the weights' place, and the weights go on from there")
            .holds(|case| {
                let (start, gradients) = drawn::<f64>(case, 1.0)?;
                let (w, mut optimizer) = (Var::parameter(start.clone()), Averaged::new(Sgd::new(0.0), case.real("decay"))?);
                optimizer.load_into(&w)?;
                let untouched = same(&w.value(), &start);
                for g in &gradients {
                    let gradients = slopes(&w, g)?;
                    optimizer.step(&w, &gradients)?;
                }
                let still = optimizer.averages().values().all(|mean| same(mean, &start));
                let other = Var::parameter(start.zeros_like());
                optimizer.load_into(&other)?;
                let taken = gradients.is_empty() || same(&other.value(), &start);
                Ok(untouched && still && taken)
            }),
        walked("ema-weights.near", "it is no further from the last place than the longest of the steps so far reaches: a mean of what has been")
            .within("rounding", 16.0 * ROUNDING)
            .check(|case| {
                let (places, means) = averaged(case, Sgd::new(0.3))?;
                let (Some(last), Some(mean)) = (places.last(), means.last()) else { return Ok(0.0) };
                let far = places.iter().map(|place| apart(place, last)).collect::<Result<Vec<_>, _>>()?;
                Ok(apart(mean, last)? - far.into_iter().fold(0.0, f64::max))
            }),
        Property::new("ema-weights.refused", ID, "a share below 0, of 1 and more, or that is no number is refused; so is a state without a count")
            .draw(Draw::choice("decay", &["-0.1", "1", "2", "NaN"]))
            .holds(|case| {
                let decay: f64 = case.choice("decay").parse().unwrap_or(f64::NAN);
                let refused = Averaged::<_, f64>::new(Sgd::<f64>::new(0.1), decay).is_err();
                let mut fine = Averaged::<_, f64>::new(Sgd::<f64>::new(0.1), 0.5)?;
                let mut state = fine.state();
                let loads = fine.load_state(&state).is_ok();
                state.remove("average_steps");
                Ok(refused && loads && fine.load_state(&state).is_err())
            }),
    ]
}
