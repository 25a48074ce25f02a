//! The state of every optimiser, saved and loaded.

use super::adaptive::nan;
use super::{drawn, path, same, slopes, walk};
use crate::{Adam, AdamW, Averaged, Momentum, Optimizer, RmsProp, Sgd};
use gradus_autograd::Var;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::Scalar;
use rand_distr::{Distribution, StandardNormal};

type Make<T> = fn() -> Box<dyn Optimizer<T>>;

/// The optimisers, each under the formula whose state it is.
fn all<T: Scalar>() -> [(&'static str, &'static [&'static str], Make<T>); 7] {
    [
        ("momentum-update.state", &["momentum-update"], || Box::new(Sgd::new(0.1).momentum(0.9))),
        ("nesterov.state", &["nesterov"], || {
            Box::new(Sgd::new(0.1).momentum(0.8).form(Momentum::Classical).nesterov(true))
        }),
        ("weight-decay-update.state", &["weight-decay-update"], || Box::new(Sgd::new(0.1).weight_decay(0.1))),
        ("rmsprop.state", &["rmsprop"], || Box::new(RmsProp::new(0.1).centred(true).momentum(0.9))),
        ("adam.state", &["adam"], || Box::new(Adam::new(0.1).weight_decay(0.1))),
        ("adamw.state", &["adamw"], || Box::new(AdamW::new(0.1))),
        ("ema-weights.state", &["ema-weights"], || match Averaged::new(Adam::new(0.1), 0.8) {
            Ok(averaged) => Box::new(averaged),
            // 0.8 is fine; were it refused, what is without a mean would fail below.
            Err(_) => Box::new(Sgd::new(f64::NAN)),
        }),
    ]
}

pub(super) fn properties() -> Vec<Property> {
    let mut properties: Vec<Property> = all::<f64>()
        .into_iter()
        .zip(all::<f32>())
        .map(|((id, of, wide), (_, _, narrow))| property(id, of, wide, narrow))
        .collect();
    properties
        .push(nan("momentum-update.nan", &["momentum-update"], || Box::new(Sgd::new(0.1).momentum(0.9))));
    properties
        .push(nan("nesterov.nan", &["nesterov"], || Box::new(Sgd::new(0.1).momentum(0.9).nesterov(true))));
    properties
}

fn property(
    id: &'static str,
    formulas: &'static [&'static str],
    wide: Make<f64>,
    narrow: Make<f32>,
) -> Property {
    let statement =
        "k steps have the bits of j steps, the state saved, loaded into another optimiser, and k − j steps";
    walk(id, formulas, statement)
        .draw(Draw::real("share", 0.0..=1.0).limited(0.0..=1.0))
        .draw(Draw::log("rate", 1e-3..=0.5).limited(1e-6..=2.0))
        .draw(Draw::choice("type", &["f64", "f32"]))
        .holds(move |case| match case.choice("type") {
            "f32" => restored(case, narrow),
            _ => restored(case, wide),
        })
}

fn restored<T: Scalar>(case: &mut Case<'_>, make: Make<T>) -> Result<bool, Failure>
where
    StandardNormal: Distribution<T>,
{
    let (start, gradients) = drawn::<T>(case, 1.0)?;
    let before = (case.real("share") * gradients.len() as f64) as usize;
    case.classify(before == 0, "saved before the first step");
    let (first, second) = gradients.split_at(before);
    // The rate is not the one that the optimiser was made with: it has to come with the state.
    let rate = case.real("rate");
    let mut whole = make();
    whole.set_learning_rate(rate)?;
    let expected = path(whole.as_mut(), &start, &gradients)?;

    let mut one = make();
    one.set_learning_rate(rate)?;
    let places = path(one.as_mut(), &start, first)?;
    let w = Var::parameter(places[before].clone());
    let state = one.state();
    // What the first does after its state was taken does not reach it.
    path(one.as_mut(), &start, &gradients)?;
    let mut other = make();
    other.load_state(&state)?;
    for g in second {
        let gradients = slopes(&w, g)?;
        other.step(&w, &gradients)?;
    }
    let again = {
        let mut again = make();
        again.load_state(&other.state())?;
        again.state()
    };
    let stable = again.keys().eq(other.state().keys())
        && again.values().zip(other.state().values()).all(|(a, b)| same(a, b));
    Ok(stable && same(&w.value(), &expected[gradients.len()]))
}
