//! Adam: each parameter at a rate of its own, by the mean and the mean square of its gradients.

use crate::error::{below_one, not_negative};
use crate::memory::Memory;
use crate::symbols::{DECAY, EPSILON, GRADIENT, RATE, STEP, THETA};
use crate::{Group, Optimizer, Result, WeightDecay};
use gradus_autograd::{Gradients, Parameters};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Scalar, Tensor};
use std::collections::BTreeMap;

const FIRST: Symbol = Symbol {
    latex: "m",
    code: "first_moment",
    meaning: "a running mean of the gradients, 0 at first",
    shape: "as θ",
    unit: "as g",
};
const SECOND: Symbol = Symbol {
    latex: "s",
    code: "second_moment",
    meaning: "a running mean of their squares, 0 at first",
    shape: "as θ",
    unit: "square of g's",
};
const BETAS: Symbol = Symbol {
    latex: r"\beta_1, \beta_2",
    code: "betas",
    meaning: "how much of either mean a step keeps",
    shape: "[]",
    unit: "1",
};

pub(crate) const FORMULA: Formula = Formula {
    id: "adam",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Adam",
    latex: r"\begin{aligned} m &\leftarrow \beta_1 m + (1 - \beta_1)\,g & s &\leftarrow \beta_2 s + (1 - \beta_2)\,g^2 \\ \hat m &= \frac{m}{1 - \beta_1^t} & \hat s &= \frac{s}{1 - \beta_2^t} \\ \theta &\leftarrow \theta - \eta\,\frac{\hat m}{\sqrt{\hat s} + \varepsilon} \end{aligned}",
    unicode: "m ← β₁m + (1 − β₁)g, s ← β₂s + (1 − β₂)g², θ ← θ − η·(m/(1 − β₁ᵗ))/(√(s/(1 − β₂ᵗ)) + ε)",
    symbols: &[THETA, GRADIENT, FIRST, SECOND, BETAS, RATE, EPSILON, STEP],
    source: "Kingma & Ba 2015, Algorithm 1",
    item: item!(struct Adam),
    chapter: "sgd",
    printed: None,
};

pub(crate) const FORMULA_DECOUPLED: Formula = Formula {
    id: "adamw",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "AdamW",
    latex: r"\theta \leftarrow (1 - \eta\lambda)\,\theta - \eta\,\frac{\hat m}{\sqrt{\hat s} + \varepsilon}",
    unicode: "θ ← (1 − ηλ)θ − η·m̂/(√ŝ + ε)",
    symbols: &[THETA, GRADIENT, FIRST, SECOND, BETAS, RATE, DECAY, EPSILON, STEP],
    source: "Loshchilov & Hutter 2019, Algorithm 2",
    item: item!(struct AdamW),
    chapter: "sgd",
    printed: None,
};

/// 1 − βᵗ: what the weights of a running mean of t terms, begun at 0, add up to.
pub(crate) fn correction(beta: f64, step: u64) -> f64 {
    // By the logarithm, so that nothing cancels for a β near 1. 0⁰ does not occur: steps begin at 1.
    -(step as f64 * beta.ln()).exp_m1()
}

/// Adam: a step against the mean gradient, divided by the root of the mean square.
///
/// **Formula** `adam`: m ← β₁m + (1 − β₁)g, s ← β₂s + (1 − β₂)g², θ ← θ − η·m̂/(√ŝ + ε), with m̂ = m/(1 − β₁ᵗ) and
/// ŝ = s/(1 − β₂ᵗ). ε stands outside of the root, and is added after the correction, as in PyTorch.
///
/// **Shapes**: any; m and s as θ. **Units**: the quotient has none, so η has those of θ. **Gradient**: not differentiated.
///
/// **Numerics**: one pass over θ, g, m and s, in place, on all cores; the bits are those of [`plain::adam`](crate::plain::adam). t
/// counts the steps of each parameter, those with a gradient. In `f32` the square of a gradient below 10⁻²³ is 0, of one above
/// 10¹⁹ infinite; the step is then m̂/ε, or 0 as long as m is finite. NaN in, NaN out.
///
/// **Errors**: at [`step`](Optimizer::step): η, ε or λ not finite and at least 0, a β not in 0 ≤ β < 1, another shape.
///
/// **Source**: Kingma & Ba 2015, Algorithm 1.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_optimization::{Adam, Optimizer};
/// use gradus_tensor::Tensor;
/// let w = Var::parameter(Tensor::from([1.0f64, 1.0]));
/// let mut adam = Adam::new(0.125).epsilon(0.0);
/// let gradients = w.mul(&Var::constant(Tensor::from([1000.0, -0.001])))?.sum()?.backward()?;
/// adam.step(&w, &gradients)?;
/// assert!(w.value().all_close(&Tensor::from([0.875, 1.125]), 0.0, 1e-12)?); // η against each sign, whatever the size
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Adam<T: Scalar = f32> {
    memory: Memory<T>,
    betas: [f64; 2],
    epsilon: f64,
    decay: f64,
    kind: WeightDecay,
}

const PARTS: [&str; 2] = ["first_moment", "second_moment"];

impl<T: Scalar> Adam<T> {
    /// At this rate (the paper's is 0.001), with β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸.
    pub fn new(rate: f64) -> Self {
        Self {
            memory: Memory::new(rate, true),
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            decay: 0.0,
            kind: WeightDecay::Coupled,
        }
    }

    /// With these β₁ and β₂.
    #[must_use]
    pub fn betas(mut self, first: f64, second: f64) -> Self {
        self.betas = [first, second];
        self
    }

    /// With this ε.
    #[must_use]
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// With coupled weight decay, which the division by √ŝ takes nearly all of the effect from: rather take [`AdamW`].
    #[must_use]
    pub fn weight_decay(mut self, lambda: f64) -> Self {
        (self.decay, self.kind) = (lambda, WeightDecay::Coupled);
        self
    }

    /// With settings of their own for some parameters.
    #[must_use]
    pub fn group(mut self, group: Group) -> Self {
        self.memory.groups.push(group);
        self
    }
}

impl<T: Scalar> Optimizer<T> for Adam<T> {
    fn step(&mut self, model: &dyn Parameters<T>, gradients: &Gradients<T>) -> Result<()> {
        let ([beta1, beta2], kind) = (self.betas, self.kind);
        below_one("beta1", beta1)?;
        below_one("beta2", beta2)?;
        not_negative("epsilon", self.epsilon)?;
        let epsilon = T::of(self.epsilon);
        let [keep1, keep2] = [beta1, beta2].map(T::of);
        let [take1, take2] = [1.0 - beta1, 1.0 - beta2].map(T::of);
        self.memory.step(model, gradients, self.decay, |own, step, pass| {
            let factor = T::of(own.rate / correction(beta1, step));
            let shrink = T::of(1.0 / correction(beta2, step).sqrt());
            pass.run(
                #[inline(always)]
                move |theta, g, [m, s]| {
                    let (theta, g) = kind.apply(theta, g, own.rate, own.decay);
                    let m = keep1 * m + take1 * g;
                    let s = keep2 * s + take2 * (g * g);
                    (theta - factor * m / (s.sqrt() * shrink + epsilon), [m, s])
                },
            );
        })
    }

    fn learning_rate(&self) -> f64 {
        self.memory.rate()
    }

    fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        self.memory.set_rate(rate)
    }

    fn state(&self) -> BTreeMap<String, Tensor<T>> {
        self.memory.state(&PARTS)
    }

    fn load_state(&mut self, state: &BTreeMap<String, Tensor<T>>) -> Result<()> {
        self.memory.load(&PARTS, state)
    }
}

/// AdamW: [`Adam`] whose weights decay beside the step and not through the gradient.
///
/// **Formula** `adamw`: θ ← (1 − ηλ)θ − η·m̂/(√ŝ + ε). A group's rate and a schedule act on the decay too, as in PyTorch (in the paper
/// the schedule does, η's base value does not).
///
/// **Shapes**, **Units**, **Gradient**, **Numerics**, **Errors**: as [`Adam`]; λ has the units of 1/η.
///
/// **Source**: Loshchilov & Hutter 2019, Algorithm 2.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_optimization::{AdamW, Optimizer};
/// use gradus_tensor::Tensor;
/// let w = Var::parameter(Tensor::from([8.0f64]));
/// let gradients = w.scale(0.0)?.sum()?.backward()?; // the loss does not depend on w
/// AdamW::new(0.5).weight_decay(0.25).step(&w, &gradients)?;
/// assert_eq!(w.item()?, 7.0); // (1 − ½·¼)·8
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct AdamW<T: Scalar = f32>(Adam<T>);

impl<T: Scalar> AdamW<T> {
    /// As [`Adam::new`], with λ = 0.01.
    pub fn new(rate: f64) -> Self {
        Self(Adam { decay: 0.01, kind: WeightDecay::Decoupled, ..Adam::new(rate) })
    }

    /// With these β₁ and β₂.
    #[must_use]
    pub fn betas(self, first: f64, second: f64) -> Self {
        Self(self.0.betas(first, second))
    }

    /// With this ε.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        Self(self.0.epsilon(epsilon))
    }

    /// With this λ.
    #[must_use]
    pub fn weight_decay(mut self, lambda: f64) -> Self {
        self.0.decay = lambda;
        self
    }

    /// With settings of their own for some parameters.
    #[must_use]
    pub fn group(self, group: Group) -> Self {
        Self(self.0.group(group))
    }
}

impl<T: Scalar> Optimizer<T> for AdamW<T> {
    fn step(&mut self, model: &dyn Parameters<T>, gradients: &Gradients<T>) -> Result<()> {
        self.0.step(model, gradients)
    }

    fn learning_rate(&self) -> f64 {
        self.0.learning_rate()
    }

    fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        self.0.set_learning_rate(rate)
    }

    fn state(&self) -> BTreeMap<String, Tensor<T>> {
        self.0.state()
    }

    fn load_state(&mut self, state: &BTreeMap<String, Tensor<T>>) -> Result<()> {
        self.0.load_state(state)
    }
}
