//! Stochastic gradient descent: plain, with momentum, with Nesterov's, with weight decay.

use crate::error::below_one;
use crate::memory::Memory;
use crate::{Group, Momentum, Optimizer, Result, WeightDecay, nesterov};
use gradus_autograd::{Gradients, Parameters};
use gradus_tensor::{Scalar, Tensor};
use std::collections::BTreeMap;

/// Stochastic gradient descent: θ ← θ − ηg, with momentum and weight decay where they are wanted.
///
/// **Formula** `momentum-update`, `nesterov`, `weight-decay-update`: see [`Momentum`], [`nesterov()`](crate::nesterov()),
/// [`WeightDecay`]. The gradient takes the decay in first, then the velocity takes the gradient in, as in PyTorch.
///
/// **Shapes**: any. **Units**: η has those of θ² over the loss. **Gradient**: not differentiated.
///
/// **Numerics**: one pass over θ, g and v, in place, on all cores; the bits are those of [`plain`](crate::plain). A NaN in a
/// gradient is a NaN in the parameter. A parameter that has no gradient stays, and does not decay.
///
/// **Errors**: at [`step`](Optimizer::step): η or λ not finite and at least 0, μ not in 0 ≤ μ < 1, Nesterov without momentum, a
/// gradient or a state of another shape than its parameter.
///
/// **Source**: Robbins & Monro 1951; Sutskever et al. 2013; Loshchilov & Hutter 2019, Algorithm 1.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_optimization::{Optimizer, Sgd};
/// use gradus_tensor::Tensor;
/// let w = Var::parameter(Tensor::from([4.0f64]));
/// let mut sgd = Sgd::new(0.25).momentum(0.5);
/// for expected in [2.0, 0.0, -1.0] {
///     let gradients = w.mul(&w)?.sum()?.backward()?; // 2w
///     sgd.step(&w, &gradients)?;
///     assert_eq!(w.item()?, expected); // v = 8, then 4 + 4, then 4 + 0
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Sgd<T: Scalar = f32> {
    memory: Memory<T>,
    mu: f64,
    form: Momentum,
    nesterov: bool,
    decay: f64,
    kind: WeightDecay,
}

impl<T: Scalar> Sgd<T> {
    /// Plain descent at this rate: no momentum, no decay.
    pub fn new(rate: f64) -> Self {
        Self {
            memory: Memory::new(rate, false),
            mu: 0.0,
            form: Momentum::Velocity,
            nesterov: false,
            decay: 0.0,
            kind: WeightDecay::Coupled,
        }
    }

    /// With momentum μ, in PyTorch's form unless [`form`](Self::form) says otherwise.
    #[must_use]
    pub fn momentum(mut self, mu: f64) -> Self {
        self.mu = mu;
        self
    }

    /// With this form of momentum.
    #[must_use]
    pub fn form(mut self, form: Momentum) -> Self {
        self.form = form;
        self
    }

    /// With Nesterov's momentum.
    #[must_use]
    pub fn nesterov(mut self, yes: bool) -> Self {
        self.nesterov = yes;
        self
    }

    /// With coupled weight decay: an L2 penalty of ½λ‖θ‖².
    #[must_use]
    pub fn weight_decay(mut self, lambda: f64) -> Self {
        (self.decay, self.kind) = (lambda, WeightDecay::Coupled);
        self
    }

    /// With decoupled weight decay: θ shrinks by 1 − ηλ a step, beside the momentum (“SGDW”).
    #[must_use]
    pub fn decoupled_weight_decay(mut self, lambda: f64) -> Self {
        (self.decay, self.kind) = (lambda, WeightDecay::Decoupled);
        self
    }

    /// With settings of their own for some parameters.
    #[must_use]
    pub fn group(mut self, group: Group) -> Self {
        self.memory.groups.push(group);
        self
    }

    fn parts(&self) -> &'static [&'static str] {
        if self.mu == 0.0 { &[] } else { &["momentum"] }
    }
}

impl<T: Scalar> Optimizer<T> for Sgd<T> {
    fn step(&mut self, model: &dyn Parameters<T>, gradients: &Gradients<T>) -> Result<()> {
        below_one("momentum", self.mu)?;
        let needs = "above 0 with Nesterov's";
        crate::error::allow(!self.nesterov || self.mu > 0.0, "momentum", self.mu, needs)?;
        let (form, kind, looks_ahead) = (self.form, self.kind, self.nesterov);
        let mu = T::of(self.mu);
        if self.mu == 0.0 {
            return self.memory.step(model, gradients, self.decay, |own, _, pass| {
                let rate = T::of(own.rate);
                pass.run(
                    #[inline(always)]
                    move |theta, g, []: [T; 0]| {
                        let (theta, g) = kind.apply(theta, g, own.rate, own.decay);
                        (theta - rate * g, [])
                    },
                );
            });
        }
        self.memory.step(model, gradients, self.decay, |own, _, pass| {
            let rate = T::of(own.rate);
            if looks_ahead {
                pass.run(
                    #[inline(always)]
                    move |theta, g, [v]| {
                        let (theta, g) = kind.apply(theta, g, own.rate, own.decay);
                        let (theta, v) = nesterov(form, theta, v, g, rate, mu);
                        (theta, [v])
                    },
                );
            } else {
                pass.run(
                    #[inline(always)]
                    move |theta, g, [v]| {
                        let (theta, g) = kind.apply(theta, g, own.rate, own.decay);
                        let (theta, v) = form.update(theta, v, g, rate, mu);
                        (theta, [v])
                    },
                );
            }
        })
    }

    fn learning_rate(&self) -> f64 {
        self.memory.rate()
    }

    fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        self.memory.set_rate(rate)
    }

    fn state(&self) -> BTreeMap<String, Tensor<T>> {
        self.memory.state(self.parts())
    }

    fn load_state(&mut self, state: &BTreeMap<String, Tensor<T>>) -> Result<()> {
        self.memory.load(self.parts(), state)
    }
}
