//! A running mean of the weights, beside any optimiser: quieter than the weights themselves.

use crate::error::below_one;
use crate::{Optimizer, Result};
use gradus_autograd::{Gradients, Parameters};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Scalar, Tensor};
use std::collections::BTreeMap;

pub(crate) const FORMULA: Formula = Formula {
    id: "ema-weights",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The running mean of the weights",
    latex: r"\bar\theta_k = d_k\, \bar\theta_{k-1} + (1 - d_k)\, \theta_k, \qquad d_k = \min\left(d, \frac{k}{9 + k}\right), \quad k = 0, 1, \dots",
    unicode: "θ̄ₖ = dₖ·θ̄ₖ₋₁ + (1 − dₖ)·θₖ, dₖ = min(d, k/(9 + k)), k = 0, 1, …",
    symbols: &[
        Symbol {
            latex: r"\theta_k",
            code: "theta",
            meaning: "the weights after step k",
            shape: "any",
            unit: "that of the weights",
        },
        Symbol {
            latex: r"\bar\theta_k",
            code: "average",
            meaning: "their running mean",
            shape: "any",
            unit: "that of the weights",
        },
        Symbol {
            latex: "d",
            code: "decay",
            meaning: "the share that the mean keeps in a step: 0.9999 is a memory of 10,000 steps",
            shape: "[]",
            unit: "1",
        },
    ],
    source: "Polyak & Juditsky 1992; Ho, Jain & Abbeel 2020, appendix B",
    item: item!(struct Averaged),
    chapter: "diffusion-training",
    printed: None,
};

/// An optimiser beside which the weights' running mean is kept: the network that one trains, and the one that one uses.
///
/// **Formula** `ema-weights`: θ̄ₖ = dₖθ̄ₖ₋₁ + (1 − dₖ)θₖ, dₖ = min(d, k/(9 + k)): the first weights are forgotten in the beginning, and the memory grows to 1/(1 − d) steps.
///
/// **Shapes**: a tensor a parameter. **Units**: those of the weights. **Gradient**: not differentiated.
///
/// **Numerics**: θ̄ + (1 − d)(θ − θ̄), one pass; what does not move stays, to the bit.
///
/// **Errors**: d not within 0 ≤ d < 1; those of the optimiser.
///
/// **Source**: Polyak & Juditsky 1992; Ho, Jain & Abbeel 2020, appendix B (d = 0.9999).
///
/// The mean is part of the [state](Optimizer::state): a checkpoint keeps it, and a run that goes on has the bits that it would have had.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_optimization::{Averaged, Optimizer, Sgd};
/// use gradus_tensor::Tensor;
/// let w = Var::parameter(Tensor::from([8.0f64]));
/// let mut sgd = Averaged::new(Sgd::new(0.5), 0.1)?;
/// for _ in 0..2 {
///     let gradients = w.mul(&w)?.scale(0.5)?.sum()?.backward()?; // each step halves w: 4, 2
///     sgd.step(&w, &gradients)?;
/// }
/// sgd.load_into(&w)?;
/// assert!((w.item()? - 2.2).abs() < 1e-15); // 0.1·4 + 0.9·2
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Averaged<O, T: Scalar = f32> {
    inner: O,
    decay: f64,
    steps: u64,
    of: BTreeMap<String, Tensor<T>>,
}

/// What the names of the means begin with in a state, and the name of their count.
const AVERAGE: &str = "average.";
const STEPS: &str = "average_steps";

impl<T: Scalar, O: Optimizer<T>> Averaged<O, T> {
    /// This optimiser, with a mean that keeps this share in a step.
    ///
    /// # Errors
    /// If the share is not at least 0 and below 1.
    pub fn new(inner: O, decay: f64) -> Result<Self> {
        below_one("decay", decay)?;
        Ok(Self { inner, decay, steps: 0, of: BTreeMap::new() })
    }

    /// The means, under the parameters' dotted names: empty before the first step.
    #[must_use]
    pub fn averages(&self) -> &BTreeMap<String, Tensor<T>> {
        &self.of
    }

    /// Puts the means in the place of the weights of a model: of a copy, if training is to go on. Nothing happens before the first step.
    ///
    /// # Errors
    /// If the model has not these parameters.
    pub fn load_into(&self, model: &dyn Parameters<T>) -> gradus_autograd::Result<()> {
        let mut state = model.state();
        state.extend(self.of.clone());
        model.load_state(&state)
    }
}

/// dₖ.
fn decay(most: f64, k: u64) -> f64 {
    most.min(k as f64 / (9.0 + k as f64))
}

impl<T: Scalar, O: Optimizer<T>> Optimizer<T> for Averaged<O, T> {
    fn step(&mut self, model: &dyn Parameters<T>, gradients: &Gradients<T>) -> Result<()> {
        self.inner.step(model, gradients)?;
        let take = T::of(1.0 - decay(self.decay, self.steps));
        for (name, parameter) in model.named_parameters() {
            let theta = parameter.value();
            match self.of.get_mut(&name) {
                // Else both share a buffer, and the next step would copy it.
                None => drop(self.of.insert(name, theta.map(|x| x))),
                Some(mean) => mean.zip_in_place(
                    &theta,
                    #[inline(always)]
                    |mean, theta| mean + take * (theta - mean),
                )?,
            }
        }
        self.steps += 1;
        Ok(())
    }

    fn learning_rate(&self) -> f64 {
        self.inner.learning_rate()
    }

    fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        self.inner.set_learning_rate(rate)
    }

    fn state(&self) -> BTreeMap<String, Tensor<T>> {
        let mut state = self.inner.state();
        state.extend(self.of.iter().map(|(name, mean)| (format!("{AVERAGE}{name}"), mean.clone())));
        state.insert(STEPS.into(), Tensor::scalar(T::of(self.steps as f64)));
        state
    }

    fn load_state(&mut self, state: &BTreeMap<String, Tensor<T>>) -> Result<()> {
        let missing = || gradus_tensor::Error::argument("Averaged", "state", "without a count", STEPS);
        let steps = state.get(STEPS).ok_or_else(missing)?.item()?.as_f64();
        let (mut inner, mut of) = (BTreeMap::new(), BTreeMap::new());
        for (name, value) in state.iter().filter(|(name, _)| *name != STEPS) {
            match name.strip_prefix(AVERAGE) {
                Some(name) => of.insert(name.to_owned(), value.clone()),
                None => inner.insert(name.clone(), value.clone()),
            };
        }
        self.inner.load_state(&inner)?;
        (self.steps, self.of) = (steps as u64, of);
        Ok(())
    }
}
