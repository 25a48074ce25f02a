//! What every optimiser remembers, by parameter: the walk over a model, and the state that can be saved.

use crate::error::not_negative;
use crate::group::Setting;
use crate::kernel::Pass;
use crate::{Error, Group, Result};
use gradus_autograd::{Gradients, Name, Parameters, Slot, Var};
use gradus_tensor::{Scalar, Shape, Tensor};
use std::collections::{BTreeMap, HashSet};

/// The name of the learning rate in a state, and that of the counts of steps.
const RATE: &str = "learning_rate";
const STEP: &str = "step";

/// The rate, the groups, and what is remembered of each parameter, under its dotted name.
#[derive(Debug)]
pub(crate) struct Memory<T: Scalar> {
    rate: f64,
    pub(crate) groups: Vec<Group>,
    /// Whether the steps of each parameter are counted.
    counts: bool,
    of: BTreeMap<String, Own<T>>,
    /// The variables that a walk has come by: a tied one moves once. Kept for its memory.
    seen: HashSet<u64>,
}

/// What is remembered of one parameter.
#[derive(Debug, Clone)]
struct Own<T: Scalar> {
    steps: u64,
    parts: Vec<Tensor<T>>,
}

impl<T: Scalar> Memory<T> {
    pub(crate) fn new(rate: f64, counts: bool) -> Self {
        Self { rate, groups: Vec::new(), counts, of: BTreeMap::new(), seen: HashSet::new() }
    }

    pub(crate) fn rate(&self) -> f64 {
        self.rate
    }

    pub(crate) fn set_rate(&mut self, rate: f64) -> Result<()> {
        not_negative("learning_rate", rate)?;
        self.rate = rate;
        Ok(())
    }

    /// Updates every parameter that has a gradient: `update` gets its settings, the number of its step (from 1), and the slices.
    pub(crate) fn step<const S: usize>(
        &mut self,
        model: &dyn Parameters<T>,
        gradients: &Gradients<T>,
        decay: f64,
        update: impl Fn(Setting, u64, Pass<'_, T, S>),
    ) -> Result<()> {
        not_negative("learning_rate", self.rate)?;
        not_negative("weight_decay", decay)?;
        self.groups.iter().try_for_each(Group::check)?;
        // Everything is looked at before anything moves.
        self.walk(model, |memory, name, parameter| match gradients.get(parameter) {
            Some(gradient) => memory.check(name, parameter.shape(), gradient),
            None => Ok(()),
        })?;
        self.walk(model, |memory, name, parameter| {
            let Some(gradient) = gradients.get(parameter) else { return Ok(()) };
            let shape = gradient.shape();
            let setting = Setting { rate: memory.rate, decay }.within(&memory.groups, name, &shape);
            let mut stateless = Own { steps: 0, parts: Vec::new() };
            let own = if S == 0 && !memory.counts { &mut stateless } else { memory.own(name) };
            own.steps += 1;
            own.parts.truncate(S);
            own.parts.resize_with(S, || gradient.zeros_like());
            let Ok(parts) = <&mut [Tensor<T>; S]>::try_from(own.parts.as_mut_slice()) else {
                unreachable!("so many have just been made")
            };
            let state = parts.each_mut().map(Tensor::as_mut_slice);
            parameter.update(|theta| {
                update(
                    setting,
                    own.steps,
                    Pass { theta: theta.as_mut_slice(), gradient: gradient.as_slice(), state },
                );
            });
            Ok(())
        })
    }

    /// What is remembered under this name. No name is made again for a parameter that has moved before.
    fn own(&mut self, name: &str) -> &mut Own<T> {
        if !self.of.contains_key(name) {
            self.of.insert(name.to_owned(), Own { steps: 0, parts: Vec::new() });
        }
        match self.of.get_mut(name) {
            Some(own) => own,
            None => unreachable!("it is there now"),
        }
    }

    fn check(&self, name: &str, expected: Shape, gradient: &Tensor<T>) -> Result<()> {
        let parts = self.of.get(name).map_or(&[][..], |own| &own.parts).iter();
        let mut shapes =
            std::iter::once(("gradient", gradient.shape())).chain(parts.map(|part| ("state", part.shape())));
        match shapes.find(|(_, shape)| *shape != expected) {
            Some((what, got)) => Err(Error::Shape {
                what,
                name: name.to_owned(),
                expected: Box::new(expected),
                got: Box::new(got),
            }),
            None => Ok(()),
        }
    }

    /// Shows every parameter once, under its first name.
    fn walk(
        &mut self,
        model: &dyn Parameters<T>,
        mut see: impl FnMut(&mut Self, &str, &Var<T>) -> Result<()>,
    ) -> Result<()> {
        self.seen.clear();
        let mut result = Ok(());
        model.visit(&mut Name::default(), &mut |name, slot| {
            if let Slot::Parameter(parameter) = slot
                && result.is_ok()
                && self.seen.insert(parameter.id())
            {
                result = see(self, name, parameter);
            }
        });
        result
    }

    /// All that is remembered: the rate, and for each parameter its parts under their names, and its steps.
    pub(crate) fn state(&self, parts: &[&str]) -> BTreeMap<String, Tensor<T>> {
        let mut state = BTreeMap::from([(RATE.to_owned(), words(self.rate.to_bits()))]);
        for (name, own) in &self.of {
            for (part, tensor) in parts.iter().zip(&own.parts) {
                state.insert(format!("{part}.{name}"), tensor.clone());
            }
            if self.counts {
                state.insert(format!("{STEP}.{name}"), words(own.steps));
            }
        }
        state
    }

    /// Brings back what [`state`](Self::state) gave, or changes nothing.
    pub(crate) fn load(&mut self, parts: &[&str], state: &BTreeMap<String, Tensor<T>>) -> Result<()> {
        let refuse = |name: &str, problem| Err(Error::State { name: name.to_owned(), problem });
        let Some(rate) = state.get(RATE) else { return refuse(RATE, "is missing") };
        let Some(rate) = number(rate).map(f64::from_bits).filter(|r| *r >= 0.0 && r.is_finite()) else {
            return refuse(RATE, "is not four words of a number that is finite and at least 0");
        };
        let mut of: BTreeMap<String, Found<T>> = BTreeMap::new();
        for (key, tensor) in state.iter().filter(|(key, _)| *key != RATE) {
            let Some((part, name)) = key.split_once('.') else { return refuse(key, "is unknown") };
            let place = parts.iter().position(|known| *known == part);
            let counted = self.counts && part == STEP;
            if place.is_none() && !counted {
                return refuse(key, "is unknown");
            }
            let own = of.entry(name.to_owned()).or_insert_with(|| (None, vec![None; parts.len()]));
            match place {
                Some(place) => own.1[place] = Some(tensor.clone()),
                None => match number(tensor) {
                    Some(steps) => own.0 = Some(steps),
                    None => return refuse(key, "is not four words of a number"),
                },
            }
        }
        let mut loaded = BTreeMap::new();
        for (name, (steps, tensors)) in of {
            let mut own = Own { steps: steps.unwrap_or(0), parts: Vec::new() };
            if self.counts && steps.is_none() {
                return refuse(&format!("{STEP}.{name}"), "is missing");
            }
            for (part, tensor) in parts.iter().zip(tensors) {
                let key = format!("{part}.{name}");
                let Some(tensor) = tensor else { return refuse(&key, "is missing") };
                if own.parts.first().is_some_and(|first| first.shape() != tensor.shape()) {
                    return refuse(&key, "has another shape than the parameter's other parts");
                }
                own.parts.push(tensor);
            }
            loaded.insert(name, own);
        }
        (self.rate, self.of) = (rate, loaded);
        Ok(())
    }
}

/// What a state holds of one parameter: its steps, and its parts in the order of their names.
type Found<T> = (Option<u64>, Vec<Option<Tensor<T>>>);

/// A number of 64 bits in four of 16, the lowest first, which every type of tensor holds exactly.
fn words<T: Scalar>(bits: u64) -> Tensor<T> {
    (0..4).map(|k| T::of((bits >> (16 * k) & 0xFFFF) as f64)).collect()
}

fn number<T: Scalar>(words: &Tensor<T>) -> Option<u64> {
    let values = words.as_slice().iter().map(|word| word.as_f64());
    let whole = |word: f64| (0.0..65536.0).contains(&word) && word.fract() == 0.0;
    (words.len() == 4 && values.clone().all(whole))
        .then(|| values.rev().fold(0, |bits, word| bits << 16 | word as u64))
}
