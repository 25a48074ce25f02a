//! Weight decay: coupled, decoupled, and where the two are one.

use super::{ROUNDING, STEPS, apart, drawn, path, relative, same, slopes, walk};
use crate::{Adam, AdamW, Group, Optimizer, Sgd, WeightDecay};
use gradus_autograd::{Name, Parameters, Slot, SlotMut, Var};
use gradus_formula::{Draw, Failure, Property};
use gradus_tensor::{Scalar, Tensor};

const ID: &[&str] = &["weight-decay-update"];

fn decayed(property: Property) -> Property {
    property
        .draw(Draw::log("rate", 1e-3..=1.0).limited(1e-6..=2.0))
        .draw(Draw::real("lambda", 0.001..=0.9).limited(0.0..=10.0))
}

/// Two parameters by name.
struct Two {
    weight: Var<f64>,
    bias: Var<f64>,
}

impl Parameters<f64> for Two {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, f64>)) {
        name.scope("weight", |name| self.weight.visit(name, see));
        name.scope("bias", |name| self.bias.visit(name, see));
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, f64>)) {
        name.scope("weight", |name| self.weight.visit_mut(name, see));
        name.scope("bias", |name| self.bias.visit_mut(name, see));
    }
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        decayed(walk(
            "weight-decay-update.closed-form",
            ID,
            "a step of plain descent is (1 − ηλ)θ − ηg, coupled or decoupled",
        ))
        .within("rounding over the steps", STEPS)
        .check(|case| {
            let (start, gradients) = drawn(case, 1.0)?;
            let (rate, lambda) = (case.real("rate"), case.real("lambda"));
            let mut expected = start.clone();
            for g in &gradients {
                expected = expected.scale(1.0 - rate * lambda).sub(&g.scale(rate))?;
            }
            let ends = [Sgd::new(rate).weight_decay(lambda), Sgd::new(rate).decoupled_weight_decay(lambda)];
            let mut off: f64 = 0.0;
            for mut sgd in ends {
                let places = path(&mut sgd, &start, &gradients)?;
                off = off.max_or_nan(apart(&places[gradients.len()], &expected)?);
            }
            Ok(off)
        }),
        decayed(walk(
            "weight-decay-update.penalty",
            ID,
            "coupled decay is descent on the loss plus ½λ‖θ‖², with momentum too",
        ))
        .draw(Draw::real("mu", 0.0..=0.95).limited(0.0..=0.99))
        .within("rounding over the steps", STEPS)
        .check(|case| {
            let (start, gradients) = drawn(case, 1.0)?;
            let (rate, lambda, mu) = (case.real("rate"), case.real("lambda"), case.real("mu"));
            let places =
                path(&mut Sgd::new(rate).momentum(mu).weight_decay(lambda), &start, &gradients)?;
            let w = Var::parameter(start);
            let mut sgd = Sgd::new(rate).momentum(mu);
            for g in &gradients {
                let loss = w.mul(&Var::constant(g.clone()))?.sum()?;
                let penalty = w.mul(&w)?.sum()?.scale(0.5 * lambda)?;
                let slopes = loss.add(&penalty)?.backward()?;
                sgd.step(&w, &slopes)?;
            }
            apart(&w.value(), &places[gradients.len()])
        }),
        decayed(walk("weight-decay-update.none", ID, "with λ = 0 it is not there, even for an infinite θ")).holds(
            |case| {
                let (start, gradients) = drawn::<f64>(case, 1.0)?;
                let start = Tensor::concatenate(&[&start, &Tensor::from([f64::INFINITY])], 0)?;
                let gradients: Vec<_> =
                    gradients.iter().map(|g| g.pad(0, 0, 1, 1.0)).collect::<Result<_, _>>()?;
                let rate = case.real("rate");
                let none = path(&mut Sgd::new(rate).momentum(0.5), &start, &gradients)?;
                let coupled = path(&mut Sgd::new(rate).momentum(0.5).weight_decay(0.0), &start, &gradients)?;
                let mut beside = Sgd::new(rate).momentum(0.5).decoupled_weight_decay(0.0);
                let beside = path(&mut beside, &start, &gradients)?;
                let last = gradients.len();
                let infinite = none[last].as_slice().last() == Some(&f64::INFINITY);
                Ok(infinite && same(&none[last], &coupled[last]) && same(&none[last], &beside[last]))
            },
        ),
        decayed(Property::new(
            "weight-decay-update.adam",
            &["weight-decay-update", "adamw", "adam"],
            "where the loss has no slope, AdamW shrinks θ by 1 − ηλ; Adam with an L2 penalty takes η off |θ|, whatever λ is",
        ))
        .draw(Draw::real("theta", 2.0..=9.0))
        .draw(Draw::choice("sign", &["+", "-"]))
        .within("rounding", ROUNDING)
        .check(|case| {
            let (rate, lambda) = (case.real("rate"), case.real("lambda"));
            let sign = if case.choice("sign") == "+" { 1.0 } else { -1.0 };
            let theta = sign * case.real("theta");
            let end = |optimizer: &mut dyn Optimizer<f64>| -> Result<f64, Failure> {
                Ok(path(optimizer, &Tensor::from([theta]), &[Tensor::from([0.0])])?[1].item()?)
            };
            let beside = end(&mut AdamW::new(rate).weight_decay(lambda))?;
            let inside = end(&mut Adam::new(rate).epsilon(0.0).weight_decay(lambda))?;
            Ok(relative(beside, (1.0 - rate * lambda) * theta) + relative(inside, theta - rate * sign))
        }),
        decayed(walk(
            "weight-decay-update.groups",
            ID,
            "a group has its own rate and decay; the others have the optimiser's",
        ))
        .draw(Draw::real("factor", 0.0..=2.0))
        .draw(Draw::real("own", 0.0..=0.9))
        .holds(|case| {
            let (start, gradients) = drawn::<f64>(case, 1.0)?;
            let (rate, lambda) = (case.real("rate"), case.real("lambda"));
            let (factor, own) = (case.real("factor"), case.real("own"));
            let two = Two { weight: Var::parameter(start.clone()), bias: Var::parameter(start.clone()) };
            let group = Group::suffix("bias").rate_factor(factor).weight_decay(own);
            // A second group with the same members does not count.
            let late = Group::matching(|name, _| name == "bias").rate_factor(7.0);
            let mut sgd = Sgd::new(rate).momentum(0.5).weight_decay(lambda).group(group).group(late);
            for g in &gradients {
                let both = two.weight.add(&two.bias)?;
                let slopes = slopes(&both, g)?;
                drop(both);
                sgd.step(&two, &slopes)?;
            }
            let alone = |rate, lambda| {
                path(&mut Sgd::new(rate).momentum(0.5).weight_decay(lambda), &start, &gradients)
            };
            let (weight, bias) = (alone(rate, lambda)?, alone(rate * factor, own)?);
            let last = gradients.len();
            Ok(same(&two.weight.value(), &weight[last]) && same(&two.bias.value(), &bias[last]))
        }),
        Property::new(
            "weight-decay-update.no-gradient",
            ID,
            "a parameter that took no part stays, and does not decay; a tied one moves once",
        )
        .draw(Draw::real("theta", 1.0..=9.0))
        .holds(|case| {
            let start = Tensor::from([case.real("theta")]);
            let two = Two { weight: Var::parameter(start.clone()), bias: Var::parameter(start.clone()) };
            let gradients = slopes(&two.weight, &Tensor::from([1.0]))?;
            Sgd::new(0.5).weight_decay(0.1).step(&two, &gradients)?;
            let mut alone = Sgd::new(0.5).weight_decay(0.1);
            let once = path(&mut alone, &start, &[Tensor::from([1.0])])?;
            let shared = Var::parameter(start.clone());
            let tied = Two { weight: shared.clone(), bias: shared.clone() };
            let gradients = slopes(&shared, &Tensor::from([1.0]))?;
            Sgd::new(0.5).weight_decay(0.1).step(&tied, &gradients)?;
            let stays = same(&two.bias.value(), &start) && same(&two.weight.value(), &once[1]);
            Ok(stays && same(&shared.value(), &once[1]))
        }),
        Property::refutation(
            "weight-decay-update.printed",
            ID,
            "a decay of 1e⁻⁵ as the notes typeset it, a power of e, shrinks a weight as the paper's 10⁻⁴ does",
        )
        .within("rounding", ROUNDING)
        .check(|_| {
            // The rate of 0.1 of the same recipe; 1 − 6.7·10⁻⁴ against 1 − 10⁻⁵.
            let shrunk = |lambda: f64| {
                let (theta, g) = WeightDecay::Coupled.apply(1.0, 0.0, 0.1, lambda);
                theta - 0.1 * g
            };
            Ok(relative(shrunk((-5f64).exp()), shrunk(1e-4)))
        }),
    ]
}
